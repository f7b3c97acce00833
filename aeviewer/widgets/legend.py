"""Legends: chips that show and hide classes, and rows that tell the numbers of curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPalette, QPen
from PySide6.QtWidgets import QAbstractButton, QGridLayout, QHBoxLayout, QLabel, QWidget

from aeviewer.widgets.styled_plot import small

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent

_HEIGHT = 24
_DOT = 10
_FADED = 0.45


class Chip(QAbstractButton):
    """A dot of colour and a name; hollow and faded where what it names is hidden."""

    isolated = Signal()

    def __init__(self, name: str, colour: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour = QColor(colour)
        self.setText(name)
        self.setCheckable(True)
        self.setChecked(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def sizeHint(self) -> QSize:
        """Room for the dot and the name."""
        return QSize(_DOT + 18 + self.fontMetrics().horizontalAdvance(self.text()), _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """A chip is never squeezed."""
        return self.sizeHint()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """With Ctrl it isolates; otherwise it is a button."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.isolated.emit()
        else:
            super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Isolates."""
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
        """The dot, the name, and a line beneath where the keyboard is."""
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
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, self.text())
        if self.hasFocus():
            accent = self.palette().color(QPalette.ColorRole.Highlight)
            painter.fillRect(QRectF(4, self.height() - 2, self.width() - 8, 2), accent)
        painter.end()


class ChipLegend(QWidget):
    """A row of chips.

    A click or Space toggles one; a double click, Ctrl+click or Ctrl+Space shows it alone, and all
    of them again where it is alone already.
    """

    visibility_changed = Signal()

    def __init__(
        self, names: Sequence[str], colours: Sequence[str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.chips = tuple(Chip(n, c) for n, c in zip(names, colours, strict=True))
        for chip in self.chips:
            chip.setAccessibleName(f"Show {chip.text()}")
            chip.setToolTip(
                f"Show or hide {chip.text()}. Double-click, or Ctrl+click, to see it alone."
            )
            chip.clicked.connect(self.visibility_changed)
            chip.isolated.connect(self._isolate)
            layout.addWidget(chip)

    @property
    def visible(self) -> NDArray[np.bool_]:
        """(k,) bool, which are shown."""
        return np.array([chip.isChecked() for chip in self.chips])

    def _isolate(self) -> None:
        chosen = self.sender()
        others = any(chip.isChecked() for chip in self.chips if chip is not chosen)
        for chip in self.chips:
            chip.setChecked(chip is chosen or not others)
        self.visibility_changed.emit()


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a readout: what it is about, its colour, and its numbers as they are written."""

    name: str
    colour: str
    cells: tuple[str, ...]


class _Swatch(QWidget):
    """A short line in a curve's colour."""

    def __init__(self) -> None:
        super().__init__()
        self.colour = QColor()
        self.setFixedSize(14, 8)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The line."""
        painter = QPainter(self)
        painter.fillRect(0, 3, self.width(), 2, self.colour)
        painter.end()


class Readout(QWidget):
    """A table of numbers over a plot, through which the mouse passes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._layout = QGridLayout(self)
        self._layout.setContentsMargins(8, 4, 8, 4)
        self._layout.setHorizontalSpacing(12)
        self._layout.setVerticalSpacing(2)
        self._labels: list[list[QLabel]] = []
        self._swatches: list[_Swatch] = []

    @property
    def text(self) -> str:
        """All that it says, a line a row, cells separated by tabs."""
        return "\n".join("\t".join(label.text() for label in row) for row in self._labels)

    def set_rows(self, heads: Sequence[str], rows: Sequence[Row]) -> None:
        """Shows a line of headings, the first above the names, and a line for each row."""
        lines = [tuple(heads), *((row.name, *row.cells) for row in rows)]
        if [len(line) for line in lines] != [len(line) for line in self._labels]:
            self._build(lines)
        for line, labels in zip(lines, self._labels, strict=True):
            for text, label in zip(line, labels, strict=True):
                if label.text() != text:
                    label.setText(text)
        for row, swatch in zip(rows, self._swatches, strict=True):
            swatch.colour = QColor(row.colour)
            swatch.update()

    def _build(self, lines: Sequence[tuple[str, ...]]) -> None:
        for old in (*self._swatches, *(label for line in self._labels for label in line)):
            self._layout.removeWidget(old)
            old.deleteLater()
        self._labels = [[QLabel() for _ in line] for line in lines]
        self._swatches = [_Swatch() for _ in lines[1:]]
        for row, labels in enumerate(self._labels):
            if row:
                self._layout.addWidget(self._swatches[row - 1], row, 0)
            for column, label in enumerate(labels):
                self._place(label, row, column)

    def _place(self, label: QLabel, row: int, column: int) -> None:
        label.setFont(small(self.font()))
        label.setTextFormat(Qt.TextFormat.PlainText)
        if not row:
            label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
        self._layout.addWidget(label, row, column + 1, side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """A veil over the curves beneath."""
        veil = self.palette().color(QPalette.ColorRole.Base)
        veil.setAlphaF(0.85)
        painter = QPainter(self)
        painter.fillRect(self.rect(), veil)
        painter.end()
