"""Copies and saves every plot and picture of a window in the same way."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QMenu, QWidget

from aeviewer.widgets.displays.picture_export import KINDS, PictureActions, slug
from aeviewer.widgets.displays.result_line import PICTURE_SOURCE
from aeviewer.widgets.labels import action_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeviewer.services.runs.session import Session


class PicturesMenu(QMenu):
    """Adds a context menu to every picture of a window, and lists the visible ones.

    Parameters
    ----------
    session
        Its run and step are in the proposed names; it receives messages of failures.
    window
        Whose pictures; those that have actions by then keep them.
    """

    def __init__(self, session: Session, window: QWidget) -> None:
        super().__init__("&Pictures", window)
        name = partial(picture_name, session)
        self.pictures = add_picture_actions(window, name, session.message_posted.emit)
        self.aboutToShow.connect(self._list)
        self._list()

    @Slot()
    def _list(self) -> None:
        """Fills the menu with the visible pictures."""
        self.clear()
        for listed in self.findChildren(QMenu):
            listed.deleteLater()
        for picture in self.pictures:
            if picture.is_seen:
                self.addMenu(action_text(picture.title or "Picture")).addActions(picture.actions)
        if self.isEmpty():
            self.addAction("None is on the screen").setEnabled(False)


def add_picture_actions(
    window: QWidget, name: Callable[[str], str], failed: Callable[[str], None]
) -> list[PictureActions]:
    """Adds actions to every picture of a window that has none, and returns all of them.

    Parameters
    ----------
    window
        Looked through.
    name
        Answers the name of a file, without ending, from what a picture is called.
    failed
        Receives a message when a file cannot be written.
    """
    directly = Qt.FindChildOption.FindDirectChildrenOnly
    pictures: list[PictureActions] = []
    for widget in window.findChildren(QWidget):
        if isinstance(widget, KINDS):
            found = widget.findChildren(PictureActions, options=directly)
            pictures += found or [
                PictureActions(widget, partial(_picture_file_name, name, widget), failed)
            ]
    return pictures


def _picture_file_name(name: Callable[[str], str], widget: QWidget) -> str:
    source, title = widget.property(PICTURE_SOURCE), widget.accessibleName()
    return f"{source}-{slug(title)}" if source else name(title)


def picture_name(session: Session, what: str) -> str:
    """Returns a file name: the run, the step that is shown, and the picture."""
    current, preview = session.current, session.preview
    step = session.step if preview is None else preview.step
    parts = [current.name if current else "", "" if step is None else f"step{step}"]
    return "-".join([*(part for part in parts if part), slug(what)])
