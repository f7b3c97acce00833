"""A plane of coloured points for pointing, circling, panning and zooming."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor, QPainterPath, QPalette

from aeviewer.widgets.plots.following_plot import FollowingPlot
from aeviewer.widgets.plots.hover_card import HoverCard
from aeviewer.widgets.plots.point_index import PointIndex, next_towards
from aeviewer.widgets.plots.point_raster import PointRaster

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QKeyEvent, QMouseEvent
    from PySide6.QtWidgets import QWidget

Mode = Literal["point", "lasso", "rectangle"]
"""What the left button does."""

_NEAR = 12
_CLICK = 4
_STEP, _STRIDE = 0.01, 0.05
_PAN = 0.1
_ZOOM = 1.25
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Down: (0, -1),
    Qt.Key.Key_Up: (0, 1),
}


def _reticle() -> QPainterPath:
    """A ring with four ticks, within the unit square around 0."""
    path = QPainterPath()
    path.addEllipse(QPointF(0, 0), 0.3, 0.3)
    for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        path.moveTo(0.3 * x, 0.3 * y)
        path.lineTo(0.5 * x, 0.5 * y)
    return path


class PlanePlot(FollowingPlot):
    """Points in a plane.

    The left button points (`pressed_at`, at the press and for every move of a drag, and `clicked`
    at the end where there was no drag) or, in another mode or with Shift, circles points
    (`circled`). The middle and right ones pan, the wheel zooms around the mouse; A, Home and
    `reset_view` show everything again; arrow keys ask for small moves (`nudged`), with Shift for
    larger ones, with Alt they pan.
    """

    pressed_at = Signal(float, float)
    clicked = Signal(float, float, bool)
    """A press and release at one place, and whether Ctrl was held."""
    circled = Signal(object)
    """(n,) bool, the visible points inside the circled area; none for a press alone."""
    hovered_at = Signal(float, float)
    left = Signal()
    nudged = Signal(float, float)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        self.raster = PointRaster()
        super().__init__(name, parent)
        self.mode: Mode = "point"
        self._rings: list[pg.PlotCurveItem] = []
        self._marker = pg.ScatterPlotItem(pxMode=True)
        self._upright = pg.InfiniteLine(angle=90)
        self._ring = pg.ScatterPlotItem(pxMode=True)
        self._lasso = pg.PlotCurveItem(antialias=True)
        self.card = HoverCard(self.viewport())
        self._is_pointing = False
        self._began: QPointF | None = None
        self._circle: list[tuple[float, float]] | None = None
        self._place: tuple[float, float] | None = None
        self._index: PointIndex | None = None
        items = self.raster, self._upright, self._ring, self._marker, self._lasso
        for height, item in enumerate(items):
            item.setZValue(10 + height)
            self.addItem(item, ignoreBounds=True)
        self._upright.hide()
        self.view_changed.connect(self.card.hide)
        self._is_built = True
        self.restyle()

    # -- points ----------------------------------------------------------------------------------

    def set_points(
        self,
        xy: NDArray[np.floating],
        colours_index: NDArray[np.integer],
        palette_rgba: NDArray[np.uint8],
        visible: NDArray[np.bool_],
        chosen: NDArray[np.bool_] | None = None,
    ) -> None:
        """Sets all points.

        Parameters
        ----------
        xy
            (n, 2), their places.
        colours_index
            (n,), the colour of each, a row of `palette_rgba`.
        palette_rgba
            (k, 4) uint8.
        visible
            (n,) bool, which points are shown.
        chosen
            (n,) bool, which are lit and leave the others dim; where none is, all are alike.
        """
        self._index = None
        self.raster.set_points(xy, colours_index, palette_rgba, visible, chosen)
        self.follow_places()

    def places(self) -> NDArray[np.floating]:
        """(n, 2), the places of the points."""
        return self.raster.xy

    def set_visible(self, visible: NDArray[np.bool_]) -> None:
        """Shows some of the points, (n,) bool; the view stays."""
        self._index = None
        self.raster.set_visible(visible)

    def nearest(self, x: float, y: float, reach: float = _NEAR) -> int | None:
        """Returns the nearest visible point within `reach` pixels, or None."""
        shown = self.raster.shown
        if self._index is None:
            self._index = PointIndex(self.raster.xy[shown])
        found = self._index.nearest(x, y, self.box.viewPixelSize(), reach)
        return None if found is None else int(shown[found])

    def next_towards(self, right: float, up: float) -> int | None:
        """Returns the visible point that a small move of the marker leads to, or None."""
        shown = self.raster.shown
        if self._place is None:
            return None
        found = next_towards(self.raster.xy[shown], self._place, (right, up))
        return None if found is None else int(shown[found])

    def set_hovered(self, point: int | None, image: NDArray[np.uint8], text: str) -> None:
        """Puts a ring around a point, and a card with (h, w) uint8 pixels and text beside it."""
        self.ring(point)
        if point is None:
            self.card.hide()
            return
        x, y = self.raster.xy[point]
        place = self.mapFromScene(self.box.mapViewToScene(QPointF(x, y)))
        self.card.show_at(place, image, text)

    def ring(self, point: int | None) -> None:
        """Puts a ring around a point, or removes it."""
        if point is None or not len(self.raster.xy):
            # pyqtgraph's `clear` leaves the symbol on the screen until something else is drawn.
            self._ring.setData([])
            return
        x, y = self.raster.xy[point]
        self._ring.setData(self.with_outline("o", 11, QPalette.ColorRole.Text, x, y, 1.5))

    # -- marker and rings ------------------------------------------------------------------------

    def set_marker(self, xy: tuple[float, float] | None) -> None:
        """Marks a place, or none; with y NaN a vertical line marks x alone."""
        self._place = xy
        upright = xy is not None and math.isnan(xy[1])
        self._upright.setVisible(upright)
        self._marker.setVisible(xy is not None and not upright)
        if xy is not None and upright:
            self._upright.setValue(xy[0])
        elif xy is not None:
            # Its picture is drawn once, when colours change, because it follows the mouse.
            self._marker.setPos(*xy)

    @property
    def marker(self) -> tuple[float, float] | None:
        """The place that is marked."""
        return self._place

    def set_rings(self, centre: tuple[float, float], radii: Sequence[float]) -> None:
        """Draws hairline circles around a place; no radii remove them."""
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

    # -- colours ---------------------------------------------------------------------------------

    def restyle(self) -> None:
        """Applies all colours again."""
        super().restyle()
        base, quiet = (
            np.array(self.role(role).getRgb()[:3])
            for role in (QPalette.ColorRole.Base, QPalette.ColorRole.PlaceholderText)
        )
        self.raster.set_surface(base, quiet)
        self._upright.setPen(self.role(QPalette.ColorRole.Highlight))
        accent = QColor(self.role(QPalette.ColorRole.Highlight))
        self._lasso.setPen(pg.mkPen(accent, width=1.5))
        accent.setAlphaF(0.12)
        self._lasso.setBrush(pg.mkBrush(accent))
        for ring in self._rings:
            self._ink(ring)
        reticle = self.with_outline(_reticle(), 30, QPalette.ColorRole.Highlight, 0, 0, 2)
        self._marker.setData(reticle)
        self.set_marker(self._place)
        self._ring.setData([])

    def _ink(self, ring: pg.PlotCurveItem) -> None:
        ring.setPen(pg.mkPen(self.role(QPalette.ColorRole.Text), width=1))
        ring.setShadowPen(pg.mkPen(self.role(QPalette.ColorRole.Base), width=3))

    def with_outline(
        self,
        symbol: str | QPainterPath,
        size: float,
        role: QPalette.ColorRole,
        x: float,
        y: float,
        width: float,
    ) -> list[dict[str, object]]:
        """Returns a symbol on a wider one of the background colour, visible on any points."""
        around = pg.mkPen(self.role(QPalette.ColorRole.Base), width=width + 3)
        line = pg.mkPen(self.role(role), width=width)
        spot = {"pos": (x, y), "size": size, "symbol": symbol, "brush": None}
        return [{**spot, "pen": around}, {**spot, "pen": line}]

    # -- the person ------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Points or begins to circle, with the left button inside the plane."""
        if event.button() is not Qt.MouseButton.LeftButton or not self._is_inside(event):
            super().mousePressEvent(event)
            return
        self.set_hovered(None, np.empty((0, 0), np.uint8), "")
        self._began, self._is_pointing = event.position(), True
        shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if self.mode != "point" or shifted:
            self._circle = [self.place_of(event)]
        elif not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.pressed_at.emit(*self.place_of(event))
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drags the point, circles, or hovers."""
        if self._is_pointing:
            if self._circle is not None:
                self._extend_circle(self.place_of(event))
            elif not self._is_click(event):
                self.pressed_at.emit(*self.place_of(event))
            event.accept()
            return
        super().mouseMoveEvent(event)
        if not event.buttons() and self._is_inside(event):
            self.hovered_at.emit(*self.place_of(event))
        else:
            self.left.emit()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Ends pointing or circling."""
        if not self._is_pointing or event.button() is not Qt.MouseButton.LeftButton:
            super().mouseReleaseEvent(event)
            return
        self._is_pointing = False
        if self._circle is not None:
            self._end_circle()
        elif self._is_click(event):
            held = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            self.clicked.emit(*self.place_of(event), held)
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        """Ends hovering."""
        super().leaveEvent(event)
        self.left.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows nudge or pan, A and Home reset, + and - zoom.

        Keys with Ctrl are left to others.
        """
        key = Qt.Key(event.key())
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().keyPressEvent(event)
        elif key in _ARROWS and event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self.leave_following()
            step = _PAN * self.short_side()
            self.box.translateBy(*(step * part for part in _ARROWS[key]))
        elif key in _ARROWS:
            shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            step = (_STRIDE if shifted else _STEP) * self.short_side()
            self.nudged.emit(*(step * part for part in _ARROWS[key]))
        elif key in {Qt.Key.Key_A, Qt.Key.Key_Home}:
            self.reset_view()
        elif key in {Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus}:
            self.box.scaleBy((_ZOOM if key is Qt.Key.Key_Minus else 1 / _ZOOM,) * 2)
            self.leave_following()
        else:
            super().keyPressEvent(event)

    def _is_click(self, event: QMouseEvent) -> bool:
        """Returns whether the mouse is still where it was pressed."""
        return (
            self._began is not None and (event.position() - self._began).manhattanLength() < _CLICK
        )

    # -- circling --------------------------------------------------------------------------------

    def _extend_circle(self, place: tuple[float, float]) -> None:
        if self._circle is None:
            return
        if self.mode == "rectangle":
            (x0, y0), (x1, y1) = self._circle[0], place
            self._circle = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
        else:
            self._circle.append(place)
        self._lasso.setData(*np.array([*self._circle, self._circle[0]]).T)

    def _end_circle(self) -> None:
        circle, self._circle = np.array(self._circle), None
        self._lasso.clear()
        self.circled.emit(self.inside(circle))

    def inside(self, polygon: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Returns (n,) bool, the visible points inside a closed (m, 2) polygon."""
        inside = np.zeros(len(self.raster.xy), np.bool_)
        if len(polygon) > 2:
            shown = self.raster.shown
            inside[shown] = within(self.raster.xy[shown], polygon)
        return inside


def within(points: NDArray[np.floating], polygon: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(n,) bool, which of (n, 2) points lie inside a closed (m, 2) polygon (even-odd rule)."""
    inside = np.zeros(len(points), np.bool_)
    x, y = points.T
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if y0 != y1:
            crosses = (y0 > y) != (y1 > y)
            inside ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return inside
