"""Which of several named arrays are images, and which labels belong to them."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import TYPE_CHECKING

from trainers.datasets.sources.array_names import SPLITS, NameParts, Split, parse_name
from trainers.datasets.sources.arrays import ArrayBlock
from trainers.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from trainers.datasets.sources.arrays import Array

_CLASS_KEYS = ("classes", "class_names", "label_names")
_FEWEST_PIXELS = 64
"""Columns from which an array of two axes may be flattened images."""


@dataclass(frozen=True)
class Pairing:
    """The result of pairing.

    Attributes
    ----------
    blocks
        Images with their labels, one block a split.
    classes
        Names of the classes, where an array has them.
    notes
        What was left out, and why.
    """

    blocks: list[ArrayBlock]
    classes: tuple[str, ...]
    notes: list[str]


def pair_arrays(
    arrays: Mapping[str, Array], path: Path, places: Mapping[str, str] | None = None
) -> Pairing:
    """Pairs images with labels by their names: x_val with y_val, train_images with train_labels.

    Labels belong to images when their names have the same split and the same remaining words.

    Parameters
    ----------
    arrays
        The arrays by their names.
    path
        The file that holds them, for messages.
    places
        The name of each array in messages; otherwise the file and the name.

    Raises
    ------
    DataError
        When no array, or more than one of a split, may be the images.
    """
    left = dict(arrays)
    classes = _take_class_names(left)
    parts = {key: parse_name(key) for key in left}
    images = _choose_images(left, parts)
    columns = _choose_columns(left, parts, images)
    chosen = _choose_one_a_split(left, images, columns, parts)
    if not chosen:
        text = ", ".join(f"{key} {array.shape}" for key, array in arrays.items()) or "nothing"
        raise DataError(
            f"{path} holds {text}: which of it are the images? Call them images and labels, or "
            "x_train, y_train, x_test and y_test."
        )
    words = places or {key: f"{path.name}: {key}" for key in left}
    blocks, used = [], set()
    for split, key in chosen.items():
        partner = _find_partner(key, columns, parts, alone=len(chosen) == 1)
        used |= {key, partner}
        labels = left[partner] if partner else None
        labels_place = words[partner] if partner else ""
        blocks.append(ArrayBlock(left[key], labels, split, words[key], labels_place))
    unused = [f"{key} ({_shape_text(left[key].shape)})" for key in left if key not in used]
    notes = [f"Neither images nor their labels: {', '.join(unused)}."] if unused else []
    return Pairing(sorted(blocks, key=_split_order), classes, notes)


def find_companions(path: Path, siblings: Iterable[Path]) -> list[Path]:
    """Returns the files that belong to a file of images: its labels, and those of other splits.

    Parameters
    ----------
    path
        A file such as x_train.npy or kmnist-train-imgs.npz.
    siblings
        The files of the same kind beside it.
    """
    own = parse_name(_stem(path))
    found = []
    for other in siblings:
        parts = parse_name(_stem(other))
        is_label = parts.role == "labels" and (parts.split == own.split or own.split is not None)
        is_split = own.split is not None and parts.split not in {None, own.split}
        is_same = parts.stem == own.stem and (is_label or (is_split and parts.role == own.role))
        is_any_label = (
            parts.role == "labels" and not parts.stem and parts.split is own.split is None
        )
        if other != path and other.is_file() and (is_same or is_any_label):
            found.append(other)
    exact = [other for other in found if parse_name(_stem(other)).stem == own.stem]
    return sorted(exact or found)


def _stem(path: Path) -> str:
    return path.name.split(".")[0]


def _take_class_names(arrays: dict[str, Array]) -> tuple[str, ...]:
    """Removes the array of class names, if there is one, and returns the names."""
    classes: tuple[str, ...] = ()
    for key in _CLASS_KEYS:
        if key in arrays and arrays[key].dtype.kind in "US":
            classes = tuple(str(name) for name in arrays.pop(key).ravel().tolist())
    return classes


def _choose_images(arrays: Mapping[str, Array], parts: Mapping[str, NameParts]) -> list[str]:
    shaped = [key for key, array in arrays.items() if _may_be_images(array)]
    named = [
        key
        for key, array in arrays.items()
        if parts[key].role == "images" and array.ndim >= 2 and array[0].size > 1
    ]
    return named or [key for key in shaped if parts[key].role is None] or shaped


def _may_be_images(array: Array) -> bool:
    if array.ndim == 2:
        columns = array.shape[1]
        return bool(columns >= _FEWEST_PIXELS and isqrt(columns) ** 2 == columns)
    return array.ndim > 2


def _choose_columns(
    arrays: Mapping[str, Array], parts: Mapping[str, NameParts], images: list[str]
) -> list[str]:
    """Returns the arrays that may be labels: those that are named so, else a single column."""
    others = [key for key, array in arrays.items() if key not in images and array.ndim >= 1]
    flat = [key for key in others if arrays[key].ndim == 1 or arrays[key][0].size == 1]
    named = [
        key
        for key in others
        if parts[key].role == "labels" and (arrays[key].ndim <= 2 or key in flat)
    ]
    return named or (flat if len(flat) == 1 else [])


def _choose_one_a_split(
    arrays: Mapping[str, Array],
    images: list[str],
    columns: list[str],
    parts: Mapping[str, NameParts],
) -> dict[Split | None, str]:
    """Returns the images of each split; nothing where it is not certain which they are.

    Of several, those with labels of their very name are taken; of the same images flattened and as
    they are, the latter.
    """
    chosen: dict[Split | None, str] = {}
    for split in sorted({parts[key].split for key in images}, key=lambda name: name or ""):
        of_split = [key for key in images if parts[key].split == split]
        if len(of_split) > 1:
            of_split = _choose_one(arrays, of_split, columns, parts)
        if not of_split:
            return {}
        chosen[split] = of_split[0]
    if None in chosen and len(chosen) > 1:
        if "train" in chosen:
            return {}
        chosen["train"] = chosen.pop(None)
    return chosen


def _choose_one(
    arrays: Mapping[str, Array],
    images: list[str],
    columns: list[str],
    parts: Mapping[str, NameParts],
) -> list[str]:
    """Returns the one array of several that must be the images; an empty list if none must."""
    named = [
        key
        for key in images
        if any((parts[key].split, parts[key].stem) == (parts[c].split, parts[c].stem)
               for c in columns)
    ]  # fmt: skip
    left = named or [key for key in images if _find_partner(key, columns, parts, alone=False)]
    whole = [key for key in left if arrays[key].ndim > 2]
    if len(left) > 1 and len(whole) == 1 and len({len(arrays[key]) for key in left}) == 1:
        left = whole
    return left if len(left) == 1 else []


def _find_partner(
    key: str, columns: list[str], parts: Mapping[str, NameParts], *, alone: bool
) -> str:
    """Returns the labels that belong to images; empty where there are none."""
    own = parts[key]
    of_split = [name for name in columns if parts[name].split == own.split]
    exact = [name for name in of_split if parts[name].stem == own.stem]
    if len(exact) == 1:
        return exact[0]
    if len(of_split) == 1:
        return of_split[0]
    return columns[0] if alone and len(columns) == 1 else ""


def _split_order(block: ArrayBlock) -> int:
    return SPLITS.index(block.split or "train")


def _shape_text(shape: tuple[int, ...]) -> str:
    return " × ".join(f"{side:,}" for side in shape) or "a single value"
