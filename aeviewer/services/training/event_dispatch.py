"""Passes the events of training runs to the session and to the queue."""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from functools import partial, singledispatchmethod
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from aeviewer.services.compute.compute_client import ComputeClient
from aeviewer.services.compute.event_queue import TrainingEnded, TrainingFailed, merge_progress
from trainers.events import (
    CheckpointSaved,
    Diverged,
    Finished,
    Preview,
    Progress,
    Started,
    Stopped,
)
from trainers.parallel import CheckpointFound
from trainers.runs.status import RunState

if TYPE_CHECKING:
    from aeviewer.services.compute.compute_thread import ComputeThread
    from aeviewer.services.compute.event_queue import EventQueue, RunEvent
    from aeviewer.services.runs.session import Session
    from trainers.runs import Run

_DRAIN_MILLISECONDS = 33
_PROGRESS_SECONDS = 0.2
"""The shortest time between two updates with losses alone: each one repaints several panels."""


class EventDispatcher(QObject):
    """Reads the event queue 30 times a second while a run is trained, and not otherwise.

    Losses, checkpoints and previews go to the session; the signals tell what concerns the queue.
    Losses alone can wait a little: what paints them takes its time from the training.

    Parameters
    ----------
    session
        Receives losses, previews and checkpoints.
    compute
        Its file thread reads the checkpoints of runs in other processes.
    event_queue
        Holds the events that the compute thread and the processes have added.
    """

    training_started = Signal(str, Started)
    training_progressed = Signal(str, Progress)
    run_ended = Signal(str, object, object)
    """A run has ended: its key, its new `RunState`, and the step if it is known."""
    events_ended = Signal(str)
    """No event of this run follows."""

    def __init__(
        self,
        session: Session,
        compute: ComputeThread,
        event_queue: EventQueue,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._files = ComputeClient(compute.files, "found checkpoint", session.report, self)
        self._session, self._event_queue = session, event_queue
        self._open_trainings: Counter[str] = Counter()
        self._run_events: deque[RunEvent] = deque()
        self._last_dispatch = -math.inf
        self._timer = QTimer(self, interval=_DRAIN_MILLISECONDS)
        self._timer.timeout.connect(self.drain)

    def expect(self, key: str) -> None:
        """Starts reading events, until the training of the run has ended."""
        self._open_trainings[key] += 1
        self._timer.start()

    def close(self) -> None:
        """Dispatches all waiting events and stops reading."""
        self._run_events.extend(self._event_queue.take_all())
        self._dispatch()
        self._timer.stop()

    @Slot()
    def drain(self) -> None:
        """Dispatches all events; losses alone wait a while after the last ones."""
        self._run_events.extend(self._event_queue.take_all())
        can_wait = all(isinstance(run_event.event, Progress) for run_event in self._run_events)
        if not can_wait or time.monotonic() - self._last_dispatch > _PROGRESS_SECONDS:
            self._dispatch()

    def _dispatch(self) -> None:
        # An event that fails must not keep the events behind it in the queue.
        self._run_events = deque(merge_progress(self._run_events))
        while self._run_events:
            self._last_dispatch = time.monotonic()
            run_event = self._run_events.popleft()
            # The folder of a run may have been deleted; then only its end matters.
            if self._session.has(run_event.key) or isinstance(run_event.event, TrainingEnded):
                self._handle(run_event.event, run_event.key)
        if not self._open_trainings.total():
            self._timer.stop()

    @singledispatchmethod
    def _handle(self, event: object, key: str) -> None:
        raise TypeError(f"No handler is registered for {type(event).__name__}.")

    @_handle.register
    def _(self, event: Started, key: str) -> None:
        self._session.forget_curves(key)
        self.training_started.emit(key, event)

    @_handle.register
    def _(self, event: Progress, key: str) -> None:
        self._session.append_losses(key, event.losses)
        self.training_progressed.emit(key, event)

    @_handle.register
    def _(self, event: Preview, key: str) -> None:
        if self._is_followed(key):
            self._session.set_preview(event)

    @_handle.register
    def _(self, event: CheckpointSaved, key: str) -> None:
        self._session.add_checkpoint(key, event.evaluation)
        self._handle(event.preview, key)

    @_handle.register
    def _(self, event: CheckpointFound, key: str) -> None:
        self._session.add_checkpoint(key, event.evaluation)
        if self._is_followed(key):
            work = partial(_read_preview, self._session.run(key), event.evaluation.step)
            self._files.submit("preview", work, partial(self._handle_preview, key))

    def _handle_preview(self, key: str, preview: Preview) -> None:
        self._handle(preview, key)

    @_handle.register
    def _(self, event: Stopped, key: str) -> None:
        if event.step:
            self._session.add_step(key, event.step)
        self.run_ended.emit(key, RunState.STOPPED, event.step)

    @_handle.register
    def _(self, event: Finished, key: str) -> None:
        self.run_ended.emit(key, RunState.FINISHED, event.step)

    @_handle.register
    def _(self, event: Diverged, key: str) -> None:
        self.run_ended.emit(key, RunState.DIVERGED, event.step - 1)
        self._session.refresh()
        self._session.message_posted.emit(
            f"{self._session.item(key).name}: {self._session.item(key).problem}"
        )

    @_handle.register
    def _(self, event: TrainingFailed, key: str) -> None:
        self.run_ended.emit(key, RunState.FAILED, None)
        self._session.set_problem(key, event.message)
        self._session.message_posted.emit(event.message)

    @_handle.register
    def _(self, _event: TrainingEnded, key: str) -> None:
        self._open_trainings[key] -= 1
        # A run may be continued while its first training still evaluates its last checkpoint.
        if not self._open_trainings[key]:
            self.events_ended.emit(key)

    def _is_followed(self, key: str) -> bool:
        current = self._session.current
        return self._session.is_live and current is not None and current.key == key


def _read_preview(run: Run, step: int, _models: None) -> Preview:
    return run.checkpoint(step).preview()
