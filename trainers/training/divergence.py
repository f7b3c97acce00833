"""Recognises a training whose loss explodes but stays a finite number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FACTOR = 10.0
"""A loss counts as exploded when it is this many times the loss of the first step, which is that
of the untrained model."""

WINDOW = 100
"""Training has diverged when the loss of more than half of so many consecutive steps exploded.

A single bad step is no divergence: the loss of a sound training may jump and return.
"""


class ExplosionMonitor:
    """Follows the losses of a training, step by step.

    The result depends on the losses alone, not on how the steps are divided into slices.
    """

    def __init__(self) -> None:
        self._first: float | None = None
        self._recent = np.empty(0, np.bool_)

    @property
    def first(self) -> float | None:
        """The loss of the first step; None before it."""
        return self._first

    def is_exploded(self, loss: float) -> bool:
        """Returns whether a loss is too large to be that of a sound model."""
        return self._first is not None and loss > FACTOR * self._first

    def count_sound(self, losses: NDArray[np.floating]) -> int:
        """Takes the (n,) losses of the next steps; returns how many precede the divergence.

        All n do if training has not diverged.
        """
        if not len(losses):
            return 0
        if self._first is None:
            self._first = float(losses[0])
        marks = np.concatenate([self._recent, losses > FACTOR * self._first])
        totals = np.cumsum(marks)
        totals[WINDOW:] -= totals[:-WINDOW].copy()
        diverged = np.flatnonzero(totals[len(self._recent) :] > WINDOW // 2)
        count = int(diverged[0]) if len(diverged) else len(losses)
        self._recent = marks[: len(self._recent) + count][1 - WINDOW :]
        return count
