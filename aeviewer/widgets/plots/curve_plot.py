"""Noisy curves over steps, growing while they are watched: raw, smoothed, and markers."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QFontInfo, QPalette

from aeviewer.widgets.fonts import small
from aeviewer.widgets.plots.curve import Curve, Reading, Values
from aeviewer.widgets.plots.smoothing import Smoother
from aeviewer.widgets.plots.styled_plot import StyledPlot

if TYPE_CHECKING:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent
    from PySide6.QtWidgets import QWidget

_HEADROOM = 1.05
_MUCH_SMALLER = 0.7
_RAW_SHARE = 0.35


class CurvePlot(StyledPlot):
    """Curves by name, a line under the mouse, and a line at one step.

    The left button pans, the right one scales, the wheel zooms; A, Home, a double click and
    `reset_view` show everything again. Until the person moves the view it follows the curves.
    """

    hovered_at = Signal(float)
    left = Signal()
    following_changed = Signal(bool)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(pg.ViewBox(enableMenu=False), name, parent)
        self._curves: dict[str, Curve] = {}
        self._left = ""
        self._is_logarithmic, self._window, self._follows = False, 1, True
        self._thickness = 1
        self._cursor = pg.InfiniteLine(angle=90)
        self._step = pg.InfiniteLine(angle=90)
        for line in (self._step, self._cursor):
            line.setZValue(-1)
            line.hide()
            self.addItem(line, ignoreBounds=True)
        self.box.disableAutoRange()
        self.box.sigRangeChangedManually.connect(self._leave_following)
        self._is_built = True
        self.restyle()

    # -- curves ----------------------------------------------------------------------------------

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the curves."""
        return tuple(self._curves)

    def set_curve(
        self,
        name: str,
        colour: str,
        x: Values,
        y: Values,
        markers: Values,
        *,
        has_best: bool = True,
    ) -> None:
        """Sets a curve, or its new length.

        Parameters
        ----------
        name
            Which one.
        colour
            Of its lines and markers.
        x, y
            (n,) ascending places and values.
        markers
            (m, 2) places, ascending, and values, drawn as points.
        has_best
            Whether lower is better: the lowest marker is ringed then.
        """
        curve = self._curves.get(name) or self._add_curve(name)
        curve.take(x, y)
        curve.markers, curve.has_best = markers.reshape(-1, 2), has_best
        if curve.colour != QColor(colour):
            curve.colour = QColor(colour)
            self._paint(curve)
        self._show(curve)
        self._follow()

    def remove_curve(self, name: str) -> None:
        """Removes a curve."""
        for item in self._curves.pop(name).items:
            self.removeItem(item)
        self._follow()

    def reading(self, name: str, x: float = math.inf) -> Reading:
        """Returns the reading of a curve at `x`, if it reaches that far.

        By default its newest values.
        """
        return self._curves[name].reading(x)

    @property
    def is_positive(self) -> bool:
        """Whether every finite value is positive, as a logarithmic axis needs."""
        values = (v for curve in self._curves.values() for v in curve.values())
        return all((v[np.isfinite(v)] > 0).all() for v in values)

    # -- how they are shown ----------------------------------------------------------------------

    def set_logarithmic(self, logarithmic: bool) -> None:
        """Sets a logarithmic or linear y axis; values without a logarithm are left out."""
        if logarithmic != self._is_logarithmic:
            self._is_logarithmic = logarithmic
            self.axis("left").set_logarithmic(logarithmic)
            self._show_all()
            self.reset_view()

    def set_smoothing(self, window: int) -> None:
        """Sets the number of values to smooth over; 1 means no smoothing."""
        if window != self._window:
            self._window = window
            for curve in self._curves.values():
                curve.smoother = Smoother(window)
                curve.smoother.extend(curve.y)
            self._show_all()

    def set_labels(self, bottom: str, left: str) -> None:
        """Sets the labels of the axes with their units; the y label stands above the axis."""
        self.axis("bottom").setLabel(bottom)
        self._left = left
        self.restyle()

    def set_step(self, x: float | None) -> None:
        """Marks a place on x with a thin line of the accent colour, or none."""
        self._step.setVisible(x is not None)
        if x is not None:
            self._step.setValue(x)

    # -- view ------------------------------------------------------------------------------------

    @property
    def follows(self) -> bool:
        """Whether the view follows the curves."""
        return self._follows

    def reset_view(self) -> None:
        """Shows all of every curve, and keeps them in view."""
        self._set_follows(True)
        extent = self._extent()
        if extent is not None:
            self._fit(*extent)

    def _follow(self) -> None:
        """Fits the view when the curves have left it, or cover much less than they could."""
        extent = self._extent() if self._follows else None
        if extent is None:
            return
        (last, low, high), view = extent, self.view()
        wide = last <= view.right() and last >= _MUCH_SMALLER * view.right()
        tall = view.top() <= low and high <= view.bottom()
        if not (wide and tall and high - low >= _MUCH_SMALLER * view.height()):
            self._fit(last, low, high)

    def _fit(self, last: float, low: float, high: float) -> None:
        room = 0.04 * (high - low) or 0.5
        self.box.setRange(xRange=(0, _HEADROOM * last), yRange=(low - room, high + room), padding=0)

    def _extent(self) -> tuple[float, float, float] | None:
        """Returns the last x, the lowest y and the highest y, as drawn."""
        ends = [(c.x[-1:], c.markers[-1:, 0]) for c in self._curves.values()]
        lasts = np.concatenate([part for pair in ends for part in pair] or [np.empty(0)])
        drawn = [self._plotted_values(v) for c in self._curves.values() for v in c.values()]
        spans = [(v.min(), v.max()) for v in (v[np.isfinite(v)] for v in drawn) if len(v)]
        if not spans:
            return None
        lows, highs = zip(*spans, strict=True)
        return max(float(lasts.max()), 1.0), float(min(lows)), float(max(highs))

    def _leave_following(self) -> None:
        self._set_follows(False)

    def _set_follows(self, follows: bool) -> None:
        if follows != self._follows:
            self._follows = follows
            self.following_changed.emit(follows)

    # -- items -----------------------------------------------------------------------------------

    def _add_curve(self, name: str) -> Curve:
        curve = self._curves[name] = Curve(self._window)
        for height, item in enumerate(curve.items):
            item.setZValue(10 * (height + 1))
            self.addItem(item, ignoreBounds=True)
        # This has an effect only once the item is in a view.
        curve.raw.setDownsampling(auto=True, method="peak")
        curve.smooth.setDownsampling(auto=True, method="subsample")
        for line in (curve.raw, curve.smooth):
            line.setClipToView(True)
        return curve

    def _show_all(self) -> None:
        for curve in self._curves.values():
            self._show(curve)

    def _show(self, curve: Curve) -> None:
        curve.raw.setData(curve.x, self._plotted_values(curve.y))
        curve.raw.setVisible(self._window > 1)
        curve.smooth.setData(curve.x, self._plotted_values(curve.smoother.values))
        lowest = np.empty((0, 2)) if curve.lowest is None else curve.lowest[None]
        for item, markers in ((curve.spots, curve.markers), (curve.best, lowest)):
            places, values = markers[:, 0], self._plotted_values(markers[:, 1])
            seen = np.isfinite(values)
            item.setData(places[seen], values[seen])

    def _plotted_values(self, values: Values) -> Values:
        """Returns values as plotted: themselves or their logarithms, NaN where there are none."""
        finite = np.isfinite(values)
        if not self._is_logarithmic:
            return values if finite.all() else np.where(finite, values, np.nan)
        usable = finite & (values > 0)
        return np.log10(values, where=usable, out=np.full(values.shape, np.nan))

    def _paint(self, curve: Curve) -> None:
        # Opaque: a faint line that crosses itself, as noise does, would not look faint.
        faint = _mix(self.role(QPalette.ColorRole.Base), curve.colour, _RAW_SHARE)
        curve.raw.setPen(pg.mkPen(faint, width=self._thickness))
        curve.smooth.setPen(pg.mkPen(curve.colour, width=1.5 * self._thickness))
        edge = pg.mkPen(self.role(QPalette.ColorRole.Base), width=1)
        curve.spots.setSize(7)
        curve.spots.setBrush(pg.mkBrush(curve.colour))
        curve.spots.setPen(edge)
        curve.best.setSize(13)
        curve.best.setBrush(None)
        curve.best.setPen(pg.mkPen(curve.colour, width=1.5))

    def picture(self, finer: int) -> QImage:
        """Draws the curves alone, without the lines that mark a step, as thick as on the screen."""
        marked = self._step.isVisible()
        self._step.hide()
        self._set_thickness(finer)
        try:
            return super().picture(finer)
        finally:
            self._set_thickness(1)
            self._step.setVisible(marked)

    def _set_thickness(self, pixels: int) -> None:
        """Pens have a fixed width in pixels, whatever the painter measures."""
        self._thickness = pixels
        for curve in self._curves.values():
            self._paint(curve)

    def restyle(self) -> None:
        """Applies all colours again."""
        super().restyle()
        quiet = self.role(QPalette.ColorRole.PlaceholderText)
        height = QFontInfo(small(self.font())).pixelSize()
        self.plotItem.setTitle(escape(self._left), color=quiet, size=f"{height}px", justify="left")
        self.plotItem.titleLabel.setMaximumHeight(height + 8)
        self.plotItem.layout.setRowFixedHeight(0, height + 8)
        self._cursor.setPen(pg.mkPen(self.role(QPalette.ColorRole.PlaceholderText), width=1))
        self._step.setPen(pg.mkPen(self.role(QPalette.ColorRole.Highlight), width=1))
        for curve in self._curves.values():
            self._paint(curve)

    # -- the person ------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Moves the line under the mouse."""
        super().mouseMoveEvent(event)
        place = self.mapToScene(event.position().toPoint())
        if not self.box.sceneBoundingRect().contains(place):
            self._leave()
            return
        x = self.box.mapSceneToView(place).x()
        self._cursor.setValue(x)
        self._cursor.show()
        self.hovered_at.emit(x)

    def leaveEvent(self, event: QEvent) -> None:
        """Removes the line under the mouse."""
        super().leaveEvent(event)
        self._leave()

    def _leave(self) -> None:
        self._cursor.hide()
        self.left.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Shows everything again."""
        super().mouseDoubleClickEvent(event)
        self.reset_view()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Shows everything again at A or Home."""
        if event.key() in {Qt.Key.Key_A, Qt.Key.Key_Home}:
            self.reset_view()
        else:
            super().keyPressEvent(event)


def _mix(under: QColor, over: QColor, share: float) -> QColor:
    """Mixes `over` onto `under` with an opacity."""
    low, high = np.array([[c.redF(), c.greenF(), c.blueF()] for c in (under, over)])
    return QColor.fromRgbF(*((1 - share) * low + share * high).tolist())
