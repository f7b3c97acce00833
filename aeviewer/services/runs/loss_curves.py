"""The losses of one run, growing while it trains. This module does not use Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trainers.errors import AEViewerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainers.events import Losses
    from trainers.runs import Run
    from trainers.runs.metrics import Evaluation

_COLUMNS = 4


class LossCurves:
    """Rows of (step, loss, reconstruction, KL) in one block that doubles when it is full."""

    def __init__(self) -> None:
        self._rows = np.empty((_COLUMNS, 1024), np.float64)
        self._count = 0
        self._evaluations: dict[int, Evaluation] = {}

    def __len__(self) -> int:
        return self._count

    @property
    def step(self) -> NDArray[np.float64]:
        """(n,) steps."""
        return self._rows[0, : self._count]

    @property
    def loss(self) -> NDArray[np.float64]:
        """(n,) training loss per image."""
        return self._rows[1, : self._count]

    @property
    def reconstruction(self) -> NDArray[np.float64]:
        """(n,) the reconstruction part of the loss: squared error or nats, per image."""
        return self._rows[2, : self._count]

    @property
    def kl(self) -> NDArray[np.float64]:
        """(n,) KL to the prior, nats per image."""
        return self._rows[3, : self._count]

    @property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """The test metrics of every checkpoint, by step."""
        return tuple(self._evaluations[step] for step in sorted(self._evaluations))

    def append(self, losses: Losses) -> None:
        """Adds the steps of a slice, except those that were already read from the folder."""
        known = int(np.searchsorted(losses.step, self.step[-1], "right")) if self._count else 0
        start, self._count = self._count, self._count + len(losses.step) - known
        if self._count > self._rows.shape[1]:
            grown = np.empty((_COLUMNS, 2 * self._count), np.float64)
            grown[:, :start] = self._rows[:, :start]
            self._rows = grown
        added = slice(start, self._count)
        self._rows[0, added] = losses.step[known:]
        self._rows[1, added] = losses.total[known:]
        self._rows[2, added] = losses.reconstruction[known:]
        self._rows[3, added] = losses.kl[known:]

    def add_evaluation(self, evaluation: Evaluation) -> None:
        """Adds the test metrics of a checkpoint."""
        self._evaluations[evaluation.step] = evaluation


def read_curves(run: Run, report: Callable[[str], object]) -> LossCurves:
    """Reads the losses and test metrics of a run; what cannot be read is reported."""
    curves = LossCurves()
    try:
        curves.append(run.metrics())
        for checkpoint in run.checkpoints():
            if checkpoint.is_evaluated:
                curves.add_evaluation(checkpoint.evaluation())
    except AEViewerError as error:
        report(str(error))
    return curves
