"""The latest result of a question, and whether it still answers the question that is asked now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from aeviewer.services.compute.compute_client import ComputeClient

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from aeviewer.services.compute.compute_client import Work
    from aeviewer.services.compute.request_thread import RequestThread

_CHANNEL = "result"


class LatestResult(QObject):
    """Keeps the result of the question that was asked last.

    While a question is being answered, the result of the question before stays, and `is_stale` says
    so. A failure drops it: it would stand under the name of another question.

    Parameters
    ----------
    compute
        The thread that does the work.
    name
        The name of the client; it must be unique in the program.
    report
        Receives the message of a failure.
    """

    changed = Signal()
    """The value is another one, or was dropped."""
    status_changed = Signal()
    """`is_computing`, `is_stale` or `progress` is another one."""

    def __init__(
        self,
        compute: RequestThread,
        name: str,
        report: Callable[[str], object],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._client = ComputeClient(compute, name, self._drop, self)
        self._report = report
        self._asked: Hashable = None
        self._answered: Hashable = None
        self._next: tuple[Hashable, Work] | None = None
        self.value: Any = None
        self.is_computing = False
        self.progress: float | None = None

    @property
    def is_stale(self) -> bool:
        """Whether the value answers another question than the one that is asked now."""
        return self.value is not None and self._answered != self._asked

    def ask(self, question: Hashable, work: Work, *, finishes_first: bool = False) -> None:
        """Asks a question in place of the one before.

        Parameters
        ----------
        question
            Equal for work with equal results; the live model counts as one question at all steps.
        work
            As in `ComputeClient.submit`. A yielded float is the progress, 0..1; everything else
            that is not None is a result.
        finishes_first
            Whether work for the same question is finished before it starts again: the live model
            changes faster than long work ends.
        """
        if finishes_first and self.is_computing and question == self._asked:
            self._next = question, work
            return
        self._next, self._asked = None, question
        self.is_computing, self.progress = True, None
        self._client.submit(_CHANNEL, work, self._take, on_end=self._end)
        self.status_changed.emit()

    def clear(self) -> None:
        """Drops the value and the work."""
        self._client.cancel(_CHANNEL)
        self._asked = self._next = None
        self.is_computing, self.progress = False, None
        if self.value is not None:
            self.value = None
            self.changed.emit()
        self.status_changed.emit()

    def _take(self, value: object) -> None:
        if isinstance(value, float):
            self.progress = value
        else:
            self.value, self._answered = value, self._asked
            self.changed.emit()
        self.status_changed.emit()

    def _drop(self, problem: str) -> None:
        self.value = None
        self.changed.emit()
        self._report(problem)

    def _end(self) -> None:
        self.is_computing, self.progress = False, None
        if self._next is not None:
            self.ask(*self._next)
        else:
            self.status_changed.emit()
