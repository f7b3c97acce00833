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
from trainers.datasets.sources.arrays import ArrayBlock, ArraySource
from trainers.datasets.sources.compressed_files import (
    DAMAGE_ERRORS,
    check_unpacked_size,
    copy_stream,
)
from trainers.datasets.sources.source import ScratchFolder
from trainers.errors import DataError
from trainers.storage.regular_files import open_regular_file

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from trainers.datasets.sources.arrays import Array

_IMAGE_WORDS, _LABEL_WORDS = ("image", "x", "data", "arr_0"), ("label", "y", "target", "class")
_MOST_HEADER, _MOST_REASON = 10_000, 300
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
_CLASS_KEYS = ("classes", "class_names", "label_names")


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
            f"{place} is truncated, or no NPY file ({_shorten_reason(error)}). Get it anew."
        ) from error


def open_npy(path: Path, labels: Array | None = None, labels_place: str = "") -> ArraySource:
    """Images in an .npy file; labels beside it are found by name where none are given.

    Raises
    ------
    DataError
        When the file is no array of images, or cut off.
    """
    if labels is None:
        stem = path.name.removesuffix(".npy")
        stems = {stem.replace("images", "labels"), f"{stem}_labels", f"{stem}-labels", "labels"}
        beside = [path.with_name(f"{name}.npy") for name in sorted(stems - {stem})]
        there = [place for place in beside if place.is_file()]
        if there:
            labels, labels_place = map_array(there[0], str(there[0])), there[0].name
    images = map_array(path, str(path))
    return ArraySource(path, [ArrayBlock(images, labels, None, path.name, labels_place)])


def open_npz(path: Path) -> Generator[float, None, ArraySource]:
    """Images in an .npz file, unpacked where they can be mapped; yields the share done.

    Raises
    ------
    DataError
        When it is damaged, a zip bomb, or holds no images.
    """
    flaws: list[Flaw] = []
    arrays: dict[str, Array] = {}
    scratch = ScratchFolder()
    source: ArraySource | None = None
    try:
        with open_regular_file(path) as packed, zipfile.ZipFile(packed) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            if len(members) > _MOST_MEMBERS:
                raise DataError(
                    f"{path} holds {len(members):,} arrays; {_MOST_MEMBERS:,} are the most."
                )
            total = sum(info.file_size for info in members) or 1
            check_unpacked_size(str(path), path.stat().st_size, total)
            done = 0
            for number, info in enumerate(members):
                parts = info.filename.replace("\\", "/").split("/")
                if ".." in parts or info.filename.startswith(("/", "\\")) or ":" in parts[0]:
                    flaws.append(Flaw(info.filename, "path outside", "a name that leads outside"))
                    continue
                place = scratch.folder / f"{number}.npy"
                name = f"{path}: {info.filename}"
                check_unpacked_size(name, info.compress_size, info.file_size)
                with archive.open(info) as stream:
                    _check_header(stream, info.file_size, name)
                with archive.open(info) as stream:
                    for so_far in copy_stream(stream, place, name, info.compress_size):
                        yield min(1.0, (done + so_far) / total)
                done += info.file_size
                arrays[info.filename.removesuffix(".npy")] = map_array(place, name)
        blocks, classes = _pair_labels(arrays, path)
        source = ArraySource(path, blocks, classes)
    except _DAMAGE_ERRORS as error:
        raise DataError(
            f"{path} is truncated, or no NPZ file ({_shorten_reason(error)}). Get it anew."
        ) from error
    finally:
        if source is None:
            scratch.delete()
    source.flaws += flaws
    source.adopt_scratch(scratch)
    return source


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
        raise DataError(f"{name} holds Python objects, which are never read. Save plain numbers.")
    if min(shape, default=1) < 1 or not kind.itemsize:
        raise DataError(f"{name} is an array of {_shape_text(shape)}: there is nothing in it.")
    promised = prod(int(side) for side in shape) * kind.itemsize
    held = size - len(np.lib.format.magic(*version)) - len(text) - len(head)
    if promised != held:
        why = "it is truncated" if held < promised else "it is damaged"
        raise DataError(
            f"{name} promises {promised:,} bytes of data and holds {held:,}: {why}. Get it anew."
        )


def _shorten_reason(error: Exception) -> str:
    """What is wrong, without the whole of the file that is quoted."""
    text = str(error) or type(error).__name__
    return text if len(text) < _MOST_REASON else f"{text[:_MOST_REASON]}…"


def _shape_text(shape: tuple[int, ...]) -> str:
    return " × ".join(f"{side:,}" for side in shape) or "no axes"


def _pair_labels(arrays: dict[str, Array], path: Path) -> tuple[list[ArrayBlock], tuple[str, ...]]:
    """Which arrays are images, and which their labels."""
    classes: tuple[str, ...] = ()
    for key in _CLASS_KEYS:
        if key in arrays and arrays[key].dtype.kind in "US":
            classes = tuple(str(name) for name in arrays.pop(key).tolist())
    images = {key: a for key, a in arrays.items() if a.ndim >= 2 and a.shape[-1] > 1}
    columns = {key: a for key, a in arrays.items() if key not in images}
    chosen = {key: a for key, a in images.items() if _has_word(key, _IMAGE_WORDS)} or images
    blocks = []
    for key, array in chosen.items():
        is_test = True if _is_test(key) else False if "train" in key.lower() else None
        fitting = [k for k in columns if _has_word(k, _LABEL_WORDS) or len(columns) == 1]
        if is_test is not None:
            fitting = [k for k in fitting if _is_test(k) == is_test]
        labels = columns[fitting[0]] if fitting else None
        blocks.append(ArrayBlock(array, labels, is_test, f"{path.name}: {key}"))
    if not blocks or (len(blocks) > 1 and {b.is_test for b in blocks} != {True, False}):
        text = ", ".join(f"{key} {a.shape}" for key, a in arrays.items()) or "nothing"
        raise DataError(
            f"{path} holds {text}: which of it are the images? Call them images and labels, or "
            "x_train, y_train, x_test and y_test."
        )
    return sorted(blocks, key=lambda block: bool(block.is_test)), classes


def _has_word(key: str, words: tuple[str, ...]) -> bool:
    low = key.lower()
    return any(low == word or low.startswith((f"{word}_", f"{word}s")) or low.endswith((f"_{word}",
               f"_{word}s")) for word in words)  # fmt: skip


def _is_test(key: str) -> bool:
    return any(word in key.lower() for word in ("test", "val"))
