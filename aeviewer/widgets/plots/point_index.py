"""Finds the point under the mouse among very many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.spatial import cKDTree


class PointIndex:
    """A k-d tree over points, built at its first use.

    Parameters
    ----------
    xy
        (n, 2), the points; what is not finite is never found.
    """

    def __init__(self, xy: NDArray[np.floating]) -> None:
        self._xy = xy
        self._kept = np.flatnonzero(np.isfinite(xy).all(axis=1))
        self._ratio = 0.0
        self._tree: cKDTree | None = None

    def nearest(self, x: float, y: float, pixel: tuple[float, float], reach: float) -> int | None:
        """Returns the nearest point to a place on the screen within `reach` pixels, or None.

        Parameters
        ----------
        x, y
            The place.
        pixel
            What a pixel is long and high, in the points' unit.
        reach
            In pixels.
        """
        if not len(self._kept):
            return None
        ratio = pixel[0] / pixel[1]
        if self._tree is None or abs(ratio / self._ratio - 1) > 1e-6:
            self._tree = self._build_tree(ratio)
        found, at = self._tree.query((x, y * ratio), distance_upper_bound=reach * pixel[0])
        return int(self._kept[at]) if np.isfinite(found) else None

    def _build_tree(self, ratio: float) -> cKDTree:
        from scipy.spatial import cKDTree

        self._ratio = ratio
        scaled = self._xy[self._kept] * (1.0, ratio)
        # Twice as fast to build as a balanced tree, and as fast to query.
        return cKDTree(scaled, balanced_tree=False, compact_nodes=False)


def next_towards(
    points: NDArray[np.floating], start: tuple[float, float], step: tuple[float, float]
) -> int | None:
    """Returns the nearest point in a direction, at least a step away.

    Parameters
    ----------
    points
        (n, 2).
    start
        The place.
    step
        The direction, which may be left by 45° to either side, and the step's length.
    """
    away = points - np.asarray(start)
    length = float(np.hypot(*step))
    direction = np.asarray(step) / length
    along = away @ direction
    across = np.abs(away @ (-direction[1], direction[0]))
    distances = np.where((along >= across) & (along >= length), np.hypot(along, across), np.inf)
    found = int(distances.argmin()) if len(points) else -1
    return found if found >= 0 and np.isfinite(distances[found]) else None
