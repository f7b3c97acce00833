"""What is told of a long session: whether memory grows, and how late the window was."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_SURE = 0.95
_MOST_ALIKE = 0.95
_LEAST_BLOCKS = 5


@dataclass(frozen=True, slots=True)
class Slope:
    """A straight line through blocks of a series, by least squares.

    Attributes
    ----------
    per_hour
        Its slope, in units of the series an hour.
    low, high
        Between these the slope lies, with 95 % confidence.
    noise
        Standard deviation of the blocks around the line.
    blocks
        How many there are.
    """

    per_hour: float
    low: float
    high: float
    noise: float
    blocks: int


def slope(seconds: ArrayLike, values: ArrayLike, *, block: float = 60.0) -> Slope | None:
    """The slope of a series that is not measured independently from moment to moment.

    Means of blocks are taken for the observations. Where a block still resembles the one before
    (autocorrelation r at lag 1), n blocks are worth n(1 - r)/(1 + r).

    Parameters
    ----------
    seconds, values
        (n,) moments and what was measured at them.
    block
        Seconds of a block.

    Returns
    -------
    None where there are fewer than five blocks.
    """
    time, series = np.asarray(seconds, float), np.asarray(values, float)
    if not len(time):
        return None
    number = ((time - time[0]) // block).astype(int)
    kept = [number == n for n in range(int(number[-1]) + 1)]
    kept = [inside for inside in kept if inside.any()]
    if len(kept) < _LEAST_BLOCKS:
        return None
    hours = np.array([time[inside].mean() for inside in kept]) / 3600
    means = np.array([series[inside].mean() for inside in kept])
    line = stats.linregress(hours, means)
    rest = means - line.intercept - line.slope * hours
    alike = _alike(rest)
    worth = max(3.0, len(kept) * (1 - alike) / (1 + alike))
    error = float(line.stderr) * math.sqrt(max(1.0, (len(kept) - 2) / max(1.0, worth - 2)))
    reach = float(stats.t.ppf((1 + _SURE) / 2, max(1.0, worth - 2))) * error
    found = float(line.slope)
    return Slope(found, found - reach, found + reach, float(rest.std(ddof=2)), len(kept))


def growth(seconds: ArrayLike, values: ArrayLike, *, block: float = 300.0) -> float | None:
    """By which share the mean of the last block of a series lies above that of the first.

    A slope says little of a series that wanders; this bounds what it may hide.

    Returns
    -------
    None where the two would overlap.
    """
    time, series = np.asarray(seconds, float), np.asarray(values, float)
    if not len(time) or time[-1] - time[0] < 2 * block:
        return None
    first, last = (
        float(series[inside].mean()) for inside in (time < time[0] + block, time > time[-1] - block)
    )
    return last / first - 1


def _alike(rest: np.ndarray) -> float:
    """Autocorrelation at lag 1, where it is positive."""
    power = float((rest**2).sum())
    alike = float((rest[1:] * rest[:-1]).sum()) / power if power else 0.0
    return min(max(alike, 0.0), _MOST_ALIKE)


def lateness(milliseconds: ArrayLike) -> dict[str, float]:
    """Median, 90 %, 99 % and worst, in milliseconds, and how many there were."""
    late = np.asarray(milliseconds, float)
    median, most, nearly_all = (float(p) for p in np.percentile(late, [50, 90, 99]))
    return {
        "median": round(median, 2),
        "90 %": round(most, 2),
        "99 %": round(nearly_all, 2),
        "worst": round(float(late.max()), 1),
        "ticks": len(late),
    }
