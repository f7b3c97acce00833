"""How well a 2-D view of high-dimensional points preserves their neighbourhoods."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
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

    count = min(NEIGHBOURS, math.ceil(len(view) / 2) - 1)
    trust = trustworthiness(space, view, n_neighbors=count)
    return float(trust), float(trustworthiness(view, space, n_neighbors=count))
