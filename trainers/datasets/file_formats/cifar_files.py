"""CIFAR's binary files: a byte or two of labels, then the 3,072 bytes of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trainers.datasets.sources.array_names import Split, split_of_name
from trainers.datasets.sources.arrays import ArrayBlock, ArraySource
from trainers.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

_PIXELS, _SHAPE = 3_072, (3, 32, 32)
_TEN, _HUNDRED = "batches.meta.txt", "fine_label_names.txt"
_MOST_NAMES_BYTES = 1 << 16


class CifarSource(ArraySource):
    """Images in CIFAR's binary files."""

    kind = "CIFAR's binary files"


def is_cifar_folder(path: Path) -> bool:
    """Whether a folder has CIFAR-10's or CIFAR-100's binary files."""
    return bool(_list_files(path))


def open_cifar(path: Path) -> CifarSource:
    """Opens the images in CIFAR's binary files, with the fine labels of CIFAR-100.

    Raises
    ------
    DataError
        When a file is truncated.
    """
    is_ten = (path / _TEN).is_file()
    labels = 1 if is_ten else 2
    blocks = []
    for file in _list_files(path):
        row = labels + _PIXELS
        size = file.stat().st_size
        if size % row or not size:
            raise DataError(
                f"{file} has {size:,} bytes; an image takes {row:,}: it is truncated. Get it anew."
            )
        rows = np.memmap(file, np.uint8, "r", 0, (size // row, row))
        images = rows[:, labels:].reshape(-1, *_SHAPE)
        split: Split = split_of_name(file.stem) or "train"
        blocks.append(ArrayBlock(images, rows[:, labels - 1], split, file.name, file.name))
    return CifarSource(path, blocks, _read_names(path / (_TEN if is_ten else _HUNDRED)))


def _list_files(path: Path) -> list[Path]:
    if (path / _TEN).is_file():
        return sorted([*path.glob("data_batch_?.bin"), *path.glob("test_batch.bin")])
    if (path / _HUNDRED).is_file():
        return [file for file in (path / "train.bin", path / "test.bin") if file.is_file()]
    return []


def _read_names(path: Path) -> tuple[str, ...]:
    with path.open("rb") as file:
        text = file.read(_MOST_NAMES_BYTES).decode("utf-8", "replace")
    return tuple(line.strip() for line in text.splitlines() if line.strip())
