"""How dense codes lie."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Support:
    """Being written."""

    def __init__(self, codes: NDArray[np.floating]) -> None:
        from scipy.spatial import cKDTree

        self._tree = cKDTree(codes)
        own = self._tree.query(codes[:: max(1, len(codes) // 1000)], 11)[0][:, -1]
        self._near, self._far = float(np.median(own)), 4 * float(np.percentile(own, 99))

    def of(self, queries: NDArray[np.floating]) -> NDArray[np.float32]:
        """0..1."""
        away = self._tree.query(queries, 10)[0][:, -1]
        share = (self._far - away) / max(self._far - self._near, 1e-12)
        found: NDArray[np.float32] = share.clip(0, 1).astype(np.float32)
        return found
