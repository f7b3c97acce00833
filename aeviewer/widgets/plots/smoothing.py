"""An exponential moving average whose window grows with its curve until it is full."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_LEAST_WEIGHT = 1e-6
_GROWTH = 20
"""The window is at most this fraction of the series: a loss that has just begun to fall falls
faster than a full window can follow, and its average would lie above its own values."""


class Smoother:
    """The moving average of a series; nothing of it is recomputed when the series grows.

    With n values x the window is min(window, n / 20). While it grows, the value with the number s
    counts (s / n)^19, which is an exponential average over n / 20 values; the first average is the
    first value. Once it is full, the average is the exponential one of a constant window.

    Parameters
    ----------
    window
        Values over which it forgets: one counts 1/e as much after so many more. 1 smooths nothing.
    """

    def __init__(self, window: int) -> None:
        self._decay = 1 - 1 / max(window, 1)
        self._growing = _GROWTH * window
        self._values = np.empty(1024)
        self.clear()

    def __len__(self) -> int:
        return self._count

    @property
    def values(self) -> NDArray[np.float64]:
        """(n,) the average after each value."""
        return self._values[: self._count]

    def clear(self) -> None:
        """Drops all values."""
        self._average, self._count = 0.0, 0
        self._sum = self._weight = 0.0

    def extend(self, new: NDArray[np.float64]) -> None:
        """Appends (m,) values; the cost grows with m, not with the length of the series."""
        first, self._count = self._count, self._count + len(new)
        if self._count > len(self._values):
            grown = np.empty(2 * self._count)
            grown[:first] = self._values[:first]
            self._values = grown
        if not self._decay:
            self._values[first : self._count] = new
            return
        new = np.where(np.isfinite(new), new, np.nan)
        early = new[: max(0, self._growing - first)]
        self._values[first : first + len(early)] = self._growing_averages(early, first)
        self._values[first + len(early) : self._count] = self._running_averages(new[len(early) :])

    def _growing_averages(self, new: NDArray[np.float64], first: int) -> NDArray[np.float64]:
        """Returns the averages of a window that grows with the series."""
        if not len(new):
            return new
        weights = np.arange(first + 1, first + len(new) + 1, dtype=np.float64) ** (_GROWTH - 1)
        sums, totals = (
            np.cumsum(np.append(before, added))[1:]
            for before, added in ((self._sum, weights * new), (self._weight, weights))
        )
        averages: NDArray[np.float64] = sums / totals
        self._sum, self._weight = float(sums[-1]), float(totals[-1])
        self._average = float(averages[-1])
        return averages

    def _running_averages(self, new: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the averages of the full window.

        Within blocks by a weighted sum, from block to block by one number: the weights of a long
        series would overflow.
        """
        length = max(1, int(math.log(_LEAST_WEIGHT) / math.log(self._decay)))
        count = math.ceil(len(new) / length)
        blocks = np.zeros((count, length))
        blocks.reshape(-1)[: len(new)] = new
        powers = self._decay ** np.arange(1, length + 1)
        sums = np.cumsum(blocks / powers, axis=1) * powers * (1 - self._decay)
        starts = np.empty(count)
        average, left_over = self._average, self._decay**length
        for block, added in enumerate(sums[:, -1].tolist()):
            starts[block] = average
            average = average * left_over + added
        averages: NDArray[np.float64] = (sums + starts[:, None] * powers).reshape(-1)[: len(new)]
        if len(averages):
            self._average = float(averages[-1])
        return averages
