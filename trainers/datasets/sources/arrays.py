"""Images in arrays, whatever their numbers and however their axes lie."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isqrt
from typing import TYPE_CHECKING

import numpy as np

from trainers.datasets.importing.import_errors import FlawError
from trainers.datasets.mmap import release_pages
from trainers.datasets.sources.source import Labels, Source
from trainers.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.generic]

_CHUNK = 1_024
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
    is_test
        Whether they are test images; None where that is not said.
    place
        What messages call it.
    labels_place
        What they call the labels, where these are elsewhere.
    """

    images: Array
    labels: Array | None
    is_test: bool | None
    place: str
    labels_place: str = ""


class ArraySource(Source):
    """Images in one array, or in one for training and one for testing.

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
        When labels and images are not equally many, or labels are no such.
    """

    kind = "an array of images"

    def __init__(self, path: Path, blocks: list[ArrayBlock], classes: tuple[str, ...] = ()) -> None:
        super().__init__(path)
        self._blocks = [
            replace(block, images=as_images(block.images, block.place)) for block in blocks
        ]
        self._scales = [_Scale.from_dtype(block.images) for block in self._blocks]
        self._starts = np.cumsum([0, *(len(block.images) for block in self._blocks)])
        self.count = int(self._starts[-1])
        self._labels = self._join_labels()
        if self._labels is not None:
            known = self._labels.classes
            self.classes = classes if len(classes) >= len(known) else known
        parts = [block.is_test for block in self._blocks]
        if len(parts) > 1 and None not in parts and len(set(parts)) == 2:
            self.is_test = np.repeat(np.array(parts, np.bool_), np.diff(self._starts))

    def measure_range(self) -> Generator[float, None, None]:
        """Looks at the numbers once, so that their range is known; yields the share done.

        Raises
        ------
        DataError
            When they are in no range that images have.
        """
        done = 0
        for number, block in enumerate(self._blocks):
            if self._scales[number] is not None:
                continue
            low, high = np.inf, -np.inf
            for start in range(0, len(block.images), _CHUNK):
                chunk = np.asarray(block.images[start : start + _CHUNK], np.float64)
                finite = chunk[np.isfinite(chunk)]
                if finite.size:
                    low, high = min(low, finite.min()), max(high, finite.max())
                done += len(chunk)
                release_pages(block.images)
                yield done / self.count
            self._scales[number] = _Scale.from_range(float(low), float(high), block.place)

    def name(self, index: int) -> str:
        """Its place in the file."""
        block, at = self._locate(index)
        return f"{self._blocks[block].place}[{at}]"

    def label(self, index: int) -> int:
        """From the labels' column."""
        return 0 if self._labels is None else self._labels.at(index)

    def image(self, index: int) -> NDArray[np.uint8]:
        """A row, as bytes."""
        number, at = self._locate(index)
        scale = self._scales[number]
        if scale is None:
            raise ValueError("`measured` comes first.")
        pixels = np.asarray(self._blocks[number].images[at])
        if pixels.ndim == 3:
            pixels = pixels[..., 0] if pixels.shape[2] == 1 else pixels[..., :3]
        return scale.to_bytes(pixels)

    def release(self) -> None:
        """Lets go of what was read of mapped files so far."""
        for block in self._blocks:
            release_pages(block.images)

    def _locate(self, index: int) -> tuple[int, int]:
        block = int(np.searchsorted(self._starts, index, "right")) - 1
        return block, index - int(self._starts[block])

    def _join_labels(self) -> Labels | None:
        columns = [block.labels for block in self._blocks]
        place = self._blocks[0].labels_place or self._blocks[0].place
        if any(column is None for column in columns):
            return None
        for block in self._blocks:
            count = len(block.labels) if block.labels is not None else 0
            if count != len(block.images):
                labels = f"{block.labels_place} {count:,} labels".strip()
                raise DataError(
                    f"{block.place} has {len(block.images):,} images and {labels}: they do not "
                    "belong together. Import them without labels, or give the right ones."
                )
        flat = [np.asarray(column).reshape(len(column), -1) for column in columns if column is not
                None]  # fmt: skip
        if any(column.shape[1] != 1 for column in flat):
            raise DataError(f"The labels of {place} are no single column.")
        return Labels(np.concatenate([column[:, 0] for column in flat]), place)


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


@dataclass(frozen=True, slots=True)
class _Scale:
    """How numbers become bytes: (x + shift)·factor."""

    shift: float
    factor: float

    @classmethod
    def from_dtype(cls, images: Array) -> _Scale | None:
        """What the kind of number says; None where the range has to be looked at."""
        if images.dtype == np.uint8:
            return cls(0, 1)
        return cls(0, 255) if images.dtype == np.bool_ else None

    @classmethod
    def from_range(cls, low: float, high: float, place: str) -> _Scale:
        """What the range says."""
        if low > high or (low >= 0 and high <= 1):
            return cls(0, 255)
        if low >= -1 and high <= 1:
            return cls(1, 127.5)
        if low >= 0 and high <= 255:
            return cls(0, 1)
        if low >= 0 and high <= 65_535:
            return cls(0, 255 / 65_535)
        raise DataError(
            f"The numbers in {place} go from {low:g} to {high:g}. Images are numbers of 0 to 1, "
            "-1 to 1, 0 to 255 or 0 to 65,535: scale them first."
        )

    def to_bytes(self, pixels: Array) -> NDArray[np.uint8]:
        """Rounded and clipped."""
        if pixels.dtype == np.uint8 and self.factor == 1:
            return np.array(pixels, np.uint8)
        values = pixels.astype(np.float64)
        wrong = int((~np.isfinite(values)).sum())
        if wrong:
            raise FlawError("not a number", f"{wrong:,} of its numbers are NaN or infinite")
        scaled = ((values + self.shift) * self.factor).clip(0, 255)
        return np.asarray(np.rint(scaled), np.uint8)
