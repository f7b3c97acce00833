"""Images in rows and columns, one of which can be chosen; as large as the room allows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import QFontMetrics, QImage, QPainter, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from aeviewer.widgets.fonts import small, tabular
from aeviewer.widgets.images.image_view import draw_exactly, gray_image
from aeviewer.widgets.labels import one_line, plain_tip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent, QPaintEvent

Cell = tuple[int, int]
"""Row and column, counted from 0."""

_GAP = 2
_LEAST, _LEAST_TITLED = 8, 24
"""The sides of an image in units of the screen's layout; below the second, rows are left out."""
_EMPTY = np.zeros((0, 0, 28, 28))
_ARROWS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
    Qt.Key.Key_Home: (0, -10_000),
    Qt.Key.Key_End: (0, 10_000),
}


class ImageMatrix(QWidget):
    """Rows and columns of images, with a title above each row and a head above each column.

    Where there is room for twice the images' size or more they are enlarged by whole multiples;
    where there is less they are fitted. Mouse and arrow keys point at an image, a click or Return
    chooses it.

    Parameters
    ----------
    name
        What a screen reader calls it.
    describe
        What is said of an image: what a screen reader says, and its tooltip.
    has_tips
        Whether there are tool tips; False where another widget describes the image.
    """

    chosen = Signal(int, int)
    """Row and column of the image that was clicked, or chosen by Return."""
    pointed = Signal(int, int)
    """Row and column of the image under the mouse; −1, −1 without one."""
    room_changed = Signal()
    """The size has changed, so that more or fewer rows may be shown."""

    def __init__(
        self,
        name: str,
        describe: Callable[[int, int], str],
        *,
        has_tips: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._describe, self._has_tips = describe, has_tips
        self._images: NDArray[Any] = _EMPTY
        self._titles: tuple[str, ...] = ()
        self._heads: tuple[str, ...] = ()
        self._home: Cell = (0, 0)
        self._current: Cell | None = None
        self._drawn: QImage | None = None
        self.setAccessibleName(name)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    # -- what is shown ---------------------------------------------------------------------------

    def set_images(
        self,
        images: NDArray[Any],
        titles: Sequence[str] = (),
        heads: Sequence[str] = (),
        home: Cell = (0, 0),
    ) -> None:
        """Shows images.

        Parameters
        ----------
        images
            (rows, columns, h, w) ink, or (rows, columns, h, w, 3), as `gray_image` takes it.
        titles, heads
            One for each row, and for each column; or none.
        home
            Where the arrow keys begin.
        """
        self._images, self._home = images, home
        self._titles, self._heads = tuple(titles), tuple(heads)
        if self._current is not None and not self._has(self._current):
            self._point_at(None)
        self._redraw()

    def clear(self) -> None:
        """Shows no images."""
        self.set_images(_EMPTY)

    @property
    def shape(self) -> tuple[int, int]:
        """The number of rows and columns."""
        return self._images.shape[0], self._images.shape[1]

    @property
    def images(self) -> NDArray[Any]:
        """(rows, columns, h, w), the images."""
        return self._images

    @property
    def titles(self) -> tuple[str, ...]:
        """The titles of the rows."""
        return self._titles

    @property
    def current(self) -> Cell | None:
        """The row and column of the image under the mouse."""
        return self._current

    @property
    def shown_rows(self) -> int:
        """The number of rows that fit; without titles, all."""
        if not self._titles:
            return self.shape[0]
        room = self.height() - self._head
        return max(1, min(self.shape[0], int(room // (self._line + _LEAST_TITLED))))

    # -- geometry --------------------------------------------------------------------------------

    @property
    def _line(self) -> int:
        """The height of a row's title."""
        return QFontMetrics(small(self.font())).height() + 4 if self._titles else _GAP

    @property
    def _head(self) -> int:
        return QFontMetrics(small(self.font())).height() if self._heads else 0

    @property
    def tile(self) -> int:
        """Returns the side of an image in device pixels."""
        rows, columns = self.shown_rows, self.shape[1]
        if not rows or not columns:
            return 0
        ratio, side = self.devicePixelRatioF(), self._images.shape[3]
        across = (self.width() - (columns - 1) * _GAP) / columns
        down = (self.height() - self._head) / rows - self._line
        room = max(_LEAST, min(across, down)) * ratio
        scale = int(room // side)
        return scale * side if scale >= 2 else int(room)

    def _pitch(self) -> tuple[int, int]:
        """The distance from a row to the next, and from a column to the next, in device pixels."""
        ratio = self.devicePixelRatioF()
        return self.tile + round(self._line * ratio), self.tile + round(_GAP * ratio)

    def _origin(self) -> QPointF:
        """Returns the upper left corner of the first image: centred, at the top."""
        ratio, (_, across) = self.devicePixelRatioF(), self._pitch()
        left = (self.width() * ratio - self.shape[1] * across + round(_GAP * ratio)) / 2
        top = self._head * ratio + (round(self._line * ratio) if self._titles else 0)
        return QPointF(max(0, math.floor(left)), math.floor(top)) / ratio

    def place(self, row: int, column: int) -> QRectF:
        """Returns the rectangle of an image."""
        ratio, (down, across) = self.devicePixelRatioF(), self._pitch()
        corner = self._origin() + QPointF(column * across, row * down) / ratio
        return QRectF(corner, QSizeF(self.tile, self.tile) / ratio)

    def _cell_at(self, position: QPointF) -> Cell | None:
        if not self.tile:
            return None
        at = (position - self._origin()) * self.devicePixelRatioF()
        down, across = self._pitch()
        cell = int(at.y() // down), int(at.x() // across)
        return cell if self._has(cell) and self.place(*cell).contains(position) else None

    def _has(self, cell: Cell) -> bool:
        return 0 <= cell[0] < self.shown_rows and 0 <= cell[1] < self.shape[1]

    def sizeHint(self) -> QSize:
        """Returns the same size for all images, so that the surrounding widgets stay in place."""
        return QSize(280, 280)

    def minimumSizeHint(self) -> QSize:
        """Returns a size for a few images."""
        return QSize(120, 120)

    # -- drawing ---------------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draws headings, titles, images, and a frame around the image under the mouse."""
        if not self.tile:
            return
        painter = QPainter(self)
        painter.setFont(tabular(small(self.font())))
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        self._draw_words(painter)
        if self._drawn is None:
            self._drawn = self._compose()
        draw_exactly(painter, self._origin(), self._drawn)
        if self._current is not None and self._has(self._current):
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 2))
            painter.drawRect(self.place(*self._current))
        painter.end()

    def _draw_words(self, painter: QPainter) -> None:
        line = self._line
        for column, head in enumerate(self._heads):
            place = self.place(0, column)
            where = QRectF(place.x() - _GAP, 0, place.width() + 2 * _GAP, self._head)
            painter.drawText(where, Qt.AlignmentFlag.AlignCenter, one_line(head))
        for row, title in enumerate(self._titles[: self.shown_rows]):
            top = self.place(row, 0).top() - line
            where = QRectF(self._origin().x(), top, self.width(), line)
            painter.drawText(
                where, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, one_line(title)
            )

    def _compose(self) -> QImage:
        """Returns all images as one picture, transparent between them."""
        tile, (down, across) = self.tile, self._pitch()
        rows, columns = self.shown_rows, self.shape[1]
        size = QSize((columns - 1) * across + tile, (rows - 1) * down + tile)
        picture = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
        picture.fill(Qt.GlobalColor.transparent)
        is_whole = tile % self._images.shape[3] == 0
        kind = Qt.TransformationMode.FastTransformation
        if not is_whole:
            kind = Qt.TransformationMode.SmoothTransformation
        painter = QPainter(picture)
        for row in range(rows):
            for column in range(columns):
                image = gray_image(self._images[row, column])
                fitted = image.scaled(tile, tile, mode=kind)
                painter.drawImage(column * across, row * down, fitted)
        painter.end()
        picture.setDevicePixelRatio(self.devicePixelRatioF())
        return picture

    def _redraw(self) -> None:
        self._drawn = None
        self.update()

    # -- events ----------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Shows tool tips of images, and follows the size of a pixel."""
        if event.type() == QEvent.Type.ToolTip and self._has_tips:
            self._show_tip(event)  # type: ignore[arg-type]
            return True
        if event.type() in {QEvent.Type.DevicePixelRatioChange, QEvent.Type.Resize}:
            self._redraw()
            self.room_changed.emit()
        return super().event(event)

    def _show_tip(self, event: QHelpEvent) -> None:
        cell = self._cell_at(QPointF(event.pos()))
        QToolTip.showText(event.globalPos(), plain_tip(self._describe(*cell)) if cell else "", self)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Makes the image under the mouse the current one."""
        self._point_at(self._cell_at(event.position()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Chooses the image under the mouse."""
        cell = self._cell_at(event.position())
        if cell is None or event.button() is not Qt.MouseButton.LeftButton:
            super().mousePressEvent(event)
            return
        self._point_at(cell)
        self.chosen.emit(*cell)

    def leaveEvent(self, event: QEvent) -> None:
        """Leaves no image current, unless the keyboard is used."""
        if not self.hasFocus():
            self._point_at(None)
        super().leaveEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Draws the keyboard focus."""
        if self._current is None and event.reason() is not Qt.FocusReason.MouseFocusReason:
            self._point_at(self._home if self._has(self._home) else None)
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Leaves no image current."""
        if not self.underMouse():
            self._point_at(None)
        super().focusOutEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows, Home and End go from image to image, Return and Space choose."""
        key = Qt.Key(event.key())
        current = self._current or self._home
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier or not self._has(current):
            super().keyPressEvent(event)
        elif key in _ARROWS:
            down, right = _ARROWS[key]
            if self._current is None:
                down = right = 0
            row = min(max(current[0] + down, 0), self.shown_rows - 1)
            column = min(max(current[1] + right, 0), self.shape[1] - 1)
            self._point_at((row, column))
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}:
            self.chosen.emit(*current)
        else:
            super().keyPressEvent(event)

    def _point_at(self, cell: Cell | None) -> None:
        if cell != self._current:
            self._current = cell
            self.setAccessibleDescription(self._describe(*cell) if cell else "")
            self.update()
            self.pointed.emit(*(cell or (-1, -1)))
