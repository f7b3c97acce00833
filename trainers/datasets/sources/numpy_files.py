"""Arrays of images in .npy and .npz files, mapped, and unpacked where that cannot be."""

from __future__ import annotations

import io
import lzma
import struct
import zipfile
from math import prod
from tokenize import TokenError
from typing import IO, TYPE_CHECKING

import numpy as np

from trainers.datasets.importing.import_errors import Flaw
from trainers.datasets.sources.array_names import parse_name
from trainers.datasets.sources.arrays import ArrayBlock, ArraySource
from trainers.datasets.sources.compressed_files import (
    DAMAGE_ERRORS,
    check_unpacked_size,
    copy_stream,
    is_outside,
    shorten_reason,
)
from trainers.datasets.sources.pairing import find_companions, pair_arrays
from trainers.datasets.sources.source import ScratchFolder
from trainers.errors import DataError
from trainers.storage.regular_files import open_regular_file

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from trainers.datasets.sources.arrays import Array

_MOST_HEADER = 10_000
_LENGTHS = {
    (1, 0): (np.lib.format.read_array_header_1_0, 2),
    (2, 0): (np.lib.format.read_array_header_2_0, 4),
}
_MOST_MEMBERS = 1_000
_DAMAGE_ERRORS = (
    *DAMAGE_ERRORS,
    SyntaxError,
    TokenError,
    TypeError,
    LookupError,
    ArithmeticError,
    MemoryError,  # of Python's parser, where brackets are nested a thousand deep
    struct.error,
    lzma.LZMAError,
)


class UnusableArrayError(DataError):
    """An array holds Python objects, which are never read, or nothing."""


def map_array(path: Path, place: str) -> Array:
    """The array in an .npy file, mapped.

    Raises
    ------
    DataError
        When it is none, or is cut off.
    """
    try:
        with open_regular_file(path) as file:
            _check_header(file, path.stat().st_size, place)
        return np.lib.format.open_memmap(path, mode="r")
    except _DAMAGE_ERRORS as error:
        raise DataError(
            f"{place} is truncated, or no NPY file ({shorten_reason(error)}). Get it anew."
        ) from error


def open_npy(path: Path, labels: Array | None = None, labels_place: str = "") -> ArraySource:
    """Opens images in an .npy file, with the labels and the other splits beside it.

    Parameters
    ----------
    path
        The file of images.
    labels
        Labels that the user chose; the files beside it are not looked at then.
    labels_place
        The name of those labels in messages.

    Raises
    ------
    DataError
        When the file is no array of images, or cut off.
    """
    images = map_array(path, str(path))
    if labels is not None:
        return ArraySource(path, [ArrayBlock(images, labels, None, path.name, labels_place)])
    arrays, places = {_stem(path): images}, {_stem(path): path.name}
    notes, problem = [], ""
    for file in find_companions(path, path.parent.glob("*.npy")):
        try:
            arrays[_stem(file)], places[_stem(file)] = map_array(file, str(file)), file.name
        except DataError as error:
            if parse_name(_stem(file)).role != "labels":
                raise
            problem = str(error)
    if len(arrays) == 1:
        source = ArraySource(path, [ArrayBlock(images, None, None, path.name)])
    else:
        source = _make_source(path, arrays, places)
        notes.append(f"Read together: {', '.join(places.values())}.")
    source.notes += notes
    source.label_problem = source.label_problem or problem
    return source


def open_npz(path: Path) -> Generator[float, None, ArraySource]:
    """Opens images in an .npz file, unpacked so that they can be mapped; yields the share done.

    A file with a single array is read together with the labels and the other splits beside it.

    Raises
    ------
    DataError
        When it is damaged, a zip bomb, or holds no images.
    """
    scratch = ScratchFolder()
    source: ArraySource | None = None
    try:
        members = _Members(scratch)
        yield from members.unpack(path)
        arrays, places = members.arrays, {key: f"{path.name}: {key}" for key in members.arrays}
        if not arrays and members.notes:
            raise UnusableArrayError(
                f"{path} holds only Python objects, which are never read. Save plain numbers; of "
                "Quick, Draw!, choose the bitmaps (numpy_bitmap)."
            )
        if len(arrays) == 1:
            siblings = find_companions(path, path.parent.glob("*.npz"))
            if siblings:
                arrays, places = yield from _unpack_companions(path, siblings, members)
        source = _make_source(path, arrays, places)
        if len(set(places)) > 1 and all(place.endswith(".npz") for place in places.values()):
            source.notes.append(f"Read together: {', '.join(places.values())}.")
    except _DAMAGE_ERRORS as error:
        raise DataError(
            f"{path} is truncated, or no NPZ file ({shorten_reason(error)}). Get it anew."
        ) from error
    finally:
        if source is None:
            scratch.delete()
    source.flaws += members.flaws
    source.notes += members.notes
    source.adopt_scratch(scratch)
    return source


class _Members:
    """Unpacks the arrays of .npz files into a folder and maps them there.

    Attributes
    ----------
    arrays
        The arrays of the last file, by name.
    flaws, notes
        What was left alone, and why.
    """

    def __init__(self, scratch: ScratchFolder) -> None:
        self._scratch = scratch
        self._number = 0
        self.arrays: dict[str, Array] = {}
        self.flaws: list[Flaw] = []
        self.notes: list[str] = []

    def unpack(self, path: Path) -> Generator[float, None, None]:
        """Unpacks the arrays of a file; yields the share done."""
        self.arrays = {}
        with open_regular_file(path) as packed, zipfile.ZipFile(packed) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            if len(members) > _MOST_MEMBERS:
                raise DataError(
                    f"{path} holds {len(members):,} arrays; {_MOST_MEMBERS:,} are the most."
                )
            total = sum(info.file_size for info in members) or 1
            check_unpacked_size(str(path), path.stat().st_size, total)
            done = 0
            for info in members:
                if is_outside(info.filename):
                    self.flaws.append(
                        Flaw(info.filename, "path outside", "a name that leads outside")
                    )
                    continue
                for so_far in self._unpack_one(archive, info, path, only=len(members) == 1):
                    yield min(1.0, (done + so_far) / total)
                done += info.file_size

    def _unpack_one(
        self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, *, only: bool
    ) -> Generator[int, None, None]:
        key, name = info.filename.removesuffix(".npy"), f"{path}: {info.filename}"
        check_unpacked_size(name, info.compress_size, info.file_size)
        try:
            with archive.open(info) as stream:
                _check_header(stream, info.file_size, name)
        except UnusableArrayError as error:
            if only:
                raise
            self.notes.append(f"{key} is left out: {error}")
            return
        self._number += 1
        place = self._scratch.folder / f"{self._number}.npy"
        with archive.open(info) as stream:
            yield from copy_stream(stream, place, name, info.compress_size)
        self.arrays[key] = map_array(place, name)


def _unpack_companions(
    path: Path, siblings: list[Path], members: _Members
) -> Generator[float, None, tuple[dict[str, Array], dict[str, str]]]:
    """Unpacks the files of one array each that belong to a file of images, by their names."""
    arrays, places = {_stem(path): next(iter(members.arrays.values()))}, {_stem(path): path.name}
    for file in siblings:
        yield from members.unpack(file)
        if len(members.arrays) == 1:
            arrays[_stem(file)] = next(iter(members.arrays.values()))
            places[_stem(file)] = file.name
    return arrays, places


def _make_source(path: Path, arrays: dict[str, Array], places: dict[str, str]) -> ArraySource:
    pairing = pair_arrays(arrays, path, places)
    source = ArraySource(path, pairing.blocks, pairing.classes)
    source.notes += pairing.notes
    return source


def _stem(path: Path) -> str:
    return path.name.rpartition(".")[0]


def _check_header(stream: IO[bytes], size: int, name: str) -> None:
    """Whether an array of so many bytes holds what it says, before it is unpacked or mapped.

    A header is Python's notation of three values. It is read by numpy, and only where it is short:
    numpy itself makes room for as long a one as the file says that it has.
    """
    version = np.lib.format.read_magic(stream)
    if version not in _LENGTHS:
        raise ValueError(f"it is of version {version}")
    reader, bytes_ = _LENGTHS[version]
    text = stream.read(bytes_)
    length = int.from_bytes(text, "little")
    if length > _MOST_HEADER:
        raise ValueError(f"its header has {length:,} bytes; {_MOST_HEADER:,} are the most")
    head = stream.read(length)
    shape, _, kind = reader(io.BytesIO(text + head), _MOST_HEADER)
    if kind.hasobject:
        raise UnusableArrayError(
            f"{name} holds Python objects, which are never read. Save plain numbers."
        )
    if min(shape, default=1) < 1 or not kind.itemsize:
        raise UnusableArrayError(
            f"{name} is an array of {_shape_text(shape)}: there is nothing in it."
        )
    promised = prod(int(side) for side in shape) * kind.itemsize
    held = size - len(np.lib.format.magic(*version)) - len(text) - len(head)
    if promised != held:
        why = "it is truncated" if held < promised else "it is damaged"
        raise DataError(
            f"{name} promises {promised:,} bytes of data and holds {held:,}: {why}. Get it anew."
        )


def _shape_text(shape: tuple[int, ...]) -> str:
    return " × ".join(f"{side:,}" for side in shape) or "no axes"
