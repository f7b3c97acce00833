"""The principal components of the training images: the floor under every linear autoencoder.

Fitting is the PCA model's own, with every component kept; what is known of one number of
components is then known of all.

Shape legend: N images, P pixels, D components.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from trainers.models.pca import PCA
from trainers.training.data import resident

if TYPE_CHECKING:
    from collections.abc import Generator

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

_CHUNK = 6_000
_CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class Spectrum:
    """All principal components of the 60,000 training images, and what they leave of the test set.

    Attributes
    ----------
    mean
        (P,) float32, the mean training image.
    components
        (P, P) float32, orthonormal rows, by falling variance.
    eigenvalues
        (P,) float64, the training variance along each: squared ink per image.
    test_errors
        (P + 1,) float64, squared error per test image that 0, 1, ... P components leave.
    """

    mean: Tensor
    components: Tensor
    eigenvalues: NDArray[np.float64]
    test_errors: NDArray[np.float64]

    def basis(self, latent_dim: int) -> NDArray[np.float32]:
        """(P, D), the orthonormal columns that a PCA with `latent_dim` codes keeps."""
        columns: NDArray[np.float32] = self.components[:latent_dim].T.numpy()
        return columns

    def reconstruct(self, images: Tensor, latent_dim: int) -> Tensor:
        """(N, P) images on the CPU → what `latent_dim` components give back, (N, P)."""
        kept = self.components[:latent_dim]
        return (images - self.mean) @ kept.T @ kept + self.mean


_known: list[Spectrum] = []


def spectrum() -> Generator[None, None, Spectrum]:
    """The spectrum of the training images, computed once a process; yields between chunks."""
    if not _known:
        train, test = resident("train", _CPU), resident("test", _CPU)
        pixels = train.shape[1]
        model = PCA(pixels=pixels, latent_dim=pixels)
        yield from model.fit(train.split(_CHUNK))
        left = torch.zeros(pixels + 1, dtype=torch.float64)
        for chunk in test.split(_CHUNK // 6):
            energies = ((chunk - model.mean) @ model.components.T).double().square().sum(0)
            # What D components leave is what the later ones hold; summed from the small end.
            left[:-1] += energies.flip(0).cumsum(0).flip(0)
            yield
        errors = (left / len(test)).numpy()
        variances = model.variances.double().clamp(min=0).numpy()
        _known.append(Spectrum(model.mean, model.components, variances, errors))
    return _known[0]
