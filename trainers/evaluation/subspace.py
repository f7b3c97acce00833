"""The angles between the subspace of a linear decoder and that of PCA.

The global minima of a linear autoencoder's squared error are exactly those whose decoder spans the
leading principal components (Baldi & Hornik 1989), in any basis. So the planes are compared, not
the weights: by their principal angles (Björck & Golub 1973).

Shape legend: P pixels, D numbers in a code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy import linalg
from torch import nn

from trainers.evaluation.measurement import SubspaceFigures
from trainers.models.base import Network
from trainers.models.pca import PCA

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from trainers.datasets.spectrum import Spectrum
    from trainers.models.base import Autoencoder

_RIGHT_ANGLE = 90.0
_ROUNDING = 1e-6


def principal_angles(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Returns the principal angles between the spans of two bases.

    Parameters
    ----------
    first, second
        (P, D), a basis in the columns, which need not be orthogonal or independent. Singular values
        below a millionth of the largest are the rounding of weights in single precision; their
        directions do not count.

    Returns
    -------
    (D,) degrees, ascending. A direction that one of the spans does not have counts as 90°.
    """
    bases = [np.asarray(basis, np.float64) for basis in (first, second)]
    size = max(basis.shape[1] for basis in bases)
    spans = [linalg.orth(basis, rcond=_ROUNDING) for basis in bases]
    angles = np.full(size, _RIGHT_ANGLE)
    if all(span.shape[1] for span in spans):
        degrees = np.degrees(linalg.subspace_angles(*spans))[::-1]
        angles[: len(degrees)] = degrees
    return angles


@torch.no_grad()
def decoder_span(model: Autoencoder) -> NDArray[np.float64] | None:
    """Returns (P, D), the columns of a linear decoder's matrix; None if it is not linear."""
    if isinstance(model, PCA):
        return model.components.T.cpu().double().numpy()
    if model.likelihood == "bernoulli" or not isinstance(model, Network):
        return None
    layers = [*model.decoder]
    if not all(isinstance(layer, nn.Linear | nn.Identity) for layer in layers):
        return None
    span = torch.eye(model.latent_dim, dtype=torch.float64)
    for layer in layers:
        if isinstance(layer, nn.Linear):
            span = layer.weight.cpu().double() @ span
    columns: NDArray[np.float64] = span.numpy()
    return columns


def compare_with_pca(
    model: Autoencoder, spectrum: Spectrum, squared_error: float
) -> SubspaceFigures | None:
    """Compares a linear decoder with PCA; returns None if the decoder is not linear.

    Parameters
    ----------
    model
        The model whose decoder is compared.
    spectrum
        The principal components of the data set.
    squared_error
        The model's squared error per test image.
    """
    span = decoder_span(model)
    if span is None:
        return None
    floor = float(spectrum.test_errors[model.latent_dim])
    angles = principal_angles(span, spectrum.basis(model.latent_dim))
    return SubspaceFigures(
        principal_angles=tuple(angles.tolist()),
        squared_error=squared_error,
        floor=floor,
        ratio=squared_error / floor,
    )
