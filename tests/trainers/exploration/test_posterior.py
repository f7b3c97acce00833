from __future__ import annotations

import numpy as np
import pytest

from trainers.exploration.planes import Plane, axes_plane, principal_plane
from trainers.exploration.posterior import ellipse

MEAN = np.array([1.0, -2.0, 0.5], np.float32)
LOG_VARIANCE = np.log(np.array([0.25, 4.0, 1.0], np.float32))


def samples(count: int = 200_000) -> np.ndarray:
    rng = np.random.default_rng(0)
    return MEAN + np.exp(LOG_VARIANCE / 2) * rng.normal(size=(count, 3))


def planes() -> list[Plane]:
    codes = np.random.default_rng(1).normal(size=(500, 3)) @ np.array(
        [[2, 1, 0], [0, 1, 0.5], [0.3, 0, 1]]
    )
    return [axes_plane(3, 0, 1), axes_plane(3, 2, 1), principal_plane(codes)]


def share_inside(places: np.ndarray, outline: np.ndarray) -> float:
    """By the sign of the turn at every edge: an ellipse is convex, and is gone around leftwards."""
    edges = np.diff(outline, axis=0)
    if np.linalg.det(edges[:2]) < 0:
        outline, edges = outline[::-1], -edges[::-1]
    inside = np.ones(len(places), np.bool_)
    for corner, (x, y) in zip(outline, edges, strict=False):
        away = places - corner
        inside &= x * away[:, 1] - y * away[:, 0] >= 0
    return float(inside.mean())


@pytest.mark.parametrize("plane", planes())
@pytest.mark.parametrize("sigmas", [0.5, 1.0, 2.0])
def test_it_holds_the_samples_that_a_gaussian_has_within(plane: Plane, sigmas: float) -> None:
    """In two dimensions, 1 − exp(−s²/2) of a Gaussian lies within s standard deviations."""
    outline = ellipse(MEAN, LOG_VARIANCE, plane, sigmas, points=361)
    found = share_inside(plane.project(samples()), outline)
    assert found == pytest.approx(1 - np.exp(-(sigmas**2) / 2), abs=4e-3)


@pytest.mark.parametrize("plane", planes())
def test_its_shape_is_the_covariance_of_the_samples(plane: Plane) -> None:
    outline = ellipse(MEAN, LOG_VARIANCE, plane, points=361)[:-1]
    places = plane.project(samples())
    # Evenly parted points of an ellipse with axes a, b have the variances a²/2, b²/2.
    assert np.allclose(2 * np.cov(outline.T, bias=True), np.cov(places.T), atol=0.03)
    assert np.allclose(outline.mean(axis=0), plane.project(MEAN))


def test_it_closes() -> None:
    outline = ellipse(MEAN, LOG_VARIANCE, axes_plane(3, 0, 1))
    assert np.allclose(outline[0], outline[-1])
