"""A question before something is removed; Return and Escape answer Cancel."""

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
    """Asks without blocking the window.

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
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle(title)
    box.setText(question)
    box.setInformativeText(more)
    button = box.addButton(yes, QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
    button.clicked.connect(act)
    box.open()
