from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg, spatial, stats

from trainers.exploration.alignment import (
    Alignment,
    between,
    chain_alignments,
    ease,
    identity,
    procrustes,
)
from trainers.exploration.planes import Plane, axes_plane, principal_plane, three_point_plane

DIMENSIONS = (1, 2, 5, 30)


def codes(latent_dim: int, seed: int = 0, count: int = 400) -> np.ndarray:
    rng = np.random.default_rng(seed)
    spread = np.linspace(2, 0.5, latent_dim)
    return (rng.normal(size=(count, latent_dim)) * spread + 3).astype(np.float32)


def turn(latent_dim: int, seed: int = 1) -> np.ndarray:
    if latent_dim == 1:
        return np.array([[-1.0]])
    return stats.ortho_group.rvs(latent_dim, random_state=seed)


def distance(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.square(first - second).sum())


@pytest.mark.parametrize("latent_dim", DIMENSIONS)
def test_the_rotation_is_that_of_scipy(latent_dim: int) -> None:
    some, others = codes(latent_dim), codes(latent_dim, 5)
    centred = [table - table.mean(axis=0, dtype=np.float64) for table in (some, others)]
    expected, _ = linalg.orthogonal_procrustes(*centred)
    np.testing.assert_allclose(procrustes(some, others).rotation, expected, atol=1e-6)


@pytest.mark.parametrize("latent_dim", DIMENSIONS)
def test_the_disparity_is_that_of_scipy(latent_dim: int) -> None:
    """SciPy brings both to norm 1 and scales the second by s: s² + disparity = 1."""
    some, others = codes(latent_dim).astype(float), codes(latent_dim, 5).astype(float)
    first, _, disparity = spatial.procrustes(others, some)
    norms = [np.linalg.norm(table - table.mean(axis=0)) for table in (some, others)]
    ours = procrustes(some, others)
    turned = (ours.apply(some) - ours.onto) / norms[0]
    cosine = float((turned * first).sum())
    assert disparity == pytest.approx(1 - cosine**2, abs=1e-9)


@pytest.mark.parametrize("latent_dim", DIMENSIONS)
def test_what_was_turned_mirrored_and_shifted_comes_back(latent_dim: int) -> None:
    table = codes(latent_dim)
    moved = table @ turn(latent_dim) - 7
    found = procrustes(moved, table)
    np.testing.assert_allclose(found.apply(moved), table, atol=1e-5)
    np.testing.assert_allclose(found.rotation, turn(latent_dim).T, atol=1e-5)


@pytest.mark.parametrize("latent_dim", DIMENSIONS)
@pytest.mark.parametrize("seed", range(5))
def test_it_is_never_farther_than_doing_nothing(latent_dim: int, seed: int) -> None:
    some, others = (codes(latent_dim, s).astype(float) for s in (seed, seed + 100))
    near = distance(procrustes(some, others).apply(some), others)
    assert near <= distance(some, others)
    for other in range(10):
        turned = (some - some.mean(axis=0)) @ turn(latent_dim, other + 2) + others.mean(axis=0)
        assert near <= distance(turned, others) * (1 + 1e-9)


def test_it_keeps_every_distance() -> None:
    some, others = codes(5), codes(5, 1)
    found = procrustes(some, others)
    np.testing.assert_allclose(found.rotation @ found.rotation.T, np.eye(5), atol=1e-12)
    kept = spatial.distance.pdist(found.apply(some[:50]))
    np.testing.assert_allclose(kept, spatial.distance.pdist(some[:50].astype(float)), rtol=1e-9)


def test_a_mirroring_is_told_from_a_turn() -> None:
    table = codes(2)
    quarter = np.array([[0.0, 1.0], [-1.0, 0.0]])
    assert not procrustes(table @ quarter, table).is_mirroring
    assert procrustes(table * [1, -1], table).is_mirroring


def test_where_the_codes_leave_it_open_nothing_is_turned() -> None:
    table = codes(4)
    table[:, 2:] = 1.5
    moved = table.copy()
    moved[:, :2] *= -1
    expected = np.diag([-1.0, -1.0, 1.0, 1.0])
    np.testing.assert_allclose(procrustes(moved, table).rotation, expected, atol=1e-6)
    still = np.zeros((10, 4))
    np.testing.assert_allclose(procrustes(still, table[:10]).rotation, np.eye(4))


@pytest.mark.parametrize(("some", "others"), [((3, 2), (3, 4)), ((3, 2), (4, 2)), ((0, 2), (0, 2))])
def test_tables_that_do_not_match_are_refused(
    some: tuple[int, int], others: tuple[int, int]
) -> None:
    with pytest.raises(ValueError, match=r"of the same images, and at least one"):
        procrustes(np.zeros(some), np.zeros(others))


def test_a_chain_brings_everything_to_the_last() -> None:
    """Whatever turns from checkpoint to checkpoint, the forms that are left are the same."""
    last = codes(3)
    tables = [last, *((last @ turn(3, seed) + seed) for seed in range(2, 7))]
    motions = [*chain_alignments(tables)]
    np.testing.assert_array_equal(motions[0].rotation, np.eye(3))
    for table, motion in zip(tables, motions, strict=True):
        np.testing.assert_allclose(motion.apply(table), last, atol=1e-5)


def test_a_chain_is_one_alignment_after_another() -> None:
    tables = [codes(3, seed) for seed in range(3)]
    motions = [*chain_alignments(tables)]
    step = procrustes(tables[2], tables[1])
    np.testing.assert_allclose(
        motions[2].apply(tables[2]), motions[1].apply(step.apply(tables[2])), atol=1e-9
    )


def test_a_chain_holds_two_tables_at_once() -> None:
    made = 0

    def tables():
        nonlocal made
        for seed in range(4):
            made += 1
            yield codes(2, seed)

    for count, _ in enumerate(chain_alignments(tables()), 1):
        assert made == count


def planes() -> list[Plane]:
    table = codes(5)
    return [axes_plane(5, 3, 1), principal_plane(table), three_point_plane(table[:3])]


@pytest.mark.parametrize("plane", planes())
def test_a_plane_seen_through_shows_the_moved_codes(plane: Plane) -> None:
    motion = procrustes(codes(5, 8), codes(5))
    seen = motion.seen_through(plane)
    np.testing.assert_allclose(
        seen.project(codes(5, 8)), plane.project(motion.apply(codes(5, 8))), atol=1e-9
    )
    assert seen.is_aligned
    assert not plane.is_aligned


@pytest.mark.parametrize("plane", planes())
def test_what_is_lifted_from_it_lies_where_it_was_lifted(plane: Plane) -> None:
    motion = procrustes(codes(5, 8), codes(5))
    place, anchor = np.array([1.5, -0.5]), codes(5, 8)[4]
    code = motion.seen_through(plane).lift(place, anchor)
    np.testing.assert_allclose(plane.project(motion.apply(code)), place, atol=1e-9)
    # Off the plane it is as the anchor is, in either space.
    expected = plane.lift(place, motion.apply(anchor))
    np.testing.assert_allclose(motion.apply(code), expected, atol=1e-9)


def test_the_way_back() -> None:
    motion = procrustes(codes(5, 8), codes(5))
    np.testing.assert_allclose(motion.inverse().apply(motion.apply(codes(5))), codes(5), atol=1e-9)
    assert isinstance(identity(3), Alignment)
    np.testing.assert_array_equal(identity(2).apply(codes(2)), codes(2))


def test_places_between_are_those_of_the_codes_between() -> None:
    plane, first, second = axes_plane(5, 0, 4), codes(5), codes(5, 3)
    seen = between(plane.project(first), plane.project(second), 0.3)
    np.testing.assert_allclose(seen, plane.project(between(first, second, 0.3)), atol=1e-5)
    np.testing.assert_array_equal(between(first, second, 0), first)


def test_easing_goes_from_rest_to_rest() -> None:
    shares = np.linspace(0, 1, 101)
    eased_shares = np.array([ease(float(share)) for share in shares])
    assert eased_shares[0] == 0
    assert eased_shares[-1] == 1
    assert (np.diff(eased_shares) > 0).all()
    slopes = np.gradient(eased_shares, shares)
    assert max(slopes[0], slopes[-1]) < 0.05 < slopes[50]
