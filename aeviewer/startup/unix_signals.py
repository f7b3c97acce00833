"""Ctrl-C in the terminal, SIGTERM and SIGHUP close the window, which saves."""

from __future__ import annotations

import signal
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PySide6.QtCore import QSocketNotifier

from trainers.cli.interrupts import handle_stop_signals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtWidgets import QWidget


@contextmanager
def close_on_signals(window: QWidget) -> Iterator[None]:
    """Closes `window` on SIGINT, SIGTERM and SIGHUP inside the `with`.

    Python runs a signal's handler between two of its own instructions, and Qt's event loop runs
    none: a byte on a socket wakes it.
    """
    awake, waker = socket.socketpair()
    for end in (awake, waker):
        end.setblocking(False)
    notifier = QSocketNotifier(awake.fileno(), QSocketNotifier.Type.Read, window)
    notifier.activated.connect(lambda: awake.recv(1))
    waking = signal.set_wakeup_fd(waker.fileno())
    try:
        with handle_stop_signals(lambda *_: window.close()):
            yield
    finally:
        signal.set_wakeup_fd(waking)
        notifier.setEnabled(False)
        awake.close()
        waker.close()
