"""The principal components of the training images: the floor under every linear autoencoder.

MNIST does not change, so what its components are lies among the resources
(`resources/mnist/spectrum.safetensors`), and the tests compute it anew. To write it again:
`python -m trainers.datasets.spectrum`. Those of other data sets lie in their files: exact ones for
images of up to `MOST_PIXELS` numbers, randomised ones for images of up to `MOST_RANDOMISED`.
Loads no torch.

Shape legend: N images, P pixels, D components, K components kept, at most 256; E is P for an exact
spectrum and K for a randomised one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError
from threadpoolctl import threadpool_limits

from trainers.datasets import store
from trainers.datasets.description import MNIST, Dataset
from trainers.datasets.mmap import release_pages
from trainers.datasets.mnist import load_split
from trainers.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

_RESOURCE = files("resources") / "mnist" / "spectrum.safetensors"
_KEPT_COMPONENTS = 256
MOST_PIXELS = 1_024
"""Numbers of an image up to which the import computes all principal components exactly."""
MOST_RANDOMISED = 16_384
"""Numbers of an image up to which the import computes the leading components by random projection.

A larger image would need gigabytes for them.
"""
_OVERSAMPLING, _POWER_ITERATIONS = 64, 3
_CHUNK = 2_048
_ROUNDING = 1e-15
"""The squared error of a pixel below which it is rounding alone."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The principal components of the training images, and what they leave of the test set.

    Attributes
    ----------
    mean
        (P,) float32, the mean training image.
    components
        (K, P) float32, orthonormal rows, by falling variance; as many as a code may have numbers.
    eigenvalues
        (E,) float64, the training variance along each component: squared ink per image.
    test_errors
        (E + 1,) float64, squared error per test image that 0, 1, ... E components leave.
    """

    mean: NDArray[np.float32]
    components: NDArray[np.float32]
    eigenvalues: NDArray[np.float64]
    test_errors: NDArray[np.float64]

    def basis(self, latent_dim: int) -> NDArray[np.float32]:
        """(P, D), the orthonormal columns that a PCA with `latent_dim` codes keeps."""
        return self.components[:latent_dim].T

    def floor(self, latent_dim: int) -> float | None:
        """What a PCA with `latent_dim` codes leaves of a test image; None where that is nothing.

        What is left of images that are all the same is rounding, and no measure for a model.
        """
        if latent_dim >= len(self.test_errors):
            return None
        found = float(self.test_errors[latent_dim])
        return found if found > _ROUNDING * len(self.mean) else None

    def reconstruct(self, images: NDArray[np.float32], latent_dim: int) -> NDArray[np.float32]:
        """(N, P) images of 0..1 → what `latent_dim` components give back, (N, P)."""
        basis = self.basis(latent_dim)
        codes = (images - self.mean) @ basis
        return np.asarray(codes @ basis.T + self.mean, np.float32)


@cache
def load_mnist_spectrum() -> Spectrum:
    """The spectrum of MNIST's training images.

    Raises
    ------
    DataError
        When the file among the resources is missing or damaged.
    """
    try:
        return Spectrum(**safetensors.numpy.load(_RESOURCE.read_bytes()))
    except (OSError, SafetensorError, TypeError) as error:
        raise DataError(
            f"{_RESOURCE} cannot be read ({error}); install the program again."
        ) from error


def load_spectrum(dataset: Dataset) -> Spectrum | None:
    """The spectrum of a data set's training images; None where it is not known.

    Raises
    ------
    DataError
        When the data set is not here, or damaged.
    """
    if dataset.name == MNIST.name:
        return load_mnist_spectrum()
    return _read_spectrum(dataset.name, dataset.checksum)


@lru_cache(maxsize=8)
def _read_spectrum(name: str, _checksum: str) -> Spectrum | None:
    tensors = store.spectrum_tensors(name)
    try:
        return None if tensors is None else Spectrum(**tensors)
    except TypeError as error:
        raise DataError(f"The data set {name!r} is damaged ({error}). Import it anew.") from error


def fit_spectrum(
    train: NDArray[np.uint8], test: NDArray[np.uint8]
) -> Generator[float, None, Spectrum]:
    """Computes the spectrum of (n, ...) images; yields 1.0 between chunks.

    Images of up to `MOST_PIXELS` numbers are decomposed exactly, in double precision, larger ones
    by `fit_randomised`.
    """
    pixels = int(np.prod(train.shape[1:]))
    if pixels > MOST_PIXELS:
        return (yield from fit_randomised(train, test))
    total, products = np.zeros(pixels), np.zeros((pixels, pixels))
    for start in range(0, len(train), _CHUNK):
        chunk = train[start : start + _CHUNK].reshape(-1, pixels) / 255.0
        total += chunk.sum(0)
        with _limit_to_one_thread():
            products += chunk.T @ chunk
        release_pages(train)
        yield 1.0
    mean = total / len(train)
    components, eigenvalues = _decompose(products / len(train) - np.outer(mean, mean))
    energies = np.zeros(pixels)
    for start in range(0, len(test), _CHUNK):
        chunk = test[start : start + _CHUNK].reshape(-1, pixels) / 255.0
        with _limit_to_one_thread():
            energies += np.square((chunk - mean) @ components.T).sum(0)
        yield 1.0
    return _make_spectrum(mean, components, eigenvalues, energies / len(test))


def fit_randomised(
    train: NDArray[np.uint8], test: NDArray[np.uint8], kept: int = _KEPT_COMPONENTS
) -> Generator[float, None, Spectrum]:
    """Computes the leading components by a random projection (Halko et al. 2011, algorithm 4.4).

    The images are read five times and never held together. The projection has a fixed seed. Its
    error is far below the figures that are shown: the tests compare it with the exact components.

    Parameters
    ----------
    train, test
        (n, ...) images of 0..255.
    kept
        How many components to compute; fewer if there are fewer images or numbers.
    """
    pixels = int(np.prod(train.shape[1:]))
    mean, kept = np.zeros(pixels), min(kept, pixels, len(train) - 1)
    for chunk in _chunks(train, mean):
        mean += chunk.sum(0) / len(train)
        yield 1.0
    width = min(pixels, kept + _OVERSAMPLING)
    span = np.random.default_rng(0).normal(size=(pixels, width)).astype(np.float32)
    for _ in range(_POWER_ITERATIONS):
        basis, span = _orthonormalise(span), np.zeros_like(span)
        for chunk in _chunks(train, mean):
            with _limit_to_one_thread():
                span += chunk.T @ (chunk @ basis)
            yield 1.0
    basis, products = _orthonormalise(span), np.zeros((width, width))
    for chunk in _chunks(train, mean):
        with _limit_to_one_thread():
            inner = (chunk @ basis).astype(np.float64)
        products += inner.T @ inner
        yield 1.0
    turns, eigenvalues = _decompose(products / len(train))
    components = _point_upwards((turns[:kept] @ basis.T).astype(np.float64))
    energies, total = np.zeros(kept), 0.0
    for chunk in _chunks(test, mean):
        energies += np.square(chunk @ components.T).sum(0) / len(test)
        total += float(np.square(chunk, dtype=np.float64).sum()) / len(test)
        yield 1.0
    left = np.maximum(total - np.append(0.0, energies.cumsum()), 0.0)
    single = components.astype(np.float32)
    return Spectrum(mean.astype(np.float32), single, eigenvalues[:kept].copy(), left)


def _chunks(
    images: NDArray[np.uint8], mean: NDArray[np.float64]
) -> Generator[NDArray[np.float32], None, None]:
    """Yields (n, P) parts of the images, as grey levels less the mean."""
    offset = mean.astype(np.float32).copy()
    for start in range(0, len(images), _CHUNK):
        part = images[start : start + _CHUNK].reshape(-1, len(mean))
        yield part.astype(np.float32) / np.float32(255) - offset
        release_pages(images)


def _orthonormalise(span: NDArray[np.float32]) -> NDArray[np.float32]:
    with _limit_to_one_thread():
        basis: NDArray[np.float32] = np.linalg.qr(span)[0]
    return basis


def _limit_to_one_thread() -> AbstractContextManager[object]:
    """Threads that wait for each other by spinning are thirty times slower on a busy machine."""
    limits: AbstractContextManager[object] = threadpool_limits(1, "blas")
    return limits


def fit_mnist_spectrum() -> Spectrum:
    """The spectrum computed from the images, in double precision (some seconds)."""
    train, test = (
        load_split(name).images.reshape(-1, 28 * 28) / 255.0 for name in ("train", "test")
    )
    mean = train.mean(0)
    covariance = train.T @ train / len(train) - np.outer(mean, mean)
    components, eigenvalues = _decompose(covariance)
    return _make_spectrum(
        mean, components, eigenvalues, np.square((test - mean) @ components.T).mean(0)
    )


def _decompose(
    covariance: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(P, P) components in rows, each with its largest entry positive, and (P,) eigenvalues."""
    with _limit_to_one_thread():
        variances, vectors = np.linalg.eigh(covariance)
    return _point_upwards(vectors.T[::-1]), variances[::-1].clip(min=0)


def _point_upwards(components: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns components in rows, each with its largest entry positive."""
    largest = np.abs(components).argmax(1)[:, None]
    return components * np.sign(np.take_along_axis(components, largest, 1))


def _make_spectrum(
    mean: NDArray[np.float64],
    components: NDArray[np.float64],
    eigenvalues: NDArray[np.float64],
    energies: NDArray[np.float64],
) -> Spectrum:
    # What D components leave is what the later ones hold; summed from the small end.
    left = np.append(energies[::-1].cumsum()[::-1], 0.0)
    kept = components[:_KEPT_COMPONENTS].astype(np.float32)
    return Spectrum(mean.astype(np.float32), kept, np.ascontiguousarray(eigenvalues), left)


if __name__ == "__main__":
    content = safetensors.numpy.save(
        {n: np.ascontiguousarray(a) for n, a in vars(fit_mnist_spectrum()).items()}
    )
    Path(str(_RESOURCE)).write_bytes(content)
