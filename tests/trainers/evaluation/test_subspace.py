"""Principal angles of planes turned by known angles; which decoders have a span."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn

from trainers.datasets.spectrum import load_mnist_spectrum
from trainers.evaluation.subspace import compare_with_pca, decoder_span, principal_angles
from trainers.models import build
from trainers.models.mlp import MLPAutoencoder
from trainers.models.pca import PCA
from trainers.presets import preset

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trainers.config_types import Activation, Likelihood

_DICE = np.random.default_rng(3)
_FRAME = np.linalg.qr(_DICE.normal(size=(784, 12)))[0]
"""(784, 12), orthonormal columns in no particular direction."""


def _turned(degrees: list[float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns two planes with these principal angles."""
    count, radians = len(degrees), np.radians(degrees)
    first, beyond = _FRAME[:, :count], _FRAME[:, count : 2 * count]
    return first, first * np.cos(radians) + beyond * np.sin(radians)


def _mlp(
    activation: Activation = "linear", likelihood: Likelihood = "squared-error", *, dead: int = 0
) -> MLPAutoencoder:
    model = MLPAutoencoder(
        pixels=784,
        hidden=(40, 20),
        activation=activation,
        latent_dim=5,
        variational=False,
        likelihood=likelihood,
        beta=0.0,
    )
    model.initialise(torch.Generator().manual_seed(1), activation)
    with torch.no_grad():
        first, last = model.decoder[0], model.decoder[-1]
        assert isinstance(first, nn.Linear) and isinstance(last, nn.Linear)
        first.weight[:, 5 - dead :] = 0.0
        last.bias.fill_(0.3)
    return model


def _pca(latent_dim: int) -> PCA:
    model, known = PCA(pixels=784, latent_dim=latent_dim), load_mnist_spectrum()
    model.mean.copy_(torch.from_numpy(known.mean))
    model.components.copy_(torch.from_numpy(known.components[:latent_dim]))
    return model


def test_principal_angles_do_not_depend_on_the_basis() -> None:
    angles = [10.0, 30.0, 45.0, 72.5]
    first, second = _turned(angles)
    assert principal_angles(first, second) == pytest.approx(angles, abs=1e-9)
    mixed = second @ _DICE.normal(size=(4, 4)) * 1e3
    assert principal_angles(first, mixed) == pytest.approx(angles, abs=1e-6)
    assert principal_angles(mixed, first) == pytest.approx(angles, abs=1e-6)


def test_small_angles_are_not_rounded_to_zero() -> None:
    first, second = _turned([1e-6, 1e-3])
    assert principal_angles(first, second) == pytest.approx([1e-6, 1e-3], rel=1e-6)


def test_one_span_in_two_bases_has_no_angles_and_orthogonal_spans_right_ones() -> None:
    basis = _FRAME[:, :3]
    assert principal_angles(basis, basis @ _DICE.normal(size=(3, 3))) == pytest.approx([0] * 3)
    assert principal_angles(basis, _FRAME[:, 3:6]) == pytest.approx([90] * 3)


def test_a_missing_direction_is_at_a_right_angle() -> None:
    whole = _FRAME[:, :4]
    deficient = whole.copy()
    deficient[:, 3] = 0.0
    assert principal_angles(deficient, whole) == pytest.approx([0, 0, 0, 90], abs=1e-9)
    assert principal_angles(np.zeros((784, 4)), whole) == pytest.approx([90] * 4)
    # A column that depends on the others except for rounding adds no direction.
    doubled = whole.astype(np.float32)
    doubled[:, 3] = doubled[:, 0] * np.float32(0.3) + doubled[:, 1] * np.float32(1.7)
    assert principal_angles(doubled, doubled) == pytest.approx([0, 0, 0, 90], abs=1e-4)


def test_a_linear_decoder_is_its_span_and_its_bias() -> None:
    model = _mlp()
    span = decoder_span(model)
    assert span is not None and span.shape == (784, 5)
    codes = torch.randn(7, 5, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        moved = model.decode(codes) - model.decode(torch.zeros(1, 5))
    np.testing.assert_allclose(codes.numpy() @ span.T, moved.numpy(), atol=1e-5)


@pytest.mark.parametrize(
    ("activation", "likelihood"), [("elu", "squared-error"), ("linear", "bernoulli")]
)
def test_a_non_linear_decoder_has_no_span(activation: Activation, likelihood: Likelihood) -> None:
    model = _mlp(activation, likelihood)
    assert decoder_span(model) is None
    assert compare_with_pca(model, load_mnist_spectrum(), 30.0) is None


def test_only_linear_models_have_a_span() -> None:
    linear = {"linear", "pca"}
    for name in ("linear", "pca", "elu", "vae", "conv-vae"):
        assert (decoder_span(build(preset(name).model)) is not None) == (name in linear), name


def test_pca_agrees_with_the_spectrum() -> None:
    floor = float(load_mnist_spectrum().test_errors[8])
    found = compare_with_pca(_pca(8), load_mnist_spectrum(), floor)
    assert found is not None
    assert found.principal_angles == pytest.approx([0] * 8, abs=1e-3)
    assert (found.squared_error, found.floor, found.ratio) == (floor, floor, 1.0)


def test_a_linear_autoencoder_is_compared_with_as_many_components() -> None:
    model = _mlp(dead=2)
    found = compare_with_pca(
        model, load_mnist_spectrum(), 2 * float(load_mnist_spectrum().test_errors[5])
    )
    assert found is not None and found.ratio == pytest.approx(2)
    assert len(found.principal_angles) == 5
    assert list(found.principal_angles) == sorted(found.principal_angles)
    assert found.principal_angles[-2:] == (90.0, 90.0)
    # Three random directions among 784 are far from any plane of five, but not at right angles.
    assert 45 < found.principal_angles[0] < 89.99
