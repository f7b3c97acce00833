"""A legend of chips that show and hide classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPalette, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget
from superqt import QFlowLayout

from aeviewer.widgets.labels import plain_tip, replace_controls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent

_HEIGHT = 24
_DOT = 10
_FADED = 0.45
_WIDEST_NAME = 180


class Chip(QAbstractButton):
    """A dot of colour and a name; hollow and faded where its class is hidden."""

    isolated = Signal()

    def __init__(self, name: str, colour: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour, self.name = QColor(colour), replace_controls(name)
        self.setCheckable(True)
        self.setChecked(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def sizeHint(self) -> QSize:
        """Returns the size of the dot and the name, of which a long one is elided."""
        return QSize(_DOT + 18 + self.fontMetrics().horizontalAdvance(self._elided_name), _HEIGHT)

    @property
    def _elided_name(self) -> str:
        return self.fontMetrics().elidedText(self.name, Qt.TextElideMode.ElideMiddle, _WIDEST_NAME)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click with Ctrl isolates the class; any other click is a button's."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.isolated.emit()
        else:
            super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Isolates the class."""
        event.accept()
        self.isolated.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+Space isolates; Space alone toggles."""
        controlled = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if event.key() == Qt.Key.Key_Space and controlled:
            self.isolated.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draws the dot, the name, and a line below for the keyboard focus."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shown = self.isChecked()
        painter.setPen(QPen(self._colour, 1.5))
        painter.setBrush(self._colour if shown else Qt.BrushStyle.NoBrush)
        edge = 0 if shown else 0.75
        dot = QRectF(6, (self.height() - _DOT) / 2, _DOT, _DOT)
        painter.drawEllipse(dot.adjusted(edge, edge, -edge, -edge))
        text = self.palette().color(QPalette.ColorRole.WindowText)
        text.setAlphaF(1.0 if shown else _FADED)
        painter.setPen(text)
        room = self.rect().adjusted(_DOT + 11, 0, 0, 0)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, self._elided_name)
        if self.hasFocus():
            accent = self.palette().color(QPalette.ColorRole.Highlight)
            painter.fillRect(QRectF(4, self.height() - 2, self.width() - 8, 2), accent)
        painter.end()


class ChipLegend(QWidget):
    """A row of chips, or several rows where there is no room for one.

    A click or Space toggles one; a double click, Ctrl+click or Ctrl+Space shows it alone, and all
    of them again where it is alone already.
    """

    visibility_changed = Signal()

    def __init__(
        self, names: Sequence[str], colours: Sequence[str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._names: tuple[str, ...] = ()
        self.chips: tuple[Chip, ...] = ()
        self._flow = layout = QFlowLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(0)
        layout.setVerticalSpacing(0)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.set_names(names, colours)

    def set_names(self, names: Sequence[str], colours: Sequence[str]) -> None:
        """Sets the names; the same names keep their state."""
        if self._names == tuple(names):
            return
        self._names = tuple(names)
        for chip in self.chips:
            self._flow.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        self.chips = tuple(Chip(n, c, self) for n, c in zip(names, colours, strict=True))
        for chip in self.chips:
            chip.setAccessibleName(f"Show {chip.name}")
            chip.setToolTip(
                plain_tip(
                    f"Show or hide {chip.name}. Double-click, or Ctrl+click, to see it alone."
                )
            )
            chip.clicked.connect(self.visibility_changed)
            chip.isolated.connect(self._isolate)
            self._flow.addWidget(chip)

    def sizeHint(self) -> QSize:
        """Returns the size of one row; the layout needs a pixel after the last chip."""
        return QSize(sum(chip.sizeHint().width() for chip in self.chips) + 1, _HEIGHT)

    @property
    def visible(self) -> NDArray[np.bool_]:
        """(k,) bool, the visible classes; one visible class where there are no names."""
        return np.array([chip.isChecked() for chip in self.chips] or [True])

    def _isolate(self) -> None:
        chosen = self.sender()
        others = any(chip.isChecked() for chip in self.chips if chip is not chosen)
        for chip in self.chips:
            chip.setChecked(chip is chosen or not others)
        self.visibility_changed.emit()
