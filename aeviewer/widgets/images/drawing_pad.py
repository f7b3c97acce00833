"""A square to draw on, with mouse or keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QBuffer, QEvent, QIODevice, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QGuiApplication,
    QImage,
    QKeySequence,
    QPainter,
    QPalette,
    QPen,
    QUndoCommand,
    QUndoStack,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

if TYPE_CHECKING:
    from PySide6.QtCore import QMimeData
    from PySide6.QtGui import (
        QDragEnterEvent,
        QDropEvent,
        QFocusEvent,
        QKeyEvent,
        QMouseEvent,
        QPaintEvent,
    )

CANVAS = 280
"""The pixels along a side of the canvas."""

_BRUSH, _ERASER = 22, 40
_MILLISECONDS = 33
_STEP, _STRIDE = 6, 28
_MOST_UNDONE = 100
_MOST_BYTES = 50_000_000
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_OURS = (
    QKeySequence.StandardKey.Undo,
    QKeySequence.StandardKey.Redo,
    QKeySequence.StandardKey.Paste,
)


class _Act(QUndoCommand):
    """A command on the undo stack: the canvas before and after."""

    def __init__(self, pad: DigitPad, text: str, before: QImage, after: QImage) -> None:
        super().__init__(text)
        self._pad, self._before, self._after = pad, before, after

    def undo(self) -> None:
        """Restores the canvas before."""
        self._pad.restore(self._before)

    def redo(self) -> None:
        """Restores the canvas after."""
        self._pad.restore(self._after)


class DigitPad(QWidget):
    """A canvas for white ink on black, as the digits of MNIST are.

    The left button draws, the right one (or the left one, when `erases`) rubs out. With the keys:
    arrows move a cursor (Shift: farther), Space puts the pen down or lifts it, Delete clears.
    """

    drawn = Signal(object)
    """(280, 280) float32 ink of 0..1: while a stroke is drawn thirty times a second, and at its
    end."""
    image_given = Signal(object)
    """The bytes of an image file that was pasted or dropped."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.erases = False
        self._hint, self._is_centred = "Draw a digit", True
        self.stack = QUndoStack(self)
        self.stack.setUndoLimit(_MOST_UNDONE)
        self._canvas = _blank()
        self._before: QImage | None = None
        self._last = QPointF(CANVAS / 2, CANVAS / 2)
        self._cursor: QPointF | None = None
        self._rubs = False
        self._later = QTimer(self, singleShot=True, interval=_MILLISECONDS)
        self._later.timeout.connect(self._tell)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAccessibleName("Drawing pad")
        self.setAccessibleDescription(
            "Draw a digit with the mouse, or with the keys: arrows move the pen, Space puts it "
            "down or lifts it, Delete clears. An image can be pasted or dropped."
        )
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    # -- the ink ---------------------------------------------------------------------------------

    @property
    def ink(self) -> NDArray[np.float32]:
        """(280, 280), the drawing: 0 is paper, 1 is ink."""
        rows = np.frombuffer(self._canvas.constBits(), np.uint8)
        table = rows.reshape(CANVAS, self._canvas.bytesPerLine())[:, :CANVAS]
        return (table / 255).astype(np.float32)

    def set_hint(self, hint: str, *, centred: bool) -> None:
        """What an empty pad says, and whether it shows the box that digits are scaled into."""
        self._hint, self._is_centred = hint, centred
        self.update()

    @property
    def is_blank(self) -> bool:
        """Whether the canvas is empty."""
        return not self.ink.any()

    def clear(self) -> None:
        """Erases everything; this can be undone."""
        if not self.is_blank:
            self.stack.push(_Act(self, "Clear", self._canvas.copy(), _blank()))

    def set_image(self, pixels: NDArray[np.uint8]) -> None:
        """Starts with a (28, 28) image, 255 being ink; this can be undone."""
        gray = np.ascontiguousarray(pixels)
        form = QImage.Format.Format_Grayscale8
        image = QImage(gray.data, gray.shape[1], gray.shape[0], gray.shape[1], form)
        large = image.scaled(
            CANVAS,
            CANVAS,
            Qt.AspectRatioMode.IgnoreAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        ).convertToFormat(form)
        self.stack.push(_Act(self, "Take image", self._canvas.copy(), large))

    def restore(self, canvas: QImage) -> None:
        """Shows another canvas and emits its signal."""
        self._canvas = canvas.copy()
        self.update()
        self._tell()

    def _tell(self) -> None:
        self._later.stop()
        self.drawn.emit(self.ink)

    # -- strokes ---------------------------------------------------------------------------------

    def _begin(self, place: QPointF, *, rubs: bool) -> None:
        self._before, self._rubs, self._last = self._canvas.copy(), rubs, place
        self._stroke_to(place)

    def _stroke_to(self, place: QPointF) -> None:
        painter = QPainter(self._canvas)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = QColor("black" if self._rubs else "white")
        pen = QPen(colour, _ERASER if self._rubs else _BRUSH)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        # A line of length zero is not drawn, so a dot is a very short line.
        painter.drawLine(self._last, place + QPointF(0.01, 0))
        painter.end()
        self._last = place
        self.update()
        if not self._later.isActive():
            self._later.start()

    def _end(self) -> None:
        if self._before is not None:
            before, self._before = self._before, None
            text = "Erase" if self._rubs else "Stroke"
            self.stack.push(_Act(self, text, before, self._canvas.copy()))

    # -- mouse -----------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begins a stroke."""
        buttons = {Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton}
        if event.button() in buttons and self._before is None:
            self._cursor = None
            rubs = self.erases or event.button() is Qt.MouseButton.RightButton
            self._begin(self._place(event.position()), rubs=rubs)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Continues a stroke."""
        if self._before is not None and event.buttons():
            self._stroke_to(self._place(event.position()))

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        """Ends a stroke."""
        self._end()

    def _place(self, position: QPointF) -> QPointF:
        square = self._square()
        return (position - square.topLeft()) * (CANVAS / square.width())

    def _square(self) -> QRectF:
        side = min(self.width(), self.height()) - 2
        return QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)

    # -- keys ------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Keeps undo, redo and paste for itself while it has the keyboard focus."""
        if event.type() == QEvent.Type.ShortcutOverride:
            keys: QKeyEvent = event  # type: ignore[assignment]
            if any(keys.matches(key) for key in _OURS):
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Moves the pen, lowers it, clears, undoes, pastes."""
        key = Qt.Key(event.key())
        if event.matches(QKeySequence.StandardKey.Undo):
            self.stack.undo()
        elif event.matches(QKeySequence.StandardKey.Redo):
            self.stack.redo()
        elif event.matches(QKeySequence.StandardKey.Paste):
            self.paste()
        elif key in _ARROWS:
            shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._move_cursor(_ARROWS[key], _STRIDE if shifted else _STEP)
        elif key is Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self._toggle_pen()
        elif key in {Qt.Key.Key_Delete, Qt.Key.Key_Backspace}:
            self.clear()
        else:
            super().keyPressEvent(event)

    def _move_cursor(self, way: tuple[int, int], step: int) -> None:
        place = self._cursor or QPointF(CANVAS / 2, CANVAS / 2)
        moved = place + QPointF(*way) * step
        self._cursor = QPointF(
            min(max(moved.x(), 0), CANVAS - 1), min(max(moved.y(), 0), CANVAS - 1)
        )
        if self._before is not None:
            self._stroke_to(self._cursor)
        self.update()

    def _toggle_pen(self) -> None:
        if self._before is not None:
            self._end()
        else:
            self._cursor = self._cursor or QPointF(CANVAS / 2, CANVAS / 2)
            self._begin(self._cursor, rubs=self.erases)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Lifts the pen."""
        super().focusOutEvent(event)
        self._end()
        self._cursor = None
        self.update()

    # -- images from elsewhere -------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accepts images and files."""
        if event.mimeData().hasImage() or event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Takes a dropped image."""
        self.take(event.mimeData())
        event.acceptProposedAction()

    def paste(self) -> bool:
        """Takes an image or an image file from the clipboard; returns False without one."""
        return self.take(QGuiApplication.clipboard().mimeData())

    def take(self, data: QMimeData) -> bool:
        """Emits a pasted or dropped image or file; returns False without one."""
        files = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
        if files and files[0].is_file() and files[0].stat().st_size <= _MOST_BYTES:
            self.image_given.emit(files[0].read_bytes())
        elif data.hasImage():
            image = QImage(data.imageData())
            buffer = QBuffer()
            buffer.open(QIODevice.OpenModeFlag.WriteOnly)
            image.save(buffer, "PNG")  # type: ignore[call-overload]  # the stub wants bytes
            self.image_given.emit(bytes(buffer.data().data()))
        else:
            return False
        return True

    # -- looks -----------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        """Returns six pixels of the screen for one of the digit."""
        return QSize(168, 168)

    def minimumSizeHint(self) -> QSize:
        """Returns a size that is large enough to draw on."""
        return QSize(112, 112)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draws the canvas, the box that digits are scaled into, and the cursor."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        square = self._square()
        painter.drawImage(square, self._canvas)
        quiet = QColor(128, 128, 128)
        painter.setPen(QPen(quiet, 1, Qt.PenStyle.DotLine))
        if self._is_centred:
            rim = square.width() * 4 / 28
            painter.drawRect(square.adjusted(rim, rim, -rim, -rim))
        if self._before is None and self.is_blank:
            painter.setPen(quiet)
            painter.drawText(square, Qt.AlignmentFlag.AlignCenter, self._hint)
        if self._cursor is not None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            highlight = self.palette().color(QPalette.ColorRole.Highlight)
            painter.setPen(QPen(highlight, 2))
            scale = square.width() / CANVAS
            radius = _BRUSH / 2 * scale
            painter.drawEllipse(square.topLeft() + self._cursor * scale, radius, radius)
        role = QPalette.ColorRole.Highlight if self.hasFocus() else QPalette.ColorRole.Mid
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(self.palette().color(role))
        painter.drawRect(square.adjusted(-1, -1, 0, 0))
        painter.end()


def _blank() -> QImage:
    image = QImage(CANVAS, CANVAS, QImage.Format.Format_Grayscale8)
    image.fill(0)
    return image
