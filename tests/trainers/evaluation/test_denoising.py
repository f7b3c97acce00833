"""Errors on noisy digits against the closed form of an orthonormal projection."""

from __future__ import annotations

import pytest
import torch

from trainers.datasets.spectrum import load_mnist_spectrum
from trainers.datasets.tensors import load_images
from trainers.evaluation.denoising import LEVELS, measure_denoising
from trainers.evaluation.measure_all import _denoised_corruption
from trainers.generators import finish
from trainers.models.pca import PCA
from trainers.presets import preset

_IMAGES = load_images("test", torch.device("cpu"))
_DIM = 20


@pytest.fixture(scope="module")
def pca() -> PCA:
    model, known = PCA(pixels=784, latent_dim=_DIM), load_mnist_spectrum()
    model.mean.copy_(torch.from_numpy(known.mean))
    model.components.copy_(torch.from_numpy(known.components[:_DIM]))
    return model


def test_a_projection_keeps_the_noise_in_its_plane(pca: PCA) -> None:
    # With Π the projection, x̂ - x = (Π - 1)(x - mean) + Πε and the two are orthogonal; so the
    # error is that of clean images plus E‖Πε‖² = D·σ², and the input's own is E‖ε‖² = P·σ².
    found = finish(measure_denoising(pca, _IMAGES))
    assert tuple(level.noise for level in found) == LEVELS
    for level in found:
        passed = _DIM * level.noise**2
        expected = float(load_mnist_spectrum().test_errors[_DIM]) + passed
        # Of the mean of 10,000 χ²: five standard errors.
        assert level.squared_error == pytest.approx(expected, rel=1e-5, abs=passed * 0.016)
        assert level.input_error == pytest.approx(784 * level.noise**2, rel=0.0026)


def test_the_seed_determines_the_noise(pca: PCA) -> None:
    few = _IMAGES[:1_500]
    first, again, other = (
        finish(measure_denoising(pca, few, levels=(0.3,), seed=seed)) for seed in (1, 1, 2)
    )
    assert first == again
    assert first[0].input_error != other[0].input_error
    assert first[0].squared_error != other[0].squared_error


def test_noise_changes_neither_the_images_nor_the_global_generator(pca: PCA) -> None:
    before, state = _IMAGES[:50].clone(), torch.get_rng_state()
    finish(measure_denoising(pca, _IMAGES[:50], levels=(0.8,)))
    assert torch.equal(_IMAGES[:50], before)
    assert torch.equal(torch.get_rng_state(), state)


def test_noise_is_not_clipped(pca: PCA) -> None:
    # On black images, clipping would remove the half of the noise below zero.
    black = torch.zeros(1_000, 784)
    (found,) = finish(measure_denoising(pca, black, levels=(0.5,)))
    assert found.input_error == pytest.approx(784 * 0.25, rel=0.01)


def test_the_measurement_yields_after_each_chunk(pca: PCA) -> None:
    work = measure_denoising(pca, _IMAGES[:3_000], levels=(0.1, 0.5))
    assert [*work] == [None] * 6


def test_masking_sets_the_share_of_the_pixels_to_black(pca: PCA) -> None:
    white = torch.ones(1_000, 784)
    (found,) = finish(measure_denoising(pca, white, levels=(0.25,), corruption="masking"))
    assert found.corruption == "masking"
    assert found.input_error == pytest.approx(784 * 0.25, rel=0.01)


def test_a_model_trained_with_masking_is_measured_with_masking() -> None:
    config = preset("denoising")
    assert _denoised_corruption(config) == "gaussian"
    assert _denoised_corruption(config.replace(corruption="masking")) == "masking"
    assert _denoised_corruption(preset("elu")) == "gaussian"
    assert _denoised_corruption(preset("pca").replace(corruption="masking")) == "gaussian"
