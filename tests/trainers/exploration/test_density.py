"""Densities, where they are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import gaussian_kde, multivariate_normal, norm

from trainers.exploration.density import (
    Support,
    code_quantiles,
    log_density,
    log_prior,
    mixture_sample,
    normal_quantiles,
    prior_quantiles,
    prior_sample,
)
from trainers.exploration.planes import Plane, axes_plane
from trainers.generators import finish

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("latent_dim", [1, 2, 5, 20])
def test_support_is_high_among_the_codes_and_none_far_away(latent_dim: int) -> None:
    codes = RNG.normal(size=(4_000, latent_dim)).astype(np.float32)
    support = Support(codes)
    others = RNG.normal(size=(500, latent_dim))
    assert np.median(support.of(others)) > 0.8
    assert support.of(others + 30).max() == 0
    assert support.of(np.zeros((1, latent_dim)))[0] == 1


def test_support_falls_with_the_distance_and_knows_no_scale() -> None:
    codes = RNG.normal(size=(4_000, 2))
    line = np.column_stack([np.linspace(0, 12, 60), np.zeros(60)])
    found = Support(codes).of(line)
    assert (np.diff(found[20:]) <= 1e-6).all()
    np.testing.assert_allclose(Support(1e3 * codes).of(1e3 * line), found, atol=1e-5)


def test_a_hole_between_codes_is_seen() -> None:
    angle = RNG.uniform(0, 2 * np.pi, 5_000)
    ring = 5 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    support = Support(ring + 0.1 * RNG.normal(size=ring.shape))
    assert support.of(np.zeros((1, 2)))[0] == 0
    assert support.of(np.array([[5.0, 0.0]]))[0] > 0.9


def test_codes_that_are_no_numbers_support_nothing() -> None:
    assert Support(np.full((10, 2), np.nan)).of(np.zeros((3, 2))).tolist() == [0, 0, 0]


def test_the_density_is_a_kernel_estimate_and_near_the_truth() -> None:
    covariance = np.array([[1.0, 0.4], [0.4, 0.5]])
    places = RNG.multivariate_normal([1, -2], covariance, 20_000)
    queries = RNG.multivariate_normal([1, -2], 0.5 * covariance, 200)
    found = log_density(places, queries)
    # SciPy's kernel turns with the codes, this one does not: they agree where codes are.
    np.testing.assert_allclose(found, gaussian_kde(places.T).logpdf(queries.T), atol=0.15)
    truth = multivariate_normal([1, -2], covariance).logpdf(queries)
    np.testing.assert_allclose(found, truth, atol=0.35)
    assert log_density(places, np.array([[100.0, 100.0]])).item() == -np.inf


def test_the_density_sums_to_one() -> None:
    places = RNG.normal(size=(5_000, 2)) * (3, 0.2)
    x, y = np.meshgrid(np.linspace(-14, 14, 400), np.linspace(-1, 1, 400))
    density = np.exp(log_density(places, np.stack([x, y], axis=-1)))
    assert density.sum() * (28 / 399) * (2 / 399) == pytest.approx(1, abs=0.01)


def test_the_prior_in_a_plane_is_a_standard_normal_around_its_middle() -> None:
    basis = np.linalg.qr(RNG.normal(size=(4, 2)))[0].T
    plane = Plane(RNG.normal(size=4), basis, (0, 1))
    queries = RNG.normal(size=(50, 2))
    middle = plane.project(np.zeros(4))
    truth = multivariate_normal(middle, np.eye(2)).logpdf(queries)
    np.testing.assert_allclose(log_prior(plane, queries), truth)
    at_zero = log_prior(axes_plane(4, 0, 1), np.zeros(2))
    assert at_zero == pytest.approx(-np.log(2 * np.pi))


def test_quantiles_divide_the_prior_into_equal_parts() -> None:
    grid = prior_quantiles(5)
    assert grid.shape == (5, 5, 2)
    np.testing.assert_allclose(grid[0, :, 0], [-1.28155, -0.5244, 0, 0.5244, 1.28155], atol=1e-5)
    assert grid[0, 0, 1] > grid[-1, 0, 1]
    np.testing.assert_allclose(grid[2, 2], 0, atol=1e-12)


def test_quantiles_are_those_of_scipy_at_the_middles_of_equal_shares() -> None:
    np.testing.assert_allclose(normal_quantiles(20), norm.ppf((np.arange(20) + 0.5) / 20))
    x, y = prior_quantiles(7)[0, :, 0], prior_quantiles(7)[:, 0, 1]
    np.testing.assert_allclose(norm.cdf(x), (np.arange(7) + 0.5) / 7)
    np.testing.assert_allclose(y, x[::-1])


def test_quantiles_of_codes_have_equally_many_between_them() -> None:
    places = np.column_stack([RNG.exponential(size=4_001), RNG.normal(3, 0.1, 4_001)])
    grid = code_quantiles(places, 8)
    assert grid.shape == (8, 8, 2)
    for along, values in ((grid[0, :, 0], places[:, 0]), (grid[::-1, 0, 1], places[:, 1])):
        counts = np.histogram(values, np.concatenate([[-np.inf], along, [np.inf]]))[0]
        np.testing.assert_allclose(counts, [250, *[500] * 7, 250], atol=1)
        found = np.quantile(values, (np.arange(8) + 0.5) / 8)
        np.testing.assert_allclose(along, found)
    with_gaps = np.concatenate([places, np.full((5, 2), np.nan)])
    np.testing.assert_array_equal(code_quantiles(with_gaps, 8), grid)


def test_samples_of_the_prior() -> None:
    drawn = prior_sample(3, 20_000, seed=1)
    np.testing.assert_allclose(drawn.mean(axis=0), 0, atol=0.03)
    np.testing.assert_allclose(np.cov(drawn.T), np.eye(3), atol=0.04)
    np.testing.assert_array_equal(drawn, prior_sample(3, 20_000, seed=1))


def test_samples_of_a_mixture_are_where_the_codes_are() -> None:
    centres = np.array([[-6.0, 0.0], [6.0, 0.0]])
    codes = centres[RNG.integers(0, 2, 4_000)] + RNG.normal(size=(4_000, 2)) * (0.5, 2.0)
    drawn = finish(mixture_sample(codes.astype(np.float32), 4_000, seed=3))
    assert drawn.shape == (4_000, 2)
    left = drawn[:, 0] < 0
    assert left.mean() == pytest.approx(0.5, abs=0.04)
    np.testing.assert_allclose(drawn[left].mean(axis=0), centres[0], atol=0.15)
    np.testing.assert_allclose(drawn[left].std(axis=0), [0.5, 2.0], rtol=0.1)
    # It does not draw one component after the other.
    assert left[:2_000].mean() == pytest.approx(0.5, abs=0.06)
    np.testing.assert_array_equal(
        drawn, finish(mixture_sample(codes.astype(np.float32), 4_000, seed=3))
    )
