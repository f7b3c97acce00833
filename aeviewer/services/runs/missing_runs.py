"""Runs whose folder another program moved or deleted while the window listed them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aeviewer.services.runs.session import Session


def drop_if_missing(session: Session, key: str) -> bool:
    """Takes a run out of the list where its folder is gone, and says so.

    An active run stays: its training reports the missing folder.

    Returns
    -------
    Whether the run is no longer in the list.
    """
    if not session.has(key):
        return True
    item = session.item(key)
    if item.state.is_active or Path(key).is_dir():
        return False
    session.forget(key)
    session.message_posted.emit(
        f"The run {item.name!r} is gone: its folder was moved or deleted by another program. It "
        f"was {key}"
    )
    return True
