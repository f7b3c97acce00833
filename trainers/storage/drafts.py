"""Drafts that say whether a living program writes them, so that those of a killed one are cleared.

A lock lies beside a draft for as long as its program lives: the system releases it when the program
is killed. Loads no torch.
"""

from __future__ import annotations

import logging
import re
import shutil
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from trainers.storage import atomic

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)

_LOCK = ".lock"
_DRAFT = re.compile(r"(\.draft-|aeviewer-import-)\w{8,16}")
_UNPACKED = frozenset({"run"})
"""What the folder of a draft contains that an earlier version made."""
_DAY = 86_400.0


class DraftLock:
    """The lock of a draft; make it before the draft.

    Parameters
    ----------
    draft
        The file or folder, which need not exist.
    """

    def __init__(self, draft: Path) -> None:
        # A draft may be discarded by another thread than the one that made it.
        self._lock = FileLock(_lock_path(draft), thread_local=False)
        with suppress(OSError, NotImplementedError):  # Some storage has no locks.
            self._lock.acquire(timeout=0)

    def release(self) -> None:
        """Releases the lock and removes its file."""
        _remove_lock(self._lock)


@contextmanager
def locked_draft_folder(folder: Path) -> Iterator[Path]:
    """Yields an empty folder within `folder`, which is removed at the end of the `with`.

    What killed programs left in `folder` is removed before.
    """
    clear_drafts(folder)
    draft = atomic.draft_path(folder)
    lock = DraftLock(draft)
    try:
        draft.mkdir()
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        lock.release()


def clear_drafts(folder: Path, *, is_ours: bool = False) -> int:
    """Removes the drafts that killed programs left in a folder, and logs how many there were.

    Parameters
    ----------
    folder
        The folder, which need not exist.
    is_ours
        Whether the program alone writes there: drafts of earlier versions, which have no lock, are
        then removed when they are a day old and look like drafts of this program.

    Returns
    -------
    The bytes that were removed.
    """
    try:
        places = [place for place in folder.iterdir() if _DRAFT.fullmatch(place.name)]
    except OSError:
        return 0
    sizes = [size for place in places if (size := _clear(place, is_ours)) is not None]
    if sizes:
        logger.info(
            "Removed %d drafts (%.1f MB) that a killed program left in %s",
            len(sizes),
            sum(sizes) / 1e6,
            folder,
        )
    return sum(sizes)


def _clear(draft: Path, is_ours: bool) -> int | None:
    """Removes a draft whose program is gone; returns its size in bytes, or None if it stays."""
    try:
        if not _lock_path(draft).exists():
            return _remove(draft) if is_ours and _is_of_earlier_version(draft) else None
        lock = FileLock(_lock_path(draft))
        lock.acquire(timeout=0)
        try:
            return _remove(draft)
        finally:
            _remove_lock(lock)
    except (OSError, NotImplementedError, Timeout):
        return None


def _is_of_earlier_version(draft: Path) -> bool:
    """Returns whether a draft without a lock is a day old and contains what this program makes."""
    is_old = time.time() - draft.stat().st_mtime > _DAY
    return is_old and (draft.is_file() or {place.name for place in draft.iterdir()} <= _UNPACKED)


def _remove(draft: Path) -> int:
    files = [draft] if draft.is_file() else [*draft.rglob("*")]
    size = sum(file.lstat().st_size for file in files)
    if draft.is_dir() and not draft.is_symlink():
        shutil.rmtree(draft)
    else:
        draft.unlink()
    return size


def _lock_path(draft: Path) -> Path:
    return draft.with_name(f"{draft.name}{_LOCK}")


def _remove_lock(lock: FileLock) -> None:
    lock.release()
    with suppress(OSError):
        Path(lock.lock_file).unlink(missing_ok=True)
