"""Letting go of what was read of a mapped file: it stays in the system's cache, and is not ours."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


def release_pages(array: NDArray[Any]) -> None:
    """Lets go of the pages of the file that an array is mapped from, if it is.

    They count as the program's memory otherwise, though they are only a copy of the disk. The
    array can be read as before.
    """
    found = getattr(array, "_mmap", None)
    if isinstance(found, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        found.madvise(mmap.MADV_DONTNEED)
