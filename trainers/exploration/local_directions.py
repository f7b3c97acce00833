"""The directions in which codes vary most around a place. This module loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_ROWS = 6
"""The most directions of a grid of steps."""
STEPS = np.arange(-3, 4)
"""The steps along each direction, in local standard deviations; the middle one is zero."""

_LEAST = -60.0
_MARGINS = (-14.0, 7.0)
"""Logarithms of the least and greatest width, in units of the farthest distance."""
_SAME_WIDTH = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class LocalDirections:
    """The principal directions of the codes around a place, the strongest first.

    Attributes
    ----------
    directions
        (r, d) float64, orthonormal.
    deviations
        (r,), the standard deviation of the codes around the place along each.
    shares
        (r,), the share of the local variance along each, 0..1.
    width
        Standard deviation of the Gaussian that says how much a code counts; infinite where all
        count alike.
    """

    directions: NDArray[np.float64]
    deviations: NDArray[np.float64]
    shares: NDArray[np.float64]
    width: float

    def grid(self, place: NDArray[np.floating]) -> NDArray[np.float32]:
        """Returns (r, 7, d), the codes at `STEPS` along each direction from a (d,) place."""
        moves = self.deviations[:, None] * self.directions
        codes: NDArray[np.float32]
        codes = (place + STEPS[:, None] * moves[:, None, :]).astype(np.float32)
        return codes


def local_directions(
    codes: NDArray[np.floating],
    place: NDArray[np.floating],
    worth: float,
    previous: LocalDirections | None = None,
) -> LocalDirections:
    """Returns the principal components of codes around a place (local PCA, Fukunaga & Olsen 1971).

    A code at the distance r counts exp(−r²/2h²) in mean and covariance. The width h is chosen so
    that the codes are worth as many as `worth` equal ones by their effective number,
    (Σw)² / Σw² (Kish 1965): narrow among many codes, wide among few, in any dimension. Unlike a
    limit of k nearest codes this changes smoothly as the place moves, and does not make a ball of
    what is long: of codes from N(m, Σ) the covariance around any place is (Σ⁻¹ + I/h²)⁻¹, whose
    directions are those of Σ.

    Parameters
    ----------
    codes
        (n, d); rows that are no finite numbers are left out.
    place
        (d,).
    worth
        Codes that the neighbourhood is worth; where there are not more, all count alike and the
        directions are the principal ones of all codes.
    previous
        What was found before: each new direction has the sign that agrees with the old one it is
        nearest to, so that nothing flips as the place moves. Without it the largest loading of
        each is positive.

    Returns
    -------
    The six strongest directions, or all d.

    Raises
    ------
    ValueError
        When there are no finite codes, or `worth` is below 1.
    """
    finite = codes[np.isfinite(codes).all(axis=1)].astype(np.float64)
    if not len(finite) or worth < 1:
        raise ValueError(f"{len(finite)} codes worth {worth:g}: at least 1 and 1 are needed.")
    squares = np.square(finite - place).sum(axis=1)
    weights, width = _weights(squares - squares.min(), worth)
    weights /= weights.sum()
    centred = finite - weights @ finite
    variances, found = np.linalg.eigh((weights[:, None] * centred).T @ centred)
    count = min(MOST_ROWS, len(variances))
    variances, directions = variances[::-1].clip(0), found.T[::-1][:count]
    total = variances.sum()
    shares = variances[:count] / total if total > 0 else np.zeros(count)
    signed = directions * _signs(directions, previous)[:, None]
    return LocalDirections(signed, np.sqrt(variances[:count]), shares, width)


def _weights(squares: NDArray[np.float64], worth: float) -> tuple[NDArray[np.float64], float]:
    """Returns (n,), the weights of codes by squared distance, and the width of the Gaussian."""
    from scipy.optimize import brentq

    most, nearest = squares.max(), np.count_nonzero(squares == 0)
    if worth >= len(squares) or most == 0:
        return np.ones_like(squares), np.inf

    def at(log_width: float) -> NDArray[np.float64]:
        # A weight below 1e-26 counts as zero; denormal numbers would take very long.
        exponents = squares * (-0.5 * np.exp(-2 * log_width))
        weights: NDArray[np.float64] = np.exp(exponents, where=exponents > _LEAST, out=none.copy())
        return weights

    def lacking(log_width: float) -> float:
        weights = at(log_width)
        return float(np.log(weights.sum() ** 2 / np.square(weights).sum() / worth))

    none = np.zeros_like(squares)
    # The effective number grows with the width, from the count of the nearest codes to n.
    low, high = (0.5 * np.log(most) + margin for margin in _MARGINS)
    found = low if worth <= nearest else brentq(lacking, low, high, xtol=_SAME_WIDTH)
    return at(found), float(np.exp(found))


def _signs(
    directions: NDArray[np.float64], previous: LocalDirections | None
) -> NDArray[np.float64]:
    """Returns (r,) ±1, the sign of each direction."""
    rows = np.arange(len(directions))
    if previous is not None and previous.directions.shape[1] == directions.shape[1]:
        cosines = directions @ previous.directions.T
        deciding = cosines[rows, np.abs(cosines).argmax(axis=1)]
    else:
        deciding = directions[rows, np.abs(directions).argmax(axis=1)]
    return np.where(deciding < 0, -1.0, 1.0)
