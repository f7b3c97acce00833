"""Arrays in MATLAB files of version 5, whose axes run the other way: the images are the last."""

from __future__ import annotations

import struct
import zlib
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from trainers.datasets.sources.array_names import parse_name
from trainers.datasets.sources.arrays import ArraySource
from trainers.datasets.sources.compressed_files import DAMAGE_ERRORS, check_unpacked_size
from trainers.datasets.sources.pairing import find_companions, pair_arrays
from trainers.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from trainers.datasets.sources.arrays import Array

_KINDS = {
    "double": 8, "single": 4, "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "int32": 4,
    "uint32": 4, "int64": 8, "uint64": 8, "logical": 1,
}  # fmt: skip
"""MATLAB's arrays of numbers, with the bytes of a number. Structures and cells are not read."""
_COLOURS = (1, 3)


def open_mat(path: Path) -> Generator[float, None, ArraySource]:
    """Opens the images in a MATLAB file, with those of other splits beside it.

    Parameters
    ----------
    path
        A file such as SVHN's train_32x32.mat. Version 7.3 is HDF5.

    Raises
    ------
    DataError
        When it is damaged, a zip bomb, or holds no arrays of images.
    """
    files = [path, *find_companions(path, path.parent.glob("*.mat"))]
    arrays: dict[str, Array] = {}
    places: dict[str, str] = {}
    for number, file in enumerate(files):
        split = parse_name(file.stem).split if len(files) > 1 else None
        for name, array in _orient(_read_arrays(file)).items():
            key = f"{split}_{name}" if split else name
            arrays[key], places[key] = array, f"{file.name}: {name}"
        yield (number + 1) / len(files)
    pairing = pair_arrays(arrays, path, places)
    source = ArraySource(path, pairing.blocks, pairing.classes)
    source.notes += pairing.notes
    if len(files) > 1:
        source.notes.append(f"Read together: {', '.join(file.name for file in files)}.")
    return source


def _read_arrays(path: Path) -> dict[str, Array]:
    from scipy.io import loadmat, whosmat
    from scipy.io.matlab import MatReadError

    try:
        listed = whosmat(path)
        wanted = {
            name: prod(shape) * _KINDS[kind] for name, shape, kind in listed if kind in _KINDS
        }
        check_unpacked_size(str(path), path.stat().st_size, sum(wanted.values()))
        found = loadmat(path, variable_names=list(wanted)) if wanted else {}
    except (
        *DAMAGE_ERRORS, MatReadError, NotImplementedError, struct.error, zlib.error, TypeError,
        LookupError, ArithmeticError, MemoryError,
    ) as error:  # fmt: skip
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{path} is truncated, or no MATLAB file of version 5 ({error}). Get it anew."
        ) from error
    if not wanted:
        names = ", ".join(f"{name} ({kind})" for name, _, kind in listed) or "nothing"
        raise DataError(
            f"{path} holds {names}, and no array of numbers. In MATLAB, save the images and labels "
            "as arrays: save('images.mat', 'images', 'labels')."
        )
    return {name: np.asarray(found[name]) for name in wanted}


def _orient(arrays: dict[str, Array]) -> dict[str, Array]:
    """Moves the axis of the images to the front, where it is the last."""
    return {name: _orient_one(array) for name, array in arrays.items()}


def _orient_one(array: Array) -> Array:
    shape = array.shape
    is_images_last = (array.ndim == 4 and shape[2] in _COLOURS and shape[3] not in _COLOURS) or (
        array.ndim == 3 and shape[0] == shape[1] != shape[2]
    )
    if is_images_last:
        return np.moveaxis(array, -1, 0)
    return array.T if array.ndim == 2 and shape[0] == 1 else array
