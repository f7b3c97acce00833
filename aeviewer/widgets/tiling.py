"""Columns of small images wrapped into bands at whole multiples of a pixel. Knows no Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP, BAND_GAP = 2, 10
"""Space between images, and between bands, in units of the screen's layout."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Columns wrapped into bands; lengths are in device pixels.

    Attributes
    ----------
    scale
        Length of a pixel of an image.
    columns, bands
        Columns in a band; bands.
    tile, gap, band_gap
        Side of an image; space between images, and between bands.
    rows
        Images in a column.
    """

    scale: int
    columns: int
    bands: int
    tile: int
    gap: int
    band_gap: int
    rows: int

    @property
    def pitch(self) -> int:
        """From one image to the next."""
        return self.tile + self.gap

    @property
    def band_pitch(self) -> int:
        """From one band to the next."""
        return self.rows * self.pitch - self.gap + self.band_gap

    @property
    def width(self) -> int:
        """Of it all."""
        return max(0, self.columns * self.pitch - self.gap)

    @property
    def height(self) -> int:
        """Of it all."""
        return max(0, self.bands * self.band_pitch - self.band_gap)

    def corner(self, index: int) -> tuple[int, int]:
        """(x, y) of the first image of a column."""
        band, column = divmod(index, self.columns)
        return column * self.pitch, band * self.band_pitch


def arranged(
    count: int, rows: int, side: int, width: float, height: float, ratio: float = 1.0
) -> Arrangement:
    """The largest whole scale at which all columns find room; if none does, the least one.

    Parameters
    ----------
    count, rows
        Columns, and images in each.
    side
        Of an image, in its own pixels.
    width, height
        The room, in device pixels.
    ratio
        Device pixels to a unit of the screen's layout: the least scale keeps an image legible.
    """
    least = max(1, round(ratio))
    most = int(min(width, height / rows) // side)
    for scale in range(max(most, least), least - 1, -1):
        found = _wrapped(rows, side * scale, scale, width, height, ratio)
        if found.columns * found.bands >= count:
            return _balanced(found, count)
    return found


def _wrapped(
    rows: int, tile: int, scale: int, width: float, height: float, ratio: float
) -> Arrangement:
    gap, band_gap = round(GAP * ratio), round(BAND_GAP * ratio)
    columns = int((width + gap) // (tile + gap))
    bands = int((height + band_gap) // (rows * (tile + gap) - gap + band_gap))
    return Arrangement(scale, max(0, columns), max(0, bands), tile, gap, band_gap, rows)


def _balanced(found: Arrangement, count: int) -> Arrangement:
    """As few bands as that many columns need, all about as long."""
    bands = math.ceil(count / found.columns)
    columns = math.ceil(count / bands)
    return Arrangement(
        found.scale, columns, bands, found.tile, found.gap, found.band_gap, found.rows
    )


def compose(rows: Sequence[NDArray[np.uint32]], arrangement: Arrangement) -> NDArray[np.uint32]:
    """All columns that fit, as one picture, transparent between them.

    Parameters
    ----------
    rows
        Each (n, h, w) uint32 colours, 0xAARRGGBB.
    arrangement
        Where they go.
    """
    canvas = np.zeros((arrangement.height, arrangement.width), np.uint32)
    scale = arrangement.scale
    for index in range(min(len(rows[0]), arrangement.columns * arrangement.bands)):
        x, y = arrangement.corner(index)
        for row in rows:
            large = row[index].repeat(scale, axis=0).repeat(scale, axis=1)
            canvas[y : y + arrangement.tile, x : x + arrangement.tile] = large
            y += arrangement.pitch
    return canvas
