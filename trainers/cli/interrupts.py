"""SIGTERM and SIGHUP end a command as Ctrl-C does: it saves what was learnt and leaves no draft."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    Handler = Callable[[int, FrameType | None], object]

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


def _stop_signals(respected: frozenset[str]) -> tuple[signal.Signals, ...]:
    """Returns the Unix signals that end a program, except respected ones that are ignored."""
    known = (getattr(signal, name) for name in _NAMES if hasattr(signal, name))
    return tuple(
        kind
        for kind in known
        if kind.name not in respected or signal.getsignal(kind) is not signal.SIG_IGN
    )


@contextmanager
def handle_stop_signals(
    handler: Handler, respected: frozenset[str] = frozenset({"SIGHUP"})
) -> Iterator[None]:
    """Calls `handler` on each signal that asks the program to end, inside the `with`.

    Parameters
    ----------
    handler
        Called in the main thread with the number of the signal and the frame.
    respected
        The signals that stay ignored where they are ignored, as `nohup` ignores SIGHUP.
    """

    def handle(number: int, frame: FrameType | None) -> None:
        if number == getattr(signal, "SIGHUP", None):
            _leave_terminal()
        handler(number, frame)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {kind: signal.signal(kind, handle) for kind in _stop_signals(respected)}
    try:
        yield
    finally:
        for kind, previous in before.items():
            signal.signal(kind, previous)


@contextmanager
def interrupt_on_signals() -> Iterator[None]:
    """Raises KeyboardInterrupt on the first such signal; later ones do not disturb the clearing."""
    is_interrupted = False

    def interrupt(number: int, _frame: FrameType | None) -> None:
        nonlocal is_interrupted
        if not is_interrupted or number == signal.SIGINT:
            is_interrupted = True
            raise KeyboardInterrupt

    # A shell lets a program in the background ignore Ctrl-C.
    with handle_stop_signals(interrupt, frozenset(_NAMES)):
        yield


def _leave_terminal() -> None:
    """Leads the output to nothing where it goes to a terminal, which is closed by now."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            if stream.isatty():
                lead_to_nothing(stream.fileno())


def lead_to_nothing(descriptor: int) -> None:
    """Leads what is written to a file descriptor to nothing."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, descriptor)
    os.close(nothing)
