"""Many points as one picture: discs written by numpy into an image of the screen's own pixels.

No point is left out, and a frame costs a few milliseconds for ten thousand of them, where an item
or a brush a point costs a hundred times that.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter, QTransform

RADIUS = 2.5
"""Of a disc, in device-independent pixels."""

_PHASES = 4
_SAMPLES = 8


@lru_cache(maxsize=16)
def _stamp(radius: float, phase: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Pixels that a disc touches, (k, 2) as (row, column) from its own, and their coverage (k,).

    `phase` counts the 16 places within a pixel that a centre may have.
    """
    reach = margin(radius)
    fine = (np.arange((2 * reach + 1) * _SAMPLES) + 0.5) / _SAMPLES - reach
    row, column = (np.array(divmod(phase, _PHASES)) + 0.5) / _PHASES
    inside = (fine[:, None] - row) ** 2 + (fine[None, :] - column) ** 2 <= radius**2
    blocks = inside.reshape(2 * reach + 1, _SAMPLES, 2 * reach + 1, _SAMPLES)
    coverage = blocks.mean(axis=(1, 3))
    touched = np.argwhere(coverage > 0)
    return touched - reach, coverage[tuple(touched.T)]


@lru_cache(maxsize=4)
def _stamps(
    radius: float, *, inner: bool
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """The wholly covered pixels of every phase, or those of the rim: rows, columns, coverage.

    Each (16, k); shorter lists are filled up with the last pixel of their own.
    """
    chosen = []
    for phase in range(_PHASES**2):
        pixels, coverage = _stamp(radius, phase)
        kept = (coverage == 1.0) == inner
        chosen.append((pixels[kept], coverage[kept]))
    longest = max(len(coverage) for _, coverage in chosen)
    pixels = np.stack([np.pad(p, ((0, longest - len(p)), (0, 0)), "edge") for p, _ in chosen])
    shares = np.stack([np.pad(c, (0, longest - len(c)), "edge") for _, c in chosen])
    return pixels[..., 0], pixels[..., 1], shares


def margin(radius: float) -> int:
    """Pixels that a disc reaches beyond its centre's own."""
    return int(np.ceil(radius)) + 1


def rasterise(
    places: NDArray[np.floating],
    colours: NDArray[np.integer],
    palette: NDArray[np.uint8],
    shape: tuple[int, int],
    radius: float,
) -> NDArray[np.uint32]:
    """Draws antialiased discs, later ones over earlier ones.

    Parameters
    ----------
    places
        (n, 2), x and y of the centres in pixels from the top left; those outside, or not finite,
        are not seen.
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
    height, width = shape
    canvas = np.zeros((height + 2 * border, width + 2 * border), np.uint32)
    with np.errstate(invalid="ignore"):
        seen = ((places >= 0) & (places < (width, height))).all(axis=1)
    if not seen.all():
        places, colours = places[seen], colours[seen]
    if not len(places):
        return canvas
    quarters = (places * _PHASES).astype(np.intp)
    pixel, part = quarters // _PHASES + border, quarters % _PHASES
    centre = pixel[:, 1] * canvas.shape[1] + pixel[:, 0]
    phase = part[:, 1] * _PHASES + part[:, 0]
    # Rims first: no disc then shows a pale seam where another one's rim crosses it.
    for inner in (False, True):
        rows, columns, coverage = _stamps(radius, inner=inner)
        targets = (rows * canvas.shape[1] + columns)[phase]
        targets += centre[:, None]
        # Where a pixel is named repeatedly, numpy keeps the last value: the later disc.
        canvas.reshape(-1)[targets] = _shades(palette, coverage)[colours, phase]
    return canvas


def _shades(palette: NDArray[np.uint8], coverage: NDArray[np.float64]) -> NDArray[np.uint32]:
    """(k, 16, m) premultiplied ARGB of every colour at every coverage (16, m)."""
    alpha = palette[:, 3, None, None] / 255 * coverage
    parts = np.rint(palette[:, :3, None, None] * alpha[:, None]).astype(np.uint32)
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
        self._order = np.empty(0, np.intp)
        self._image: QImage | None = None
        self._canvas: NDArray[np.uint32] | None = None
        self._drawn_for: object = None

    def set_points(
        self,
        xy: NDArray[np.floating],
        colours: NDArray[np.integer],
        palette: NDArray[np.uint8],
        visible: NDArray[np.bool_],
    ) -> None:
        """Takes all points in; see `PlanePlot.set_points`."""
        if len(xy) != len(self._order):
            # One fixed shuffle: no class lies on top of another, and nothing flickers when live.
            self._order = np.random.default_rng(0).permutation(len(xy))
        self.xy, self._colours = xy, colours.astype(np.intp)
        self._palette = palette
        self.set_visible(visible)

    def set_visible(self, visible: NDArray[np.bool_]) -> None:
        """Shows the points whose colours are chosen, (k,) bool."""
        kept = np.zeros(len(self._order), np.bool_) if not len(visible) else visible[self._colours]
        self.shown = self._order[kept[self._order]]
        self._drawn_for = None
        self.update()

    def boundingRect(self) -> QRectF:
        """All that is in view: the picture covers it."""
        rect: QRectF = self.viewRect()
        return rect

    def viewTransformChanged(self) -> None:
        """Is called by pyqtgraph when the view or its size changes."""
        super().viewTransformChanged()  # forgets the old view, which it keeps
        self.prepareGeometryChange()
        self.update()

    def paint(self, painter: QPainter, _option: Any, _widget: Any = None) -> None:
        """Draws the picture, which is made first where it is out of date."""
        transform, ratio = painter.worldTransform(), painter.device().devicePixelRatioF()
        area = transform.mapRect(self.boundingRect())
        drawn_for = (transform, ratio, area)
        if drawn_for != self._drawn_for:
            self._draw(transform, ratio, area)
            self._drawn_for = drawn_for
        if self._image is not None:
            border = margin(RADIUS * ratio) / ratio
            painter.save()
            painter.resetTransform()
            painter.drawImage(area.topLeft() - QPointF(border, border), self._image)
            painter.restore()

    def _draw(self, transform: QTransform, ratio: float, area: QRectF) -> None:
        matrix = np.array([[transform.m11(), transform.m12()], [transform.m21(), transform.m22()]])
        shift = (transform.dx() - area.left(), transform.dy() - area.top())
        places = (self.xy[self.shown] @ matrix + shift) * ratio
        shape = (round(area.height() * ratio), round(area.width() * ratio))
        canvas = rasterise(places, self._colours[self.shown], self._palette, shape, RADIUS * ratio)
        height, width = canvas.shape
        # The image does not own the pixels: the array must live as long as it does.
        self._canvas = canvas
        self._image = QImage(
            canvas.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied
        )
        self._image.setDevicePixelRatio(ratio)
