"""The outline of a posterior in a plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trainers.exploration.planes import Plane


def ellipse(
    mean: NDArray[np.floating],
    log_variance: NDArray[np.floating],
    plane: Plane,
    sigmas: float = 1.0,
    points: int = 73,
) -> NDArray[np.float64]:
    """Returns the outline of the posterior N(mean, diag(exp(log_variance))) in a plane.

    Parameters
    ----------
    mean, log_variance
        (d,).
    plane
        Where it is seen: a Gaussian's projection is a Gaussian with covariance B·Σ·Bᵀ, B being
        the plane's orthonormal basis.
    sigmas
        Standard deviations from the middle to the outline: 1 holds 39 % of the samples.
    points
        Of the outline, the last being the first again.

    Returns
    -------
    (points, 2).
    """
    covariance = (plane.basis * np.exp(log_variance.astype(np.float64))) @ plane.basis.T
    variances, directions = np.linalg.eigh(covariance)
    angle = np.linspace(0, 2 * np.pi, points)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    outline: NDArray[np.float64] = (
        plane.project(mean) + sigmas * (circle * np.sqrt(variances.clip(0))) @ directions.T
    )
    return outline
