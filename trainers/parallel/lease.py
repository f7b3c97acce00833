"""How a worker knows that its run is still wanted, on this machine or another.

No event and no signal travels to a worker of a cluster; the run's folder does. Whoever has a run
trained keeps a file `lease` in it, which holds a token of that one training, and renews it. A
worker that finds it gone, or of another training, or no longer renewed, stops and saves: so it is
told to stop, and so it learns that nobody waits for it. A lease that was left behind stops
nothing, for the next training has a token of its own.
"""

from __future__ import annotations

import os
import time
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

from trainers.errors import RunError
from trainers.storage import atomic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_NAME = "lease"
_RENEW_SECONDS = 5.0
_LOOK_SECONDS = 0.25
_MOST_LOOKS = 240
_MOST_BYTES = 64


class Lease:
    """The side of whoever has a run trained.

    Parameters
    ----------
    folder
        The run's folder.

    Raises
    ------
    RunError
        When the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._place = folder / _NAME
        self.token = uuid.uuid4().hex
        self._renewed = time.monotonic()
        try:
            atomic.replace(self._place, self.token.encode())
        except OSError as error:
            raise RunError(
                f"The run {folder.name!r} cannot be written ({error.strerror or error}): {folder}."
            ) from error

    def renew(self) -> None:
        """Tells the worker that its run is still wanted; costs nothing when it was just told."""
        now = time.monotonic()
        if now - self._renewed > _RENEW_SECONDS:
            self._renewed = now
            # Where it is gone the worker stops: its ending tells of it.
            with suppress(OSError):
                os.utime(self._place)

    def end(self) -> None:
        """Has the worker stop and save, if it still trains."""
        _remove(self._place, self.token)


class LeaseMonitor:
    """The side of the worker.

    Parameters
    ----------
    folder
        The run's folder.
    token
        Of the lease it trains under.
    is_alone
        Answers whether nobody can want the run any more, for another reason.
    """

    def __init__(
        self, folder: Path, token: str, is_alone: Callable[[], bool] = lambda: False
    ) -> None:
        self._place, self._token, self._is_alone = folder / _NAME, token, is_alone
        self._looked = -_LOOK_SECONDS
        self._renewed, self._looks = 0, 0
        self._is_over = False

    @property
    def is_over(self) -> bool:
        """Whether to stop; looks at the file a few times a second, however often it is asked."""
        now = time.monotonic()
        if not self._is_over and now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            self._is_over = self._is_alone() or self._has_ended()
        return self._is_over

    def _has_ended(self) -> bool:
        """Gone, another's, or not renewed for so many looks.

        Looks are counted and no time, for both sides may have been held together.
        """
        token, renewed = _read(self._place)
        if token != self._token:
            return True
        self._looks = self._looks + 1 if renewed == self._renewed else 0
        self._renewed = renewed
        if self._looks <= _MOST_LOOKS:
            return False
        _remove(self._place, self._token)
        return True


def _read(place: Path) -> tuple[str, int]:
    """Token and time of renewal. Opened, for a network's storage may answer `stat` from memory."""
    try:
        with place.open("rb") as file:
            return file.read(_MOST_BYTES).decode("ascii", "replace"), os.fstat(
                file.fileno()
            ).st_mtime_ns
    except OSError:
        return "", 0


def _remove(place: Path, token: str) -> None:
    """Takes back the token, and the file where nobody holds it open (Windows lets it be then)."""
    if _read(place)[0] != token:
        return
    # Where the storage is gone nothing can be told; the worker misses the renewals instead.
    with suppress(OSError):
        place.write_bytes(b"")
        place.unlink()
