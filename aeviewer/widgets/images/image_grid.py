"""Many small images in columns, drawn as one picture."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import QFontMetrics, QImage, QPainter, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from aeviewer.widgets.fonts import small
from aeviewer.widgets.images.grid_layout import BAND_GAP, GAP, Arrangement, arrange, compose
from aeviewer.widgets.images.image_view import (
    colour_image,
    diverging_colours,
    draw_exactly,
    pack_rgb,
    reduce_images,
)
from aeviewer.widgets.labels import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPaintEvent, QResizeEvent

_MARGIN = 8
_PICTURE_SCALE = 3


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One row of the grid: the same place in every column.

    Attributes
    ----------
    label
        Stands before it.
    pixels
        (n, h, w): uint8 is drawn gray; int16 in −255..255 in diverging colours. (n, h, w, 3) uint8
        is drawn in its colours.
    """

    label: str
    pixels: NDArray[Any]


class ImageGrid(QWidget):
    """Columns of images, wrapped into as many bands as fit; no column is cut.

    The arrow keys go from column to column, as the mouse does.
    """

    hovered = Signal(int)
    """The column under the mouse or chosen by key; −1 when it is left."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[ImageRow, ...] = ()
        self._drawn: QImage | None = None
        self._current = -1
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    # -- what is shown ---------------------------------------------------------------------------

    def set_rows(self, rows: Sequence[ImageRow]) -> None:
        """Shows rows of equally many images of one size; no rows empty the grid."""
        self._rows = tuple(replace(row, pixels=reduce_images(row.pixels)) for row in rows)
        self._redraw()
        if self._current >= self.shown:
            self._go_to(-1)

    @property
    def current(self) -> int:
        """The column under the mouse or chosen by key; −1 without one."""
        return self._current

    @property
    def count(self) -> int:
        """The number of columns."""
        return len(self._rows[0].pixels) if self._rows else 0

    @property
    def shown(self) -> int:
        """The number of columns that fit."""
        arrangement = self.arrangement
        return min(self.count, arrangement.columns * arrangement.bands)

    @property
    def notice(self) -> str:
        """The text where not all columns fit."""
        if self.shown == self.count:
            return ""
        return f"{self.shown} of {self.count} shown, enlarge to see all"

    @property
    def arrangement(self) -> Arrangement:
        """The arrangement; where not all columns fit, a line is kept for the text."""
        found = self._arranged_in(self.height())
        if self.count > found.columns * found.bands:
            found = self._arranged_in(self.height() - self._line)
        return found

    def picture(self) -> QImage:
        """Returns a picture of all columns in two bands, however many fit here."""
        side = self._side
        columns = math.ceil(self.count / 2)
        tile = _PICTURE_SCALE * side
        arrangement = Arrangement(
            _PICTURE_SCALE, columns, 2, tile, GAP, 2 * GAP, 2 * BAND_GAP, len(self._rows)
        )
        images = colour_image(compose(self._to_colours(), arrangement))
        size = QSize(2 * _MARGIN, 2 * _MARGIN) + images.size()
        picture = QImage(size, QImage.Format.Format_RGB32)
        picture.fill(self.palette().color(QPalette.ColorRole.Base))
        painter = QPainter(picture)
        painter.drawImage(_MARGIN, _MARGIN, images)
        painter.end()
        return picture

    # -- geometry --------------------------------------------------------------------------------

    @property
    def _line(self) -> int:
        return QFontMetrics(small(self.font())).height()

    @property
    def _side(self) -> int:
        return int(self._rows[0].pixels.shape[2]) if self._rows else 28

    @property
    def _label_width(self) -> int:
        metrics = QFontMetrics(small(self.font()))
        widths = [metrics.horizontalAdvance(row.label) for row in self._rows]
        return max(widths, default=0) + _MARGIN

    def _arranged_in(self, height: int) -> Arrangement:
        ratio = self.devicePixelRatioF()
        width = max(0, self.width() - self._label_width)
        rows = max(1, len(self._rows))
        return arrange(self.count, rows, self._side, width * ratio, height * ratio, ratio)

    def _origin(self, arrangement: Arrangement) -> QPointF:
        """Returns the upper left corner of the first image, on a device pixel."""
        ratio, notice = self.devicePixelRatioF(), self._line if self.notice else 0
        across = (self.width() - self._label_width) * ratio - arrangement.width
        down = (self.height() - notice) * ratio - arrangement.height
        left = math.ceil(self._label_width * ratio) + max(0, int(across) // 2)
        return QPointF(left, max(0, int(down) // 2)) / ratio

    def place(self, index: int) -> QRect:
        """Returns the rectangle of a column."""
        arrangement, ratio = self.arrangement, self.devicePixelRatioF()
        x, y = arrangement.corner(index)
        corner = self._origin(arrangement) + QPointF(x, y) / ratio
        return QRectF(
            corner, QSizeF(arrangement.tile, arrangement.column_height) / ratio
        ).toAlignedRect()

    def _column_at(self, position: QPointF) -> int:
        arrangement = self.arrangement
        if not self.shown:
            return -1
        at = (position - self._origin(arrangement)) * self.devicePixelRatioF()
        column = int(at.x() // arrangement.column_pitch)
        index = int(at.y() // arrangement.band_pitch) * arrangement.columns + column
        inside = 0 <= column < arrangement.columns and 0 <= index < self.shown
        return index if inside and self.place(index).contains(position.toPoint()) else -1

    # -- drawing ---------------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draws labels, images, the frame of the current column, and the text about the rest."""
        if not self._rows:
            return
        painter = QPainter(self)
        painter.setFont(small(self.font()))
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        if self.notice:
            self._draw_notice(painter)
        if self.shown:
            self._draw_labels(painter)
            self._draw_images(painter)
        painter.end()

    def _draw_notice(self, painter: QPainter) -> None:
        where = QRectF(0, self.height() - self._line, self.width(), self._line)
        painter.drawText(where, Qt.AlignmentFlag.AlignLeft, one_line(self.notice))

    def _draw_labels(self, painter: QPainter) -> None:
        arrangement, ratio = self.arrangement, self.devicePixelRatioF()
        origin = self._origin(arrangement)
        align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for band in range(arrangement.bands):
            for number, row in enumerate(self._rows):
                top = band * arrangement.band_pitch + number * arrangement.pitch
                room = QSizeF(origin.x() - _MARGIN, arrangement.tile / ratio)
                where = QRectF(QPointF(0, origin.y() + top / ratio), room)
                painter.drawText(where, align, one_line(row.label))

    def _draw_images(self, painter: QPainter) -> None:
        arrangement = self.arrangement
        if self._drawn is None:
            self._drawn = colour_image(compose(self._to_colours(), arrangement))
            self._drawn.setDevicePixelRatio(self.devicePixelRatioF())
        draw_exactly(painter, self._origin(arrangement), self._drawn)
        if 0 <= self._current < self.shown:
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 1))
            painter.drawRect(self.place(self._current).adjusted(-1, -1, 0, 0))

    def _to_colours(self) -> list[NDArray[np.uint32]]:
        diverging = diverging_colours(self.palette())
        return [
            pack_rgb(row.pixels) if row.pixels.dtype == np.uint8 else diverging[row.pixels + 255]
            for row in self._rows
        ]

    def _redraw(self) -> None:
        self._drawn = None
        self.update()

    # -- events ----------------------------------------------------------------------------------

    def changeEvent(self, event: QEvent) -> None:
        """Follows colours and fonts."""
        self._redraw()
        super().changeEvent(event)

    def event(self, event: QEvent) -> bool:
        """Follows the size of a pixel, which differs between screens."""
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._redraw()
        return super().event(event)

    def resizeEvent(self, _event: QResizeEvent) -> None:
        """Wraps the columns again."""
        self._redraw()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Makes the column under the mouse the current one."""
        self._go_to(self._column_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        """Leaves no column current."""
        self._go_to(-1)
        super().leaveEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Leaves no column current."""
        self._go_to(-1)
        super().focusOutEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Draws the keyboard focus."""
        if event.reason() in {Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason}:
            self._go_to(0 if self.shown else -1)
        super().focusInEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows, Home and End go from column to column."""
        across = self.arrangement.columns
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -across,
            Qt.Key.Key_Down: across,
            Qt.Key.Key_Home: -self.count,
            Qt.Key.Key_End: self.count,
        }
        step = steps.get(Qt.Key(event.key()))
        if step is None or not self.shown:
            super().keyPressEvent(event)
        else:
            self._go_to(min(max(max(self._current, 0) + step, 0), self.shown - 1))

    def _go_to(self, index: int) -> None:
        if index != self._current:
            self._current = index
            self.update()
            self.hovered.emit(index)
