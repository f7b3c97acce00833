"""Intervals over seeds against their textbook values, and the three verdicts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from trainers.reproduction.intervals import (
    Interval,
    all_hold,
    decide_at_least,
    decide_at_most,
    decide_equivalent,
    interval_of_difference,
    interval_of_mean,
)


def test_the_interval_of_three_seeds_is_students() -> None:
    found = interval_of_mean([1.0, 2.0, 3.0])
    assert found is not None
    # t(0.975, 2) = 4.3027, and the standard error is 1 / sqrt(3).
    assert (found.low, found.high) == pytest.approx(
        (2 - 4.3027 / 3**0.5, 2 + 4.3027 / 3**0.5), abs=1e-4
    )
    assert interval_of_mean([1.0]) is None


def test_another_error_widens_the_interval() -> None:
    found = interval_of_mean([2.0, 2.0, 2.0], 0.5)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((2 - 0.98, 2 + 0.98), abs=1e-3)


def test_an_interval_covers_the_mean_as_often_as_it_says() -> None:
    random, covered = np.random.default_rng(0), 0
    for _ in range(2_000):
        found = interval_of_mean(list(random.normal(size=3)))
        assert found is not None
        covered += found.low <= 0 <= found.high
    assert covered / 2_000 == pytest.approx(0.95, abs=0.02)


def test_the_interval_of_a_difference_is_welchs() -> None:
    found = interval_of_difference([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert found is not None
    # t(0.95, 4) = 2.1318, and the standard error is sqrt(2 / 3).
    assert (found.mean, found.high) == pytest.approx((0, 2.1318 * (2 / 3) ** 0.5), abs=1e-4)
    assert interval_of_difference([2.0, 2.0], [1.0, 1.0]) == Interval(1.0, 1.0, 1.0)
    assert interval_of_difference([2.0], [1.0, 1.0]) is None
    first, second = [1.0, 2.0, 4.0], [0.0, 1.0, 7.0, 9.0]
    found = interval_of_difference(first, second)
    expected = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.9)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_an_interval_decides_only_on_one_side_of_a_bound() -> None:
    found = Interval(2.0, 1.0, 3.0)
    assert [decide_at_most(found, bound) for bound in (0.5, 2, 3)] == [
        "does not hold", "open", "holds",
    ]  # fmt: skip
    assert [decide_at_least(found, bound) for bound in (1, 2, 3.5)] == [
        "holds", "open", "does not hold",
    ]  # fmt: skip
    assert decide_at_most(None, 1) == decide_at_least(None, 1) == "open"


def test_equivalence_needs_the_whole_interval_within_the_margin() -> None:
    assert decide_equivalent(Interval(0.1, -0.2, 0.4), 0.5) == "holds"
    assert decide_equivalent(Interval(0.1, -0.2, 0.6), 0.5) == "open"
    assert decide_equivalent(Interval(0.0, -9.0, 9.0), 0.5) == "open"
    assert decide_equivalent(Interval(-0.8, -1.0, -0.6), 0.5) == "does not hold"
    assert decide_equivalent(None, 0.5) == "open"


def test_a_claim_holds_if_all_of_its_parts_do() -> None:
    assert all_hold(["holds", "holds"]) == "holds"
    assert all_hold(["holds", "open"]) == "open"
    assert all_hold(["open", "does not hold"]) == "does not hold"
    assert all_hold([]) == "open"
