"""Arrays in HDF5 files, copied so that they can be mapped. Other files are not followed to."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.datasets.sources.arrays import ArraySource
from trainers.datasets.sources.compressed_files import check_unpacked_size
from trainers.datasets.sources.pairing import find_companions, pair_arrays
from trainers.datasets.sources.source import ScratchFolder
from trainers.errors import DataError
from trainers.optional_packages import missing_packages

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

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

    A file with a single array is read together with the labels and the other splits beside it.

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
        copier = _Copier(scratch)
        arrays = yield from copier.copy(path)
        places = {key: f"{path.name}: {key}" for key in arrays}
        siblings = find_companions(path, path.parent.glob(f"*{path.suffix}"))
        if len(arrays) == 1 and siblings:
            arrays, places = {path.stem: next(iter(arrays.values()))}, {path.stem: path.name}
            for file in siblings:
                others = yield from copier.copy(file)
                if len(others) == 1:
                    arrays[file.stem], places[file.stem] = next(iter(others.values())), file.name
            copier.notes.append(f"Read together: {', '.join(places.values())}.")
        pairing = pair_arrays(arrays, path, places)
        source = ArraySource(path, pairing.blocks, pairing.classes)
    except (OSError, ValueError, RuntimeError, TypeError, LookupError) as error:
        raise DataError(f"{path} is truncated, or no HDF5 file ({error}). Get it anew.") from error
    finally:
        if source is None:
            scratch.delete()
    source.notes += pairing.notes + copier.notes
    source.adopt_scratch(scratch)
    return source


class _Copier:
    """Copies the arrays of numbers of HDF5 files into a folder and maps them there."""

    def __init__(self, scratch: ScratchFolder) -> None:
        self._scratch = scratch
        self._number = 0
        self.notes: list[str] = []

    def copy(self, path: Path) -> Generator[float, None, dict[str, Array]]:
        """Copies the arrays of a file; yields the share done."""
        import h5py

        with h5py.File(path, "r") as file:
            found = self._list_arrays(file)
            total = sum(array.size * array.dtype.itemsize for array in found.values()) or 1
            check_unpacked_size(str(path), path.stat().st_size, total)
            free = shutil.disk_usage(self._scratch.folder).free
            if total > free:
                raise DataError(
                    f"{path} unpacks to {total:,} bytes and {self._scratch.folder} has {free:,} "
                    "left. Free some space."
                )
            arrays: dict[str, Array] = {}
            done = 0
            for key, array in found.items():
                self._number += 1
                place = self._scratch.folder / f"{self._number}.npy"
                copied = np.lib.format.open_memmap(place, "w+", array.dtype, array.shape)
                row = max(1, copied.nbytes // len(copied))
                for start in range(0, len(copied), max(1, _CHUNK_BYTES // row)):
                    end = start + max(1, _CHUNK_BYTES // row)
                    copied[start:end] = array[start:end]
                    done += copied[start:end].nbytes
                    yield min(1.0, done / total)
                copied.flush()
                arrays[key.replace("/", "_")] = np.lib.format.open_memmap(place, mode="r")
        return arrays

    def _list_arrays(self, file: Any) -> dict[str, Any]:
        """Lists the arrays of numbers that lie in the file itself."""
        import h5py

        found: dict[str, Any] = {}

        def visit(name: str, item: object) -> None:
            if not isinstance(item, h5py.Dataset) or len(found) >= _MOST_ARRAYS:
                return
            if item.is_virtual or item.external:
                self.notes.append(f"{name} is left out: its numbers lie in another file.")
            elif item.ndim and item.size and item.dtype.kind in "uifb":
                found[name] = item
            elif item.ndim:
                self.notes.append(f"{name} is left out: it is no array of numbers.")

        file.visititems(visit)
        return found
