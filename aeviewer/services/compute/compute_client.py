"""Submits work to the compute thread and receives the results, unless newer work replaced it."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from aeviewer.services.compute.request_thread import Reply, Request, RequestThread

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeviewer.services.compute.model_cache import ModelCache

    Work = Callable[[ModelCache], object]


@dataclass(frozen=True, slots=True)
class _Callbacks:
    on_result: Callable[[Any], object]
    on_problem: Callable[[str], object]
    on_end: Callable[[], object]


class ComputeClient(QObject):
    """Submits work on channels; new work on a channel replaces the work before it.

    The callbacks are called in the thread that the client lives in, and no longer once the client
    or one of its parents has been deleted.

    Parameters
    ----------
    compute
        The thread that does the work.
    name
        The prefix of this client's channels; it must be unique in the program.
    report
        Receives the message of a failure, unless `submit` is given another receiver.
    """

    def __init__(
        self,
        compute: RequestThread,
        name: str,
        report: Callable[[str], object],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._compute = compute
        self._name = name
        self._report = report
        self._pending: dict[str, tuple[Request, _Callbacks]] = {}

    def submit(
        self,
        channel: str,
        work: Work,
        on_result: Callable[[Any], object],
        *,
        on_problem: Callable[[str], object] | None = None,
        on_end: Callable[[], object] = lambda: None,
    ) -> None:
        """Submits work and replaces the work of the same channel that is waiting or unfinished.

        Parameters
        ----------
        channel
            What the work is for, as "image".
        work
            Runs in the compute thread. Long work returns a generator, which is continued between
            two slices of training; each value that it yields is one result.
        on_result
            Called with each result that is not None.
        on_problem
            Called with the message where the work fails.
        on_end
            Called after the last result, and after a failure.
        """
        request = Request(f"{self._name} {channel}", work, weakref.ref(self))
        callbacks = _Callbacks(on_result, on_problem or self._report, on_end)
        self._pending[channel] = request, callbacks
        self._compute.submit(request)

    def cancel(self, channel: str) -> None:
        """Ends the work of a channel; none of its callbacks is called any more."""
        if self._pending.pop(channel, None) is not None:
            self._compute.submit(Request(f"{self._name} {channel}", _do_nothing, weakref.ref(self)))

    def receive(self, reply: Reply) -> None:
        """Passes a reply to the callbacks of its request, unless the request was replaced."""
        channel = reply.request.channel.removeprefix(f"{self._name} ")
        request, callbacks = self._pending.get(channel, (None, None))
        if request is not reply.request or callbacks is None:
            return
        if reply.is_last:
            del self._pending[channel]
        if reply.problem:
            callbacks.on_problem(reply.problem)
        elif reply.result is not None:
            callbacks.on_result(reply.result)
        if reply.is_last:
            callbacks.on_end()


def _do_nothing(_models: ModelCache) -> None:
    """Replaces the work of a channel that was cancelled."""
