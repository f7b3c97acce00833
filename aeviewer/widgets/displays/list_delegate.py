"""Rows of a list in two lines: a swatch, a name, a detail with its icon, the progress."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QIcon, QPainter, QPalette, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from aeviewer.widgets.labels import one_line

if TYPE_CHECKING:
    from PySide6.QtCore import QAbstractItemModel

Index = QModelIndex | QPersistentModelIndex
ROW_HEIGHT = 48
"""The height of two lines with space around them, in pixels."""
TOGGLE_WIDTH = 36
"""The width of the column that a `ToggleDelegate` draws, in pixels."""

_MARGIN = 12
_SWATCH = 10
_GAP = 8
_ICON = 14
_LINE = 18
_EDITOR = 28


class Role(IntEnum):
    """What a row tells beside Qt's own roles (DisplayRole is the name, DecorationRole an icon).

    DETAIL is the second line; SWATCH a colour; BADGE an icon beside the name; FRACTION 0..1, or
    None where there is nothing to be done; CHOSEN and FADED are flags; VALUE is a figure at the
    end of the second line, or empty.
    """

    DETAIL = Qt.ItemDataRole.UserRole + 1
    SWATCH = Qt.ItemDataRole.UserRole + 2
    BADGE = Qt.ItemDataRole.UserRole + 3
    FRACTION = Qt.ItemDataRole.UserRole + 4
    CHOSEN = Qt.ItemDataRole.UserRole + 5
    FADED = Qt.ItemDataRole.UserRole + 6
    VALUE = Qt.ItemDataRole.UserRole + 7


class TwoLineDelegate(QStyledItemDelegate):
    """Draws a name above its detail; the name can be edited in place."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draws the whole cell: background, swatch, both lines, progress, focus."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        _draw_background(painter, option, index)
        _draw_swatch(painter, option.rect, index)
        text = _text_area(option.rect)
        _draw_name(painter, option, index, text)
        _draw_detail(painter, option, index, text)
        _draw_progress(painter, option, index, text)
        _draw_focus(painter, option, index)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Returns a height for two lines; the width may be small, because both are elided."""
        return QSize(160, ROW_HEIGHT)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        """Makes a field for the name."""
        editor = super().createEditor(parent, option, index)
        editor.setAccessibleName("Name")
        return editor

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> None:
        """Places the field over both lines, with their width."""
        place = _text_area(option.rect)
        place.setTop(option.rect.center().y() - _EDITOR // 2)
        place.setHeight(_EDITOR)
        editor.setGeometry(place.adjusted(-_GAP, 0, 0, 0))

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        """Passes the name to the model, if it has changed."""
        name = str(editor.property("text")).strip()
        if name and name != index.data(Qt.ItemDataRole.EditRole):
            model.setData(index, name, Qt.ItemDataRole.EditRole)


class ToggleDelegate(QStyledItemDelegate):
    """Draws an icon that stands for on or off."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draws the icon in the middle of the cell."""
        painter.save()
        _draw_background(painter, option, index)
        place = QRect(0, 0, _ICON + 4, _ICON + 4)
        place.moveCenter(option.rect.center())
        _draw_icon(painter, place, index.data(Qt.ItemDataRole.DecorationRole))
        _draw_focus(painter, option, index)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Returns the size of the column."""
        return QSize(TOGGLE_WIDTH, ROW_HEIGHT)


def _text_area(cell: QRect) -> QRect:
    """Returns the rectangle of the two lines."""
    left = cell.left() + _MARGIN + _SWATCH + _GAP + 2
    top = cell.top() + (cell.height() - 2 * _LINE) // 2 - 1
    return QRect(left, top, cell.right() - left, 2 * _LINE)


def _draw_background(painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
    hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
    is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
    chosen = bool(index.data(Role.CHOSEN)) or is_selected
    if chosen or hovered:
        colour = QColor(option.palette.color(QPalette.ColorRole.AlternateBase))
        colour.setAlphaF(1.0 if chosen else 0.5)
        painter.fillRect(option.rect, colour)


def _draw_swatch(painter: QPainter, cell: QRect, index: Index) -> None:
    """Draws a disc in the row's colour; a ring where the row is hidden."""
    colour = QColor(index.data(Role.SWATCH))
    centre = QPointF(cell.left() + _MARGIN + _SWATCH / 2, _text_area(cell).top() + _LINE / 2 + 0.5)
    faded = bool(index.data(Role.FADED))
    painter.setPen(QPen(colour, 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush if faded else colour)
    painter.drawEllipse(centre, _SWATCH / 2 - 1, _SWATCH / 2 - 1)


def _draw_name(painter: QPainter, option: QStyleOptionViewItem, index: Index, text: QRect) -> None:
    font = QFont(option.font)
    if index.data(Role.CHOSEN):
        font.setWeight(QFont.Weight.DemiBold)
    role = QPalette.ColorRole.PlaceholderText if index.data(Role.FADED) else QPalette.ColorRole.Text
    badge = index.data(Role.BADGE)
    room = text.width() - (_ICON + _GAP if badge else 0)
    metrics = QFontMetrics(font)
    whole = one_line(str(index.data()))
    name = metrics.elidedText(whole, Qt.TextElideMode.ElideMiddle, room)
    painter.setFont(font)
    painter.setPen(option.palette.color(role))
    line = QRect(text.left(), text.top(), room, _LINE)
    painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)
    left = text.left() + metrics.horizontalAdvance(name) + _GAP // 2
    _draw_icon(painter, QRect(left, text.top() + 2, _ICON, _ICON), badge)


def _draw_detail(
    painter: QPainter, option: QStyleOptionViewItem, index: Index, text: QRect
) -> None:
    font = QFont(option.font)
    if font.pixelSize() > 0:
        font.setPixelSize(font.pixelSize() - 1)
    top = text.top() + _LINE
    _draw_icon(
        painter,
        QRect(text.left(), top + (_LINE - _ICON) // 2, _ICON, _ICON),
        index.data(Qt.ItemDataRole.DecorationRole),
    )
    line = QRect(text.left() + _ICON + _GAP // 2, top, text.width() - _ICON - _GAP // 2, _LINE)
    metrics = QFontMetrics(font)
    painter.setFont(font)
    value = str(index.data(Role.VALUE) or "")
    if value:
        painter.setPen(option.palette.color(QPalette.ColorRole.Text))
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, value)
        line.setWidth(line.width() - metrics.horizontalAdvance(value) - _GAP)
    detail = metrics.elidedText(
        str(index.data(Role.DETAIL)), Qt.TextElideMode.ElideRight, line.width()
    )
    painter.setPen(option.palette.color(QPalette.ColorRole.PlaceholderText))
    painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, detail)


def _draw_progress(
    painter: QPainter, option: QStyleOptionViewItem, index: Index, text: QRect
) -> None:
    """Draws the progress as a line of two pixels under the text, in the row's colour."""
    fraction = index.data(Role.FRACTION)
    if fraction is None:
        return
    track = QRectF(text.left(), option.rect.bottom() - 3, text.width(), 2)
    painter.fillRect(track, option.palette.color(QPalette.ColorRole.Mid))
    track.setWidth(track.width() * min(max(float(fraction), 0.0), 1.0))
    painter.fillRect(track, QColor(index.data(Role.SWATCH)))


def _draw_icon(painter: QPainter, place: QRect, icon: object) -> None:
    if isinstance(icon, QIcon):
        icon.paint(painter, place)


def _draw_focus(painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
    """Draws a ring for the keyboard focus, but not directly after a click."""
    flag = QStyle.StateFlag
    is_chosen = index.data(Role.CHOSEN) and not option.state & flag.State_KeyboardFocusChange
    if option.state & flag.State_HasFocus and not is_chosen:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(option.palette.color(QPalette.ColorRole.Accent), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(option.rect).adjusted(1.5, 1.5, -1.5, -1.5), 3, 3)
