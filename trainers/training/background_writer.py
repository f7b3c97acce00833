"""Writes files in order, in its own thread, so that no training step waits for the disk.

The work must not call torch: a second thread that runs torch slows training permanently.
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
    """A thread that does one write after another, in the order of the calls.

    A crash therefore leaves a state of the disk that writing without a thread could have left, too.
    The next call except `close` raises a failure, and the writes after the failed one are dropped,
    because they may depend on it.
    """

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._waiting: deque[Future[None]] = deque()
        self._failure: Exception | None = None

    def put(self, work: Callable[[], None]) -> Future[None]:
        """Queues a write and returns; waits only if many writes are queued already."""
        self.check()
        if len(self._waiting) >= _MOST_WAITING:
            self._settle(self._waiting.popleft())
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="writer")
        future = self._pool.submit(self._do, work)
        self._waiting.append(future)
        return future

    def check(self) -> None:
        """Raises the failure of a write that has ended by now."""
        while self._waiting and self._waiting[0].done():
            self._settle(self._waiting.popleft())

    def wait(self) -> None:
        """Waits until everything is written."""
        while self._waiting:
            self._settle(self._waiting.popleft())

    def _do(self, work: Callable[[], None]) -> None:
        """Does one write in the thread, unless an earlier one failed."""
        if self._failure is not None:
            raise self._failure
        try:
            work()
        except Exception as error:
            self._failure = error
            raise

    def _settle(self, future: Future[None]) -> None:
        """Waits for a write; when it failed, drops those after it and raises."""
        try:
            future.result()
        except Exception:
            wait(self._waiting)
            self._waiting.clear()
            self._failure = None
            raise

    def close(self) -> None:
        """Ends the thread after everything is written."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown()
