"""A thread that does requested work; new work on a channel replaces the work that waits."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from threading import Condition
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QObject, QThread, Signal, Slot
from shiboken6 import isValid

from trainers.errors import AEViewerError

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)


class Receiver(Protocol):
    """Receives the replies to its requests, in the thread that the request thread was made in."""

    def receive(self, reply: Reply) -> None:
        """Receives one reply."""


@dataclass(frozen=True, slots=True)
class Request:
    """Work for a thread.

    Attributes
    ----------
    channel
        A newer request on the same channel replaces one that is waiting or unfinished.
    work
        Runs in the thread; what it returns is the result. Its argument is the `ModelCache` in the
        compute thread, and None elsewhere. In the compute thread long work returns a generator,
        which is continued between two slices of training; each value that it yields is a result
        (None: no result yet).
    receiver
        A weak reference to the receiver of the replies.
    """

    channel: str
    work: Callable[[Any], object]
    receiver: Callable[[], Receiver | None]


@dataclass(frozen=True, slots=True)
class Reply:
    """The result of a request, or the message of its failure.

    Attributes
    ----------
    is_last
        False for a part of long work. The end of long work has no result.
    """

    request: Request
    result: object = None
    problem: str = ""
    is_last: bool = True


class RequestThread(QThread):
    """Keeps the newest request of each channel, and delivers the replies."""

    _replied = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work_arrived = Condition()
        self._requests: dict[str, Request] = {}
        self._closing = False
        self._replied.connect(self._deliver)

    def submit(self, request: Request) -> None:
        """Queues a request; it replaces one that is waiting on the same channel."""
        with self._work_arrived:
            self._requests[request.channel] = request
            self._work_arrived.notify()

    def close(self) -> None:
        """Ends the thread and waits for its end; waiting requests are dropped."""
        with self._work_arrived:
            self._closing = True
            self._work_arrived.notify()
        self.wait()

    @Slot(object)
    def _deliver(self, reply: Reply) -> None:
        """Passes a reply to its receiver, in the thread that this object was made in."""
        receiver = reply.request.receiver()
        if receiver is not None and isValid(receiver):
            receiver.receive(reply)

    # -- in the thread ---------------------------------------------------------------------------

    def _take_requests(self) -> list[Request]:
        with self._work_arrived:
            requests, self._requests = [*self._requests.values()], {}
        return requests

    def _try(self, request: Request, work: Callable[[], object]) -> object:
        """Returns the result of `work`, or a reply with the message of its failure."""
        try:
            return work()
        except AEViewerError as error:
            return Reply(request, problem=str(error))
        except Exception as error:
            logger.exception("A request on %r failed", request.channel)
            return Reply(request, problem=f"{type(error).__name__}: {error}")


class FileThread(RequestThread):
    """Reads files, so that neither the window nor the training waits for the disk.

    It never touches torch. It starts with its first request.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("files")

    def submit(self, request: Request) -> None:
        """Queues a request; it replaces one that is waiting on the same channel."""
        super().submit(request)
        if not self.isRunning() and not self._closing:
            self.start()

    def run(self) -> None:
        """Does the work of requests, until `close` is called."""
        while self._wait_for_work():
            for request in self._take_requests():
                result = self._try(request, partial(request.work, None))
                reply = result if isinstance(result, Reply) else Reply(request, result)
                self._replied.emit(reply)

    def _wait_for_work(self) -> bool:
        with self._work_arrived:
            while not (self._closing or self._requests):
                self._work_arrived.wait()
            return not self._closing
