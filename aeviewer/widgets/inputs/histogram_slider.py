"""A slider on the histogram of its values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QSlider, QStyle, QStyleOptionSlider

if TYPE_CHECKING:
    from PySide6.QtGui import QMouseEvent, QPaintEvent, QWheelEvent
    from PySide6.QtWidgets import QWidget

_HEIGHT, _SLIDER, _LEAST, _WIDTH = 28, 16, 84, 160
_GROOVE = 2.0
_RADIUS = 6.0
_BELOW, _BEYOND = 0.45, 0.22
"""The opacity of the histogram up to the handle, and beyond it."""


class HistogramSlider(QSlider):
    """A horizontal slider that shows the distribution of values as a silhouette on its groove.

    A double click asks to be reset; the wheel is left to the list that the slider is in. All else
    is a slider's: arrows, Page, Home and End, and the value that a screen reader reads.
    """

    reset_requested = Signal()
    """The slider was double-clicked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._shares = np.empty(0)
        self._outline: tuple[tuple[float, float, float], QPolygonF] | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def shares(self) -> NDArray[np.float64]:
        """(bins,), the height of each bin as a share of the highest one."""
        return self._shares

    def set_histogram(self, counts: NDArray[np.integer] | NDArray[np.floating] | None) -> None:
        """Draws a histogram from one end of the slider to the other.

        Parameters
        ----------
        counts
            (bins,), not below zero; bins of one width, the first at the least value. None, or
            nothing but zeros, draws none.

        Raises
        ------
        ValueError
            When a count is below zero or no number, or they are no list.
        """
        heights = np.zeros(0) if counts is None else np.asarray(counts, np.float64)
        if heights.ndim != 1 or not (heights >= 0).all() or np.isinf(heights).any():
            raise ValueError(
                f"Counts of shape {heights.shape} are no histogram: one row of finite numbers "
                "from 0 on is needed."
            )
        most = heights.max(initial=0)
        self._shares = heights / most if most > 0 else np.zeros(0)
        self._outline = None
        self.update()

    # -- geometry: the style's, so that what is drawn is where the mouse takes it -----------------

    def initStyleOption(self, option: QStyleOptionSlider) -> None:
        """Returns whether the mouse is on the slider, which is at the bottom."""
        super().initStyleOption(option)
        option.rect.setTop(option.rect.bottom() + 1 - _SLIDER)

    def _part(self, part: QStyle.SubControl) -> QRectF:
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        control = QStyle.ComplexControl.CC_Slider
        return QRectF(self.style().subControlRect(control, option, part, self))

    def _ends(self) -> tuple[float, float]:
        """The middle of the handle at the least and at the greatest value."""
        groove = self._part(QStyle.SubControl.SC_SliderGroove)
        half = self._part(QStyle.SubControl.SC_SliderHandle).width() / 2
        return groove.left() + half, groove.right() - half

    def handle(self) -> QPointF:
        """The middle of the handle."""
        span = self.maximum() - self.minimum()
        share = (self.sliderPosition() - self.minimum()) / span if span else 0.0
        left, right = self._ends()
        return QPointF(left + share * (right - left), self._base)

    @property
    def _base(self) -> float:
        """The upper edge of the groove, on which the histogram stands."""
        return self.height() - _SLIDER / 2

    def sizeHint(self) -> QSize:
        """Returns a size with room for the histogram above the groove."""
        return QSize(_WIDTH, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Returns the same height and less width."""
        return QSize(_LEAST, _HEIGHT)

    def silhouette(self) -> QPolygonF:
        """The histogram's outline, from the groove's left end to its right; none is empty."""
        if not len(self._shares):
            return QPolygonF()
        left, right = self._ends()
        place = (left, right, self._base)
        # The handle moves far more often than the histogram changes.
        if self._outline is None or self._outline[0] != place:
            self._outline = place, self._make_outline(left, right)
        return self._outline[1]

    def _make_outline(self, left: float, right: float) -> QPolygonF:
        edges = np.linspace(left, right, len(self._shares) + 1).repeat(2)[1:-1]
        tops = self._base - self._shares.repeat(2) * (self._base - 1)
        outline = [QPointF(x, y) for x, y in zip(edges.tolist(), tops.tolist(), strict=True)]
        return QPolygonF([QPointF(left, self._base), *outline, QPointF(right, self._base)])

    # -- drawing ---------------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draws histogram, groove and handle."""
        painter = QPainter(self)
        self._draw_histogram(painter)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_groove(painter)
        self._draw_handle(painter)
        painter.end()

    def _colour(self, role: QPalette.ColorRole, opacity: float = 1.0) -> QColor:
        colour = self.palette().color(role)
        colour.setAlphaF(colour.alphaF() * opacity)
        return colour

    def _draw_histogram(self, painter: QPainter) -> None:
        """Draws the part up to the handle stronger, which shows how much lies below the value."""
        outline, at = self.silhouette(), round(self.handle().x())
        painter.setPen(Qt.PenStyle.NoPen)
        for left, right, opacity in ((0, at, _BELOW), (at, self.width(), _BEYOND)):
            painter.setClipRect(left, 0, right - left, self.height())
            painter.setBrush(self._colour(QPalette.ColorRole.PlaceholderText, opacity))
            painter.drawPolygon(outline)
        painter.setClipping(False)

    def _draw_groove(self, painter: QPainter) -> None:
        left, right = self._ends()
        groove = QRectF(left, self._base, right - left, _GROOVE)
        painter.setBrush(self._colour(QPalette.ColorRole.Mid))
        painter.drawRoundedRect(groove, 1, 1)
        groove.setRight(self.handle().x())
        painter.setBrush(self._colour(QPalette.ColorRole.PlaceholderText))
        painter.drawRoundedRect(groove, 1, 1)

    def _draw_handle(self, painter: QPainter) -> None:
        """Draws the handle as a disc with a rim, and a ring for the keyboard focus."""
        centre = self.handle() + QPointF(0, _GROOVE / 2)
        surface = self._colour(QPalette.ColorRole.Base)
        painter.setPen(QPen(surface, 2))
        # A disabled handle is translucent, so that the rim must cover the groove.
        for fill in (surface, self._colour(QPalette.ColorRole.Text)):
            painter.setBrush(fill)
            painter.drawEllipse(centre, _RADIUS, _RADIUS)
        if self.hasFocus():
            painter.setPen(QPen(self._colour(QPalette.ColorRole.Highlight), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(centre, _RADIUS, _RADIUS)

    # -- mouse -----------------------------------------------------------------------------------

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Requests a reset."""
        event.accept()
        self.reset_requested.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leaves the wheel to the list."""
        event.ignore()
