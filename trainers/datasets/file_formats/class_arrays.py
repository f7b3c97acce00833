"""A folder with an array of images for each class, as Quick, Draw! has them: cat.npy, dog.npy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trainers.datasets.sources.array_names import parse_name
from trainers.datasets.sources.arrays import ArrayBlock, ArraySource, as_images
from trainers.datasets.sources.numpy_files import map_array
from trainers.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

_PREFIX = "full_numpy_bitmap_"
_FEWEST_IMAGES = 2


class ClassArrays(ArraySource):
    """Images in an array for each class."""

    kind = "an array of images for each class"


def open_class_arrays(path: Path) -> ClassArrays | None:
    """Opens a folder with an .npy file for each class; None where its files are not that.

    Parameters
    ----------
    path
        A folder whose .npy files hold images of one shape, and are named by their classes.
    """
    files = sorted(file for file in path.glob("*.npy") if not file.name.startswith("."))
    if len(files) < _FEWEST_IMAGES or any(_is_part(file) for file in files):
        return None
    try:
        arrays = [as_images(map_array(file, str(file)), file.name) for file in files]
    except DataError:
        return None
    if len({(array.shape[1:], array.dtype) for array in arrays}) > 1:
        return None
    blocks = [
        ArrayBlock(array, np.full(len(array), number, np.int16), None, file.name, file.name)
        for number, (file, array) in enumerate(zip(files, arrays, strict=True))
    ]
    names = tuple(file.stem.removeprefix(_PREFIX) for file in files)
    return ClassArrays(path, blocks, names)


def _is_part(file: Path) -> bool:
    """Whether a file is the images or labels of a split, and no class."""
    parts = parse_name(file.stem)
    return bool(parts.split or parts.role)
