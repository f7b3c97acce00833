"""An exponential moving average that grows with its curve."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_LEAST_WEIGHT = 1e-6


class Smoother:
    """The bias-corrected exponential moving average (Kingma & Ba 2015, section 3) of a series.

    Parameters
    ----------
    window
        Values over which it forgets: one counts 1/e as much after so many more. 1 smooths nothing.
    """

    def __init__(self, window: int) -> None:
        self._decay = 1 - 1 / max(window, 1)
        self._average = 0.0
        self._values = np.empty(1024)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def values(self) -> NDArray[np.float64]:
        """(n,) the average after each value."""
        return self._values[: self._count]

    def clear(self) -> None:
        """Drops all values."""
        self._average, self._count = 0.0, 0

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
        averages = self._running_averages(np.where(np.isfinite(new), new, np.nan))
        weights = 1 - self._decay ** np.arange(first + 1, self._count + 1)
        self._values[first : self._count] = averages / weights

    def _running_averages(self, new: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the uncorrected averages.

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
