from __future__ import annotations

import numpy as np
import pytest

from tests.reliability.figures import growth, lateness, slope

MINUTE = 60.0


def _series(hours: float, per_hour: float, noise: float, seed: int = 0) -> tuple[list, list]:
    rng = np.random.default_rng(seed)
    seconds = np.arange(0, 3600 * hours, 2.0)
    values = 500 + per_hour * seconds / 3600 + rng.normal(0, noise, len(seconds))
    return list(seconds), list(values)


def test_what_grows_is_told_from_noise() -> None:
    found = slope(*_series(1.0, 30.0, 5.0))
    assert found is not None
    assert 0 < found.low < 30 < found.high
    assert found.per_hour == pytest.approx(30, abs=2)
    assert found.blocks == 60


def test_a_level_series_is_told_to_be_noise_nineteen_times_in_twenty() -> None:
    judged = [slope(*_series(0.5, 0.0, 5.0, seed)) for seed in range(100)]
    outside = sum(not (found.low <= 0 <= found.high) for found in judged)
    assert outside <= 12


def test_steps_that_wander_are_not_taken_for_a_slope() -> None:
    """A random walk has a line through it, too; its blocks resemble their neighbours."""
    rng = np.random.default_rng(3)
    seconds = np.arange(0, 3000, 2.0)
    outside = 0
    for _ in range(40):
        level = np.repeat(np.cumsum(rng.normal(0, 1, 10)) % 5, len(seconds) // 10)
        found = slope(seconds, 500 + level)
        outside += not (found.low <= 0 <= found.high)
    assert outside <= 10


def test_of_a_short_time_no_slope_is_told() -> None:
    assert slope([], []) is None
    assert slope(*_series(3 * MINUTE / 3600, 0.0, 1.0)) is None


def test_growth_compares_the_last_minutes_with_the_first() -> None:
    assert growth(*_series(1.0, 50.0, 1.0)) == pytest.approx(50 * 55 / 60 / 502, abs=0.002)
    assert growth([], []) is None
    assert growth(*_series(9 * MINUTE / 3600, 0.0, 1.0)) is None


def test_lateness_names_the_percentiles() -> None:
    told = lateness(range(101))
    assert told == {"median": 50, "90 %": 90, "99 %": 99, "worst": 100, "ticks": 101}
