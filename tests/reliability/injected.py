"""Injects faults of the disk, as errors of the system calls that change it."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHANGES = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_TORN = 7
_refusing: list[tuple[str, int]] = []


@contextmanager
def refused(folder: Path, number: int = errno.EACCES) -> Iterator[None]:
    """Refuses every change in a folder; permissions would not stop a process of root."""
    _refusing.append((str(folder), number))
    try:
        yield
    finally:
        _refusing.clear()


def _raise_refused(event: str, arguments: tuple[object, ...]) -> None:
    if not _refusing or event not in _CHANGES:
        return
    if event == "open" and not int(str(arguments[2])) & _WRITES:
        return
    place = str(arguments[0])
    for folder, number in _refusing:
        if place.startswith(folder) and not place.endswith("lock"):
            raise OSError(number, os.strerror(number), place)


sys.addaudithook(_raise_refused)


@contextmanager
def full(name: str) -> Iterator[list[str]]:
    """Lets the disk become full when a file of that name is written: its last bytes are lost.

    Yields
    ------
    list[str]
        The incomplete files.
    """
    fsync, torn = os.fsync, []

    def synchronise(descriptor: int) -> None:
        place = os.readlink(f"/proc/self/fd/{descriptor}")
        if not place.endswith(name):
            fsync(descriptor)
            return
        torn.append(place)
        os.ftruncate(descriptor, max(0, os.fstat(descriptor).st_size - _TORN))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    os.fsync = synchronise
    try:
        yield torn
    finally:
        os.fsync = fsync
