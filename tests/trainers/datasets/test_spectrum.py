"""What lies among the resources is what the images say."""

from pathlib import Path

import numpy as np
import pytest

from tests.trainers.datasets.sample_images import kept, shapes
from trainers.datasets import load_split, open_dataset, spectrum
from trainers.datasets.spectrum import fit_mnist_spectrum, load_mnist_spectrum
from trainers.generators import finish


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


def test_a_randomised_spectrum_is_the_exact_one() -> None:
    train, test = (load_split(name).images[:4_000] for name in ("train", "test"))
    exact = finish(spectrum.fit_spectrum(train, test))
    found = finish(spectrum.fit_randomised(train, test, 60))
    assert (found.components.shape, found.eigenvalues.shape) == ((60, 784), (60,))
    np.testing.assert_allclose(found.mean, exact.mean, atol=1e-5)
    np.testing.assert_allclose(found.eigenvalues, exact.eigenvalues[:60], rtol=1e-3)
    np.testing.assert_allclose(found.test_errors, exact.test_errors[:61], rtol=1e-3)
    for latent_dim in (2, 5, 30):
        both = found.basis(latent_dim).T @ exact.basis(latent_dim)
        np.testing.assert_allclose(both @ both.T, np.eye(latent_dim), atol=1e-3)
    again = finish(spectrum.fit_randomised(train, test, 60))
    np.testing.assert_array_equal(again.components, found.components)


def test_images_of_more_than_1024_numbers_have_the_yardstick_of_pca(tmp_path: Path) -> None:
    images = shapes(200, 40)
    np.save(tmp_path / "large.npy", images)
    dataset = kept(tmp_path / "large.npy", "large")
    assert dataset.pixels == 1_600 > spectrum.MOST_PIXELS
    found, data = spectrum.load_spectrum(dataset), open_dataset(dataset)
    assert found is not None
    train, test = (part.images.reshape(len(part), -1) / 255.0 for part in (data.train, data.test))
    basis = np.linalg.svd(train - train.mean(0), full_matrices=False)[2][:5]
    centred = test - train.mean(0)
    expected = np.square(centred - centred @ basis.T @ basis).sum(1).mean()
    assert found.floor(5) == pytest.approx(expected, rel=1e-3)
    assert found.floor(len(train)) is None
