"""Every text that the windows of the program show, and whether Qt renders it as HTML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractListModel, Qt
from PySide6.QtGui import QAction, QTextDocument
from PySide6.QtGui import Qt as GuiQt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QGraphicsTextItem,
    QGraphicsView,
    QLabel,
    QTabBar,
    QTextEdit,
    QWidget,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtCore import QAbstractItemModel


@dataclass(frozen=True)
class Shown:
    """A text, the widget that shows it, and how Qt renders it."""

    where: str
    text: str
    is_html: bool = False
    has_keys: bool = False
    is_in_a_sentence: bool = True

    @property
    def markup(self) -> list[str]:
        """Images, links and headings that Qt would make of the text."""
        return [*_markup(self.text)] if self.is_html else []


def all_shown() -> list[Shown]:
    """Returns the texts of all windows, of hidden widgets too."""
    found: list[Shown] = []
    for window in QApplication.topLevelWidgets():
        for widget in (window, *window.findChildren(QWidget)):
            found += _texts(widget)
    return found


def _texts(widget: QWidget) -> Iterator[Shown]:
    where = f"{type(widget).__name__} in {type(widget.window()).__name__}"
    for tip in (widget.toolTip(), widget.whatsThis(), widget.statusTip()):
        yield _tip(where, tip)
    yield Shown(where, widget.windowTitle())
    for action in (*widget.actions(), *widget.findChildren(QAction)):
        yield _tip(where, action.toolTip())
        yield Shown(where, action.text(), has_keys=True)
    if isinstance(widget, QLabel):
        may_guess = widget.textFormat() == Qt.TextFormat.AutoText
        is_rich = widget.textFormat() in {Qt.TextFormat.RichText, Qt.TextFormat.MarkdownText}
        is_html = is_rich or (may_guess and GuiQt.mightBeRichText(widget.text()))
        yield Shown(where, widget.text(), is_html)
    if isinstance(widget, QAbstractButton):
        yield Shown(where, widget.text(), has_keys=True)
    if isinstance(widget, QTextEdit):
        yield Shown(where, widget.toHtml(), is_html=True)
    if isinstance(widget, QTabBar):
        for at in range(widget.count()):
            yield _tip(where, widget.tabToolTip(at))
            yield Shown(where, widget.tabText(at), has_keys=True)
    if isinstance(widget, QAbstractItemView | QComboBox) and widget.model() is not None:
        yield from _cells(where, widget.model())
    if isinstance(widget, QGraphicsView) and widget.scene() is not None:
        for item in widget.scene().items():
            if isinstance(item, QGraphicsTextItem):
                yield Shown(where, item.toHtml(), is_html=True)


def _cells(where: str, model: QAbstractItemModel) -> Iterator[Shown]:
    role = Qt.ItemDataRole
    columns = 1 if isinstance(model, QAbstractListModel) else model.columnCount()
    for column in range(columns):
        for row in range(model.rowCount()):
            index = model.index(row, column)
            yield _tip(where, model.data(index, role.ToolTipRole))
            text = str(model.data(index, role.DisplayRole) or "")
            yield Shown(where, text, is_in_a_sentence=False)
        head = model.headerData(column, Qt.Orientation.Horizontal, role.ToolTipRole)
        yield _tip(where, head)


def _tip(where: str, text: object) -> Shown:
    words = str(text or "")
    return Shown(f"tool tip of {where}", words, GuiQt.mightBeRichText(words))


def _markup(text: str) -> Iterator[str]:
    document = QTextDocument()
    document.setHtml(text)
    block = document.begin()
    while block.isValid():
        if block.blockFormat().headingLevel():
            yield f"heading {block.text()[:40]!r}"
        fragments = block.begin()
        while not fragments.atEnd():
            form = fragments.fragment().charFormat()
            if form.isImageFormat():
                yield f"image {form.toImageFormat().name()!r}"
            if form.isAnchor():
                yield f"link {form.anchorHref()!r}"
            fragments += 1
        block = block.next()
