"""A trained model as a function of arrays: which images and codes it reads and refuses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import ArrayLike, NDArray

from trainers.config import ModelConfig
from trainers.inference import TrainedModel
from trainers.models import build

_CODES = 3


def _model(side: int = 8, channels: int = 1, family: str = "mlp") -> TrainedModel:
    config = ModelConfig(family=family, latent_dim=_CODES, hidden=(16,), channels=(4,), dense=8)
    model = build(config, side * side * channels, channels)
    model.initialise(torch.Generator().manual_seed(0), "elu")
    return TrainedModel(model, 0)


def _bytes(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)


def test_bytes_and_floats_of_the_same_images_have_the_same_codes() -> None:
    images = _bytes(4, 8, 8)
    codes = _model().encode(images)
    assert codes.shape == (4, _CODES)
    for same in (images / 255, (images / 255).astype(np.float32), images.reshape(4, 64)):
        np.testing.assert_allclose(_model().encode(same), codes, atol=1e-5)
    black = images > 127
    np.testing.assert_array_equal(_model().encode(black), _model().encode(black * 1.0))


@pytest.mark.parametrize("kind", ["int64", "int32", "uint16", "int8", "uint32"])
def test_integers_of_unknown_white_are_refused(kind: str) -> None:
    with pytest.raises(ValueError, match=rf"of the type {kind}\. .* uint8 of 0 to 255"):
        _model().encode(_bytes(2, 8, 8).astype(kind))


@pytest.mark.parametrize("images", [np.array([["a"] * 64]), np.ones((2, 64)) * 1j, [[None] * 64]])
def test_what_is_no_number_is_refused(images: ArrayLike) -> None:
    with pytest.raises(ValueError, match="of the type"):
        _model().encode(images)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (_bytes(2, 8, 8).astype(np.float32), r"from 2 to 255\. .* 0 to 1: scale"),
        (np.linspace(-1, 1, 64)[None], r"from -1 to 1\. "),
        (np.full((1, 64), np.nan), "64 of the images' values are NaN or infinite"),
        (np.array([[np.inf, *[0.5] * 63]]), "1 of the images' values are NaN or infinite"),
    ],
)
def test_floats_beyond_their_range_are_refused(values: ArrayLike, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _model().encode(values)
    with pytest.raises(ValueError, match=message):
        _model().posterior(values)


def test_rounding_beyond_the_range_is_read_and_so_are_noisy_images_on_request() -> None:
    assert np.isfinite(_model().encode(np.full((1, 64), 1 + 1e-7))).all()
    noisy = np.linspace(-1, 2, 64)[None]
    assert _model().encode(noisy, allow_any_range=True).shape == (1, _CODES)
    with pytest.raises(ValueError, match="NaN or infinite"):
        _model().encode(np.where(noisy > 0, np.inf, 0), allow_any_range=True)


@pytest.mark.parametrize(
    ("channels", "shape"),
    [
        (1, (8, 8, 5)),  # transposed
        (1, (5, 3, 8, 8)),
        (1, (5, 8, 8, 3)),
        (1, (5, 16, 4)),
        (1, (5, 7, 7)),
        (1, (64,)),
        (3, (5, 3, 8, 8)),  # channels first
        (3, (3, 8, 8)),
        (3, (5, 8, 24)),
        (3, (5, 8, 8)),
    ],
)
def test_other_shapes_are_refused_with_the_right_one(channels: int, shape: tuple[int, ...]) -> None:
    wanted = r"\(n, 8, 8\)" if channels == 1 else r"\(n, 8, 8, 3\)"
    with pytest.raises(ValueError, match=rf"have the shape .* This model reads {wanted}"):
        _model(channels=channels).encode(_bytes(*shape))


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1), (1, 8, 8), (1, 8, 8, 1), (1, 1, 8, 8)])
def test_one_image_is_a_batch_of_one(shape: tuple[int, ...]) -> None:
    images = _bytes(1, 8, 8)
    np.testing.assert_array_equal(_model().encode(images.reshape(shape)), _model().encode(images))


def test_one_colour_image_is_a_batch_of_one() -> None:
    images, model = _bytes(1, 8, 8, 3), _model(channels=3)
    np.testing.assert_array_equal(model.encode(images[0]), model.encode(images))


@pytest.mark.parametrize("family", ["mlp", "conv", "pca"])
@pytest.mark.parametrize("images", [np.zeros((0, 8, 8)), _bytes(0, 64), []])
def test_an_empty_batch_has_an_empty_result(family: str, images: ArrayLike) -> None:
    model = _model(family=family)
    codes = model.encode(images)
    assert (codes.shape, codes.dtype) == ((0, _CODES), np.float32)
    assert model.decode(codes).shape == (0, 8, 8)


@pytest.mark.parametrize("codes", [np.zeros(_CODES), np.zeros((2, 4)), np.zeros((1, 2, _CODES))])
def test_codes_of_another_shape_are_refused(codes: NDArray[np.float64]) -> None:
    for use in (_model().decode, lambda c: _model().magnification(c, np.eye(2, _CODES))):
        with pytest.raises(ValueError, match=rf"This model reads \(n, {_CODES}\)"):
            use(codes)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_codes_that_are_no_numbers_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="NaN, infinite"):
        _model().decode([[0.0, value, 0.0]])


def test_the_kl_is_that_of_the_posterior_and_absent_without_one() -> None:
    config = ModelConfig(latent_dim=_CODES, hidden=(16,), variational=True)
    network = build(config, 64)
    network.initialise(torch.Generator().manual_seed(0), "elu")
    images, model = _bytes(5, 8, 8), TrainedModel(network, 0)
    mean, log_variance = (values.astype(np.float64) for values in model.posterior(images))
    expected = 0.5 * (mean**2 + np.exp(log_variance) - log_variance - 1).sum(1)
    np.testing.assert_allclose(model.kl(images), expected, rtol=1e-4)
    assert np.isnan(_model().kl(images)).all()
