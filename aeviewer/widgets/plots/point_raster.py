"""Many points as one picture: NumPy draws discs into an image of the screen's own pixels.

No point is left out, and seventy thousand of them cost a few milliseconds, where an item or a brush
a point costs a hundred times that: each point leaves its number at its pixel, later ones over
earlier ones, and the numbers then grow into discs by taking the largest of those around.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter, QTransform

LEAST_RADIUS, RADIUS = 1.25, 2.5
"""The diameters of a disc in device-independent pixels: smaller where there is less room."""

_DIM = 0.82
_FILL = 0.4
_SAMPLES = 16
_BAND = 32
"""Rows at a time, few enough to stay in the processor's cache."""
_SHELLS = (0.95, 0.6, 0.1)
"""A disc is drawn in shells: the pixels that it covers by at least these shares."""


def margin(radius: float) -> int:
    """The pixels that a disc reaches beyond its centre."""
    return int(np.ceil(radius)) + 1


@dataclass(frozen=True, slots=True)
class _Shell:
    """Pixels around a centre with the same coverage, with those of the shells within.

    Attributes
    ----------
    rows
        How far they reach to either side, from the middle row down; -1: not at all.
    share
        How strongly those are inked that belong to no shell within it.
    """

    rows: tuple[int, ...]
    share: float


@lru_cache(maxsize=32)
def _shells(radius: float) -> tuple[_Shell, ...]:
    """Returns the shells of a disc from its core to its rim, with the area of a disc."""
    reach = margin(radius)
    fine = (np.arange((2 * reach + 1) * _SAMPLES) + 0.5) / _SAMPLES - reach - 0.5
    inside = fine[:, None] ** 2 + fine[None, :] ** 2 <= radius**2
    blocks = inside.reshape(2 * reach + 1, _SAMPLES, 2 * reach + 1, _SAMPLES)
    coverage = blocks.mean(axis=(1, 3))
    shells: list[_Shell] = []
    within = np.zeros_like(coverage, np.bool_)
    for least in _SHELLS:
        mask = coverage >= least
        added = coverage[mask & ~within]
        if added.size:
            widths = mask[reach:].sum(axis=1)
            rows = np.where(widths > 0, widths // 2, -1)
            share = float(added.mean()) if shells else 1.0
            shells.append(_Shell(tuple(rows.tolist()), share))
        within = mask
    return tuple(shells)


def rasterise(
    places: tuple[NDArray[np.floating], NDArray[np.floating]],
    colours: NDArray[np.integer],
    palette: NDArray[np.uint8],
    shape: tuple[int, int],
    radius: float,
) -> NDArray[np.uint32]:
    """Draws discs with soft rims, later ones over earlier ones, each centred on a whole pixel.

    Parameters
    ----------
    places
        x and y of the centres, (n,) each, in pixels from the top left; all within `shape`.
    colours
        (n,), the row of `palette` for each point.
    palette
        (k, 4) uint8 red, green, blue, alpha.
    shape
        (height, width) in pixels.
    radius
        In pixels, at least 1.

    Returns
    -------
    (height + 2·margin, width + 2·margin) uint32, premultiplied ARGB; `margin(radius)` pixels are
    a border all around, in which the discs of the edge end.
    """
    border = margin(radius)
    (x, y), (height, width) = places, shape
    shells = _shells(radius)
    # The growing removes as much again around the picture.
    number = np.zeros((height + 4 * border, width + 4 * border), np.int32)
    pixel = (y.astype(np.int32) + 2 * border) * np.int32(number.shape[1]) + x.astype(np.int32)
    # Where a pixel is named repeatedly, NumPy keeps the last value: the later point.
    number.reshape(-1)[pixel + 2 * border] = np.arange(1, len(x) + 1, dtype=np.int32)
    inks = [np.append(np.uint32(0), _shades(palette, x.share)[colours]) for x in shells]
    canvas = np.zeros((height + 2 * border, width + 2 * border), np.uint32)
    if not len(x):
        return canvas
    # Only where there are any, a few rows at a time.
    first, last = int(x.min()), int(x.max()) + 2 * border + 1
    for top in range(int(y.min()), int(y.max()) + 2 * border + 1, _BAND):
        band = canvas[top : top + _BAND, first:last]
        around = number[top : top + len(band) + 2 * border, first : last + 2 * border]
        # Rims come first, so that no disc shows a pale seam where another rim crosses it.
        for ink, grown in reversed([*zip(inks, _dilate(around, shells, border), strict=True)]):
            np.copyto(band, ink[grown], where=grown > 0)
    return canvas


def _dilate(
    number: NDArray[np.int32], shells: tuple[_Shell, ...], border: int
) -> list[NDArray[np.int32]]:
    """Returns the largest number within each shell around each pixel, without the border."""
    height, width = number.shape[0] - 2 * border, number.shape[1] - 2 * border
    runs = [number[:, border : border + width]]
    for reach in range(1, max(max(shell.rows) for shell in shells) + 1):
        sides = number[:, border - reach :][:, :width], number[:, border + reach :][:, :width]
        runs.append(np.maximum(np.maximum(*sides), runs[-1]))
    grown = []
    for shell in shells:
        rows = shell.rows
        found = runs[rows[0]][border : border + height].copy()
        for away, reach in enumerate(rows[1:], 1):
            if reach >= 0:
                np.maximum(found, runs[reach][border - away :][:height], out=found)
                np.maximum(found, runs[reach][border + away :][:height], out=found)
        grown.append(found)
    return grown


def _shades(palette: NDArray[np.uint8], coverage: float) -> NDArray[np.uint32]:
    """Returns (k,) premultiplied ARGB: every colour at `coverage`."""
    alpha = palette[:, 3] / 255 * coverage
    parts = np.rint(palette[:, :3] * alpha[:, None]).astype(np.uint32)
    opaque = np.rint(255 * alpha).astype(np.uint32)
    shades = opaque << 24 | parts[:, 0] << 16 | parts[:, 1] << 8 | parts[:, 2]
    return shades.astype(np.uint32)


class PointRaster(pg.GraphicsObject):  # type: ignore[misc]  # pyqtgraph is untyped
    """All points as one item of a plot.

    It draws them anew when it is painted with other points, another view or another size: once a
    frame at most, and never while it is hidden.
    """

    def __init__(self) -> None:
        super().__init__()
        self.xy: NDArray[np.floating] = np.empty((0, 2))
        self.shown = np.empty(0, np.intp)
        self._colours = np.empty(0, np.intp)
        self._palette = np.empty((0, 4), np.uint8)
        self._surface: tuple[NDArray[np.integer], NDArray[np.integer]]
        self._surface = np.zeros(3, np.intp), np.full(3, 128)
        self._chosen: NDArray[np.bool_] | None = None
        self._order = np.empty(0, np.intp)
        self._x = self._y = np.empty(0)
        self._rows = np.empty(0, np.intp)
        self._image: QImage | None = None
        self._canvas: NDArray[np.uint32] | None = None
        self._drawn_for: object = None
        self._opacity = 1.0
        self.radius = RADIUS

    def set_opacity(self, opacity: float) -> None:
        """The opacity of the points, 0..1."""
        self._opacity, self._drawn_for = opacity, None
        self.update()

    def set_points(
        self,
        xy: NDArray[np.floating],
        colours: NDArray[np.integer],
        palette: NDArray[np.uint8],
        visible: NDArray[np.bool_],
        chosen: NDArray[np.bool_] | None = None,
    ) -> None:
        """Sets all points; see `PlanePlot.set_points`."""
        if len(xy) != len(self._order):
            # One fixed shuffle: no class lies on top of another, and nothing flickers when live.
            self._order = np.random.default_rng(0).permutation(len(xy))
        self.xy, self._colours = xy, colours.astype(np.intp)
        self._palette = palette
        self._chosen = chosen if chosen is not None and chosen.any() else None
        self.set_visible(visible)

    def set_surface(self, base: NDArray[np.integer], quiet: NDArray[np.integer]) -> None:
        """Sets the background and a quiet colour, between which unselected points are drawn."""
        self._surface = base, quiet
        self._drawn_for = None
        self.update()

    def set_visible(self, visible: NDArray[np.bool_]) -> None:
        """Shows some of the points, (n,) bool."""
        self.shown = self._order[visible[self._order]]
        if self._chosen is not None:
            lit = self._chosen[self.shown]
            self.shown = np.concatenate([self.shown[~lit], self.shown[lit]])
        # The points as they are drawn, so that a frame need not gather them again.
        self._x, self._y = (np.ascontiguousarray(column) for column in self.xy[self.shown].T)
        self._rows = self._colours[self.shown]
        if self._chosen is not None:
            self._rows = np.where(self._chosen[self.shown], self._rows, len(self._palette))
        self._drawn_for = None
        self.update()

    @property
    def lit(self) -> int:
        """The number of visible selected points; 0 without a selection."""
        return 0 if self._chosen is None else int(self._chosen[self.shown].sum())

    def boundingRect(self) -> QRectF:
        """Returns all that is in view, because the picture covers it."""
        rect: QRectF = self.viewRect()
        return rect

    def viewTransformChanged(self) -> None:
        """Is called by pyqtgraph when the view or its size changes."""
        super().viewTransformChanged()  # Forgets the old view, which pyqtgraph keeps.
        self.prepareGeometryChange()
        self.update()

    def paint(self, painter: QPainter, _option: Any, _widget: Any = None) -> None:
        """Draws the picture, which is made again where it is out of date."""
        transform, ratio = painter.worldTransform(), painter.device().devicePixelRatioF()
        area = transform.mapRect(self.boundingRect())
        drawn_for = (transform, ratio, area)
        if drawn_for != self._drawn_for:
            self._draw(transform, ratio, area)
            self._drawn_for = drawn_for
        if self._image is not None:
            border = margin(self.radius * ratio) / ratio
            painter.save()
            painter.resetTransform()
            painter.drawImage(area.topLeft() - QPointF(border, border), self._image)
            painter.restore()

    def _draw(self, transform: QTransform, ratio: float, area: QRectF) -> None:
        shape = (round(area.height() * ratio), round(area.width() * ratio))
        # A view neither rotates nor shears.
        x = self._x * (transform.m11() * ratio) + (transform.dx() - area.left()) * ratio
        y = self._y * (transform.m22() * ratio) + (transform.dy() - area.top()) * ratio
        seen = within(x, y, shape)
        self.radius = _fitting_radius(len(seen), area)
        colours, palette = self._visible_colours(seen)
        canvas = rasterise((x[seen], y[seen]), colours, palette, shape, self.radius * ratio)
        height, width = canvas.shape
        # The image does not own the pixels: the array must live as long as it does.
        self._canvas = canvas
        self._image = QImage(
            canvas.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied
        )
        self._image.setDevicePixelRatio(ratio)

    def _visible_colours(
        self, seen: NDArray[np.intp]
    ) -> tuple[NDArray[np.integer], NDArray[np.uint8]]:
        """Returns the rows of a palette for the visible points, and the palette."""
        base, quiet = self._surface
        dim = np.append(np.rint(_DIM * base + (1 - _DIM) * quiet), 255).astype(np.uint8)
        palette = np.vstack([self._palette, dim])
        palette[:, 3] = np.rint(palette[:, 3] * self._opacity)
        return self._rows[seen], palette


def _fitting_radius(count: int, area: QRectF) -> float:
    """Makes the discs smaller where there are more points in view."""
    room = math.sqrt(area.width() * area.height() / max(1, count))
    # In quarters of a pixel: zooming then changes the size in few, calm steps.
    return min(RADIUS, max(LEAST_RADIUS, round(4 * _FILL * room) / 4))


def within(
    x: NDArray[np.floating], y: NDArray[np.floating], shape: tuple[int, int]
) -> NDArray[np.intp]:
    """Returns which places (x, y) lie within (height, width); places that are not finite do not."""
    with np.errstate(invalid="ignore"):
        return np.flatnonzero((x >= 0) & (x < shape[1]) & (y >= 0) & (y < shape[0]))
