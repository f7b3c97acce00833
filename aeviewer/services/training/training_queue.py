"""The queue of training runs: what Train, Pause, Resume and Stop do."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Signal, Slot

from aeviewer.services.training.event_dispatch import EventDispatcher
from aeviewer.services.training.process_trainer import ProcessTrainer
from aeviewer.services.training.training_progress import RateMeter, TrainingProgress, join_progress
from trainers import runs, tensorboard
from trainers.errors import AEViewerError
from trainers.events import Progress, Started
from trainers.exporting.exporters import EXPORTERS
from trainers.runs.status import RunState

if TYPE_CHECKING:
    from aeviewer.services.compute.compute_thread import ComputeThread
    from aeviewer.services.compute.event_queue import EventQueue
    from aeviewer.services.runs.session import Session
    from trainers.config import RunConfig
    from trainers.runs import Run


class Activity(Enum):
    """What the queue is doing."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"


class Executor(Protocol):
    """Trains runs, in this process or in others, and puts their events into the event queue."""

    def train(self, run: Run) -> None:
        """Trains a run, after the runs that were requested before."""

    def set_paused(self, paused: bool) -> None:
        """Pauses or resumes the runs in training."""

    def stop_training(self, run: Run) -> None:
        """Stops the training of a run and saves it."""

    def close(self) -> None:
        """Saves the runs in training and waits for that."""


@dataclass
class _Training:
    """An active run: where it is trained, and its rate."""

    executor: Executor
    rate_meter: RateMeter
    is_stopping: bool = False


class TrainingQueue(QObject):
    """Trains runs, one after another or several at once.

    Parameters
    ----------
    session
        Receives the states of the runs.
    compute
        Trains while one run is trained at a time, with every core and live previews. It adds its
        events to `event_queue`.
    event_queue
        Holds the events of all runs in training.
    processes
        Train while several runs are trained at a time. They add their events to `event_queue`.
    """

    activity_changed = Signal()
    progressed = Signal()

    def __init__(
        self,
        session: Session,
        compute: ComputeThread,
        event_queue: EventQueue,
        processes: ProcessTrainer | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._compute = compute
        self._processes = processes or ProcessTrainer(event_queue, parent=self)
        self._side_by_side = 1
        self._writes_events = False
        self._is_paused = False
        self._trainings: dict[str, _Training] = {}
        self._waiting: deque[str] = deque()
        self._progress = TrainingProgress()
        self._dispatcher = EventDispatcher(session, compute, event_queue, self)
        self._dispatcher.training_started.connect(self._follow_start)
        self._dispatcher.training_progressed.connect(self._follow_progress)
        self._dispatcher.run_ended.connect(self._end_run)
        self._dispatcher.events_ended.connect(self._follow_end)
        session.current_changed.connect(self._follow_current)

    @property
    def activity(self) -> Activity:
        """What the queue is doing."""
        if not self._trainings:
            return Activity.IDLE
        if all(training.is_stopping for training in self._trainings.values()):
            return Activity.STOPPING
        return Activity.PAUSED if self._is_paused else Activity.RUNNING

    @property
    def active(self) -> tuple[str, ...]:
        """The keys of the runs that are in training or paused."""
        return tuple(self._trainings)

    @property
    def waiting(self) -> tuple[str, ...]:
        """The keys of the waiting runs."""
        return tuple(self._waiting)

    @property
    def progress(self) -> TrainingProgress:
        """The progress of all active runs together; the last known one where none is active."""
        return self._progress

    def progress_of(self, key: str) -> TrainingProgress | None:
        """Returns the progress of an active run; None for any other run."""
        return self._trainings[key].rate_meter.progress if key in self._trainings else None

    @property
    def side_by_side(self) -> int:
        """The number of runs that are trained at once."""
        return self._side_by_side

    @property
    def to_stop(self) -> str | None:
        """The key of the run that `stop` stops: the current run, or else the first active one."""
        keys = [key for key, training in self._trainings.items() if not training.is_stopping]
        return next((key for key in keys if self._is_current(key)), keys[0] if keys else None)

    # -- requests --------------------------------------------------------------------------------

    def set_side_by_side(self, count: int) -> None:
        """Trains up to `count` runs at once; more than one are trained in processes of their own.

        Active runs stay where they are trained; waiting runs start as soon as there is room.
        """
        self._side_by_side = max(1, count)
        self._start_waiting()

    def set_writes_events(self, writes: bool) -> bool:
        """Writes TensorBoard events of all runs from now on; returns whether that is possible.

        A run that writes events continues to write them.
        """
        problem = EXPORTERS["tensorboard"].missing() if writes else ""
        if problem:
            self._session.message_posted.emit(problem)
        self._writes_events = writes and not problem
        for key in self.active:
            self._request_events(key)
        return self._writes_events

    def _request_events(self, key: str) -> None:
        """Requests events in a run's folder where they are switched on; a failure is posted."""
        try:
            if self._writes_events:
                tensorboard.request_events(self._session.run(key))
        except AEViewerError as error:
            self._session.message_posted.emit(str(error))

    def train(self, config: RunConfig, name: str = "") -> None:
        """Starts a new run, or queues it behind the active ones."""
        try:
            run = runs.create_run(config, self._session.folder, name)
        except AEViewerError as error:
            self._session.message_posted.emit(str(error))
            return
        self._enqueue(self._session.add(run, RunState.QUEUED))

    def continue_run(self, key: str) -> None:
        """Queues a stopped or interrupted run, to be finished."""
        if key not in self._trainings and key not in self._waiting:
            self._enqueue(key)

    def remove(self, key: str) -> None:
        """Removes a waiting run from the queue; it can be continued later."""
        if key in self._waiting:
            self._waiting.remove(key)
            self._session.set_state(key, RunState.STOPPED)
            self.activity_changed.emit()

    def pause(self) -> None:
        """Pauses the active runs: a single one stays in memory, processes save and end."""
        if self.activity is Activity.RUNNING:
            self._set_paused(True)

    def resume(self) -> None:
        """Resumes the paused runs."""
        if self.activity is Activity.PAUSED:
            for training in self._trainings.values():
                training.rate_meter.skip_pause()
            self._set_paused(False)
            self._start_waiting()

    def stop(self, key: str | None = None) -> None:
        """Stops an active run and saves it; the next one starts.

        Parameters
        ----------
        key
            Which one; left out, `to_stop`.
        """
        chosen = key or self.to_stop or ""
        training = self._trainings.get(chosen)
        if training is not None and not training.is_stopping:
            training.is_stopping = True
            training.executor.stop_training(self._session.run(chosen))
            self.activity_changed.emit()

    def stop_all(self) -> None:
        """Stops every active run, and removes the waiting ones from the queue."""
        for key in self.waiting:
            self.remove(key)
        for key in self.active:
            self.stop(key)

    def close(self) -> None:
        """Stops and saves the active runs, waits for that, and empties the queue."""
        self._waiting.clear()
        self._processes.close()
        self._compute.close()
        self._dispatcher.close()

    # -- the queue -------------------------------------------------------------------------------

    def _enqueue(self, key: str) -> None:
        was_idle = not self._trainings
        self._waiting.append(key)
        self._session.set_state(key, RunState.QUEUED)
        self._start_waiting()
        if was_idle:
            self._session.set_current(key)
            self._session.follow()

    def _start_waiting(self) -> None:
        """Starts waiting runs as far as there is room."""
        if not self._trainings:
            # A pause that arrives while the previous run ends must not pause the next one.
            self._set_paused(False)
        while self._waiting and not self._is_paused:
            if len(self._trainings) >= self._side_by_side:
                break
            self._begin(self._waiting.popleft())
        self.activity_changed.emit()

    def _begin(self, key: str) -> None:
        current = self._session.current
        is_free = current is None or (
            self._session.step is None and current.key not in self._trainings
        )
        item = self._session.item(key)
        place: Executor = self._processes if self._side_by_side > 1 else self._compute
        self._trainings[key] = _Training(place, RateMeter(item.step, item.steps))
        self._session.set_state(key, RunState.RUNNING)
        self._dispatcher.expect(key)
        self._request_events(key)
        place.train(self._session.run(key))
        if is_free:
            self._session.set_current(key)
            self._session.follow()
        self._update_progress()

    def _set_paused(self, paused: bool) -> None:
        self._is_paused = paused
        for place in (self._compute, self._processes):
            place.set_paused(paused)
        for key, training in self._trainings.items():
            if not training.is_stopping:
                state = RunState.PAUSED if paused else RunState.RUNNING
                self._session.set_state(key, state)
        self.activity_changed.emit()

    def _update_progress(self) -> None:
        self._progress = join_progress([t.rate_meter.progress for t in self._trainings.values()])
        self.progressed.emit()

    # -- events ----------------------------------------------------------------------------------

    @Slot(str, Started)
    def _follow_start(self, key: str, event: Started) -> None:
        if key in self._trainings:
            self._trainings[key].rate_meter.begin(event.step, event.steps, event.device)
            self._update_progress()

    @Slot(str, Progress)
    def _follow_progress(self, key: str, event: Progress) -> None:
        if key in self._trainings:
            self._trainings[key].rate_meter.advance(event.step, event.steps)
            self._update_progress()

    @Slot(str, object, object)
    def _end_run(self, key: str, state: RunState, step: int | None = None) -> None:
        """Handles the end of an active run, and starts the next one."""
        was_live = self._session.is_live and self._is_current(key)
        if self._session.has(key):
            self._session.set_state(key, state, step)
        if self._trainings.pop(key, None) is not None:
            self._start_waiting()
            if self._trainings:
                self._update_progress()
        if was_live and self._is_current(key):
            self._session.follow()

    @Slot(str)
    def _follow_end(self, key: str) -> None:
        if key in self._trainings:
            self._end_run(key, RunState.STOPPED)

    @Slot()
    def _follow_current(self) -> None:
        """Emits a signal when `stop` would stop another run than before."""
        if len(self._trainings) > 1:
            self.activity_changed.emit()

    def _is_current(self, key: str) -> bool:
        current = self._session.current
        return current is not None and current.key == key
