"""Opens regular files alone, and never waits for one. This module loads no torch.

A named pipe under the name of an image or of a run's file would block the program until another
program writes to it, and a device may never end. The kind is compared before the file is opened,
because opening a device may already act on it, and again of the open file, because another program
may replace a file in between.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    import io
    from pathlib import Path

_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class NotRegularFileError(OSError):
    """A named pipe, a device or a socket has the name of a file."""


def open_regular_file(place: Path) -> io.BufferedReader:
    """Opens a file for reading; the caller closes it.

    Raises
    ------
    NotRegularFileError
        When it is a named pipe, a device or a socket.
    OSError
        When it is missing, a folder, or cannot be opened.
    """
    return open(place, "rb", opener=_open_without_waiting)


def open_for_appending(place: Path) -> BinaryIO:
    """Opens a file, or a new one, to write at its end; the caller closes it.

    Raises
    ------
    OSError
        As `open_regular_file`.
    """
    return cast("BinaryIO", open(place, "ab", opener=_open_without_waiting))


def check_regular_file(place: Path) -> None:
    """Checks a file that a library opens by its path.

    Raises
    ------
    OSError
        As `open_regular_file`.
    """
    _refuse_other_kinds(os.stat(place).st_mode, place)


def _open_without_waiting(place: str | Path, flags: int) -> int:
    with suppress(FileNotFoundError):
        check_regular_file(cast("Path", place))
    descriptor = os.open(place, flags | _WITHOUT_WAITING, 0o666)
    try:
        _refuse_other_kinds(os.fstat(descriptor).st_mode, place)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _refuse_other_kinds(mode: int, place: str | Path) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(place))
    if not stat.S_ISREG(mode):
        kind = next((name for is_kind, name in _KINDS if is_kind(mode)), "of another kind")
        raise NotRegularFileError(errno.EINVAL, f"it is {kind}, not a file", str(place))
