"""A small card beside the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QWidget

from aeviewer.widgets.fonts import small
from aeviewer.widgets.labels import picture_label, plain_label

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

_SCALE = 3


class HoverCard(QWidget):
    """A small picture with two lines of text beside the mouse, transparent to the mouse."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._room = parent
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.picture, self.words = picture_label(), plain_label()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 8, 12, 8)
        layout.setSpacing(8)
        layout.addWidget(self.picture)
        layout.addWidget(self.words)
        self.hide()

    def show_at(self, place: QPoint, image: NDArray[np.uint8], text: str) -> None:
        """Shows (h, w) uint8 gray pixels three times as large, beside `place` in the parent."""
        scale = max(1, round(_SCALE * self.devicePixelRatioF()))
        pixels = np.ascontiguousarray(image.repeat(scale, axis=0).repeat(scale, axis=1))
        height, width = pixels.shape
        gray = QImage(pixels.data, width, height, width, QImage.Format.Format_Grayscale8)
        pixmap = QPixmap.fromImage(gray)
        pixmap.setDevicePixelRatio(self.devicePixelRatioF())
        self.picture.setPixmap(pixmap)
        self.words.setFont(small(self.font()))
        self.words.setText(text)
        self.resize(self.sizeHint())
        self.move(self._beside(place, self.sizeHint()))
        self.show()
        self.raise_()

    def _beside(self, place: QPoint, size: QSize) -> QPoint:
        room = self._room.rect()
        right, below = place.x() + 16, place.y() + 16
        x = right if right + size.width() <= room.right() else place.x() - 16 - size.width()
        y = below if below + size.height() <= room.bottom() else place.y() - 16 - size.height()
        return QPoint(max(0, x), max(0, y))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draws a raised surface with a hairline."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self.palette().color(QPalette.ColorRole.Mid))
        painter.setBrush(self.palette().color(QPalette.ColorRole.AlternateBase))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.end()
