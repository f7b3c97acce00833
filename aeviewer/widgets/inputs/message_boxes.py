"""Message boxes that do not block the window: a question before a removal, and a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget


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
    box = QMessageBox(parent, textFormat=Qt.TextFormat.PlainText)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle(title)
    box.setText(question)
    box.setInformativeText(more)
    button = box.addButton(yes, QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
    button.clicked.connect(act)
    box.open()


def show_failure(parent: QWidget, message: str) -> QMessageBox:
    """Shows the message of a failure, which may name a file or a run, and returns its box."""
    box = QMessageBox(parent, textFormat=Qt.TextFormat.PlainText)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle("AE Viewer")
    box.setText(message)
    box.open()
    return box
