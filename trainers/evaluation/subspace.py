"""How far the plane that a linear decoder spans is from PCA's.

The global minima of a linear autoencoder's squared error are exactly those whose decoder spans the
leading principal components (Baldi & Hornik 1989); which basis of that plane it finds is free. So
not the weights are compared but the planes, by their principal angles (Björck & Golub 1973).

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
    """The principal angles between the spans of two bases.

    Parameters
    ----------
    first, second
        (P, D), a basis in the columns; they need be neither orthogonal nor independent. What is
        less than a millionth of its largest singular value is the rounding of weights in single
        precision, and no direction.

    Returns
    -------
    (D,) degrees, ascending. A direction that one of the spans lacks counts as a right angle.
    """
    bases = [np.asarray(basis, np.float64) for basis in (first, second)]
    size = max(basis.shape[1] for basis in bases)
    spans = [linalg.orth(basis, rcond=_ROUNDING) for basis in bases]
    angles = np.full(size, _RIGHT_ANGLE)
    if all(span.shape[1] for span in spans):
        found = np.degrees(linalg.subspace_angles(*spans))[::-1]
        angles[: len(found)] = found
    return angles


@torch.no_grad()
def decoder_span(model: Autoencoder) -> NDArray[np.float64] | None:
    """(P, D), the columns that a linear decoder adds up; None where it is not linear."""
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


def subspace(
    model: Autoencoder, spectrum: Spectrum, squared_error: float
) -> SubspaceFigures | None:
    """How far a linear decoder is from PCA; None where it is not linear.

    Parameters
    ----------
    model
        Whose decoder it is.
    spectrum
        What PCA finds.
    squared_error
        Of the model, per test image.
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
