"""Whether a few seeds decide a comparison: confidence intervals and three verdicts.

A verdict is "open" where the interval contains the bound: the spread over seeds does not decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Verdict = Literal["holds", "does not hold", "open"]

CONFIDENCE = 0.95
"""The confidence of an interval of a mean."""

EQUIVALENCE_CONFIDENCE = 0.90
"""The confidence of an interval for equivalence: two one-sided tests at 5 % (Schuirmann 1987)."""


@dataclass(frozen=True)
class Interval:
    """A confidence interval of a mean or of a difference of means."""

    mean: float
    low: float
    high: float

    def text(self, form: str) -> str:
        """Returns the mean and the bounds, each in the format `form`."""
        return f"{self.mean:{form}} [{self.low:{form}}, {self.high:{form}}]"


def interval_of_mean(values: Sequence[float], other_error: float = 0.0) -> Interval | None:
    """Returns Student's interval of the mean of the seeds; None for fewer than two seeds.

    Parameters
    ----------
    values
        One value per seed.
    other_error
        A standard error that all seeds share, for example that of the sample of test images.
    """
    count = len(values)
    if count < 2:
        return None
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1)) / count**0.5
    reach = float(stats.t.ppf(0.5 + CONFIDENCE / 2, count - 1)) * error
    reach = float(np.hypot(reach, stats.norm.ppf(0.5 + CONFIDENCE / 2) * other_error))
    return Interval(mean, mean - reach, mean + reach)


def interval_of_difference(first: Sequence[float], second: Sequence[float]) -> Interval | None:
    """Returns Welch's interval of mean(first) − mean(second), for a test of equivalence."""
    if min(len(first), len(second)) < 2:
        return None
    gap = float(np.mean(first) - np.mean(second))
    parts = [float(np.var(values, ddof=1)) / len(values) for values in (first, second)]
    squares = sum(parts)
    if not squares:
        return Interval(gap, gap, gap)
    weights = zip(parts, (len(first) - 1, len(second) - 1), strict=True)
    freedom = squares**2 / sum(part**2 / count for part, count in weights)
    reach = float(stats.t.ppf(0.5 + EQUIVALENCE_CONFIDENCE / 2, freedom)) * squares**0.5
    return Interval(gap, gap - reach, gap + reach)


def decide_at_most(found: Interval | None, bound: float) -> Verdict:
    """Returns whether a mean is at most a bound."""
    if found is None or found.low <= bound < found.high:
        return "open"
    return "holds" if found.high <= bound else "does not hold"


def decide_at_least(found: Interval | None, bound: float) -> Verdict:
    """Returns whether a mean is at least a bound."""
    if found is None or found.low < bound <= found.high:
        return "open"
    return "holds" if found.low >= bound else "does not hold"


def decide_equivalent(found: Interval | None, margin: float) -> Verdict:
    """Returns whether a difference is within ± the margin; it must be within or beyond wholly."""
    if found is None:
        return "open"
    if -margin <= found.low and found.high <= margin:
        return "holds"
    return "does not hold" if found.low > margin or found.high < -margin else "open"


def all_hold(verdicts: Iterable[Verdict]) -> Verdict:
    """Returns the verdict on a claim that needs all of its parts; "open" without any."""
    found = set(verdicts)
    if "does not hold" in found:
        return "does not hold"
    return "open" if "open" in found or not found else "holds"
