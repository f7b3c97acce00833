"""What a person draws, or gives, made into an image of a data set. Loads no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from trainers.datasets import centring
from trainers.datasets.importing import image_files
from trainers.datasets.importing.conversion import Conversion
from trainers.datasets.importing.value_range import ValueRange

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trainers.datasets.description import Dataset


def convert_drawing(ink: NDArray[np.floating], dataset: Dataset) -> NDArray[np.uint8]:
    """A drawing as an image of a data set: centred where its images are, else just smaller.

    Parameters
    ----------
    ink
        (h, h), 0 is paper and 1 is ink.
    dataset
        What it is to be an image of.

    Returns
    -------
    (side, side) or (side, side, 3).
    """
    if dataset.centred:
        pixels = _resize(centring.centre_drawing(ink), dataset.side)
    else:
        pixels = _resize(np.rint(255 * np.asarray(ink).clip(0, 1)).astype(np.uint8), dataset.side)
    return pixels if dataset.channels == 1 else np.repeat(pixels[..., None], 3, axis=2)


def convert_image_file(content: bytes, dataset: Dataset) -> NDArray[np.uint8]:
    """An image file as an image of a data set: what was done to the data set is done to it.

    Raises
    ------
    DataError
        When it is no image, or too large a one.
    """
    if dataset.centred:
        return _resize(centring.centre_image_file(content), dataset.side)
    with image_files.open_image_bytes(content) as picture:
        return _convert_as_imported(picture, dataset)


def _convert_as_imported(picture: Image.Image, dataset: Dataset) -> NDArray[np.uint8]:
    asked = dataset.conversion or Conversion()
    usual = Conversion(
        side=dataset.side,
        fit="crop" if asked.fit == "exact" else asked.fit,
        colour="rgb" if dataset.channels == 3 else "grey",
        inverted=asked.inverted,
    )
    return usual.apply(_scale_as_imported(picture, dataset))


def _scale_as_imported(picture: Image.Image, dataset: Dataset) -> NDArray[np.uint8]:
    """A picture's pixels, with the range of the data set's images where its values fit that."""
    values = image_files.extract_values(picture)
    for kind, low, high in dataset.ranges:
        if kind == values.dtype.name and low < high:
            if low <= values.min(initial=high) and values.max(initial=low) <= high:
                return ValueRange(low, high).to_bytes(values)
    return image_files.scale_alone(values)


def _resize(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    if pixels.shape == (side, side):
        return pixels
    image = Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(image)
