"""Writes files so that nothing is lost: completely, in order, and on the disk.

What is not synchronised a power cut may take: the content of a file, and also its name in its
folder, each apart. So a file is synchronised before it gets its name, and its folder afterwards;
when a function here returns, what it did outlasts a power cut, and whatever is done next cannot
get to the disk before it.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from trainers.errors import AEViewerError
from trainers.storage.regular_files import open_for_appending

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DRAFT = ".draft-"
_RENAMES, _RENAME_SECONDS = 20, 0.01
_UNSUPPORTED = {errno.EINVAL, errno.ENOTSUP, errno.EBADF}


def replace_file(place: Path, content: bytes) -> None:
    """Writes beside `place`, then renames: the old content or the new, never a mixture."""
    draft = place.with_name(f"{DRAFT}{place.name}")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _rename(draft, place)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(place.parent)


def append_to_file(place: Path, content: bytes, head: bytes = b"") -> None:
    """Appends to a file; a new or empty file begins with `head`."""
    with open_for_appending(place) as file:
        is_new = not file.tell()
        file.write(head + content if is_new else content)
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        sync_folder(place.parent)


def move_folder(draft: Path, place: Path) -> None:
    """Renames a folder whose files are synchronised to its final name beside it."""
    sync_folder(draft)
    draft.rename(place)
    sync_folder(place.parent)


def make_folder(place: Path) -> None:
    """Makes a folder and its parents.

    Raises
    ------
    FileExistsError
        When it is there already.
    """
    missing = [folder for folder in place.parents if not folder.exists()]
    place.mkdir(parents=True)
    for folder in [place, *missing]:
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Synchronises the list of files in a folder, where the system can."""
    if os.name == "nt":  # This system opens no folders; NTFS keeps names in its journal.
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
    finally:
        os.close(descriptor)


def remove_drafts(folder: Path) -> None:
    """Removes what a crash or a full disk left incomplete in a folder."""
    for draft in folder.glob(f"{DRAFT}*"):
        if draft.is_dir():
            shutil.rmtree(draft, ignore_errors=True)
        else:
            draft.unlink(missing_ok=True)


def write_user_file(place: Path, content: bytes) -> None:
    """Writes a file that the user requested, as `replace` does.

    Raises
    ------
    AEViewerError
        When it cannot be written.
    """
    try:
        replace_file(place, content)
    except OSError as error:
        raise AEViewerError(
            f"{place} cannot be written ({error.strerror or error}). Free some space, or choose a "
            "folder that is there and that you may write to."
        ) from error


def draft_path(folder: Path) -> Path:
    """Returns a free path for a draft in a folder.

    The caller makes a file or folder there as any other, so that it gets the permissions that the
    user's umask gives; those of `tempfile` are for one user alone.
    """
    return folder / f"{DRAFT}{secrets.token_hex(8)}"


@contextmanager
def draft_folder(folder: Path) -> Iterator[Path]:
    """Yields an empty folder within `folder`, which is removed at the end of the `with`."""
    draft = draft_path(folder)
    draft.mkdir()
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _rename(draft: Path, place: Path) -> None:
    """Windows does not replace a file that another process has open, as readers do for a moment."""
    for _ in range(_RENAMES - 1):
        try:
            draft.replace(place)
        except PermissionError:
            time.sleep(_RENAME_SECONDS)
        else:
            return
    draft.replace(place)
