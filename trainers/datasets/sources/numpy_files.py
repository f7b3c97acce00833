"""Arrays of images in .npy and .npz files, mapped, and unpacked where that can not be."""

from __future__ import annotations

import zipfile
from typing import IO, TYPE_CHECKING

import numpy as np

from trainers.datasets.flaws import Flaw
from trainers.datasets.sources.arrays import ArraySource, Block
from trainers.datasets.sources.base import Scratch
from trainers.datasets.sources.unpacking import DAMAGED, copied, guard
from trainers.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from trainers.datasets.sources.arrays import Array

_IMAGE_WORDS, _LABEL_WORDS = ("image", "x", "data", "arr_0"), ("label", "y", "target", "class")
_NAMES = ("classes", "class_names", "label_names")


def mapped(path: Path, place: str) -> Array:
    """The array in an .npy file, mapped.

    Raises
    ------
    DataError
        When it is none, or is cut off.
    """
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except (*DAMAGED, SyntaxError, TypeError, OverflowError) as error:
        raise DataError(f"{place} is truncated, or no NPY file ({error}). Get it anew.") from error


def from_npy(path: Path, labels: Array | None) -> ArraySource:
    """Images in an .npy file; labels beside it are found by name.

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
        labels = mapped(there[0], str(there[0])) if there else None
    return ArraySource(path, [Block(mapped(path, str(path)), labels, None, path.name)])


def from_npz(path: Path) -> Generator[float, None, ArraySource]:
    """Images in an .npz file, unpacked where they can be mapped; yields the share done.

    Raises
    ------
    DataError
        When it is damaged, a zip bomb, or holds no images.
    """
    flaws: list[Flaw] = []
    arrays: dict[str, Array] = {}
    scratch = Scratch()
    source: ArraySource | None = None
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            total = sum(info.file_size for info in members) or 1
            done = 0
            for number, info in enumerate(members):
                parts = info.filename.replace("\\", "/").split("/")
                if ".." in parts or info.filename.startswith(("/", "\\")) or ":" in parts[0]:
                    flaws.append(Flaw(info.filename, "path outside", "a name that leads outside"))
                    continue
                place = scratch.folder / f"{number}.npy"
                name = f"{path}: {info.filename}"
                guard(name, info.compress_size, info.file_size)
                with archive.open(info) as stream:
                    _check_header(stream, info.file_size, name)
                with archive.open(info) as stream:
                    for so_far in copied(stream, place, name, info.compress_size):
                        yield min(1.0, (done + so_far) / total)
                done += info.file_size
                arrays[info.filename.removesuffix(".npy")] = mapped(place, name)
        blocks, classes = _paired(arrays, path)
        source = ArraySource(path, blocks, classes)
    except DAMAGED as error:
        raise DataError(f"{path} is truncated, or no NPZ file ({error}). Get it anew.") from error
    finally:
        if source is None:
            scratch.drop()
    source.flaws += flaws
    source.adopt(scratch)
    return source


def _check_header(stream: IO[bytes], size: int, name: str) -> None:
    """Whether a member holds what it says before it is unpacked."""
    version = np.lib.format.read_magic(stream)
    reader = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    shape, _, kind = reader(stream)
    promised = int(np.prod([int(n) for n in shape], dtype=object)) * kind.itemsize
    if kind.hasobject:
        raise DataError(f"{name} holds Python objects, which are never read. Save plain numbers.")
    if promised != size - stream.tell():
        raise DataError(
            f"{name} promises {promised:,} bytes of data and holds {size - stream.tell():,}."
        )


def _paired(arrays: dict[str, Array], path: Path) -> tuple[list[Block], tuple[str, ...]]:
    """Which arrays are images, and which their labels."""
    classes: tuple[str, ...] = ()
    for key in _NAMES:
        if key in arrays and arrays[key].dtype.kind in "US":
            classes = tuple(str(name) for name in arrays.pop(key).tolist())
    images = {key: a for key, a in arrays.items() if a.ndim >= 2 and a.shape[-1] > 1}
    columns = {key: a for key, a in arrays.items() if key not in images}
    chosen = {key: a for key, a in images.items() if _has(key, _IMAGE_WORDS)} or images
    blocks = []
    for key, array in chosen.items():
        is_test = True if _is_test(key) else False if "train" in key.lower() else None
        fitting = [k for k in columns if _has(k, _LABEL_WORDS) or len(columns) == 1]
        if is_test is not None:
            fitting = [k for k in fitting if _is_test(k) == is_test]
        labels = columns[fitting[0]] if fitting else None
        blocks.append(Block(array, labels, is_test, f"{path.name}: {key}"))
    if not blocks or (len(blocks) > 1 and {b.is_test for b in blocks} != {True, False}):
        told = ", ".join(f"{key} {a.shape}" for key, a in arrays.items()) or "nothing"
        raise DataError(
            f"{path} holds {told}: which of it are the images? Call them images and labels, or "
            "x_train, y_train, x_test and y_test."
        )
    return sorted(blocks, key=lambda block: bool(block.is_test)), classes


def _has(key: str, words: tuple[str, ...]) -> bool:
    low = key.lower()
    return any(low == word or low.startswith((f"{word}_", f"{word}s")) or low.endswith((f"_{word}",
               f"_{word}s")) for word in words)  # fmt: skip


def _is_test(key: str) -> bool:
    return any(word in key.lower() for word in ("test", "val"))
