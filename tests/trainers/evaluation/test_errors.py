"""Errors per image against PyTorch's losses and closed forms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.nn import functional

from trainers.evaluation.image_errors import (
    HALF_GREY_LEVEL,
    cross_entropies,
    misfits,
    squared_errors,
    standard_error,
)

Errors = Callable[[np.ndarray, np.ndarray], np.ndarray]

_RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(7, 784), (7, 8, 8), (7, 8, 8, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_errors_are_sums_over_all_pixels_of_an_image(
    shape: tuple[int, ...], dtype: type[np.floating]
) -> None:
    images, decoded = _RANDOM.random((2, *shape)).clip(0.01, 0.99).astype(dtype)
    target, output = torch.from_numpy(images), torch.from_numpy(decoded)
    found = squared_errors(decoded, images)
    assert found.dtype == dtype
    expected = functional.mse_loss(output, target, reduction="none").flatten(1).sum(1)
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-5)
    found = cross_entropies(decoded, images)
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
    for reconstruction, image in ((black, white), (white, black)):
        found = cross_entropies(reconstruction, image)
        assert found == pytest.approx(-np.log(HALF_GREY_LEVEL))


@pytest.mark.parametrize("errors", [squared_errors, cross_entropies])
def test_bytes_and_their_grey_levels_have_the_same_error(errors: Errors) -> None:
    images, decoded = _RANDOM.integers(0, 256, (2, 5, 8, 8), dtype=np.uint8)
    expected = errors(decoded / 255, images / 255)
    np.testing.assert_allclose(errors(decoded, images), expected, rtol=1e-5)
    np.testing.assert_allclose(errors(decoded / 255, images), expected, rtol=1e-5)


def test_a_standard_error_needs_two_values() -> None:
    assert standard_error(np.array([1.0, 3.0])) == pytest.approx(1)
    assert standard_error(np.array([1.0])) is None
