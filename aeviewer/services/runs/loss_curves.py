"""The losses of one run, growing while it trains. This module does not use Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trainers.errors import AEViewerError
from trainers.events import Losses

if TYPE_CHECKING:
    from collections.abc import Callable, Container

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

    def extend(self, later: LossCurves) -> None:
        """Appends the rows of other curves after the last one here, and their test metrics."""
        step, *columns = later._rows[:, : later._count]
        self.append(Losses(step.astype(np.int64), *(c.astype(np.float32) for c in columns)))
        self._evaluations |= later._evaluations

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


class CurveStore:
    """The curves of several runs by their keys.

    Parameters
    ----------
    report
        Receives the message of what cannot be read.

    Attributes
    ----------
    reader
        Requests the curves of a run, which `complete` receives later: they are empty until then.
        Without it they are read at once.
    """

    def __init__(self, report: Callable[[str], object]) -> None:
        self.reader: Callable[[str], object] | None = None
        self._report = report
        self._curves: dict[str, LossCurves] = {}
        self._unread: set[str] = set()

    def curves(self, key: str, run: Run) -> LossCurves:
        """Returns the curves of a run."""
        if key not in self._curves and self.reader is not None:
            self._curves[key] = LossCurves()
            self._unread.add(key)
            self.reader(key)
        elif key not in self._curves:
            self._curves[key] = read_curves(run, self._report)
        return self._curves[key]

    def complete(self, key: str, curves: LossCurves) -> bool:
        """Takes requested curves, and appends what was added since; False if none is missing."""
        if key not in self._unread:
            return False
        self._unread.discard(key)
        curves.extend(self._curves[key])
        self._curves[key] = curves
        return True

    def rename(self, key: str, new_key: str) -> None:
        """Gives the curves of a run another key; unread ones are requested again."""
        if key in self._curves and key not in self._unread:
            self._curves[new_key] = self._curves[key]
        self.drop(key)

    def drop(self, key: str) -> None:
        """Drops the curves of a run, to be read again."""
        self._curves.pop(key, None)
        self._unread.discard(key)

    def keep(self, keys: Container[str]) -> None:
        """Drops the curves of all other runs."""
        for key in [key for key in self._curves if key not in keys]:
            self.drop(key)
