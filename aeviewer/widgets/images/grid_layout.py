"""Columns of small images, wrapped into bands at whole multiples of a pixel. It uses no Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP, BAND_GAP = 1, 8
"""The least space between images, and between bands, in units of the screen's layout."""
_WIDEST_GAP, _WIDEST_BAND_GAP = 8, 24


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Columns that are wrapped into bands; lengths are in device pixels.

    Attributes
    ----------
    scale
        Length of a pixel of an image.
    columns, bands
        Columns in a band; bands.
    tile, gap
        Side of an image; space between images above each other.
    column_gap, band_gap
        Space between columns, and between bands.
    rows
        Images in a column.
    """

    scale: int
    columns: int
    bands: int
    tile: int
    gap: int
    column_gap: int
    band_gap: int
    rows: int

    @property
    def pitch(self) -> int:
        """The distance from one image to the one below."""
        return self.tile + self.gap

    @property
    def column_pitch(self) -> int:
        """The distance from one column to the next."""
        return self.tile + self.column_gap

    @property
    def column_height(self) -> int:
        """The height of the images in a column."""
        return self.rows * self.pitch - self.gap

    @property
    def band_pitch(self) -> int:
        """The distance from one band to the next."""
        return self.column_height + self.band_gap

    @property
    def width(self) -> int:
        """The width of all."""
        return max(0, self.columns * self.column_pitch - self.column_gap)

    @property
    def height(self) -> int:
        """The height of all."""
        return max(0, self.bands * self.band_pitch - self.band_gap)

    def corner(self, index: int) -> tuple[int, int]:
        """Returns (x, y) of the first image of a column."""
        band, column = divmod(index, self.columns)
        return column * self.column_pitch, band * self.band_pitch


def arrange(
    count: int, rows: int, side: int, width: float, height: float, ratio: float = 1.0
) -> Arrangement:
    """Finds the largest whole scale at which all columns fit; the least one if none does.

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
        found = _wrap(rows, side * scale, scale, width, height, ratio)
        if found.columns * found.bands >= count:
            found = _balance(found, max(1, count))
            break
    return _spread(found, width, height, ratio)


def _wrap(
    rows: int, tile: int, scale: int, width: float, height: float, ratio: float
) -> Arrangement:
    gap, band_gap = round(GAP * ratio), round(BAND_GAP * ratio)
    columns = int((width + gap) // (tile + gap))
    bands = int((height + band_gap) // (rows * (tile + gap) - gap + band_gap))
    return Arrangement(scale, max(0, columns), max(0, bands), tile, gap, gap, band_gap, rows)


def _balance(found: Arrangement, count: int) -> Arrangement:
    """Returns as few bands as that many columns need, of about the same length."""
    bands = math.ceil(count / found.columns)
    return replace(found, columns=math.ceil(count / bands), bands=bands)


def _spread(found: Arrangement, width: float, height: float, ratio: float) -> Arrangement:
    """Spreads columns and bands over the remaining room."""
    across = int(width - found.width) // max(1, found.columns - 1)
    down = int(height - found.height) // max(1, found.bands - 1)
    return replace(
        found,
        column_gap=min(found.column_gap + max(0, across), round(_WIDEST_GAP * ratio)),
        band_gap=min(found.band_gap + max(0, down), round(_WIDEST_BAND_GAP * ratio)),
    )


def compose(rows: Sequence[NDArray[np.uint32]], arrangement: Arrangement) -> NDArray[np.uint32]:
    """Returns all columns that fit as one picture, transparent between them.

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
