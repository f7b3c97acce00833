"""Statistics of a soak test: whether memory grows, and how late the window was."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_CONFIDENCE = 0.95
_MAX_AUTOCORRELATION = 0.95
_MIN_BLOCKS = 5


@dataclass(frozen=True, slots=True)
class Slope:
    """The slope of a straight line through blocks of a series, by least squares.

    Attributes
    ----------
    per_hour
        The slope, in units of the series per hour.
    low, high
        The bounds of its 95 % confidence interval.
    noise
        The standard deviation of the blocks around the line.
    blocks
        The number of blocks.
    """

    per_hour: float
    low: float
    high: float
    noise: float
    blocks: int


def slope(seconds: ArrayLike, values: ArrayLike, *, block: float = 60.0) -> Slope | None:
    """Returns the slope of a series whose samples are not independent.

    The observations are means of blocks. If consecutive blocks are still correlated
    (autocorrelation r at lag 1), n blocks count as n(1 - r)/(1 + r) observations.

    Parameters
    ----------
    seconds, values
        (n,) times and measurements.
    block
        The seconds of a block.

    Returns
    -------
    Slope | None
        None with fewer than five blocks.
    """
    time, series = np.asarray(seconds, float), np.asarray(values, float)
    if not len(time):
        return None
    number = ((time - time[0]) // block).astype(int)
    blocks = [number == n for n in range(int(number[-1]) + 1)]
    blocks = [inside for inside in blocks if inside.any()]
    if len(blocks) < _MIN_BLOCKS:
        return None
    hours = np.array([time[inside].mean() for inside in blocks]) / 3600
    means = np.array([series[inside].mean() for inside in blocks])
    line = stats.linregress(hours, means)
    residuals = means - line.intercept - line.slope * hours
    correlation = _autocorrelation(residuals)
    effective = max(3.0, len(blocks) * (1 - correlation) / (1 + correlation))
    error = float(line.stderr) * math.sqrt(max(1.0, (len(blocks) - 2) / max(1.0, effective - 2)))
    reach = float(stats.t.ppf((1 + _CONFIDENCE) / 2, max(1.0, effective - 2))) * error
    per_hour, noise = float(line.slope), float(residuals.std(ddof=2))
    return Slope(per_hour, per_hour - reach, per_hour + reach, noise, len(blocks))


def growth(seconds: ArrayLike, values: ArrayLike, *, block: float = 300.0) -> float | None:
    """Returns the relative growth from the mean of the first block to that of the last.

    The slope of a series that wanders is uncertain; the growth bounds what it may hide.

    Returns
    -------
    float | None
        None if the two blocks would overlap.
    """
    time, series = np.asarray(seconds, float), np.asarray(values, float)
    if not len(time) or time[-1] - time[0] < 2 * block:
        return None
    first, last = (
        float(series[inside].mean()) for inside in (time < time[0] + block, time > time[-1] - block)
    )
    return last / first - 1


def _autocorrelation(residuals: np.ndarray) -> float:
    """Returns the autocorrelation at lag 1, and 0 if it is negative."""
    power = float((residuals**2).sum())
    correlation = float((residuals[1:] * residuals[:-1]).sum()) / power if power else 0.0
    return min(max(correlation, 0.0), _MAX_AUTOCORRELATION)


def lateness(milliseconds: ArrayLike) -> dict[str, float]:
    """Returns the median, 90 %, 99 % and maximum in milliseconds, and the number of ticks."""
    late = np.asarray(milliseconds, float)
    median, most, nearly_all = (float(p) for p in np.percentile(late, [50, 90, 99]))
    return {
        "median": round(median, 2),
        "90 %": round(most, 2),
        "99 %": round(nearly_all, 2),
        "worst": round(float(late.max()), 1),
        "ticks": len(late),
    }
