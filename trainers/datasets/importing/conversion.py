"""What is done to an image so that it fits a data set: square, of one size, grey or RGB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from trainers.datasets.importing.import_errors import FlawError

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_SIDE, MOST_SIDE = 8, 128
MOST_PADDED = 100_000_000
"""Pixels of an image that is padded to a square."""
Fit = Literal["crop", "pad", "stretch", "exact"]
Colour = Literal["grey", "rgb"]

FITS: dict[Fit, str] = {
    "crop": "cropped to the middle square",
    "pad": "padded to a square with the colour of the rim",
    "stretch": "stretched to a square",
    "exact": "taken as they are",
}
"""How an image becomes a square, and how that is said."""


class Conversion(BaseModel):
    """How images are converted.

    Attributes
    ----------
    side
        Pixels along the edge of what comes out.
    fit
        "crop" takes the middle square, "pad" adds what is missing, "stretch" squeezes; "exact"
        takes only images that have that size already.
    colour
        Grey, or red, green and blue.
    inverted
        Dark becomes bright: ink on paper is then bright on dark, as MNIST's is.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    side: Annotated[int, Field(ge=LEAST_SIDE, le=MOST_SIDE)] = 28
    fit: Fit = "crop"
    colour: Colour = "grey"
    inverted: bool = False

    @property
    def channels(self) -> Literal[1, 3]:
        """Numbers of a pixel of what comes out."""
        return 3 if self.colour == "rgb" else 1

    def apply(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(h, w) or (h, w, 3) → (side, side) or (side, side, 3).

        Raises
        ------
        FlawError
            When the image has not the size that "exact" asks for, or is too long to be padded.
        """
        height, width = pixels.shape[:2]
        if self.fit == "exact" and (height, width) != (self.side, self.side):
            raise FlawError(
                "another size", f"{width} × {height}, not {self.side} × {self.side} pixels"
            )
        image = Image.fromarray(np.ascontiguousarray(pixels))
        mode = "RGB" if self.colour == "rgb" else "L"
        found = np.asarray(self._make_square(image.convert(mode)))
        return 255 - found if self.inverted else found

    def _make_square(self, image: Image.Image) -> Image.Image:
        size = (self.side, self.side)
        if image.size == size:
            return image
        width, height = image.size
        if self.fit == "pad":
            edge = max(width, height)
            if edge * edge > MOST_PADDED:
                raise FlawError(
                    "too large",
                    f"{width:,} x {height:,} pixels, padded to a square {edge:,} x {edge:,}; "
                    f"{MOST_PADDED:,} are the most",
                )
            square = Image.new(image.mode, (edge, edge), _rim_colour(image))
            square.paste(image, ((edge - width) // 2, (edge - height) // 2))
            image = square
        elif self.fit == "crop":
            edge = min(width, height)
            left, top = (width - edge) // 2, (height - edge) // 2
            image = image.crop((left, top, left + edge, top + edge))
        return image.resize(size, Image.Resampling.BICUBIC)

    def description(self) -> str:
        """What it does, in words: "cropped to the middle square, 64 × 64, RGB"."""
        parts = [FITS[self.fit], f"{self.side} × {self.side}"]
        parts.append("RGB" if self.colour == "rgb" else "grey")
        return ", ".join([*parts, "inverted"] if self.inverted else parts)


def _rim_colour(image: Image.Image) -> int | tuple[int, ...]:
    """The median of an image's rim."""
    pixels = np.asarray(image)
    rim = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    found = np.median(rim, axis=0).astype(int)
    return int(found) if found.ndim == 0 else tuple(found.tolist())
