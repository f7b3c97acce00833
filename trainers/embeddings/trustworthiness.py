"""How true a view of many-dimensional points is to which of them are near each other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NEIGHBOURS = 10


def faithfulness(space: NDArray[np.floating], view: NDArray[np.floating]) -> tuple[float, float]:
    """Trustworthiness and continuity of a view (Venna & Kaski 2001), 0..1 each.

    Parameters
    ----------
    space
        (n, F), where neighbours are what they are.
    view
        (n, 2), where they are shown. Continuity is the same figure with the two exchanged.
    """
    from sklearn.manifold import trustworthiness

    count = min(NEIGHBOURS, math.ceil(len(view) / 2) - 1)
    trust = trustworthiness(space, view, n_neighbors=count)
    return float(trust), float(trustworthiness(view, space, n_neighbors=count))
