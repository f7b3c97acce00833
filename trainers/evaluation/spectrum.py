"""The principal components of the training images: the floor under every linear autoencoder.

MNIST does not change, so what its components are lies among the resources
(`resources/mnist/spectrum.safetensors`), and the tests compute it anew. To write it again:
`python -m trainers.evaluation.spectrum`. Loads no torch.

Shape legend: N images, P pixels, D components, K = 256 components kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from trainers.datasets.mnist import split
from trainers.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RESOURCE = files("resources") / "mnist" / "spectrum.safetensors"
_KEPT = 256


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The principal components of the 60,000 training images, and what they leave of the test set.

    Attributes
    ----------
    mean
        (P,) float32, the mean training image.
    components
        (K, P) float32, orthonormal rows, by falling variance; as many as a code may have numbers.
    eigenvalues
        (P,) float64, the training variance along each component: squared ink per image.
    test_errors
        (P + 1,) float64, squared error per test image that 0, 1, ... P components leave.
    """

    mean: NDArray[np.float32]
    components: NDArray[np.float32]
    eigenvalues: NDArray[np.float64]
    test_errors: NDArray[np.float64]

    def basis(self, latent_dim: int) -> NDArray[np.float32]:
        """(P, D), the orthonormal columns that a PCA with `latent_dim` codes keeps."""
        return self.components[:latent_dim].T

    def reconstruct(self, images: NDArray[np.float32], latent_dim: int) -> NDArray[np.float32]:
        """(N, P) images of 0..1 → what `latent_dim` components give back, (N, P)."""
        basis = self.basis(latent_dim)
        codes = (images - self.mean) @ basis
        return np.asarray(codes @ basis.T + self.mean, np.float32)


@cache
def spectrum() -> Spectrum:
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
            f"{_RESOURCE} can not be read ({error}); install the program again."
        ) from error


def fit() -> Spectrum:
    """The spectrum computed from the images, in double precision (some seconds)."""
    train, test = (split(name).images.reshape(-1, 28 * 28) / 255.0 for name in ("train", "test"))
    mean = train.mean(0)
    variances, vectors = np.linalg.eigh(train.T @ train / len(train) - np.outer(mean, mean))
    eigenvalues, components = variances[::-1].clip(min=0), vectors.T[::-1]
    largest = np.abs(components).argmax(1)[:, None]
    components = components * np.sign(np.take_along_axis(components, largest, 1))
    energies = np.square((test - mean) @ components.T).mean(0)
    # What D components leave is what the later ones hold; summed from the small end.
    left = np.append(energies[::-1].cumsum()[::-1], 0.0)
    kept = components[:_KEPT].astype(np.float32)
    return Spectrum(mean.astype(np.float32), kept, np.ascontiguousarray(eigenvalues), left)


if __name__ == "__main__":
    content = safetensors.numpy.save({n: np.ascontiguousarray(a) for n, a in vars(fit()).items()})
    Path(str(_RESOURCE)).write_bytes(content)
