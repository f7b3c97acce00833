"""What a power cut leaves of a folder: what was synchronised, and of the rest as much as it likes.

While a `Disk` watches, `os.fsync` marks what is safe: a file's content, or which names are in a
folder. A `Moment` knows for every file and folder what is safe of it, and what it was since. The
trees that a cut may then leave are all in which each folder has the names of one time since it was
synchronised, and each file the content of one, or the beginning of one, or zeros where it was not
written yet. This is worse than file systems are: they keep some order.
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
    """What is safe, and what was there since, of every file and folder by its number.

    The first of each is what is safe.
    """

    root: int
    names: dict[int, tuple[Names, ...]]
    contents: dict[int, tuple[bytes, ...]]

    def leave(self, place: Path, dice: random.Random | None = None) -> None:
        """Makes a tree that a cut may leave; without dice all that is not safe is gone."""
        self._leave_folder(self.root, place, dice)

    def _leave_folder(self, number: int, place: Path, dice: random.Random | None) -> None:
        place.mkdir()
        known = self.names[number]
        for name, found in (dice.choice(known) if dice else known[0]).items():
            if found in self.names:
                self._leave_folder(found, place / name, dice)
            else:
                (place / name).write_bytes(self._content(found, dice))

    def _content(self, number: int, dice: random.Random | None) -> bytes:
        known = self.contents[number]
        if dice is None or len(known) == 1:
            return known[0]
        content = dice.choice(known)
        # What a file was added to stays, whatever becomes of the rest.
        safe = len(known[0]) if content.startswith(known[0]) else 0
        written = dice.choice((len(content), dice.randint(safe, len(content))))
        return content[:written] + dice.choice((b"", bytes(len(content) - written)))


class Disk:
    """Watches a folder: every change of it, and what of that is synchronised.

    Parameters
    ----------
    root
        The folder; what is in it from the beginning is safe.

    Attributes
    ----------
    root
        The folder.
    moments
        One before each change, and after each synchronisation.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.RLock()
        self._is_looking = False
        self._names: dict[int, list[Names]] = {}
        self._contents: dict[int, list[bytes]] = {}
        self._held: dict[int, int] = {}
        self.moments: list[Moment] = []

    @contextmanager
    def watching(self) -> Iterator[Disk]:
        """Watches what is done in any thread."""
        self._look()
        for known in (*self._names.values(), *self._contents.values()):
            del known[:-1]
        fsync, os.fsync = os.fsync, self._synchronise
        _watching.append(self)
        try:
            yield self
        finally:
            _watching.remove(self)
            os.fsync = fsync
            for descriptor in self._held.values():
                os.close(descriptor)

    def note(self) -> None:
        """Looks what is there just before something changes."""
        with self._lock:
            if not self._is_looking:
                self._look()
                self._remember()

    def _synchronise(self, descriptor: int) -> None:
        with self._lock:
            self._look()
            self._remember()
            number = os.fstat(descriptor).st_ino
            for known in (self._names.get(number), self._contents.get(number)):
                if known:
                    del known[:-1]
            self._remember()

    def _remember(self) -> None:
        now = Moment(
            self.root.stat().st_ino,
            {number: tuple(known) for number, known in self._names.items()},
            {number: tuple(known) for number, known in self._contents.items()},
        )
        if not self.moments or now != self.moments[-1]:
            self.moments.append(now)

    def _look(self) -> None:
        self._is_looking = True
        try:
            self._look_into(self.root)
            for number in self._contents:
                self._add(self._contents[number], self._read(number))
        finally:
            self._is_looking = False

    def _look_into(self, folder: Path) -> None:
        names: Names = {}
        for name in os.listdir(folder):
            try:
                names[name] = self._hold(folder / name)
                if (folder / name).is_dir():
                    self._look_into(folder / name)
            except FileNotFoundError:  # Another thread took it away.
                names.pop(name, None)
        self._add(self._names.setdefault(os.stat(folder).st_ino, [{}]), names)

    def _hold(self, path: Path) -> int:
        """Its number, which nothing else gets while we have it open."""
        descriptor = os.open(path, os.O_RDONLY)
        found = os.fstat(descriptor)
        if found.st_ino in self._held:
            os.close(descriptor)
        else:
            self._held[found.st_ino] = descriptor
            if not stat.S_ISDIR(found.st_mode):
                self._contents[found.st_ino] = [b""]
        return found.st_ino

    def _read(self, number: int) -> bytes:
        descriptor = self._held[number]
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0)

    @staticmethod
    def _add(known: list, now: object) -> None:
        if known[-1] != now:
            known.append(now)


_watching: list[Disk] = []


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if not _watching or event not in _CHANGES:
        return
    place = str(arguments[0])
    if event == "open" and not int(arguments[2]) & _WRITES:  # type: ignore[call-overload]
        return
    for disk in _watching:
        if place.startswith(str(disk.root)):
            disk.note()


sys.addaudithook(_hear)
