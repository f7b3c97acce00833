"""PCA against the reference numbers (fit on 60,000 images, measured on 10,000)."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trainers.datasets.tensors import load_images
from trainers.models.pca import PCA

CPU = torch.device("cpu")


def _fitted(latent_dim: int) -> PCA:
    model = PCA(pixels=784, latent_dim=latent_dim)
    for _ in model.fit(load_images("train", CPU).split(10_000)):
        pass
    return model


def _error(model: PCA, images: torch.Tensor) -> float:
    return float(((model.decode(model.encode(images)) - images) ** 2).sum(1).mean())


@pytest.fixture(scope="module")
def thirty() -> PCA:
    return _fitted(30)


def test_the_reference_numbers(thirty: PCA) -> None:
    five = _fitted(5)
    assert _error(five, load_images("test", CPU)) / 784 == pytest.approx(0.044526, abs=1e-6)
    assert _error(five, load_images("train", CPU)) / 784 == pytest.approx(0.044905, abs=1e-6)
    assert float(five.variances.sum() / five.total_variance) == pytest.approx(0.332, abs=5e-4)
    assert _error(thirty, load_images("test", CPU)) == pytest.approx(13.87, abs=0.005)
    assert thirty.variances[:3].tolist() == pytest.approx([5.12, 3.74, 3.25], abs=0.01)


def test_components_are_orthonormal_and_ranked(thirty: PCA) -> None:
    gram = (thirty.components @ thirty.components.T).numpy()
    assert np.allclose(gram, np.eye(30), atol=1e-5)
    assert (thirty.variances[:-1] >= thirty.variances[1:]).all()
    assert torch.allclose(thirty.mean, load_images("train", CPU).mean(0), atol=1e-5)


def test_codes_have_the_variances_of_the_components(thirty: PCA) -> None:
    codes = thirty.encode(load_images("train", CPU))
    assert torch.allclose(codes.var(0, correction=0), thirty.variances, rtol=1e-3)
    assert codes.mean(0).abs().max() < 1e-3


def test_the_largest_entry_of_each_component_is_positive(thirty: PCA) -> None:
    largest = thirty.components.gather(1, thirty.components.abs().argmax(1, keepdim=True))
    assert (largest > 0).all()
