"""Any drawing made into an image as MNIST's are. Loads no torch.

MNIST's digits were scaled into a box of 20 x 20 pixels, their proportions kept, and set into a
field of 28 x 28 so that their centre of mass is its middle (LeCun, Cortes, Burges).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from trainers.datasets.importing import image_files

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE, BOX = 28, 20
"""Pixels along the image, and along the box that the ink is scaled into."""

_MIDDLE = 14.5
"""Where MNIST's centres of mass are, to within half a pixel: the middle of pixel 14."""

_FAINT = 0.04
_GROUND_NOISE = 0.1


def centre_drawing(ink: NDArray[np.floating]) -> NDArray[np.uint8]:
    """A drawing scaled and centred as MNIST's digits are.

    Parameters
    ----------
    ink
        (h, w), 0 is paper and 1 is ink; what is fainter than 4 % of the strongest is paper.

    Returns
    -------
    (28, 28), 0 is paper and 255 is ink; all paper where nothing is drawn.
    """
    image = np.zeros((SIDE, SIDE), np.uint8)
    strongest = float(ink.max(initial=0.0))
    if strongest <= 0:
        return image
    rows, columns = (np.flatnonzero((ink > _FAINT * strongest).any(axis)) for axis in (1, 0))
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
    scale = BOX / max(cut.shape)
    size = tuple(max(1, round(side * scale)) for side in reversed(cut.shape))
    if size != cut.shape[::-1]:
        # Pixels are averaged where there are more of them than are kept.
        cut = np.asarray(Image.fromarray(cut).resize(size, Image.Resampling.BICUBIC))
    digit = np.rint(255 * cut.clip(0, 1))
    mass = digit.sum()
    if mass <= 0:
        return image
    # In whole pixels: nothing is blurred once more.
    corner = [
        int(np.clip(np.rint(_MIDDLE - at), 0, SIDE - side))
        for at, side in zip(_centre_of_mass(digit, mass), digit.shape, strict=True)
    ]
    height, width = digit.shape
    image[corner[0] : corner[0] + height, corner[1] : corner[1] + width] = digit
    return image


def _centre_of_mass(digit: NDArray[np.floating], mass: float) -> tuple[float, float]:
    """Row and column of the centre of mass; the middle of the first pixel is 0.5."""
    rows, columns = (np.arange(side) + 0.5 for side in digit.shape)
    return float(digit.sum(axis=1) @ rows / mass), float(digit.sum(axis=0) @ columns / mass)


def centre_image_file(content: bytes) -> NDArray[np.uint8]:
    """An image file as an image of MNIST's kind.

    The median of its border decides whether it is ink on paper or chalk on a board;
    what is transparent is white paper.

    Parameters
    ----------
    content
        Of a file in one of `pictures.FORMATS`.

    Returns
    -------
    (28, 28), see `centred`.

    Raises
    ------
    DataError
        When it is no image, or too large a one.
    """
    with image_files.open_image_bytes(content) as picture:
        upright = ImageOps.exif_transpose(picture).convert("RGBA")
        paper = Image.new("RGBA", upright.size, "white")
        gray = np.asarray(Image.alpha_composite(paper, upright).convert("L"), np.float32) / 255
    rim = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    ground = float(np.median(rim))
    ink = np.abs(gray - ground) / max(ground, 1 - ground)
    return centre_drawing(np.where(ink > _GROUND_NOISE, ink, 0))
