"""A plane of points in which some can be circled, and be seen among the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QPalette

from aeviewer.widgets.plane_plot import PlanePlot
from aeviewer.widgets.point_raster import PointRaster

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent, QMouseEvent
    from PySide6.QtWidgets import QWidget

_DIM = 0.82
_LEAST = 3
_ARROWS = frozenset({Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down})


class LinkedPlot(PlanePlot):
    """Points of which some are lit; circling points with the left button asks to light those.

    A press without a drag asks to light none. Everything else is as in `PlanePlot`; the arrow
    keys are left to the window.
    """

    circled = Signal(object)
    """(n,) bool, the points inside; none for a press alone."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        self._lit = PointRaster()
        self._lasso = pg.PlotCurveItem(antialias=True)
        self._path: list[tuple[float, float]] = []
        self._labels: NDArray[np.integer] = np.empty(0, np.intp)
        self._chosen = np.zeros(0, np.bool_)
        self._colours = np.empty((0, 4), np.uint8)
        self._shown_classes = np.zeros(0, np.bool_)
        super().__init__(name, parent)
        for height, item in ((10.5, self._lit), (15, self._lasso)):
            item.setZValue(height)
            self.addItem(item, ignoreBounds=True)

    def show_points(
        self,
        xy: NDArray[np.floating],
        labels: NDArray[np.integer],
        palette: NDArray[np.uint8],
        visible: NDArray[np.bool_],
        chosen: NDArray[np.bool_],
    ) -> None:
        """Takes in all points.

        Parameters
        ----------
        xy, labels, palette, visible
            As in `set_points`.
        chosen
            (n,) bool, which are lit and leave the others dim; (0,) where none is.
        """
        self._labels, self._colours, self._shown_classes = labels, palette, visible
        self._chosen = chosen
        self.set_points(xy, labels, self._dimmed(palette) if len(chosen) else palette, visible)
        inside = chosen if len(chosen) else np.zeros(len(xy), np.bool_)
        self._lit.set_points(xy[inside], labels[inside], palette, visible)

    def _dimmed(self, palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The colours nearly as the surface is: opaque, since points lie upon each other."""
        base = np.array(self.role(QPalette.ColorRole.Base).getRgb()[:3])
        quiet = np.array(self.role(QPalette.ColorRole.PlaceholderText).getRgb()[:3])
        faint = np.rint(_DIM * base + (1 - _DIM) * quiet).astype(np.uint8)
        return np.column_stack([np.tile(faint, (len(palette), 1)), palette[:, 3]])

    def ring(self, point: int | None) -> None:
        """Puts a ring around a point, or none."""
        if point is None or not len(self.raster.xy):
            self._ring.clear()
            return
        x, y = self.raster.xy[point]
        self._ring.setData(self._outlined("o", 11, QPalette.ColorRole.Text, x, y, 1.5))

    def restyle(self) -> None:
        """Takes all colours anew."""
        super().restyle()
        accent = QColor(self.role(QPalette.ColorRole.Highlight))
        self._lasso.setPen(pg.mkPen(accent, width=1.5))
        accent.setAlphaF(0.12)
        self._lasso.setBrush(pg.mkBrush(accent))
        if len(self._chosen):
            labels, visible = self._labels, self._shown_classes
            self.show_points(self.raster.xy, labels, self._colours, visible, self._chosen)

    # -- the person ------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begins to circle points."""
        super().mousePressEvent(event)
        if self._is_pointing:
            self._path = [self._place_of(event)]

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Circles, or hovers."""
        super().mouseMoveEvent(event)
        if self._is_pointing:
            self._path.append(self._place_of(event))
            x, y = np.array([*self._path, self._path[0]]).T
            self._lasso.setData(x, y)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """What is inside is told."""
        was_pointing = self._is_pointing
        super().mouseReleaseEvent(event)
        if was_pointing and not self._is_pointing:
            self._lasso.clear()
            inside = np.zeros(len(self.raster.xy), np.bool_)
            if len(self._path) > _LEAST and len(inside):
                visible = self._shown_classes[self._labels]
                inside = visible & within(self.raster.xy, np.array(self._path))
            self._path = []
            self.circled.emit(inside)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The arrows are the window's."""
        if Qt.Key(event.key()) in _ARROWS:
            event.ignore()
        else:
            super().keyPressEvent(event)


def within(points: NDArray[np.floating], polygon: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(n,) bool, which of (n, 2) points lie inside a closed (m, 2) polygon (even-odd rule)."""
    inside = np.zeros(len(points), np.bool_)
    x, y = points.T
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if y0 != y1:
            crosses = (y0 > y) != (y1 > y)
            inside ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return inside
