from __future__ import annotations

import numpy as np
import pytest

from tests.reliability.soak_statistics import growth, lateness, slope

MINUTE = 60.0


def _series(hours: float, per_hour: float, noise: float, seed: int = 0) -> tuple[list, list]:
    rng = np.random.default_rng(seed)
    seconds = np.arange(0, 3600 * hours, 2.0)
    values = 500 + per_hour * seconds / 3600 + rng.normal(0, noise, len(seconds))
    return list(seconds), list(values)


def test_a_slope_is_found_in_noise() -> None:
    line = slope(*_series(1.0, 30.0, 5.0))
    assert line is not None
    assert 0 < line.low < 30 < line.high
    assert line.per_hour == pytest.approx(30, abs=2)
    assert line.blocks == 60


def test_the_interval_of_a_constant_series_contains_zero_in_most_cases() -> None:
    lines = [slope(*_series(0.5, 0.0, 5.0, seed)) for seed in range(100)]
    outside = sum(not (line.low <= 0 <= line.high) for line in lines)
    assert outside <= 12


def test_a_random_walk_has_no_slope() -> None:
    """A line fits a random walk too, but its blocks are correlated."""
    rng = np.random.default_rng(3)
    seconds = np.arange(0, 3000, 2.0)
    outside = 0
    for _ in range(40):
        level = np.repeat(np.cumsum(rng.normal(0, 1, 10)) % 5, len(seconds) // 10)
        line = slope(seconds, 500 + level)
        outside += not (line.low <= 0 <= line.high)
    assert outside <= 10


def test_a_short_series_has_no_slope() -> None:
    assert slope([], []) is None
    assert slope(*_series(3 * MINUTE / 3600, 0.0, 1.0)) is None


def test_growth_compares_the_last_minutes_with_the_first() -> None:
    assert growth(*_series(1.0, 50.0, 1.0)) == pytest.approx(50 * 55 / 60 / 502, abs=0.002)
    assert growth([], []) is None
    assert growth(*_series(9 * MINUTE / 3600, 0.0, 1.0)) is None


def test_lateness_has_the_percentiles() -> None:
    assert lateness(range(101)) == {
        "median": 50,
        "90 %": 90,
        "99 %": 99,
        "worst": 100,
        "ticks": 101,
    }
