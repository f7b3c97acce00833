"""The labels of images: one column of whole numbers or words, and what is made one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainers.datasets.description import MOST_CLASSES
from trainers.datasets.importing.import_errors import FlawError
from trainers.errors import DataError

_MOST_LABEL = 1 << 53
"""The largest label, so that whole numbers of any kind hold it."""
_CHUNK = 65_536


class UnusableLabelsError(DataError):
    """These labels cannot be classes; the images can be imported without them."""


class Labels:
    """A column of labels; each is checked when it is requested.

    The classes are the labels that occur. A negative label, or one that is not a whole number, is
    a flaw of its image.

    Parameters
    ----------
    values
        (n,) or (n, 1) whole numbers or words, or (n, k) with a single 1 in each row (one-hot).
    place
        The name of the labels in messages.
    names
        Names by label, where they are known.

    Attributes
    ----------
    classes
        The names of the classes.
    numbers
        The labels of the classes where they are whole numbers; empty where they are words.

    Raises
    ------
    UnusableLabelsError
        When there are too many classes, several labels for an image, or no labels at all.
    """

    def __init__(
        self, values: NDArray[np.generic], place: str, names: tuple[str, ...] = ()
    ) -> None:
        flat = as_column(values, place)
        sound = _find_sound_labels(flat)
        are_numbers = flat.dtype.kind in "uifb"
        kept = flat[sound].astype(np.int64) if are_numbers else flat[sound]
        if are_numbers and flat.dtype.kind == "f" and 2 * len(kept) < len(flat):
            raise UnusableLabelsError(
                f"{place} has numbers that are not whole, such as {flat[~sound][0]:g}. They are no "
                "classes, so the images come without labels."
            )
        found = np.unique(kept)
        if len(found) > MOST_CLASSES:
            raise UnusableLabelsError(
                f"{place} has {len(found):,} different labels; {MOST_CLASSES:,} are the most. The "
                "images come without labels."
            )
        self.numbers = tuple(found.tolist()) if are_numbers else ()
        is_named = bool(self.numbers) and self.numbers[-1] < len(names)
        self.classes = tuple(
            names[number] if is_named else _class_name(number) for number in found.tolist()
        )
        classes = np.full(len(flat), -1, np.int64)
        classes[sound] = np.searchsorted(found, kept)
        self._classes, self._values = classes, flat

    def __len__(self) -> int:
        return len(self._classes)

    def at(self, index: int) -> int:
        """Returns the class of an image.

        Raises
        ------
        FlawError
            When its label is of none.
        """
        found = int(self._classes[index])
        if found < 0:
            raise FlawError(
                "label that does not fit", f"its label is {self._values[index]}, no class"
            )
        return found


def as_column(values: NDArray[np.generic], place: str) -> NDArray[np.generic]:
    """Returns labels as (n,), also those that are given as a one-hot matrix.

    Raises
    ------
    UnusableLabelsError
        When they are neither numbers nor words, or several for an image.
    """
    found = np.asarray(values)
    shape = " × ".join(f"{side:,}" for side in found.shape)
    if found.dtype.kind not in "uifbUS":
        raise UnusableLabelsError(
            f"{place} holds {found.dtype}; labels are whole numbers or words. The images come "
            "without labels."
        )
    if found.ndim > 1 and found[0].size == 1:
        found = found.reshape(-1)
    if found.ndim == 1:
        return found
    if found.ndim == 2 and found.dtype.kind in "uifb" and _is_one_hot(found):
        return np.asarray(found.argmax(1))
    raise UnusableLabelsError(
        f"{place} is an array of {shape}: several labels for each image, not one. The images come "
        "without labels."
    )


def _is_one_hot(matrix: NDArray[np.generic]) -> bool:
    for start in range(0, len(matrix), _CHUNK):
        chunk = matrix[start : start + _CHUNK]
        ones = chunk == 1
        if not ((ones | (chunk == 0)).all() and (ones.sum(1) == 1).all()):
            return False
    return True


def _find_sound_labels(flat: NDArray[Any]) -> NDArray[np.bool_]:
    """Returns (n,) bool: which labels are words, or whole numbers from 0 on."""
    sound = np.ones(len(flat), np.bool_)
    if flat.dtype.kind == "f":
        sound = np.isfinite(flat) & (flat == np.round(flat))
    if flat.dtype.kind in "uifb":
        sound &= (flat >= 0) & (flat <= _MOST_LABEL)
    return sound


def _class_name(name: object) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
