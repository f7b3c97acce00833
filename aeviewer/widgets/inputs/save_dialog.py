"""Asking for a file or a folder, without blocking the window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QChildEvent, QEvent, QStandardPaths, Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

_KINDS = {
    "png": "PNG image (*.png)",
    "svg": "SVG image (*.svg)",
    "gif": "Animated GIF (*.gif)",
    "mp4": "MP4 film (*.mp4)",
    "csv": "Comma-separated values (*.csv)",
}


class PlainFileDialog(QFileDialog):
    """A file dialog whose own questions show names of files as they are.

    Qt asks before it replaces or deletes a file, in a box that guesses whether the name is HTML.
    """

    def childEvent(self, event: QChildEvent) -> None:
        """Makes the text of a question plain before it is laid out."""
        child = event.child()
        if event.type() == QEvent.Type.ChildPolished and isinstance(child, QMessageBox):
            child.setTextFormat(Qt.TextFormat.PlainText)
        super().childEvent(event)


def ask_folder(
    parent: QWidget, title: str, start: str, chosen: Callable[[str], object]
) -> PlainFileDialog:
    """Asks for a folder, and returns at once.

    Parameters
    ----------
    parent
        The widget the question belongs to.
    title
        Of the dialog.
    start
        The folder that is shown first.
    chosen
        Called with the path of the folder, if one is chosen.
    """
    dialog = PlainFileDialog(parent, title, start)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.fileSelected.connect(chosen)
    dialog.open()
    return dialog


def ask_place(
    parent: QWidget, name: str, chosen: Callable[[Path], None], *others: str
) -> PlainFileDialog:
    """Asks where to save a file, and returns at once.

    Parameters
    ----------
    parent
        The widget the question belongs to.
    name
        The suggested file name, without folder; its ending says what kind of file it is.
    chosen
        Called with the place, if one is chosen.
    others
        Endings of other kinds of file that it may be instead.
    """
    ending = name.rpartition(".")[2]
    endings = {_KINDS[known]: known for known in (ending, *others)}
    titles = [known.upper() for known in endings.values()]
    dialog = PlainFileDialog(parent, f"Save as {' or '.join(titles)}")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilters([*endings])
    dialog.setDefaultSuffix(ending)
    dialog.filterSelected.connect(lambda kind: dialog.setDefaultSuffix(endings[kind]))
    pictures = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
    dialog.setDirectory(pictures if Path(pictures).is_dir() else str(Path.home()))
    dialog.selectFile(name)
    dialog.fileSelected.connect(lambda place: chosen(Path(place)))
    dialog.open()
    return dialog
