"""Labels and tool tips of plain text: names of files, runs and classes are never read as markup."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtGui import Qt as GuiQt
from PySide6.QtWidgets import QLabel, QWidget
from superqt import QElidingLabel

from aeviewer.widgets.fonts import small


def plain_label(text: str = "", *, wraps: bool = False, parent: QWidget | None = None) -> QLabel:
    """Returns a label in the window's own font and colour, for text that may hold a name."""
    label = QLabel(text, parent, wordWrap=wraps)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def plain_tip(text: str) -> str:
    """Returns a text so that Qt, which guesses whether a tool tip is markup, shows it as it is."""
    if not GuiQt.mightBeRichText(text):
        return text
    return f'<span style="white-space: pre-wrap">{escape(text)}</span>'


def quiet_label(
    text: str = "", *, wraps: bool = False, is_small: bool = True, parent: QWidget | None = None
) -> QLabel:
    """Returns a label for text of second rank, in the palette's placeholder colour.

    Parameters
    ----------
    text
        Shown as it is: a name of a file or a run may contain markup.
    wraps
        Whether long text continues on the next line.
    is_small
        Whether the font is smaller than the window's.
    parent
        The widget that owns the label.
    """
    label = plain_label(text, wraps=wraps, parent=parent)
    _set_style(label, QPalette.ColorRole.PlaceholderText)
    if is_small:
        label.setFont(small(label.font()))
    return label


def quiet_eliding_label(text: str = "") -> QElidingLabel:
    """Returns a small quiet label of one line that ends in "…" where the room is too narrow."""
    label = QElidingLabel(text)
    _set_style(label, QPalette.ColorRole.PlaceholderText)
    label.setFont(small(label.font()))
    return label


def problem_label(parent: QWidget | None = None) -> QLabel:
    """Returns an empty label for what is wrong with an input, in the palette's warning colour."""
    label = plain_label(wraps=True, parent=parent)
    _set_style(label, QPalette.ColorRole.BrightText)
    return label


def _set_style(label: QLabel, role: QPalette.ColorRole) -> None:
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setForegroundRole(role)
