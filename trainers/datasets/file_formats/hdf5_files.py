"""Arrays in HDF5 files, copied so that they can be mapped. Other files are not followed to."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.datasets.file_formats.isolation import read_in_child
from trainers.datasets.sources.arrays import ArraySource
from trainers.datasets.sources.compressed_files import check_unpacked_size, shorten_reason
from trainers.datasets.sources.numpy_files import map_array
from trainers.datasets.sources.pairing import find_companions, pair_arrays
from trainers.datasets.sources.source import ScratchFolder
from trainers.errors import DataError
from trainers.optional_packages import missing_packages

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from trainers.child_process import ParentPipe
    from trainers.datasets.sources.arrays import Array

SUFFIXES = (".h5", ".hdf5", ".he5")

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_MOST_ARRAYS = 1_000
_CHUNK_BYTES = 1 << 24


def is_hdf5_file(path: Path) -> bool:
    """Whether the first bytes of a file say that it is HDF5, as MATLAB's version 7.3 is."""
    try:
        with path.open("rb") as file:
            head = file.read(520)
    except OSError:
        return False
    return head.startswith(_SIGNATURE) or head[512:] == _SIGNATURE


def open_hdf5(path: Path) -> Generator[float, None, ArraySource]:
    """Opens the images in an HDF5 file; yields the share copied.

    A file with a single array is read together with the labels and the other splits beside it. The
    files are read in a child process, because compiled code reads them.

    Raises
    ------
    DataError
        When h5py is not installed, or the file is damaged, a zip bomb, or holds no images.
    """
    missing = missing_packages("HDF5", ("h5py",), "formats")
    if missing:
        raise DataError(f"{path} cannot be read. {missing}")
    scratch = ScratchFolder()
    source: ArraySource | None = None
    try:
        arrays, notes = yield from _copy(path, scratch, 0)
        places = {key: f"{path.name}: {key}" for key in arrays}
        siblings = find_companions(path, path.parent.glob(f"*{path.suffix}"))
        if len(arrays) == 1 and siblings:
            arrays, places = {path.stem: next(iter(arrays.values()))}, {path.stem: path.name}
            for number, file in enumerate(siblings, 1):
                others, _ = yield from _copy(file, scratch, number)
                if len(others) == 1:
                    arrays[file.stem], places[file.stem] = next(iter(others.values())), file.name
            notes.append(f"Read together: {', '.join(places.values())}.")
        pairing = pair_arrays(arrays, path, places)
        source = ArraySource(path, pairing.blocks, pairing.classes)
    finally:
        if source is None:
            scratch.delete()
    source.notes += pairing.notes + notes
    source.adopt_scratch(scratch)
    return source


def _copy(
    path: Path, scratch: ScratchFolder, number: int
) -> Generator[float, None, tuple[dict[str, Array], list[str]]]:
    """Copies the arrays of a file; returns them by name, and what was left out."""
    folder = scratch.folder / str(number)
    folder.mkdir()
    names, notes = yield from read_in_child(_copy_arrays, path, folder)
    arrays = {
        name.replace("/", "_"): map_array(folder / f"{at}.npy", f"{path}: {name}")
        for at, name in enumerate(names)
    }
    return arrays, notes


# -- in the child process --------------------------------------------------------------------------


def _copy_arrays(parent: ParentPipe, path: Path, folder: Path) -> tuple[list[str], list[str]]:
    """Writes the arrays of a file into a folder as 0.npy, 1.npy, …; returns names and notes."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            found, notes = _list_arrays(file)
            total = sum(array.size * array.dtype.itemsize for array in found.values()) or 1
            check_unpacked_size(str(path), path.stat().st_size, total)
            free = shutil.disk_usage(folder).free
            if total > free:
                raise DataError(
                    f"{path} unpacks to {total:,} bytes and {folder} has {free:,} left. Free some "
                    "space."
                )
            done = 0
            for number, array in enumerate(found.values()):
                copied = np.lib.format.open_memmap(
                    folder / f"{number}.npy", "w+", array.dtype, array.shape
                )
                rows = max(1, _CHUNK_BYTES * len(copied) // copied.nbytes)
                for start in range(0, len(copied), rows):
                    copied[start : start + rows] = array[start : start + rows]
                    done += copied[start : start + rows].nbytes
                    parent.send(min(1.0, done / total))
                copied.flush()
    except (OSError, ValueError, RuntimeError, TypeError, LookupError) as error:
        raise DataError(
            f"{path} is truncated, or no HDF5 file ({shorten_reason(error)}). Get it anew."
        ) from error
    return list(found), notes


def _list_arrays(file: Any) -> tuple[dict[str, Any], list[str]]:
    """Lists the arrays of numbers that lie in the file itself, and says what is left out."""
    import h5py

    found: dict[str, Any] = {}
    notes: list[str] = []

    def visit(name: str, item: object) -> None:
        if not isinstance(item, h5py.Dataset) or len(found) >= _MOST_ARRAYS:
            return
        if item.is_virtual or item.external:
            notes.append(f"{name} is left out: its numbers lie in another file.")
        elif item.ndim and item.size and item.dtype.kind in "uifb":
            found[name] = item
        elif item.ndim:
            notes.append(f"{name} is left out: it is no array of numbers.")

    file.visititems(visit)
    return found, notes
