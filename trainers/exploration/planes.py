"""Planes in the space of codes, and the projection of codes onto them. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator

_ORDERS = ((0, 1), (1, 0))
JITTER = 0.35
"""One-dimensional codes of a class are spread by up to this much above and below the class."""


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """A plane in a d-dimensional space of codes.

    Attributes
    ----------
    origin
        (d,) float64, the code seen at (0, 0).
    basis
        (2, d) float64, the orthonormal directions of x and y. For d = 1 the second is zero: there
        is no y.
    axes
        What x and y are, counted from 0: coordinates of the code, or principal components.
    shares
        Shares of the codes' variance along x and y, 0..1; None for another plane.
    is_picked
        Whether it passes through three codes that were picked; its axes are no coordinates then.
    is_aligned
        Whether it is seen through an `Alignment`: its axes are those of other codes then, `shares`
        are theirs.
    """

    origin: NDArray[np.float64]
    basis: NDArray[np.float64]
    axes: tuple[int, int]
    shares: tuple[float, float] | None = None
    is_picked: bool = False
    is_aligned: bool = False

    @property
    def is_line(self) -> bool:
        """Whether it stands for a one-dimensional latent space: x is the code, y is free."""
        return len(self.origin) == 1

    def project(self, codes: NDArray[np.floating]) -> NDArray[np.float64]:
        """Projects (..., d) codes to (..., 2) places in the plane."""
        places: NDArray[np.float64] = (codes - self.origin) @ self.basis.T
        return places

    def lift(self, xy: NDArray[np.floating], anchor: NDArray[np.floating]) -> NDArray[np.float64]:
        """Returns the code at a place of the plane; off the plane it equals `anchor`.

        Parameters
        ----------
        xy
            (..., 2), places in the plane.
        anchor
            (d,), the code that gives every component orthogonal to the plane.

        Returns
        -------
        (..., d) codes; `project` gives `xy` back.
        """
        codes: NDArray[np.float64] = anchor + (xy - self.project(anchor)) @ self.basis
        return codes


def class_jitter(count: int) -> NDArray[np.float64]:
    """Returns (count,) shifts along y for one-dimensional codes, always the same ones."""
    return np.random.default_rng(0).uniform(-JITTER, JITTER, count)


def are_equal(one: Plane | None, other: Plane | None) -> bool:
    """Returns whether codes have the same places in both planes; None equals None alone."""
    if one is None or other is None:
        return one is other
    has_same_origin = np.array_equal(one.origin, other.origin)
    return has_same_origin and np.array_equal(one.basis, other.basis)


def axes_plane(latent_dim: int, x: int, y: int) -> Plane:
    """Returns the plane of the code's coordinates `x` and `y`, counted from 0.

    Raises
    ------
    ValueError
        When they are no two different coordinates of such a code.
    """
    if x == y or not {x, y} <= set(range(latent_dim)):
        raise ValueError(
            f"({x}, {y}) is no pair of coordinates of a code of {latent_dim}: choose two different "
            f"ones from 0 to {latent_dim - 1}."
        )
    return Plane(np.zeros(latent_dim), np.eye(latent_dim)[[x, y]], (x, y))


def line() -> Plane:
    """Returns what stands for a plane of a one-dimensional code: x is the code, y is free."""
    return Plane(np.zeros(1), np.array([[1.0], [0.0]]), (0, 0))


def three_point_plane(corners: NDArray[np.floating]) -> Plane:
    """Returns the plane through three codes: the first at (0, 0), the second on the x axis.

    Parameters
    ----------
    corners
        (3, d).

    Raises
    ------
    ValueError
        When the three lie on a line.
    """
    origin, x, y = np.asarray(corners, np.float64)
    right, up = x - origin, y - origin
    along = right / max(np.linalg.norm(right), np.finfo(float).tiny)
    across = up - (up @ along) * along
    if np.linalg.norm(across) <= 1e-6 * np.linalg.norm(up) or not np.any(right):
        raise ValueError("The three codes lie on a line: pick three that span a plane.")
    return Plane(origin, np.stack([along, across / np.linalg.norm(across)]), (0, 1), None, True)


def principal_plane(codes: NDArray[np.floating], previous: Plane | None = None) -> Plane:
    """Returns the plane through the mean in which the codes vary most.

    Parameters
    ----------
    codes
        (n, d), d > 1.
    previous
        The plane shown before. The new one takes its orientation: signs, and which component is
        on x where two of them have changed places, so that a live view neither flips nor turns by
        a right angle; `axes` says which component is where. Without it the largest loading of
        each direction is positive.
    """
    mean = codes.mean(axis=0, dtype=np.float64)
    centred = codes - mean
    variances, directions = np.linalg.eigh(centred.T @ centred / len(codes))
    total = variances.sum()
    basis, shares = directions[:, :-3:-1].T, variances[:-3:-1] / (total if total > 0 else 1.0)
    order, signs = (0, 1), _signs(basis)
    if previous is not None and previous.basis.shape == basis.shape:
        order, signs = max(_signed_orders(basis, previous.basis), key=lambda found: found[2])[:2]
    chosen = list(order)
    shown = (float(shares[order[0]]), float(shares[order[1]]))
    return Plane(mean, basis[chosen] * signs[:, None], order, shown)


def _signs(basis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns (2,) ±1 that make each direction's largest loading positive."""
    largest = np.abs(basis).argmax(axis=1)
    return np.where(basis[[0, 1], largest] < 0, -1.0, 1.0)


def _signed_orders(
    basis: NDArray[np.float64], previous: NDArray[np.float64]
) -> Iterator[tuple[tuple[int, int], NDArray[np.float64], float]]:
    """Yields each order of the two directions, its best signs, and how well they agree."""
    for order in _ORDERS:
        cosines = (basis[list(order)] * previous).sum(axis=1)
        yield order, np.where(cosines < 0, -1.0, 1.0), float(np.abs(cosines).sum())
