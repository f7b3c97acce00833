"""Labels in the two quiet styles of the window. They show plain text and interpret no markup."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QWidget
from superqt import QElidingLabel

from aeviewer.widgets.fonts import small


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
    label = QLabel(text, parent, wordWrap=wraps)
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
    label = QLabel(parent, wordWrap=True)
    _set_style(label, QPalette.ColorRole.BrightText)
    return label


def _set_style(label: QLabel, role: QPalette.ColorRole) -> None:
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setForegroundRole(role)
