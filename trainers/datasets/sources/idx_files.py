"""IDX files, gzipped or not: MNIST's own format, and that of all that took its place."""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING

import numpy as np

from trainers.datasets.sources.array_names import SPLITS, split_of_name
from trainers.datasets.sources.arrays import ArrayBlock, ArraySource
from trainers.datasets.sources.compressed_files import DAMAGE_ERRORS, gunzip
from trainers.datasets.sources.source import ScratchFolder
from trainers.errors import DataError
from trainers.storage.regular_files import open_regular_file

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from numpy.typing import NDArray

_NAME = re.compile(r"(?i)(.*idx\d-ubyte|.*\.idx\d?)(\.gz)?")
_KINDS = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_GZIP = b"\x1f\x8b"


class IdxSource(ArraySource):
    """Images in IDX files."""

    kind = "IDX files"


def is_idx_file(path: Path) -> bool:
    """Whether a file's name, or its first bytes, say so."""
    if _NAME.fullmatch(path.name):
        return True
    try:
        return _parse_head(_read_head(path)) is not None
    except DAMAGE_ERRORS:
        return False


def list_idx_files(folder: Path) -> list[Path]:
    """The IDX files in a folder, by their names.

    Raises
    ------
    DataError
        When the folder cannot be read.
    """
    try:
        named = (path for path in folder.iterdir() if _NAME.fullmatch(path.name))
        return sorted(path for path in named if path.is_file())
    except OSError as error:
        raise DataError(f"{folder} cannot be read ({error.strerror}).") from error


def open_idx(path: Path) -> Generator[float, None, IdxSource]:
    """Images in IDX files, with the labels and the test images beside them; yields the share done.

    Parameters
    ----------
    path
        A folder of them, or one file of images.

    Raises
    ------
    DataError
        When a file is truncated, damaged, or has no images.
    """
    files = list_idx_files(path) if path.is_dir() else [path, *_companion_files(path)]
    scratch = ScratchFolder()
    source: IdxSource | None = None
    try:
        arrays: dict[Path, NDArray[np.generic]] = {}
        for number, file in enumerate(files):
            plain = file
            if _is_gzipped(file):
                plain = scratch.folder / f"{number}.idx"
                for _ in gunzip(file, plain):
                    yield number / len(files)
            arrays[file] = _map_array(plain, file)
            yield (number + 1) / len(files)
        source = IdxSource(path, _make_blocks(arrays, path))
    finally:
        if source is None:
            scratch.delete()
    source.adopt_scratch(scratch)
    return source


def read_label_column(path: Path) -> Generator[float, None, NDArray[np.generic]]:
    """The labels in an IDX file, gzipped or not.

    Raises
    ------
    DataError
        When it is damaged.
    """
    scratch = ScratchFolder()
    try:
        plain = path
        if _is_gzipped(path):
            plain = scratch.folder / "labels.idx"
            for _ in gunzip(path, plain):
                yield 0.0
        return np.array(_map_array(plain, path))
    finally:
        scratch.delete()


def _make_blocks(arrays: dict[Path, NDArray[np.generic]], path: Path) -> list[ArrayBlock]:
    images = {file: array for file, array in arrays.items() if array.ndim >= 3}
    if not images:
        raise DataError(f"{path} holds no IDX file of images.")
    blocks = []
    for file, array in images.items():
        partner = next((f for f in arrays if f.name in _label_file_names(file)), None)
        labels, labels_place = (arrays[partner], partner.name) if partner else (None, "")
        split = split_of_name(file.name) or "train"
        blocks.append(ArrayBlock(array, labels, split, file.name, labels_place))
    if len({block.split for block in blocks}) < len(blocks):
        text = ", ".join(block.place for block in blocks)
        raise DataError(f"{path} holds several files of images: {text}. Choose one of them.")
    return sorted(blocks, key=lambda block: SPLITS.index(block.split or "train"))


def _label_file_names(images: Path) -> set[str]:
    """What the labels of a file of images may be called."""
    plain = images.name.removesuffix(".gz")
    name = plain.replace("images", "labels").replace("idx3", "idx1")
    return {name, f"{name}.gz"} - {images.name}


def _companion_files(path: Path) -> list[Path]:
    """Its labels, and the other split's images and labels."""
    swaps = (("train", "t10k"), ("t10k", "train"), ("train", "test"), ("test", "train"))
    plain = path.name.removesuffix(".gz")
    names = {f"{plain.replace(a, b)}{end}" for a, b in swaps if a in plain for end in ("", ".gz")}
    names |= {
        label for name in (path.name, *names) for label in _label_file_names(path.with_name(name))
    }
    found = (path.with_name(name) for name in sorted(names - {path.name}))
    return [file for file in found if file.is_file()]


def _is_gzipped(path: Path) -> bool:
    try:
        with open_regular_file(path) as file:
            return file.read(2) == _GZIP
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}).") from error


def _read_head(path: Path) -> bytes:
    if _is_gzipped(path):
        with open_regular_file(path) as packed, gzip.open(packed, "rb") as unpacked:
            return unpacked.read(64)
    with open_regular_file(path) as plain:
        return plain.read(64)


def _parse_head(head: bytes) -> tuple[str, tuple[int, ...], int] | None:
    """Kind of number, sizes, and where the data begins; None where it is no IDX file."""
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in _KINDS or not 1 <= head[3] <= 4:
        return None
    start = 4 + 4 * head[3]
    if len(head) < start:
        return None
    sizes = np.frombuffer(head, ">u4", head[3], 4)
    return _KINDS[head[2]], tuple(int(n) for n in sizes), start


def _map_array(plain: Path, name: Path) -> NDArray[np.generic]:
    with open_regular_file(plain) as file:
        head = file.read(64)
    found = _parse_head(head)
    if found is None:
        raise DataError(f"{name} is no IDX file: its first four bytes say otherwise.")
    kind, shape, start = found
    if min(shape) < 1:
        text = " × ".join(f"{n:,}" for n in shape)
        raise DataError(f"{name} is an array of {text}: there is nothing in it.")
    promised = int(np.prod(shape, dtype=object)) * np.dtype(kind).itemsize
    held = plain.stat().st_size - start
    if held != promised:
        why = "it is truncated" if held < promised else "it is damaged"
        raise DataError(
            f"{name} promises {promised:,} bytes of data and holds {held:,}: {why}. Get it anew."
        )
    array: NDArray[np.generic] = np.memmap(plain, kind, "r", start, shape)
    return array
