"""Child processes that report progress through a pipe, and at last a result. Loads no torch.

The child is spawned, so that it inherits no thread and no lock. It ignores Ctrl-C, which the parent
handles, and ends when the parent ends, also when the parent crashes.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trainers.errors import AEViewerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

_END_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class ChildFailure:
    """The last message of a child process that has no result; `problem` is a text for the user."""

    problem: str


class ParentPipe:
    """The pipe to the parent, as the child process uses it.

    Parameters
    ----------
    connection
        The child's end of the pipe.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._reported = -math.inf

    def receive(self) -> Any:
        """Waits for a message from the parent and returns it."""
        return self._connection.recv()

    def send(self, message: object) -> None:
        """Sends a message to the parent."""
        self._connection.send(message)

    def report(self, progress: object, interval: float) -> None:
        """Sends the progress, unless it was reported less than `interval` seconds ago."""
        if time.monotonic() - self._reported >= interval:
            self.send(progress)
            self._reported = time.monotonic()


class ChildProcess:
    """A process that calls a function and sends its messages and its result to the parent.

    The last message is what the function returns, or a `ChildFailure` where it raises an
    `AEViewerError`. After any other error the pipe is closed without a last message, and the
    traceback is written to the standard error output.

    Parameters
    ----------
    function
        A function at the top level of a module. Its first argument is a `ParentPipe`.
    arguments
        The other arguments, which are pickled. Large arrays are better sent afterwards: pickling
        them here would delay the caller.

    Attributes
    ----------
    process
        The process, which has been started.
    connection
        The parent's end of the pipe. The child ends when it is closed.
    """

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, childs_end = context.Pipe()
        self.process = context.Process(
            target=_run, args=(childs_end, function, arguments), daemon=True
        )
        self.process.start()
        childs_end.close()

    def send(self, message: object) -> None:
        """Sends a message to the child."""
        self.connection.send(message)

    def receive(self) -> Any:
        """Waits for the next message and returns it.

        Raises
        ------
        EOFError, OSError
            When the child has ended without a last message.
        """
        return self.connection.recv()

    def received_messages(self) -> Iterator[Any]:
        """Yields the messages that have arrived, without waiting for more.

        Raises
        ------
        EOFError, OSError
            When the child has ended without a last message.
        """
        while not self.connection.closed and self.connection.poll():
            yield self.connection.recv()

    def end(self) -> None:
        """Closes the pipe and ends the process; does nothing when called again."""
        if self.connection.closed:
            return
        self.connection.close()
        self.process.terminate()
        self.process.join(_END_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()


# -- in the child process --------------------------------------------------------------------------


def _run(
    connection: Connection, function: Callable[..., object], arguments: tuple[object, ...]
) -> None:
    ignore_terminal_signals()
    signal.signal(signal.SIGTERM, _end_in_order)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        try:
            connection.send(function(ParentPipe(connection), *arguments))
        except AEViewerError as error:
            connection.send(ChildFailure(str(error)))
    except (EOFError, OSError):
        return  # The parent has closed the pipe.


def ignore_terminal_signals() -> None:
    """Ignores Ctrl-C and the end of the terminal, which the parent process handles."""
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def _end_in_order(_number: int, _frame: object) -> None:
    """Ends the process so that it removes its drafts."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(0)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)
