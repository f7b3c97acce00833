"""Writes files in order, in a thread of its own, so that no step waits for the disk.

What it is given touches no torch: a second thread that runs torch slows training for good.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

_MOST_WAITING = 16


class BackgroundWriter:
    """A thread that does one piece of writing after another, in the order they were given.

    So whatever a crash leaves behind is what it would have left had each been written at once. A
    failure is raised by the next call but `close`, and what was given after it is left out: nothing
    may count on what could not be written.
    """

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._waiting: deque[Future[None]] = deque()
        self._failure: Exception | None = None

    def put(self, work: Callable[[], None]) -> Future[None]:
        """Has something written; waits only where much is waiting already."""
        self.check()
        if len(self._waiting) >= _MOST_WAITING:
            self._settle(self._waiting.popleft())
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="writer")
        future = self._pool.submit(self._do, work)
        self._waiting.append(future)
        return future

    def check(self) -> None:
        """Raises what went wrong, if anything did by now."""
        while self._waiting and self._waiting[0].done():
            self._settle(self._waiting.popleft())

    def wait(self) -> None:
        """Returns when everything is written."""
        while self._waiting:
            self._settle(self._waiting.popleft())

    def _do(self, work: Callable[[], None]) -> None:
        """In the thread: one piece, unless one before it failed."""
        if self._failure is not None:
            raise self._failure
        try:
            work()
        except Exception as error:
            self._failure = error
            raise

    def _settle(self, future: Future[None]) -> None:
        """Waits for a piece; with one that failed goes all that was given after it."""
        try:
            future.result()
        except Exception:
            wait(self._waiting)
            self._waiting.clear()
            self._failure = None
            raise

    def close(self) -> None:
        """Ends the thread when everything is written."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown()
