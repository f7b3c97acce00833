"""A table of the values of curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import (
    QApplication,
    QHeaderView,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from aeviewer.widgets.fonts import small
from aeviewer.widgets.labels import plain_tip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QResizeEvent

_SWATCH, _SWATCH_HEIGHT, _GAP, _INSET = 14, 10, 12, 3
_LONGEST_NAME, _NARROWEST = 140, 120


@dataclass(frozen=True, slots=True)
class ValueRow:
    """A row of the table.

    Attributes
    ----------
    name, colour
        What it is about.
    cells
        Its numbers as they are written.
    tips
        What more there is to say of the name and of each number.
    is_current
        Whether it stands out, and is scrolled to when it comes to.
    """

    name: str
    colour: str
    cells: tuple[str, ...]
    tips: tuple[str, ...] = ()
    is_current: bool = False


class _Heads(QHeaderView):
    """Quiet headings above the columns, the first one left-aligned and the others right-aligned."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setMinimumSectionSize(8)

    def paintSection(self, painter: QPainter, rect: QRect, column: int) -> None:
        """Draws the texts alone, without a box or lines."""
        text = self.model().headerData(column, Qt.Orientation.Horizontal)
        painter.save()
        painter.fillRect(rect, self.palette().color(QPalette.ColorRole.Base))
        painter.setFont(self.font())
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
        room = rect.adjusted(0 if column else _SWATCH + 3 * _INSET, 0, -_INSET, 0)
        painter.drawText(room, side | Qt.AlignmentFlag.AlignVCenter, text)
        painter.restore()


class Readout(QTableWidget):
    """A table of numbers, one row for each curve, that scrolls where there are many.

    Columns of numbers are as wide as the widest number that they may have: they stand still while
    the numbers change. The names take what is left.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._widest: tuple[str, ...] = ()
        self._lines: list[tuple[str, ...]] = []
        self._items: list[list[QTableWidgetItem]] = []
        self._current: int | None = None
        self.setHorizontalHeader(_Heads())
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().hide()
        self.verticalHeader().setMinimumSectionSize(8)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(self.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setEditTriggers(self.EditTrigger.NoEditTriggers)
        self.setSelectionMode(self.SelectionMode.NoSelection)
        self.setTabKeyNavigation(False)
        self.setIconSize(QSize(_SWATCH, _SWATCH_HEIGHT))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self._restyle()

    @property
    def text(self) -> str:
        """Returns all texts, one line for each row, with cells separated by tabs."""
        return "\n".join("\t".join(line) for line in self._lines)

    @property
    def line_height(self) -> int:
        """The height of a row, and of the headings, in pixels."""
        return self.fontMetrics().height() + 3

    def width_for(self, names: Sequence[str], widest: Sequence[str]) -> int:
        """Pixels that names and numbers take, if the numbers are no wider than those."""
        metrics = self.fontMetrics()
        longest = max((metrics.horizontalAdvance(name) for name in names), default=0)
        name = min(longest, _LONGEST_NAME) + _SWATCH + 2 * _GAP
        return name + sum(self._column(text) for text in widest)

    def set_rows(
        self, heads: Sequence[str], rows: Sequence[ValueRow], widest: Sequence[str]
    ) -> None:
        """Shows a line for each row.

        Parameters
        ----------
        heads
            Above the names, and above each column of numbers.
        rows
            Each with as many numbers as there are heads for them.
        widest
            The widest text that each column of numbers may have to show.
        """
        if len(rows) != self.rowCount() or tuple(widest) != self._widest:
            self._widest, self._lines = tuple(widest), []
            self._reshape(len(rows), len(heads))
        if not self._lines or self._lines[0] != tuple(heads):
            self.setHorizontalHeaderLabels(list(heads))
        self._lines = [tuple(heads), *((row.name, *row.cells) for row in rows)]
        for at, row in enumerate(rows):
            self._fill(at, row)
        current = next((at for at, row in enumerate(rows) if row.is_current), None)
        if current != self._current:
            self._current = current
            self._show_current()

    def _reshape(self, rows: int, columns: int) -> None:
        self.setRowCount(rows)
        self.setColumnCount(columns)
        self._items = [[_cell(column) for column in range(columns)] for _ in range(rows)]
        for row, items in enumerate(self._items):
            for column, item in enumerate(items):
                self.setItem(row, column, item)
        self._current = None
        self._space()
        self.updateGeometry()

    def _fill(self, at: int, row: ValueRow) -> None:
        tips = row.tips or (row.name, *row.cells)
        # This is called with every move of the mouse, so that unchanged cells are left alone.
        texts = (row.name, *row.cells)
        for item, text, tip in zip(self._items[at], texts, tips, strict=True):
            if item.text() != text:
                item.setText(text)
            if item.toolTip() != tip and item.toolTip() != plain_tip(tip):
                item.setToolTip(plain_tip(tip))
            if item.font().bold() != row.is_current:
                font = QFont(self.font())
                font.setBold(row.is_current)
                item.setFont(font)
        name = self._items[at][0]
        if name.data(Qt.ItemDataRole.UserRole) != row.colour:
            name.setData(Qt.ItemDataRole.UserRole, row.colour)
            name.setIcon(_swatch(row.colour, self.devicePixelRatioF()))

    def _show_current(self) -> None:
        if self._current is not None:
            self.scrollToItem(self._items[self._current][0])

    # -- room ------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        """Returns the size of all rows, with names in full unless they are very long."""
        names = [line[0] for line in self._lines]
        return QSize(self.width_for(names, self._widest), self.height_of(self.rowCount()))

    def minimumSizeHint(self) -> QSize:
        """Returns the size of the headings and one row."""
        return QSize(_NARROWEST, self.height_of(1))

    def height_of(self, rows: int) -> int:
        """Returns the height of the headings and some rows in pixels."""
        return (rows + 1) * self.line_height

    def _column(self, widest: str) -> int:
        return self.fontMetrics().horizontalAdvance(widest) + _GAP

    def _space(self) -> None:
        for column, widest in enumerate(self._widest, start=1):
            self.setColumnWidth(column, self._column(widest))
        left = self.viewport().width() - sum(map(self._column, self._widest))
        self.setColumnWidth(0, max(left, _SWATCH + _GAP))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Gives the names the remaining width; the current row stays visible."""
        super().resizeEvent(event)
        self._space()
        self._show_current()

    def changeEvent(self, event: QEvent) -> None:
        """Follows the font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ApplicationFontChange:
            self._restyle()

    def _restyle(self) -> None:
        self.setFont(small(QApplication.font(self)))
        self.horizontalHeader().setFont(self.font())
        self.horizontalHeader().setFixedHeight(self.line_height)
        self.verticalHeader().setDefaultSectionSize(self.line_height)


def _cell(column: int) -> QTableWidgetItem:
    """Returns an empty cell: names at the left, numbers at the right."""
    cell = QTableWidgetItem()
    side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
    cell.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
    return cell


def _swatch(colour: str, ratio: float) -> QIcon:
    """Returns a short line in the colour of a curve."""
    pixels = QPixmap(round(_SWATCH * ratio), round(_SWATCH_HEIGHT * ratio))
    pixels.setDevicePixelRatio(ratio)
    pixels.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixels)
    painter.fillRect(QRectF(0, (_SWATCH_HEIGHT - 2) / 2, _SWATCH, 2), QColor(colour))
    painter.end()
    return QIcon(pixels)
