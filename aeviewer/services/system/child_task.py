"""Work in a child process, with its progress as Qt signals."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from trainers.child_process import ChildFailure

if TYPE_CHECKING:
    from trainers.child_process import ChildProcess

_READ_MILLISECONDS = 100


class ChildTask(QObject):
    """Reads the messages of a child process until its last one.

    Parameters
    ----------
    process
        The child process. It sends its progress, and at last its result or a `ChildFailure`.
    early_end
        The problem if the process ends without a last message.

    Attributes
    ----------
    share
        The share that is done, 0..1; None while it is not known.
    problem
        The reason why there is no result; empty if there is one.
    """

    progressed = Signal()
    ended = Signal()
    """The result is available, or `problem` says why not."""

    def __init__(
        self, process: ChildProcess, early_end: str, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.share: float | None = None
        self.problem = ""
        self._process, self._early_end = process, early_end
        self._timer = QTimer(self, interval=_READ_MILLISECONDS)
        self._timer.timeout.connect(self._read)
        self._timer.start()

    def stop(self) -> None:
        """Ends the process; no signal follows."""
        self._timer.stop()
        self._process.end()

    @abstractmethod
    def _take(self, message: object) -> bool:
        """Takes a message that is not a failure; returns whether it is the result."""

    @Slot()
    def _read(self) -> None:
        try:
            for message in self._process.received_messages():
                if isinstance(message, ChildFailure):
                    self._end(message.problem)
                elif self._take(message):
                    self._end()
                else:
                    self.progressed.emit()
        except (EOFError, OSError):
            self._end(self._early_end)

    def _end(self, problem: str = "") -> None:
        self.problem = problem
        self.stop()
        self.ended.emit()
