"""The plane, divided into square tiles on several levels, as a map is.

It uses neither Qt nor torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

Key = tuple[int, int, int]
"""Level, column and row of a tile; rows are counted upwards."""

_MOST_ABOVE = 3
_SIDE = 28


@dataclass(frozen=True, slots=True)
class TileGrid:
    """Neighbouring tiles of one level.

    Attributes
    ----------
    level
        A tile is 2**level long and high, in the plane's unit.
    column, row
        The first column, and the lowest row.
    columns, rows
        How many.
    """

    level: int
    column: int
    row: int
    columns: int
    rows: int

    @property
    def side(self) -> float:
        """The side of a tile, in units of the plane."""
        return 2.0**self.level

    @property
    def rectangle(self) -> tuple[float, float, float, float]:
        """Left, bottom, width and height, in units of the plane."""
        side = self.side
        return self.column * side, self.row * side, self.columns * side, self.rows * side

    def keys(self) -> list[Key]:
        """Returns all tiles in the order of an image: row by row from the top."""
        rows = range(self.row + self.rows - 1, self.row - 1, -1)
        columns = range(self.column, self.column + self.columns)
        return [(self.level, column, row) for row in rows for column in columns]

    def covers(self, left: float, bottom: float, width: float, height: float) -> bool:
        """Returns whether a rectangle lies within the grid."""
        x, y, across, up = self.rectangle
        return (
            x <= left and y <= bottom and left + width <= x + across and bottom + height <= y + up
        )

    def coarser(self, levels: int) -> TileGrid:
        """Returns the tiles of some levels above that cover the grid."""
        column, row = self.column >> levels, self.row >> levels
        last = self.column + self.columns - 1 >> levels, self.row + self.rows - 1 >> levels
        return TileGrid(self.level + levels, column, row, last[0] - column + 1, last[1] - row + 1)


def grid_over(
    view: tuple[float, float, float, float], pixel: float, least_pixels: float, margin: int = 1
) -> TileGrid:
    """Returns the tiles that cover a view.

    Parameters
    ----------
    view
        Left, bottom, width, height in the plane's unit.
    pixel
        What a pixel is long, in the same unit.
    least_pixels
        A tile's side on the screen is that at least, and less than twice as much.
    margin
        Tiles beyond the view on each side, so that a small move finds them there.
    """
    left, bottom, width, height = view
    level = math.ceil(math.log2(pixel * least_pixels))
    side = 2.0**level
    column, row = math.floor(left / side) - margin, math.floor(bottom / side) - margin
    last_column = math.floor((left + width) / side) + margin
    last_row = math.floor((bottom + height) / side) + margin
    return TileGrid(level, column, row, last_column - column + 1, last_row - row + 1)


def centres(keys: list[Key]) -> NDArray[np.float64]:
    """Returns (n, 2), the places whose codes are decoded for the tiles."""
    table = np.array(keys, np.float64).reshape(-1, 3)
    return (table[:, 1:] + 0.5) * np.exp2(table[:, :1])


def towards_the_edge(grid: TileGrid, keys: list[Key]) -> list[Key]:
    """Returns the tiles of a grid, those in its middle first."""
    column, row = grid.column + (grid.columns - 1) / 2, grid.row + (grid.rows - 1) / 2
    return sorted(keys, key=lambda key: (key[1] - column) ** 2 + (key[2] - row) ** 2)


class TileStore:
    """The decoded tiles, each with the round that it was decoded in.

    A tile of an earlier round is shown until it is decoded again.
    """

    def __init__(self, most: int = 8_000) -> None:
        self.round = 0
        self._most = most
        self._tiles: dict[Key, tuple[int, NDArray[np.uint8], float]] = {}
        self._shape: tuple[int, ...] = (_SIDE, _SIDE)

    def clear(self) -> None:
        """Drops all tiles."""
        self._tiles.clear()

    def missing(self, keys: list[Key]) -> list[Key]:
        """Returns the tiles that are not known in this round."""
        return [key for key in keys if self._tiles.get(key, (-1,))[0] != self.round]

    def put(
        self, keys: list[Key], images: NDArray[np.uint8], support: NDArray[np.floating]
    ) -> None:
        """Adds (n, h, w) or (n, h, w, 3) images, and their support by the codes, 0..1."""
        if len(images) and images.shape[1:] != self._shape:
            self._tiles.clear()
            self._shape = images.shape[1:]
        for key, image, share in zip(keys, images, support.tolist(), strict=True):
            self._tiles.pop(key, None)
            self._tiles[key] = self.round, image, share
        # The oldest tiles come first: a tile that is decoded again moves to the end.
        for key in list(self._tiles)[: max(0, len(self._tiles) - self._most)]:
            del self._tiles[key]

    def picture(self, grid: TileGrid) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Returns the picture of a grid, with a coarser tile where a finer one is missing.

        Returns
        -------
        (rows, columns, *shape) images, and (rows, columns) support; 0 where nothing is known.
        """
        keys = grid.keys()
        images = np.zeros((len(keys), *self._shape), np.uint8)
        support = np.zeros(len(keys), np.float32)
        for place, key in enumerate(keys):
            for found, share in self._found(key):
                images[place], support[place] = found, share
                break
        shape = grid.rows, grid.columns
        return images.reshape(*shape, *self._shape), support.reshape(shape)

    def _found(self, key: Key) -> Iterator[tuple[NDArray[np.uint8], float]]:
        """Returns the tile, or the enlarged part of the next coarser one."""
        level, column, row = key
        for up in range(_MOST_ABOVE):
            known = self._tiles.get((level + up, column >> up, row >> up))
            if known is None:
                continue
            _, image, share = known
            if up == 0:
                yield image, share
            else:
                parts, side = 2**up, len(image)
                right = column - (column >> up << up)
                down = parts - 1 - (row - (row >> up << up))
                rows, columns = ((part * side + np.arange(side)) // parts for part in (down, right))
                yield image[rows][:, columns], share
