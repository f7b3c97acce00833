"""Where what a person deletes goes: the system's trash, from which it can be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QDir, QFile, QStandardPaths

if TYPE_CHECKING:
    from collections.abc import Callable

    Trash = Callable[[str], bool]


def move_to_trash(path: str) -> bool:
    """Moves a file or folder to the system's trash; False where the system could not."""
    # Below it Qt makes the trash of an account that has none yet, but not this folder itself.
    data = QStandardPaths.StandardLocation.GenericDataLocation
    QDir().mkpath(QStandardPaths.writableLocation(data))
    return QFile(path).moveToTrash()


def refusal(name: str, path: str) -> str:
    """What is said where there is no trash: nothing is deleted for good by this program."""
    return f"The system has no trash for {name!r}; delete it yourself: {path}"
