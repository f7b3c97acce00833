"""The log: the last lines in memory, all lines in a file."""

from __future__ import annotations

import logging
import platform
import sys
import traceback
from collections import deque
from importlib.metadata import PackageNotFoundError, version
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

from PySide6.QtCore import QMessageLogContext, QObject, QtMsgType, Signal, qInstallMessageHandler

from trainers.plain_text import clean_text

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

_MEMORY_LINES = 2_000
_FILE_BYTES, _FILES = 1_000_000, 3
_REPORTED_LINES = 40
_LISTED_PACKAGES = ("aeviewer", "PySide6-Essentials", "pyqtgraph", "torch", "numpy")
_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}
_qt = logging.getLogger("qt")


class SessionLog(QObject):
    """Collects what is logged in any thread, with Qt's messages and Python's warnings.

    Parameters
    ----------
    folder
        Where the log files lie; made if need be. Without one, or where it cannot be written,
        lines are kept in memory alone.
    """

    line_written = Signal(str)

    def __init__(self, folder: Path | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lines: deque[str] = deque(maxlen=_MEMORY_LINES)
        self.file: Path | None = None
        self._handlers: list[logging.Handler] = [_Relay(self)]
        if folder is not None:
            self._open_file(folder)
        form = _CleanFormatter("%(asctime)s  %(levelname)-8s %(name)s  %(message)s")
        for handler in self._handlers:
            handler.setFormatter(form)

    @property
    def text(self) -> str:
        """The last lines."""
        return "\n".join(self._lines)

    def begin(self) -> None:
        """Starts collecting."""
        root = logging.getLogger()
        self._level = root.level
        root.setLevel(logging.INFO)
        for handler in self._handlers:
            root.addHandler(handler)
        logging.captureWarnings(True)
        self._previous = qInstallMessageHandler(_from_qt)

    def end(self) -> None:
        """Stops collecting."""
        qInstallMessageHandler(self._previous)
        logging.captureWarnings(False)
        root = logging.getLogger()
        root.setLevel(self._level)
        for handler in self._handlers:
            root.removeHandler(handler)
            handler.close()

    def note(self, line: str) -> None:
        """Adds a line; from any thread."""
        self._lines.append(line)
        self.line_written.emit(line)

    def report(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> str:
        """Returns a report of an error for the developers; of runs it names only folders."""
        text = "".join(traceback.format_exception(kind, error, trace))
        lines = "\n".join(list(self._lines)[-_REPORTED_LINES:])
        return f"{versions()}\n\n{text}\nLast lines of the log:\n{lines}\n"

    def _open_file(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.file = folder / "aeviewer.log"
            self._handlers.append(
                RotatingFileHandler(
                    self.file, maxBytes=_FILE_BYTES, backupCount=_FILES - 1, encoding="utf-8"
                )
            )
        except OSError:
            self.file = None


class _CleanFormatter(logging.Formatter):
    """Formats records as text that commands no terminal in which the file is shown."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the text of one record."""
        return clean_text(super().format(record))


class _Relay(logging.Handler):
    """Passes log records to the session log."""

    def __init__(self, journal: SessionLog) -> None:
        super().__init__(logging.INFO)
        self._log = journal

    def emit(self, record: logging.LogRecord) -> None:
        """Passes one record, formatted as in the file."""
        self._log.note(self.format(record))


def versions() -> str:
    """Returns the versions of the program, its packages and the system, in one line."""
    text = [f"{name} {_version(name)}" for name in _LISTED_PACKAGES]
    return ", ".join([*text, f"Python {platform.python_version()}", platform.platform()])


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "?"


def _from_qt(kind: QtMsgType, _where: QMessageLogContext, text: str) -> None:
    """Logs Qt's messages, and still prints them to the terminal."""
    level = _LEVELS.get(kind, logging.WARNING)
    _qt.log(level, text)
    if level >= logging.WARNING and sys.stderr is not None:
        print(clean_text(text), file=sys.stderr)  # noqa: T201
