from __future__ import annotations

import numpy as np
import pytest

from trainers.exploration.planes import Plane, axes_plane, line, principal_plane


def codes(latent_dim: int = 6, count: int = 500, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    spread = np.linspace(3, 0.5, latent_dim)
    turn, _ = np.linalg.qr(rng.normal(size=(latent_dim, latent_dim)))
    return ((rng.normal(size=(count, latent_dim)) * spread) @ turn + 5).astype(np.float32)


def planes() -> list[Plane]:
    return [axes_plane(6, 4, 1), principal_plane(codes())]


@pytest.mark.parametrize("plane", planes())
def test_lifted_points_are_seen_where_they_were_put(plane: Plane) -> None:
    anchor, xy = codes()[7], np.array([[0.25, -3.0], [1e3, 0.0]])
    np.testing.assert_allclose(plane.project(plane.lift(xy, anchor)), xy, atol=1e-9)


@pytest.mark.parametrize("plane", planes())
def test_lifting_changes_nothing_orthogonal_to_the_plane(plane: Plane) -> None:
    anchor = codes()[7]
    moved = plane.lift(np.array([2.0, -1.0]), anchor) - anchor
    within = moved @ plane.basis.T @ plane.basis
    np.testing.assert_allclose(moved, within, atol=1e-9)
    assert np.abs(moved).max() > 0.1


def test_axes_plane_sees_the_two_coordinates() -> None:
    table = codes()
    np.testing.assert_allclose(axes_plane(6, 4, 1).project(table), table[:, [4, 1]])


@pytest.mark.parametrize(("x", "y"), [(1, 1), (0, 6), (-1, 0)])
def test_axes_must_be_two_coordinates(x: int, y: int) -> None:
    with pytest.raises(ValueError, match="two different ones from 0 to 5"):
        axes_plane(6, x, y)


def test_line_is_decoded_by_x_alone() -> None:
    table = np.array([[2.0], [-1.0]])
    np.testing.assert_allclose(line().project(table), [[2, 0], [-1, 0]])
    np.testing.assert_allclose(line().lift(np.array([0.5, 7.0]), table[0]), [0.5])


def test_principal_plane_holds_the_most_variance() -> None:
    table = codes()
    plane = principal_plane(table)
    np.testing.assert_allclose(plane.basis @ plane.basis.T, np.eye(2), atol=1e-12)
    variances = np.sort(np.linalg.eigvalsh(np.cov(table.T, bias=True)))[::-1]
    seen = plane.project(table)
    np.testing.assert_allclose(seen.var(axis=0), variances[:2], rtol=1e-5)
    np.testing.assert_allclose(plane.shares, variances[:2] / variances.sum(), rtol=1e-5)
    np.testing.assert_allclose(seen.mean(axis=0), 0, atol=1e-5)


def test_live_plane_keeps_its_signs() -> None:
    table = codes()
    before = principal_plane(table)
    flipped = Plane(before.origin, before.basis * [[-1], [1]], before.axes, before.shares)
    after = principal_plane(table + 0.01 * codes(seed=3), flipped)
    assert ((after.basis * flipped.basis).sum(axis=1) > 0.9).all()


def test_live_plane_keeps_its_sides_when_components_change_places() -> None:
    table = np.random.default_rng(0).normal(size=(2000, 3)) * [3, 2, 0.1]
    before = principal_plane(table)
    after = principal_plane(table * [1, 3, 1], before)
    assert before.axes == (0, 1)
    assert after.axes == (1, 0)
    assert after.shares is not None
    assert after.shares[0] < after.shares[1]
    assert ((after.basis * before.basis).sum(axis=1) > 0.9).all()


def test_codes_that_are_all_alike_have_a_plane() -> None:
    plane = principal_plane(np.ones((10, 4), np.float32))
    assert plane.shares == (0, 0)
    np.testing.assert_allclose(plane.project(np.ones(4)), 0)
