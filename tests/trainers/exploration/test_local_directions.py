"""Local directions, where they are known."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from trainers.exploration.local_directions import MOST_ROWS, STEPS, local_directions

RNG = np.random.default_rng(0)
AXES = np.linalg.qr(RNG.normal(size=(4, 4)))[0].T
DEVIATIONS = np.array([3.0, 1.5, 0.7, 0.3])
MEAN = np.array([1.0, -2.0, 0.5, 4.0])
GAUSSIAN = MEAN + (RNG.normal(size=(60_000, 4)) * DEVIATIONS) @ AXES


@pytest.mark.parametrize("away", [(0.0, 0.0, 0.0, 0.0), (2.0, -1.0, 0.5, 0.1)])
def test_around_any_place_of_a_gaussian_they_are_its_axes(away: tuple[float, ...]) -> None:
    place = MEAN + (np.array(away) @ AXES)
    found = local_directions(GAUSSIAN, place, worth=4_000)
    assert np.abs((found.directions * AXES).sum(axis=1)).min() > 0.98
    # The closed form: 1/σ² + 1/h² is what is left of the covariance around a place.
    wanted = (DEVIATIONS**-2 + found.width**-2) ** -0.5
    np.testing.assert_allclose(found.deviations, wanted, rtol=0.05)
    np.testing.assert_allclose(found.shares, wanted**2 / np.square(wanted).sum(), atol=0.02)


def test_the_neighbourhood_is_worth_as_many_codes_as_asked_for() -> None:
    for worth in (50, 500, 5_000):
        found = local_directions(GAUSSIAN, MEAN, worth)
        weights = np.exp(-np.square(GAUSSIAN - MEAN).sum(axis=1) / (2 * found.width**2))
        assert weights.sum() ** 2 / np.square(weights).sum() == pytest.approx(worth, rel=0.01)


def test_all_codes_give_the_principal_components_of_all() -> None:
    codes = RNG.normal(size=(500, 9)) @ RNG.normal(size=(9, 9))
    found = local_directions(codes, codes[0], worth=500)
    pca = PCA().fit(codes)
    assert found.directions.shape == (MOST_ROWS, 9)
    cosines = (found.directions * pca.components_[:MOST_ROWS]).sum(axis=1)
    np.testing.assert_allclose(np.abs(cosines), 1, atol=1e-9)
    np.testing.assert_allclose(found.shares, pca.explained_variance_ratio_[:MOST_ROWS])
    np.testing.assert_allclose(
        found.deviations, np.sqrt(pca.explained_variance_[:MOST_ROWS] * 499 / 500)
    )


def test_on_a_ring_the_strongest_direction_is_the_tangent() -> None:
    angle = RNG.uniform(0, 2 * np.pi, 20_000)
    ring = 5 * np.stack([np.cos(angle), np.sin(angle)], axis=1) + 0.05 * RNG.normal(
        size=(20_000, 2)
    )
    at = 0.7
    place = 5 * np.array([np.cos(at), np.sin(at)])
    found = local_directions(ring, place, worth=500)
    tangent = np.array([-np.sin(at), np.cos(at)])
    assert abs(found.directions[0] @ tangent) > 0.999
    assert found.shares[0] > 0.9


def test_the_grid_steps_from_the_place_by_local_deviations() -> None:
    found = local_directions(GAUSSIAN, MEAN, worth=1_000)
    grid = found.grid(MEAN)
    assert grid.shape == (4, len(STEPS), 4)
    np.testing.assert_allclose(grid[:, 3], np.tile(MEAN, (4, 1)), rtol=1e-6)
    moved = (grid - MEAN) @ found.directions.T
    for row in range(4):
        np.testing.assert_allclose(moved[row, :, row], STEPS * found.deviations[row], atol=1e-5)


def test_nothing_flips_as_the_place_moves() -> None:
    angle = RNG.uniform(0, 2 * np.pi, 5_000)
    ring = np.stack([np.cos(angle), np.sin(angle), np.zeros(5_000)], axis=1)
    ring += 0.02 * RNG.normal(size=ring.shape)
    found = None
    for at in np.linspace(0, 2 * np.pi, 60):
        before = found
        place = np.array([np.cos(at), np.sin(at), 0])
        found = local_directions(ring, place, worth=300, previous=before)
        if before is not None:
            assert found.directions[0] @ before.directions[0] > 0.9


def test_a_place_far_from_all_codes_looks_at_the_nearest() -> None:
    found = local_directions(GAUSSIAN, MEAN + 1e4 * AXES[3], worth=200)
    assert np.isfinite(found.deviations).all()
    np.testing.assert_allclose(found.directions @ found.directions.T, np.eye(4), atol=1e-9)


def test_codes_at_one_place_and_one_number() -> None:
    same = local_directions(np.ones((100, 3)), np.zeros(3), worth=10)
    np.testing.assert_allclose(same.deviations, 0, atol=1e-12)
    assert np.isfinite(same.shares).all()
    line = local_directions(RNG.normal(size=(2_000, 1)), np.zeros(1), worth=100)
    np.testing.assert_array_equal(line.directions, [[1.0]])
    assert line.shares[0] == 1


def test_what_can_not_be_looked_at_is_refused() -> None:
    with pytest.raises(ValueError, match="0 codes worth 10: at least 1 and 1 are needed"):
        local_directions(np.full((5, 2), np.nan), np.zeros(2), worth=10)
    with pytest.raises(ValueError, match=r"5 codes worth 0\.5"):
        local_directions(np.zeros((5, 2)), np.zeros(2), worth=0.5)
