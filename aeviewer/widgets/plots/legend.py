"""A legend of chips that show and hide classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QPainter, QPalette, QPen
from PySide6.QtWidgets import QAbstractButton, QPushButton, QSizePolicy, QWidget
from superqt import QFlowLayout

from aeviewer.numbers import local
from aeviewer.widgets.labels import plain_tip, replace_controls
from aeviewer.widgets.plots.class_list import ClassList, ClassModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent, QShowEvent

_HEIGHT = 24
_DOT = 10
_FADED = 0.45
_WIDEST_NAME = 180
_MOST_CHIPS, _MOST_SHARE = 64, 0.2
"""Chips of a legend, and the share of the parent's height that they may take."""


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

    Chips that need more than a fifth of the parent's height, or are too many, give way to a button
    that opens a searchable list.

    A click or Space toggles one; a double click, Ctrl+click or Ctrl+Space shows it alone, and all
    of them again where it is alone already.
    """

    visibility_changed = Signal()

    def __init__(
        self, names: Sequence[str], colours: Sequence[str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._names: tuple[str, ...] = ()
        self._colours: tuple[str, ...] = ()
        self.chips: tuple[Chip, ...] = ()
        self._listed = np.ones(0, np.bool_)
        self._panel: QWidget | None = None
        self.more = QPushButton(flat=True)
        self.more.setFixedHeight(_HEIGHT)
        self.more.clicked.connect(self._open_list)
        self._flow = layout = QFlowLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(0)
        layout.setVerticalSpacing(0)
        layout.addWidget(self.more)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.set_names(names, colours)

    def set_names(self, names: Sequence[str], colours: Sequence[str]) -> None:
        """Sets the names; the same names keep their state."""
        if self._names == tuple(names):
            return
        self._names, self._colours = tuple(names), tuple(colours)
        self._listed = np.ones(len(names), np.bool_)
        for chip in self.chips:
            self._flow.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        if len(names) > _MOST_CHIPS:
            self.chips = ()
            self._fit()
            return
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
        self._fit()

    def sizeHint(self) -> QSize:
        """Returns the size of one row; the layout needs a pixel after the last chip."""
        if self.is_list:
            return QSize(self.more.sizeHint().width() + 1, _HEIGHT)
        return QSize(sum(chip.sizeHint().width() for chip in self.chips) + 1, _HEIGHT)

    @property
    def visible(self) -> NDArray[np.bool_]:
        """(k,) bool, the visible classes; one visible class where there are no names."""
        if len(self._names) > _MOST_CHIPS:
            return self._listed.copy()
        return np.array([chip.isChecked() for chip in self.chips] or [True])

    @property
    def is_list(self) -> bool:
        """Whether the button of the list takes the place of the chips."""
        return not self.more.isHidden()

    def showEvent(self, event: QShowEvent) -> None:
        """Follows the size of the parent from now on."""
        parent = self.parentWidget()
        if parent is not None and parent is not self._panel:
            self._panel = parent
            parent.installEventFilter(self)
        self._fit()
        super().showEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Chooses between chips and list when the parent has another size."""
        if watched is self._panel and event.type() == QEvent.Type.Resize:
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        """Shows the chips, or the button of the list where they have no room."""
        is_list = len(self._names) > _MOST_CHIPS
        if self._panel is not None and not is_list:
            rows = self._count_rows(self._panel.width())
            is_list = rows > 1 and rows * _HEIGHT > self._panel.height() * _MOST_SHARE
        self.more.setVisible(is_list)
        for chip in self.chips:
            chip.setVisible(not is_list)
        repeats = len(set(self._colours)) < len(self._colours)
        self.more.setText(f"{local(len(self._names)):,} classes…")
        repeating = f" After {len(set(self._colours))} classes the colours repeat."
        tip = "Search the classes, show and hide them."
        self.more.setToolTip(plain_tip(tip + repeating if repeats else tip))
        self.updateGeometry()

    def _count_rows(self, width: int) -> int:
        rows, used = 1, 0
        for chip in self.chips:
            needed = chip.sizeHint().width()
            if used and used + needed > width:
                rows, used = rows + 1, 0
            used += needed
        return rows

    @Slot()
    def _open_list(self) -> None:
        model = ClassModel(self._names, self._colours, self.visible)
        popup = ClassList(model, self)
        model.setParent(popup)
        popup.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        model.changed.connect(self._take_list)
        corner = self.more.mapToGlobal(QPoint(0, 0))
        popup.move(corner.x(), max(0, corner.y() - popup.height()))
        popup.show()
        popup.search.setFocus()

    @Slot()
    def _take_list(self) -> None:
        """Takes the classes that the list shows."""
        model = self.sender()
        if not isinstance(model, ClassModel) or model.rowCount() != len(self._names):
            return
        self._listed = model.visible.copy()
        for chip, is_shown in zip(self.chips, self._listed.tolist(), strict=False):
            chip.setChecked(is_shown)
        self.visibility_changed.emit()

    def _isolate(self) -> None:
        chosen = self.sender()
        others = any(chip.isChecked() for chip in self.chips if chip is not chosen)
        for chip in self.chips:
            chip.setChecked(chip is chosen or not others)
        self.visibility_changed.emit()
