"""Images in arrays, whatever their numbers and however their axes lie."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isqrt
from typing import TYPE_CHECKING

import numpy as np

from trainers.datasets.importing.import_errors import FlawError
from trainers.datasets.mmap import release_pages
from trainers.datasets.sources.array_names import SPLITS, Split
from trainers.datasets.sources.label_column import Labels, UnusableLabelsError, as_column
from trainers.datasets.sources.source import Source
from trainers.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.generic]

_MOST_CHUNK, _CHUNK_VALUES = 1_024, 1_000_000
"""Images that are looked at together, and their values."""
_RGB = (3, 4)


@dataclass(frozen=True, eq=False)
class ArrayBlock:
    """Images that belong together, with their labels.

    Attributes
    ----------
    images
        (n, h, w) or (n, h, w, c) of any numbers.
    labels
        (n,), or None.
    split
        Their split; None where the source does not say.
    place
        What messages call it.
    labels_place
        What they call the labels, where these are elsewhere.
    """

    images: Array
    labels: Array | None
    split: Split | None
    place: str
    labels_place: str = ""


class ArraySource(Source):
    """Images in one array, or in one for each split.

    Parameters
    ----------
    path
        Where they come from.
    blocks
        The arrays.
    classes
        Names of the classes, where they are known.

    Raises
    ------
    DataError
        When an array holds no images.
    """

    kind = "an array of images"

    def __init__(self, path: Path, blocks: list[ArrayBlock], classes: tuple[str, ...] = ()) -> None:
        super().__init__(path)
        self._blocks = [
            replace(block, images=as_images(block.images, block.place)) for block in blocks
        ]
        lengths = [len(block.images) for block in self._blocks]
        self._starts = np.cumsum([0, *lengths])
        self.count = int(self._starts[-1])
        self._labels: Labels | None = None
        try:
            self._take_labels(classes)
        except UnusableLabelsError as error:
            self.notes.append(str(error))
        splits = [block.split for block in self._blocks]
        if len(splits) > 1 and None not in splits:
            numbers = [SPLITS.index(split) for split in splits if split]
            self.splits = np.repeat(np.array(numbers, np.int8), lengths)

    def chunks(self) -> Generator[tuple[Array, int, float], None, None]:
        """Yields the values of some images, how many images these are, and the share done."""
        done = 0
        for block in self._blocks:
            size = max(1, min(_MOST_CHUNK, _CHUNK_VALUES // int(np.prod(block.images.shape[1:]))))
            for start in range(0, len(block.images), size):
                chunk = np.asarray(block.images[start : start + size])
                done += len(chunk)
                yield chunk, len(chunk), done / self.count
                release_pages(block.images)

    def name(self, index: int) -> str:
        """Its place in the file."""
        block, at = self._locate(index)
        return f"{self._blocks[block].place}[{at}]"

    def label(self, index: int) -> int:
        """From the labels' column."""
        if self._labels is None:
            return 0
        if self.labelled is not None and not self.labelled[index]:
            raise FlawError("label that does not fit", "no label is given for it")
        return self._labels.at(index)

    def values(self, index: int) -> Array:
        """A row of the array."""
        number, at = self._locate(index)
        pixels = np.asarray(self._blocks[number].images[at])
        if pixels.ndim == 3:
            pixels = pixels[..., 0] if pixels.shape[2] == 1 else pixels[..., :3]
        return pixels

    def release(self) -> None:
        """Lets go of what was read of mapped files so far."""
        for block in self._blocks:
            release_pages(block.images)

    def _locate(self, index: int) -> tuple[int, int]:
        block = int(np.searchsorted(self._starts, index, "right")) - 1
        return block, index - int(self._starts[block])

    def _take_labels(self, names: tuple[str, ...]) -> None:
        """Joins the labels of all blocks; a block may have none."""
        labelled = [block for block in self._blocks if block.labels is not None]
        if not labelled:
            return
        columns: list[Array | None] = []
        for block in self._blocks:
            if block.labels is None:
                columns.append(None)
                continue
            column = as_column(block.labels, block.labels_place or block.place)
            if len(column) != len(block.images):
                self.label_problem = _describe_mismatch(block, len(column))
                return
            columns.append(column)
        known = [column for column in columns if column is not None]
        filler = known[0][:1]
        place = labelled[0].labels_place or labelled[0].place
        joined = [
            np.repeat(filler, len(block.images)) if column is None else column
            for block, column in zip(self._blocks, columns, strict=True)
        ]
        self._labels = Labels(np.concatenate(joined), place, names)
        self.classes, self.class_numbers = self._labels.classes, self._labels.numbers
        if len(known) < len(self._blocks):
            self.labelled = np.concatenate(
                [np.full(len(b.images), b.labels is not None) for b in self._blocks]
            )
        if len(names) == len(self.classes):
            self.classes = names


def _describe_mismatch(block: ArrayBlock, labels: int) -> str:
    return (
        f"{block.place} has {len(block.images):,} images and {block.labels_place} has {labels:,} "
        "labels: they do not belong together. Import the images without labels, or give the right "
        "ones."
    )


def as_images(array: Array, place: str) -> Array:
    """An array as (n, h, w) or (n, h, w, c), whichever way its axes lie.

    Raises
    ------
    DataError
        When it holds no images.
    """
    if array.dtype.kind not in "uifb":
        raise DataError(f"{place} holds {array.dtype}; images are numbers.")
    shape = array.shape
    if array.ndim == 2 and isqrt(shape[1]) ** 2 == shape[1] > 1:
        side = isqrt(shape[1])
        return array.reshape(-1, side, side)
    if array.ndim == 3 and not (shape[2] in _RGB and min(shape[:2]) > _RGB[1]):
        return array
    if array.ndim == 4 and shape[3] in (1, *_RGB):
        return array
    if array.ndim == 4 and shape[1] in (1, *_RGB):
        return np.moveaxis(array, 1, 3)
    text = " × ".join(str(n) for n in shape)
    raise DataError(
        f"{place} is an array of {text}: no images. They are n × height × width, n × height × "
        "width × 3, n × 3 × height × width, or n × (height × height)."
    )
