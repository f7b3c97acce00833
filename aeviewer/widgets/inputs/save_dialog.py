"""Asking where to save a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QStandardPaths, Qt
from PySide6.QtWidgets import QFileDialog

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


def ask_place(
    parent: QWidget, name: str, chosen: Callable[[Path], None], *others: str
) -> QFileDialog:
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
    dialog = QFileDialog(parent, f"Save as {' or '.join(titles)}")
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
