"""The errors of stored codes against the theory of rounding to even levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor

from trainers.evaluation.compression import measure_compression
from trainers.generators import finish
from trainers.models.base import Autoencoder, Posterior
from trainers.models.pca import PCA

if TYPE_CHECKING:
    from trainers.evaluation.measurement import StoredCode

_COUNT, _PIXELS, _DIM = 4_000, 784, 6


@pytest.fixture(scope="module")
def pca() -> PCA:
    """A projection onto orthonormal directions."""
    frame = np.linalg.qr(np.random.default_rng(0).normal(size=(_PIXELS, _DIM)))[0]
    model = PCA(pixels=_PIXELS, latent_dim=_DIM)
    model.components.copy_(torch.from_numpy(frame.T))
    model.mean.fill_(0.2)
    return model


@pytest.fixture(scope="module")
def codes() -> Tensor:
    """(N, D), uniform between -s and s, with another scale s for each dimension."""
    generator = torch.Generator().manual_seed(1)
    scales = torch.tensor([0.1, 0.5, 1.0, 2.0, 4.0, 8.0])
    return (torch.rand(_COUNT, _DIM, generator=generator) * 2 - 1) * scales


def _ranges(codes: Tensor) -> tuple[Tensor, Tensor]:
    return codes.amin(0), codes.amax(0)


def _stored(
    model: Autoencoder, codes: Tensor, images: Tensor, ranges: tuple[Tensor, Tensor]
) -> dict[str, StoredCode]:
    return {s.storage: s for s in finish(measure_compression(model, codes, images, ranges))}


def test_bytes_and_ratios(pca: PCA, codes: Tensor) -> None:
    found = _stored(pca, codes, pca.decode(codes), _ranges(codes))
    assert {name: s.code_bytes for name, s in found.items()} == {
        "float32": 4 * _DIM,
        "float16": 2 * _DIM,
        "8 bits": _DIM,
    }
    assert found["8 bits"].ratio == pytest.approx(784 / _DIM)
    assert found["float32"].ratio == pytest.approx(784 / _DIM / 4)


def test_rounding_adds_a_twelfth_of_a_squared_level_a_dimension(pca: PCA, codes: Tensor) -> None:
    # The part of an image at right angles to the plane is an error for every way of storage.
    noise = torch.randn(_COUNT, _PIXELS, generator=torch.Generator().manual_seed(2)) * 0.1
    beyond = noise - noise @ pca.components.T @ pca.components
    images = pca.decode(codes) + beyond
    found = _stored(pca, codes, images, _ranges(codes))
    low, high = _ranges(codes)
    levels = ((high - low) / 255).double()
    added = float((levels.square() / 12).sum())
    assert found["float32"].squared_error == pytest.approx(float(beyond.square().sum(1).mean()))
    assert found["float32"].added_error == 0
    assert found["8 bits"].added_error == pytest.approx(added, rel=0.05)
    assert found["8 bits"].squared_error == pytest.approx(
        found["float32"].squared_error + found["8 bits"].added_error
    )


def test_half_precision_adds_what_ten_bits_of_fraction_lose(pca: PCA, codes: Tensor) -> None:
    # Images decoded from the exact codes have no error, so all of it comes from storing.
    found = _stored(pca, codes, pca.decode(codes), _ranges(codes))
    spacing = 2.0 ** (np.floor(np.log2(np.abs(codes.numpy()))) - 10)
    added = float((spacing**2 / 12).sum(1).mean())
    assert found["float32"].squared_error < 1e-9
    assert found["float16"].added_error == pytest.approx(added, rel=0.05)
    assert found["float16"].added_error < found["8 bits"].added_error / 50


class _Rows(Autoencoder):
    """Decodes a code to itself: the errors of codes are those of images."""

    def __init__(self) -> None:
        super().__init__(latent_dim=2, variational=False, likelihood="squared-error", beta=0.0)

    def posterior(self, images: Tensor) -> Posterior:
        return Posterior(images, None)

    def output(self, codes: Tensor) -> Tensor:
        return codes


def test_a_dimension_that_does_not_vary_costs_its_byte_and_no_error() -> None:
    codes = torch.stack([torch.linspace(0, 255, 256), torch.full((256,), -1.5)], 1)
    found = _stored(_Rows(), codes, codes, _ranges(codes))["8 bits"]
    # 256 whole numbers from 0 to 255 are the levels themselves.
    assert found.squared_error == pytest.approx(0, abs=1e-7)
    assert found.code_bytes == 2
    zero = torch.zeros(10, 2)
    assert _stored(_Rows(), zero, zero, _ranges(zero))["8 bits"].squared_error == 0


def test_half_precision_has_an_error_where_the_exact_codes_have_none() -> None:
    codes = torch.tensor([[0.1, 1.0], [0.3, 1 / 3]])
    found = _stored(_Rows(), codes, codes, _ranges(codes))
    half = float((codes.half().float() - codes).double().square().sum(1).mean())
    assert found["float32"].squared_error == 0 and half > 0
    assert found["float16"].added_error == pytest.approx(half)


def test_codes_beyond_the_training_range_are_clipped() -> None:
    ranges = torch.tensor([0.0, 0.0]), torch.tensor([1.0, 0.0])
    codes = torch.tensor([[3.0, 0.0], [-1.0, 0.0], [0.0, 2.0], [1.0, 0.0]])
    found = _stored(_Rows(), codes, codes, ranges)["8 bits"]
    assert found.squared_error == pytest.approx((2**2 + 1**2 + 2**2 + 0) / 4)


def test_the_measurement_yields_after_each_chunk(pca: PCA, codes: Tensor) -> None:
    images = pca.decode(codes)
    assert [*measure_compression(pca, codes, images, _ranges(codes))] == [None] * 12
