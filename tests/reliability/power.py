"""Simulates what a power cut leaves of a folder: all synchronised data, and any part of the rest.

While a `Disk` watches, `os.fsync` marks a file's content, or the names in a folder, as safe. A
`Moment` has the safe state of every file and folder, and all states since. In a tree that a cut may
leave, each folder has the names of one of these states, and each file has the content of one, or a
beginning of it, or zeros in place of its end. This is worse than real file systems, which keep some
order.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from pathlib import Path

_CHANGES = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
Names = dict[str, int]


@dataclass(frozen=True)
class Moment:
    """The states of every file and folder, by inode number; the first of each is safe."""

    root: int
    names: dict[int, tuple[Names, ...]]
    contents: dict[int, tuple[bytes, ...]]

    def write_tree(self, place: Path, dice: random.Random | None = None) -> None:
        """Writes a tree that a cut may leave; without dice only the safe states."""
        self._write_folder(self.root, place, dice)

    def _write_folder(self, number: int, place: Path, dice: random.Random | None) -> None:
        place.mkdir()
        states = self.names[number]
        for name, child in (dice.choice(states) if dice else states[0]).items():
            if child in self.names:
                self._write_folder(child, place / name, dice)
            else:
                (place / name).write_bytes(self._content(child, dice))

    def _content(self, number: int, dice: random.Random | None) -> bytes:
        states = self.contents[number]
        if dice is None or len(states) == 1:
            return states[0]
        content = dice.choice(states)
        # Appending does not endanger the safe beginning of a file.
        safe = len(states[0]) if content.startswith(states[0]) else 0
        written = dice.choice((len(content), dice.randint(safe, len(content))))
        return content[:written] + dice.choice((b"", bytes(len(content) - written)))


class Disk:
    """Watches the changes of a folder, and which of them are synchronised.

    Parameters
    ----------
    root
        The folder. Its content at the beginning is safe.

    Attributes
    ----------
    root
        The folder.
    moments
        One moment before each change, and one after each synchronisation.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.RLock()
        self._is_scanning = False
        self._names: dict[int, list[Names]] = {}
        self._contents: dict[int, list[bytes]] = {}
        self._descriptors: dict[int, int] = {}
        self.moments: list[Moment] = []

    @contextmanager
    def watch(self) -> Iterator[Disk]:
        """Watches the changes of all threads for the time of the `with`."""
        self._scan()
        for known in (*self._names.values(), *self._contents.values()):
            del known[:-1]
        fsync, os.fsync = os.fsync, self._synchronise
        _watched_disks.append(self)
        try:
            yield self
        finally:
            _watched_disks.remove(self)
            os.fsync = fsync
            for descriptor in self._descriptors.values():
                os.close(descriptor)

    def record_change(self) -> None:
        """Records the state just before a change."""
        with self._lock:
            if not self._is_scanning:
                self._scan()
                self._append_moment()

    def _synchronise(self, descriptor: int) -> None:
        with self._lock:
            self._scan()
            self._append_moment()
            number = os.fstat(descriptor).st_ino
            for known in (self._names.get(number), self._contents.get(number)):
                if known:
                    del known[:-1]
            self._append_moment()

    def _append_moment(self) -> None:
        now = Moment(
            self.root.stat().st_ino,
            {number: tuple(known) for number, known in self._names.items()},
            {number: tuple(known) for number, known in self._contents.items()},
        )
        if not self.moments or now != self.moments[-1]:
            self.moments.append(now)

    def _scan(self) -> None:
        self._is_scanning = True
        try:
            self._scan_folder(self.root)
            for number in self._contents:
                self._append_if_new(self._contents[number], self._read(number))
        finally:
            self._is_scanning = False

    def _scan_folder(self, folder: Path) -> None:
        names: Names = {}
        for name in os.listdir(folder):
            try:
                names[name] = self._open(folder / name)
                if (folder / name).is_dir():
                    self._scan_folder(folder / name)
            except FileNotFoundError:  # Another thread has removed it.
                names.pop(name, None)
        self._append_if_new(self._names.setdefault(os.stat(folder).st_ino, [{}]), names)

    def _open(self, path: Path) -> int:
        """Opens a file, so that its inode number is not used again; returns the number."""
        descriptor = os.open(path, os.O_RDONLY)
        status = os.fstat(descriptor)
        if status.st_ino in self._descriptors:
            os.close(descriptor)
        else:
            self._descriptors[status.st_ino] = descriptor
            if not stat.S_ISDIR(status.st_mode):
                self._contents[status.st_ino] = [b""]
        return status.st_ino

    def _read(self, number: int) -> bytes:
        descriptor = self._descriptors[number]
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0)

    @staticmethod
    def _append_if_new(states: list, state: object) -> None:
        if states[-1] != state:
            states.append(state)


_watched_disks: list[Disk] = []


def _notify_disks(event: str, arguments: tuple[object, ...]) -> None:
    if not _watched_disks or event not in _CHANGES:
        return
    place = str(arguments[0])
    if event == "open" and not int(arguments[2]) & _WRITES:  # type: ignore[call-overload]
        return
    for disk in _watched_disks:
        if place.startswith(str(disk.root)):
            disk.record_change()


sys.addaudithook(_notify_disks)
