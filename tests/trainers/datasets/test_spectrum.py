"""What lies among the resources is what the images say."""

import numpy as np
import pytest

from trainers.datasets import load_split
from trainers.datasets.spectrum import fit_mnist_spectrum, load_mnist_spectrum


def test_the_resource_is_what_the_images_give() -> None:
    kept, fitted = load_mnist_spectrum(), fit_mnist_spectrum()
    np.testing.assert_allclose(kept.eigenvalues, fitted.eigenvalues, atol=1e-8)
    # Behind the last components hardly a variance is left, and their directions are chance.
    np.testing.assert_allclose(kept.test_errors, fitted.test_errors, atol=1e-5)
    np.testing.assert_allclose(kept.mean, fitted.mean, atol=1e-6)
    # Components of nearly equal variance may turn within their plane on another machine.
    for latent_dim in (2, 5, 30, 100):
        both = kept.basis(latent_dim).T @ fitted.basis(latent_dim)
        np.testing.assert_allclose(both @ both.T, np.eye(latent_dim), atol=1e-3)


def test_the_reference_numbers() -> None:
    found = load_mnist_spectrum()
    assert found.eigenvalues[:3] == pytest.approx([5.12, 3.74, 3.25], abs=0.005)
    assert found.test_errors[5] / 784 == pytest.approx(0.044526, abs=1e-6)
    assert found.test_errors[30] == pytest.approx(13.87, abs=0.005)


def test_the_errors_are_those_of_reconstructions() -> None:
    images = (load_split("test").images.reshape(-1, 784) / 255).astype(np.float32)
    for latent_dim in (0, 5, 256):
        left = (
            np.square(load_mnist_spectrum().reconstruct(images, latent_dim) - images).sum(1).mean()
        )
        assert left == pytest.approx(load_mnist_spectrum().test_errors[latent_dim], rel=1e-4)
