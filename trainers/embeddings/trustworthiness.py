"""How well a 2-D view of high-dimensional points preserves their neighbourhoods."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEIGHBOURS = 10


def trustworthiness_and_continuity(
    space: NDArray[np.floating], view: NDArray[np.floating]
) -> tuple[float, float]:
    """Computes the trustworthiness and the continuity of a view (Venna & Kaski 2001), each 0..1.

    Continuity is the trustworthiness with `space` and `view` exchanged.

    Parameters
    ----------
    space
        (n, F), the points in the original space.
    view
        (n, 2), the points in the view.
    """
    from sklearn.manifold import trustworthiness

    count = _neighbours(len(view))
    trust = trustworthiness(space, view, n_neighbors=count)
    return float(trust), float(trustworthiness(view, space, n_neighbors=count))


def trust_by_point(space: NDArray[np.floating], view: NDArray[np.floating]) -> NDArray[np.float64]:
    """Computes the contribution of each point to the trustworthiness, which is their mean.

    Their spread gives the standard error of the mean, which no library computes.

    Parameters
    ----------
    space
        (n, F), the points in the original space.
    view
        (n, G), the points in the view.

    Returns
    -------
    (n,), at most 1: less for a point with neighbours in the view that are far in the space.
    """
    from sklearn.metrics import pairwise_distances
    from sklearn.neighbors import NearestNeighbors

    count, points = _neighbours(len(view)), len(view)
    near = NearestNeighbors(n_neighbors=count).fit(view).kneighbors(return_distance=False)
    distances = pairwise_distances(space, metric="sqeuclidean")
    np.fill_diagonal(distances, np.inf)
    ranks = np.empty((points, points), np.int64)
    np.put_along_axis(ranks, distances.argsort(axis=1), np.arange(1, points + 1)[None], axis=1)
    intruders = (np.take_along_axis(ranks, near, axis=1) - count).clip(min=0).sum(axis=1)
    found: NDArray[np.float64] = 1 - 2 * intruders / (count * (2 * points - 3 * count - 1))
    return found


def _neighbours(points: int) -> int:
    return min(NEIGHBOURS, math.ceil(points / 2) - 1)
