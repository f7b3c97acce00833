"""The system's trash, from which a deleted file can be restored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QDir, QFile, QStandardPaths

if TYPE_CHECKING:
    from collections.abc import Callable

    Trash = Callable[[str], bool]


def move_to_trash(path: str) -> bool:
    """Moves a file or folder to the system's trash; returns False where the system cannot."""
    # Qt makes the trash of an account that has none yet, but not its parent folder.
    data = QStandardPaths.StandardLocation.GenericDataLocation
    QDir().mkpath(QStandardPaths.writableLocation(data))
    return QFile(path).moveToTrash()


def refusal(name: str, path: str) -> str:
    """Returns the message where there is no trash: the program deletes nothing for good."""
    return f"The system has no trash for {name!r}; delete it yourself: {path}"
