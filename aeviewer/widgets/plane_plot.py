"""A plane full of coloured points in which a person points, pans and zooms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QPainterPath, QPalette

from aeviewer.widgets.hover_card import HoverCard
from aeviewer.widgets.point_index import PointIndex
from aeviewer.widgets.point_raster import PointRaster
from aeviewer.widgets.styled_plot import StyledPlot, round_step, round_step_below

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QKeyEvent, QMouseEvent
    from PySide6.QtWidgets import QWidget

_MARGIN = 0.06
_MUCH_SMALLER = 0.5
_NEAR = 12
_PIXELS_PER_LINE, _PIXELS_PER_NUMBER = 80, 40
_FEWEST_LINES = 3
_STEP, _STRIDE = 0.01, 0.05
_ZOOM = 1.25
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Down: (0, -1),
    Qt.Key.Key_Up: (0, 1),
}


class _PanBox(pg.ViewBox):  # type: ignore[misc]  # pyqtgraph is untyped
    """Middle and right drags move the view; the left button is left to the plot."""

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:
        """Pans."""
        event.accept()
        moved = self.mapSceneToView(event.lastScenePos()) - self.mapSceneToView(event.scenePos())
        self.translateBy(x=moved.x(), y=moved.y())
        self.sigRangeChangedManually.emit([True, True])


def _reticle() -> QPainterPath:
    """A ring with four ticks, within the unit square around 0."""
    path = QPainterPath()
    path.addEllipse(QPointF(0, 0), 0.3, 0.3)
    for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        path.moveTo(0.3 * x, 0.3 * y)
        path.lineTo(0.5 * x, 0.5 * y)
    return path


class PlanePlot(StyledPlot):
    """Points in a plane.

    The left button points (`pressed_at`, at the press and for every move of a drag); the middle
    and right ones pan, the wheel zooms around the mouse; A, Home and `reset_view` show everything
    again; arrow keys ask for small moves (`nudged`), with Shift for larger ones.

    Until the person moves the view it follows the points: it fits them when they first come, when
    some leave it, and when they cover much less of it than they could.
    """

    pressed_at = Signal(float, float)
    hovered_at = Signal(float, float)
    left = Signal()
    nudged = Signal(float, float)
    view_changed = Signal()
    following_changed = Signal(bool)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(_PanBox(enableMenu=False), name, parent)
        self.raster = PointRaster()
        self._rings: list[pg.PlotCurveItem] = []
        self._marker = pg.ScatterPlotItem(pxMode=True)
        self._upright = pg.InfiniteLine(angle=90)
        self._ring = pg.ScatterPlotItem(pxMode=True)
        self.card = HoverCard(self.viewport())
        self._follows, self._is_pointing, self._is_square = True, False, True
        self._place: tuple[float, float] | None = None
        self._index: PointIndex | None = None
        for height, item in enumerate((self.raster, self._upright, self._ring, self._marker)):
            item.setZValue(10 + height)
            self.addItem(item, ignoreBounds=True)
        self._upright.hide()
        self.box.disableAutoRange()
        self.set_square(True)
        self.box.sigResized.connect(self._fit_again)
        self.box.sigRangeChanged.connect(self._follow_range)
        self.box.sigRangeChangedManually.connect(self._leave_following)
        self._is_built = True
        self.restyle()

    # -- points ----------------------------------------------------------------------------------

    def set_points(
        self,
        xy: NDArray[np.floating],
        colours_index: NDArray[np.integer],
        palette_rgba: NDArray[np.uint8],
        visible_mask: NDArray[np.bool_],
    ) -> None:
        """Takes in all points.

        Parameters
        ----------
        xy
            (n, 2), their places.
        colours_index
            (n,), the colour of each, a row of `palette_rgba`.
        palette_rgba
            (k, 4) uint8.
        visible_mask
            (k,) bool, whether points of that colour are shown.
        """
        self._index = None
        self.raster.set_points(xy, colours_index, palette_rgba, visible_mask)
        if self._follows and len(xy) and self._is_ill_fitting():
            self._fit()

    def set_visible(self, visible_mask: NDArray[np.bool_]) -> None:
        """Shows the points of some colours, (k,) bool; the view stays."""
        self._index = None
        self.raster.set_visible(visible_mask)

    def nearest(self, x: float, y: float) -> int | None:
        """The visible point within 12 pixels that is nearest, or None."""
        shown = self.raster.shown
        if self._index is None:
            self._index = PointIndex(self.raster.xy[shown])
        found = self._index.nearest(x, y, self.box.viewPixelSize(), _NEAR)
        return None if found is None else int(shown[found])

    def set_hovered(self, point: int | None, image: NDArray[np.uint8], text: str) -> None:
        """Puts a ring around a point, and beside it a card with (h, w) uint8 pixels and text."""
        if point is None:
            self._ring.clear()
            self.card.hide()
            return
        x, y = self.raster.xy[point]
        self._ring.setData(self._outlined("o", 11, QPalette.ColorRole.Text, x, y, 1.5))
        place = self.mapFromScene(self.box.mapViewToScene(QPointF(x, y)))
        self.card.show_at(place, image, text)

    # -- marker and rings ------------------------------------------------------------------------

    def set_marker(self, xy: tuple[float, float] | None) -> None:
        """Marks a place, or none; with y NaN a vertical line marks x alone."""
        self._place = xy
        upright = xy is not None and math.isnan(xy[1])
        self._upright.setVisible(upright)
        if xy is None or upright:
            self._marker.clear()
        else:
            self._marker.setData(
                self._outlined(_reticle(), 30, QPalette.ColorRole.Highlight, *xy, 2)
            )
        if xy is not None and upright:
            self._upright.setValue(xy[0])

    @property
    def marker(self) -> tuple[float, float] | None:
        """The place that is marked."""
        return self._place

    def set_rings(self, centre: tuple[float, float], radii: Sequence[float]) -> None:
        """Hairline circles around a place; no radii, no circles."""
        for ring in self._rings:
            self.removeItem(ring)
        angle = np.linspace(0, 2 * np.pi, 181)
        x, y = np.cos(angle), np.sin(angle)
        self._rings = [
            pg.PlotCurveItem(centre[0] + r * x, centre[1] + r * y, antialias=True) for r in radii
        ]
        for ring in self._rings:
            ring.setZValue(20)
            self._ink(ring)
            self.addItem(ring, ignoreBounds=True)

    # -- view ------------------------------------------------------------------------------------

    @property
    def follows(self) -> bool:
        """Whether the view follows the points."""
        return self._follows

    def reset_view(self) -> None:
        """Shows all points, and follows them from now on."""
        self._set_follows(True)
        self._fit()

    def set_square(self, square: bool) -> None:
        """Whether a unit is as long on y as on x."""
        self._is_square = square
        self.box.setAspectLocked(square)
        self._space_grid()

    def _fit(self) -> None:
        extent = self._extent()
        if extent is not None:
            width, height = extent.width() * _MARGIN, extent.height() * _MARGIN
            self.box.setRange(extent.adjusted(-width, -height, width, height), padding=0)

    def _extent(self) -> QRectF | None:
        finite = self.raster.xy[np.isfinite(self.raster.xy).all(axis=1)]
        if not len(finite):
            return None
        low, high = finite.min(axis=0), finite.max(axis=0)
        # All codes at one place, as before the first step, still need some room around them.
        spread = np.maximum(high - low, 1e-6 * max(1.0, float(np.abs(finite).max())))
        return QRectF(*(low + high - spread) / 2, *spread)

    def _is_ill_fitting(self) -> bool:
        extent, view = self._extent(), self.view()
        if extent is None:
            return False
        share = max(extent.width() / view.width(), extent.height() / view.height())
        return not view.contains(extent) or share < _MUCH_SMALLER

    def _fit_again(self) -> None:
        if self._follows:
            self._fit()

    def _leave_following(self) -> None:
        self._set_follows(False)

    def _set_follows(self, follows: bool) -> None:
        if follows != self._follows:
            self._follows = follows
            self.following_changed.emit(follows)

    def _follow_range(self) -> None:
        self._space_grid()
        self.card.hide()
        self.view_changed.emit()

    def _space_grid(self) -> None:
        """Squares for a grid where the axes share a unit, and three lines across either.

        In a very flat plot the numbers of x would run into each other: there it has fewer lines.
        """
        below = beside = None
        if self._is_square:
            pixel, short = self.box.viewPixelSize()[0], self._short_side()
            if not (0 < pixel * _PIXELS_PER_LINE < math.inf and 0 < short < math.inf):
                return
            beside = min(
                round_step(pixel * _PIXELS_PER_LINE), round_step_below(short / _FEWEST_LINES)
            )
            below = max(beside, round_step(pixel * _PIXELS_PER_NUMBER))
        self.axis("bottom").set_step(below)
        self.axis("left").set_step(beside)

    # -- colours ---------------------------------------------------------------------------------

    def restyle(self) -> None:
        """Takes all colours anew."""
        super().restyle()
        self._upright.setPen(self.role(QPalette.ColorRole.Highlight))
        for ring in self._rings:
            self._ink(ring)
        self.set_marker(self._place)
        self._ring.clear()

    def _ink(self, ring: pg.PlotCurveItem) -> None:
        ring.setPen(pg.mkPen(self.role(QPalette.ColorRole.Text), width=1))
        ring.setShadowPen(pg.mkPen(self.role(QPalette.ColorRole.Base), width=3))

    def _outlined(
        self,
        symbol: str | QPainterPath,
        size: float,
        role: QPalette.ColorRole,
        x: float,
        y: float,
        width: float,
    ) -> list[dict[str, object]]:
        """A symbol over a wider one of the background's colour, to be seen on any points."""
        around = pg.mkPen(self.role(QPalette.ColorRole.Base), width=width + 3)
        line = pg.mkPen(self.role(role), width=width)
        spot = {"pos": (x, y), "size": size, "symbol": symbol, "brush": None}
        return [{**spot, "pen": around}, {**spot, "pen": line}]

    # -- the person ------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Points, with the left button inside the plane."""
        if event.button() is Qt.MouseButton.LeftButton and self._is_inside(event):
            self._is_pointing = True
            self.set_hovered(None, np.empty((0, 0), np.uint8), "")
            self.pressed_at.emit(*self._place_of(event))
            event.accept()
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drags the point, or hovers."""
        if self._is_pointing:
            self.pressed_at.emit(*self._place_of(event))
            event.accept()
            return
        super().mouseMoveEvent(event)
        if not event.buttons() and self._is_inside(event):
            self.hovered_at.emit(*self._place_of(event))
        else:
            self.left.emit()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Ends pointing."""
        if self._is_pointing and event.button() is Qt.MouseButton.LeftButton:
            self._is_pointing = False
            event.accept()
        else:
            super().mouseReleaseEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """The mouse is elsewhere."""
        super().leaveEvent(event)
        self.left.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows nudge, A and Home reset, + and - zoom; with Ctrl they are somebody else's."""
        key = Qt.Key(event.key())
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().keyPressEvent(event)
        elif key in _ARROWS:
            shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            step = (_STRIDE if shifted else _STEP) * self._short_side()
            self.nudged.emit(*(step * part for part in _ARROWS[key]))
        elif key in {Qt.Key.Key_A, Qt.Key.Key_Home}:
            self.reset_view()
        elif key in {Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus}:
            self.box.scaleBy((_ZOOM if key is Qt.Key.Key_Minus else 1 / _ZOOM,) * 2)
            self._set_follows(False)
        else:
            super().keyPressEvent(event)

    def _short_side(self) -> float:
        return min(self.view().width(), self.view().height())

    def _is_inside(self, event: QMouseEvent) -> bool:
        inside: bool = self.box.sceneBoundingRect().contains(self._scene_place(event))
        return inside

    def _scene_place(self, event: QMouseEvent) -> QPointF:
        place: QPointF = self.viewportTransform().inverted()[0].map(event.position())
        return place

    def _place_of(self, event: QMouseEvent) -> tuple[float, float]:
        place = self.box.mapSceneToView(self._scene_place(event))
        return place.x(), place.y()
