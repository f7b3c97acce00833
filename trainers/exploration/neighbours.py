"""The codes that are nearest to a code. This module loads no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def nearest_codes(
    codes: NDArray[np.floating], code: NDArray[np.floating], count: int
) -> tuple[NDArray[np.intp], NDArray[np.floating]]:
    """Finds the codes with the smallest Euclidean distance from a code.

    Parameters
    ----------
    codes
        (n, d).
    code
        (d,).
    count
        How many to find; all of them where n is smaller.

    Returns
    -------
    (k,) indices into `codes` and (k,) distances, the nearest first.
    """
    squares = np.square(codes - code).sum(axis=1)
    count = min(count, len(codes))
    nearest = np.argpartition(squares, count - 1)[:count]
    nearest = nearest[np.argsort(squares[nearest], kind="stable")]
    return nearest, np.sqrt(squares[nearest])
