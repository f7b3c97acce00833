"""Errors per image against PyTorch's losses and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from trainers.evaluation.image_errors import (
    HALF_GREY_LEVEL,
    cross_entropies,
    kl_to_prior,
    misfits,
    squared_errors,
)
from trainers.models.base import Posterior

_RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(7, 784), (7, 8, 8), (7, 8, 8, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_errors_are_sums_over_all_pixels_of_an_image(
    shape: tuple[int, ...], dtype: type[np.floating]
) -> None:
    images, decoded = _RANDOM.random((2, *shape)).astype(dtype)
    target, output = torch.from_numpy(images), torch.from_numpy(decoded)
    found = squared_errors(decoded, images)
    assert found.dtype == dtype
    expected = functional.mse_loss(output, target, reduction="none").flatten(1).sum(1)
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-5)
    found = cross_entropies(decoded, images, clamp=1e-6)
    assert found.dtype == dtype
    expected = functional.binary_cross_entropy(output, target, reduction="none").flatten(1).sum(1)
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-3)


def test_a_misfit_is_an_error_and_its_share_of_the_distance_from_the_mean_image() -> None:
    images, decoded = _RANDOM.random((2, 5, 8, 8))
    mean = _RANDOM.random((8, 8))
    found = misfits(decoded, images, mean)
    errors = ((decoded - images) ** 2).sum(axis=(1, 2))
    np.testing.assert_allclose(found[:, 0], errors)
    np.testing.assert_allclose(found[:, 1], errors / ((images - mean) ** 2).sum(axis=(1, 2)))
    assert np.isfinite(misfits(decoded, mean[None].repeat(5, 0), mean)).all(), "no distance at all"


def test_the_clamp_bounds_the_cross_entropy_of_a_wrong_pixel() -> None:
    black, white = np.zeros((1, 1)), np.ones((1, 1))
    for clamp in (HALF_GREY_LEVEL, 1e-6):
        for reconstruction, image in ((black, white), (white, black)):
            found = cross_entropies(reconstruction, image, clamp=clamp)
            assert found == pytest.approx(-np.log(clamp))


def test_the_kl_is_that_of_the_models_posterior() -> None:
    mean, log_variance = _RANDOM.normal(size=(2, 9, 4)).astype(np.float32)
    expected = Posterior(torch.from_numpy(mean), torch.from_numpy(log_variance)).kl()
    np.testing.assert_allclose(kl_to_prior(mean, log_variance), expected.numpy(), rtol=1e-5)
    assert kl_to_prior(np.zeros((3, 2)), np.zeros((3, 2))).tolist() == [0, 0, 0]
