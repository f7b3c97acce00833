"""Captures every problem that occurs while something is tried, wherever it is reported."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PySide6.QtCore import QtMsgType, qInstallMessageHandler

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtCore import QMessageLogContext

_UNREPORTED_KINDS = frozenset({QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg})
_OFFSCREEN_MESSAGE = "This plugin does not support propagateSizeHints()"
"""What Qt's offscreen platform reports of itself for every window."""


class _WarningHandler(logging.Handler):
    """Records what is logged as a warning or worse."""

    def __init__(self, found: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._found = found

    def emit(self, record: logging.LogRecord) -> None:
        self._found.append(f"{record.levelname.lower()} of {record.name}: {self.format(record)}")


@contextmanager
def capture_problems() -> Iterator[list[str]]:
    """Collects problems inside the `with`, one line or traceback each.

    A problem is an uncaught exception, in any thread or where Python cannot raise it; a warning of
    Qt or Python; or a logged warning or error.
    """
    found: list[str] = []

    def take(kind: QtMsgType, _context: QMessageLogContext, message: str) -> None:
        if kind not in _UNREPORTED_KINDS and message != _OFFSCREEN_MESSAGE:
            found.append(f"Qt: {message}")

    def note(error: BaseException | None, where: str) -> None:
        details = "".join(traceback.format_exception(error)) if error else ""
        found.append(f"{where}: {details}".strip())

    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    sys.excepthook = lambda _kind, error, _trace: note(error, "uncaught")
    threading.excepthook = lambda details: note(details.exc_value, "was not caught in a thread")
    sys.unraisablehook = lambda details: note(
        details.exc_value, f"could not be raised in {details.object}"
    )
    handler, before = _WarningHandler(found), qInstallMessageHandler(take)
    logging.getLogger().addHandler(handler)
    logging.captureWarnings(True)
    try:
        yield found
    finally:
        logging.captureWarnings(False)
        logging.getLogger().removeHandler(handler)
        qInstallMessageHandler(before)
        sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
