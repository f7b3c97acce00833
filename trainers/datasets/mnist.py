"""MNIST (LeCun, Cortes, Burges), as it lies in `resources/mnist/`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

from trainers.datasets import idx
from trainers.datasets.description import MNIST, Data
from trainers.datasets.description import Split as Split
from trainers.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PREVIEW_DIGITS = (*range(31), 61)
"""Test images whose reconstructions are watched: the first 31, and the first 8, which they lack."""

_MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
_PREFIX = {"train": "train", "test": "t10k"}
CLASSES = 10
"""Digits that an image can be of."""


@cache
def load_split(name: Literal["train", "test"]) -> Split:
    """One split of MNIST, read once and kept.

    Raises
    ------
    DataError
        When a file is missing or damaged.
    """
    images = _read(f"{_PREFIX[name]}-images-idx3-ubyte")
    labels = _read(f"{_PREFIX[name]}-labels-idx1-ubyte")
    if images.ndim != 3 or len(images) != len(labels) or labels.max() >= CLASSES:
        raise DataError(f"MNIST's {name} images and labels do not belong together.")
    return Split(images, labels)


def _read(name: str) -> NDArray[np.uint8]:
    return idx.read(files("resources") / "mnist" / f"{name}.gz", md5=_MD5[name])


@cache
def load_mnist() -> Data:
    """MNIST, as any data set is given.

    Raises
    ------
    DataError
        When a file is missing or damaged.
    """
    return Data(MNIST, load_split("train"), load_split("test"), PREVIEW_DIGITS)
