"""The system's trash, from which a deleted file can be restored. Loads no torch."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from send2trash import send2trash

from trainers.errors import AEViewerError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Trash = Callable[[str | Path, str], None]


def move_to_trash(path: str | Path, name: str) -> None:
    """Moves a file or folder to the system's trash; the program deletes nothing for good.

    Parameters
    ----------
    path
        The file or folder.
    name
        The name of the run, view or data set, for the message.

    Raises
    ------
    AEViewerError
        When it is gone, or when the system has no trash for it.
    """
    if not os.path.lexists(path):
        raise AEViewerError(
            f"{name!r} is gone: it was moved or deleted by another program. It was {path}"
        )
    try:
        send2trash(path)
    except OSError as error:
        reason = error.strerror or error
        raise AEViewerError(
            f"The system has no trash for {name!r} ({reason}). Delete it yourself: {path}"
        ) from error
