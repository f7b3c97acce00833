"""Arrays in MATLAB files of version 5, whose axes run the other way: the images are the last."""

from __future__ import annotations

import struct
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from trainers.datasets.file_formats.isolation import read_in_child
from trainers.datasets.sources.array_names import parse_name
from trainers.datasets.sources.arrays import ArraySource
from trainers.datasets.sources.compressed_files import (
    DAMAGE_ERRORS,
    check_unpacked_size,
    shorten_reason,
)
from trainers.datasets.sources.numpy_files import map_array
from trainers.datasets.sources.pairing import find_companions, pair_arrays
from trainers.datasets.sources.source import ScratchFolder
from trainers.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from trainers.child_process import ParentPipe
    from trainers.datasets.sources.arrays import Array

_KINDS = {
    "double": 8, "single": 4, "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "int32": 4,
    "uint32": 4, "int64": 8, "uint64": 8, "logical": 1,
}  # fmt: skip
"""MATLAB's arrays of numbers, with the bytes of a number. Structures and cells are not read."""
_COLOURS = (1, 3)


def open_mat(path: Path) -> Generator[float, None, ArraySource]:
    """Opens the images in a MATLAB file, with those of other splits beside it.

    SciPy reads the file in a child process, because its compiled code crashes on some damaged
    files.

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
    scratch = ScratchFolder()
    source: ArraySource | None = None
    try:
        arrays: dict[str, Array] = {}
        places: dict[str, str] = {}
        for number, file in enumerate(files):
            folder = scratch.folder / str(number)
            folder.mkdir()
            names = yield from read_in_child(_copy_arrays, file, folder)
            split = parse_name(file.stem).split if len(files) > 1 else None
            for at, name in enumerate(names):
                key = f"{split}_{name}" if split else name
                arrays[key] = map_array(folder / f"{at}.npy", f"{file}: {name}")
                places[key] = f"{file.name}: {name}"
        pairing = pair_arrays(arrays, path, places)
        source = ArraySource(path, pairing.blocks, pairing.classes)
    finally:
        if source is None:
            scratch.delete()
    source.adopt_scratch(scratch)
    source.notes += pairing.notes
    if len(files) > 1:
        source.notes.append(f"Read together: {', '.join(file.name for file in files)}.")
    return source


# -- in the child process --------------------------------------------------------------------------


def _copy_arrays(_parent: ParentPipe, path: Path, folder: Path) -> list[str]:
    """Writes the arrays of a file into a folder as 0.npy, 1.npy, …; returns their names."""
    arrays = _read_arrays(path)
    for number, array in enumerate(arrays.values()):
        np.save(folder / f"{number}.npy", _orient(array), allow_pickle=False)
    return list(arrays)


def _read_arrays(path: Path) -> dict[str, Array]:
    from scipy.io import loadmat, whosmat
    from scipy.io.matlab import MatReadError

    try:
        listed = whosmat(path)
        numbers = [(name, shape, kind) for name, shape, kind in listed if kind in _KINDS]
        wanted = {name: prod(shape) * _KINDS[kind] for name, shape, kind in numbers if prod(shape)}
        check_unpacked_size(str(path), path.stat().st_size, sum(wanted.values()))
        found = loadmat(path, variable_names=list(wanted)) if wanted else {}
        arrays = {name: np.asarray(found[name]) for name in wanted}
    except (
        *DAMAGE_ERRORS, MatReadError, NotImplementedError, struct.error, TypeError, LookupError,
        ArithmeticError, MemoryError,
    ) as error:  # fmt: skip
        raise DataError(
            f"{path} is truncated, or no MATLAB file of version 5 ({shorten_reason(error)}). Get "
            "it anew."
        ) from error
    if not arrays:
        names = ", ".join(f"{name} ({kind})" for name, _, kind in listed) or "nothing"
        raise DataError(
            f"{path} holds {names}, and no array of numbers. In MATLAB, save the images and labels "
            "as arrays: save('images.mat', 'images', 'labels')."
        )
    return arrays


def _orient(array: Array) -> Array:
    """Moves the axis of the images to the front, where it is the last."""
    shape = array.shape
    is_images_last = (array.ndim == 4 and shape[2] in _COLOURS and shape[3] not in _COLOURS) or (
        array.ndim == 3 and shape[0] == shape[1] != shape[2]
    )
    if is_images_last:
        return np.moveaxis(array, -1, 0)
    return array.T if array.ndim == 2 and shape[0] == 1 else array
