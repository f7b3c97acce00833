"""Message boxes that do not block the window: a question before a removal, and a failure.

They alone make a `QMessageBox` or a `QProgressDialog`: these guess whether a text is HTML.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QProgressDialog

from aeviewer.widgets.labels import PlainLabel, break_words, replace_controls, shorten

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

_MOST_LETTERS = 600


def ask(
    parent: QWidget, title: str, question: str, more: str, yes: str, act: Callable[[], object]
) -> None:
    """Asks a question; Return and Escape answer Cancel.

    Parameters
    ----------
    parent
        Over which it is asked.
    title, question, more
        What is asked, and in smaller letters what comes of it.
    yes
        The button that says what is done.
    act
        Does it.
    """
    box = _make_box(parent, QMessageBox.Icon.Question, title, question)
    box.setInformativeText(break_words(shorten(replace_controls(more), _MOST_LETTERS)))
    button = box.addButton(yes, QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
    button.clicked.connect(act)
    box.open()


def show_failure(parent: QWidget, message: str) -> QMessageBox:
    """Shows the message of a failure, which may name a file or a run, and returns its box."""
    box = _make_box(parent, QMessageBox.Icon.Warning, "AE Viewer", message)
    box.open()
    return box


def show_text(parent: QWidget, title: str, page: str) -> QMessageBox:
    """Shows a page of HTML that the program itself wrote, and returns its box.

    Parameters
    ----------
    parent
        Over which it is shown.
    title
        The title of the box.
    page
        HTML that holds no text from data.
    """
    box = _make_box(parent, QMessageBox.Icon.NoIcon, title, "")
    box.setTextFormat(Qt.TextFormat.RichText)
    box.setText(page)
    box.open()
    return box


def make_progress_dialog(parent: QWidget, title: str, text: str) -> QProgressDialog:
    """Returns a dialog that shows progress and can be cancelled; it is not shown yet."""
    dialog = QProgressDialog(parent)
    dialog.setWindowTitle(title)
    dialog.setLabel(PlainLabel())
    dialog.setLabelText(replace_controls(text))
    dialog.setCancelButtonText("Cancel")
    dialog.setRange(0, 0)
    return dialog


def _make_box(parent: QWidget, icon: QMessageBox.Icon, title: str, text: str) -> QMessageBox:
    """Returns a box whose text is plain; a long text is shown whole on request."""
    whole = replace_controls(text)
    shown = break_words(shorten(whole, _MOST_LETTERS))
    box = QMessageBox(parent, textFormat=Qt.TextFormat.PlainText)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(icon)
    box.setWindowTitle(replace_controls(title))
    box.setText(shown)
    if shown != whole:
        box.setDetailedText(whole)
    return box
