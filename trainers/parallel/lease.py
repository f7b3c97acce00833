"""Leases: files that tell a worker whether to continue, on this machine or another.

No event and no Unix signal reaches a worker of a cluster, but it sees the run's folder. The pool
writes a file `lease` there with a token for this one training, and renews it. A worker saves and
stops when the file is gone, when it has the token of another training, or when it is no longer
renewed. So the pool can stop a worker, and a worker notices that its pool has ended. An old lease
has no effect, because the next training has a new token.
"""

from __future__ import annotations

import os
import time
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

from trainers.errors import RunError
from trainers.storage import atomic
from trainers.storage.regular_files import open_regular_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_NAME = "lease"
_RENEW_SECONDS = 5.0
_CHECK_SECONDS = 0.25
_MAX_UNCHANGED_CHECKS = 240
_MAX_BYTES = 64


class Lease:
    """The lease of a training, held by the pool.

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
        self._renewed_at = time.monotonic()
        try:
            atomic.replace_file(self._place, self.token.encode())
        except OSError as error:
            raise RunError(
                f"The run {folder.name!r} cannot be written ({error.strerror or error}). See that "
                f"you may write to its folder {folder}, and continue the run."
            ) from error

    def renew(self) -> None:
        """Renews the lease, so that the worker continues; at most every 5 seconds."""
        now = time.monotonic()
        if now - self._renewed_at > _RENEW_SECONDS:
            self._renewed_at = now
            # If the file is gone, the worker stops and its future reports it.
            with suppress(OSError):
                os.utime(self._place)

    def end(self) -> None:
        """Ends the lease, so that the worker saves and stops."""
        _remove(self._place, self.token)


class LeaseMonitor:
    """The worker's view of its lease.

    Parameters
    ----------
    folder
        The run's folder.
    token
        The token of the lease.
    is_alone
        Returns whether the worker has lost its parent or its scheduler, so that it must stop too.
    """

    def __init__(
        self, folder: Path, token: str, is_alone: Callable[[], bool] = lambda: False
    ) -> None:
        self._place, self._token, self._is_alone = folder / _NAME, token, is_alone
        self._checked_at = -_CHECK_SECONDS
        self._renewed_at, self._unchanged_checks = 0, 0
        self._is_over = False

    @property
    def is_over(self) -> bool:
        """Whether the worker must stop. The file is read at most four times a second."""
        now = time.monotonic()
        if not self._is_over and now - self._checked_at >= _CHECK_SECONDS:
            self._checked_at = now
            self._is_over = self._is_alone() or self._has_ended()
        return self._is_over

    def _has_ended(self) -> bool:
        """Returns whether the lease is gone, has another token, or is no longer renewed.

        The worker counts its checks instead of seconds, because a suspended machine stops both
        sides at once.
        """
        token, renewed = _read(self._place)
        if token != self._token:
            return True
        self._unchanged_checks = self._unchanged_checks + 1 if renewed == self._renewed_at else 0
        self._renewed_at = renewed
        if self._unchanged_checks <= _MAX_UNCHANGED_CHECKS:
            return False
        _remove(self._place, self._token)
        return True


def _read(place: Path) -> tuple[str, int]:
    """Returns the token and the time of renewal.

    The file is opened first, because network storage may answer `stat` from a cache.
    """
    try:
        with open_regular_file(place) as file:
            return file.read(_MAX_BYTES).decode("ascii", "replace"), os.fstat(
                file.fileno()
            ).st_mtime_ns
    except OSError:
        return "", 0


def _remove(place: Path, token: str) -> None:
    """Erases the token, and deletes the file (on Windows only if no process has it open)."""
    if _read(place)[0] != token:
        return
    # Without storage the file cannot be changed; the worker then misses the renewals.
    with suppress(OSError):
        place.write_bytes(b"")
        place.unlink()
