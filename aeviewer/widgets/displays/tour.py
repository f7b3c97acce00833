"""A tour of a window: a few bubbles, each beside the widget that it explains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont, QKeyEvent, QPainter, QPainterPath, QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from aeviewer.widgets.labels import plain_label, quiet_label

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QCloseEvent, QPaintEvent

_SHADE = 150
_WIDTH, _GAP, _MARGIN, _RADIUS = 330, 12, 8, 6


@dataclass(frozen=True)
class Stop:
    """One stop of a tour: the widget, and its text."""

    shown: Callable[[], QWidget]
    title: str
    text: str


class Tour(QWidget):
    """Lies over a window and shades all but the explained widget; Esc, a click or Skip ends it.

    Parameters
    ----------
    stops
        In order.
    window
        Whom it guides through.
    """

    ended = Signal()
    """The tour was seen to its end, or skipped."""

    def __init__(self, stops: Sequence[Stop], window: QWidget) -> None:
        super().__init__(window)
        self._stops, self._at, self._window = stops, 0, window
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Tour")
        self.bubble = QFrame(self)
        self.bubble.setObjectName("bubble")
        self.bubble.setAutoFillBackground(True)
        self.bubble.setBackgroundRole(QPalette.ColorRole.AlternateBase)
        self.bubble.setFrameShape(QFrame.Shape.StyledPanel)
        self.title, self.text = plain_label(), plain_label(wraps=True)
        font = self.title.font()
        font.setWeight(QFont.Weight.DemiBold)
        font.setPixelSize(15)
        self.title.setFont(font)
        self.count = quiet_label(is_small=False)
        self.skip_button, self.back_button = QPushButton("Skip"), QPushButton("Back")
        self.next_button = QPushButton("Next", default=True)
        self.skip_button.setFlat(True)
        self._buttons = (self.skip_button, self.back_button, self.next_button)
        for button in self._buttons:
            button.installEventFilter(self)
        self._lay_out()
        self.skip_button.clicked.connect(self.close)
        self.back_button.clicked.connect(self.back)
        self.next_button.clicked.connect(self.forward)
        window.installEventFilter(self)
        self._show()

    def begin(self) -> None:
        """Shows the tour, with the keyboard focus."""
        self.setGeometry(self._window.rect())
        self.show()
        self.raise_()
        self._show()

    @Slot()
    def forward(self) -> None:
        """Shows the next stop, or ends the tour."""
        if self._at + 1 == len(self._stops):
            self.close()
            return
        self._at += 1
        self._show()

    @Slot()
    def back(self) -> None:
        """Shows the previous stop."""
        self._at = max(0, self._at - 1)
        self._show()

    # -- Qt --------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follows the size of the window; takes the arrow keys before a button does."""
        if watched is self._window:
            if event.type() == QEvent.Type.Resize:
                self.setGeometry(self._window.rect())
                self._place()
            return False
        return isinstance(event, QKeyEvent) and self._take(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The arrow keys go on and back, Esc ends the tour."""
        if not self._take(event):
            super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Keeps the keyboard focus among the buttons."""
        able = [button for button in self._buttons if button.isEnabled()]
        focused = self.focusWidget()
        at = able.index(focused) if focused in able else -1
        able[(at + (1 if forward else -1)) % len(able)].setFocus(Qt.FocusReason.TabFocusReason)
        return True

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ends the tour and emits its signal."""
        self._window.removeEventFilter(self)
        self.ended.emit()
        super().closeEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Shades all but the explained widget, and draws a ring around it."""
        lit = QPainterPath()
        lit.addRoundedRect(self._highlight(), _RADIUS, _RADIUS)
        shade = QPainterPath()
        shade.addRect(self.rect())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillPath(shade - lit, QColor(0, 0, 0, _SHADE))
        painter.setPen(self.palette().color(QPalette.ColorRole.Accent))
        painter.drawPath(lit)

    # -- inner -----------------------------------------------------------------------------------

    def _take(self, event: QKeyEvent) -> bool:
        if event.type() != QEvent.Type.KeyPress:
            return False
        actions = {
            Qt.Key.Key_Right: self.forward,
            Qt.Key.Key_Left: self.back,
            Qt.Key.Key_Escape: self.close,
        }
        act = actions.get(Qt.Key(event.key()))
        if act is not None:
            act()
        return act is not None

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.count)
        buttons.addStretch(1)
        for button in self._buttons:
            buttons.addWidget(button)
        layout = self._layout = QVBoxLayout(self.bubble)
        layout.setContentsMargins(16, 14, 16, 12)
        layout.setSpacing(8)
        layout.addWidget(self.title)
        layout.addWidget(self.text)
        layout.addLayout(buttons)

    def _show(self) -> None:
        stop = self._stops[self._at]
        self.title.setText(stop.title)
        self.text.setText(stop.text)
        self.count.setText(f"{self._at + 1} of {len(self._stops)}")
        self.back_button.setEnabled(self._at > 0)
        is_last = self._at + 1 == len(self._stops)
        self.next_button.setText("Done" if is_last else "Next")
        self.next_button.setFocus()
        self._place()

    def _highlight(self) -> QRect:
        shown = self._stops[self._at].shown()
        corner = shown.mapTo(self._window, QPoint(0, 0))
        return QRect(corner, shown.size()).intersected(self.rect())

    def _place(self) -> None:
        """Places the bubble beside the widget, where there is most room."""
        self.bubble.setFixedWidth(_WIDTH)
        height = self._layout.heightForWidth(_WIDTH)
        self.bubble.resize(_WIDTH, max(height, self.bubble.sizeHint().height()))
        lit, size, room = self._highlight(), self.bubble.size(), self.rect()
        if room.right() - lit.right() >= size.width() + _GAP:
            place = QPoint(lit.right() + _GAP, lit.top())
        elif lit.left() >= size.width() + _GAP:
            place = QPoint(lit.left() - size.width() - _GAP, lit.top())
        elif lit.top() >= size.height() + _GAP:
            place = QPoint(lit.left(), lit.top() - size.height() - _GAP)
        elif room.bottom() - lit.bottom() >= size.height() + _GAP:
            place = QPoint(lit.left(), lit.bottom() + _GAP)
        else:
            place = lit.topLeft() + QPoint(_GAP, _GAP)
        most = room.bottomRight() - QPoint(size.width() + _MARGIN, size.height() + _MARGIN)
        place = QPoint(min(place.x(), most.x()), min(place.y(), most.y()))
        self.bubble.move(QPoint(max(place.x(), _MARGIN), max(place.y(), _MARGIN)))
        self.update()
