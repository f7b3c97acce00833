"""The queue of training runs: what Train, Pause, Resume and Stop do."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Signal, Slot

from aeviewer.services.training.event_dispatch import EventDispatcher
from aeviewer.services.training.process_trainer import ProcessTrainer
from aeviewer.services.training.training_progress import RateMeter, TrainingProgress, together
from trainers import runs, tensorboard
from trainers.errors import AEViewerError
from trainers.events import Progress, Started
from trainers.exporting.exporters import EXPORTERS

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

    place: Executor
    pace: RateMeter
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
        self._figures = TrainingProgress()
        self._delivery = EventDispatcher(session, event_queue, self)
        self._delivery.begun.connect(self._take_start)
        self._delivery.advanced.connect(self._take_progress)
        self._delivery.left.connect(self._end_run)
        self._delivery.ended.connect(self._take_end)
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
        return self._figures

    def figures_of(self, key: str) -> TrainingProgress | None:
        """Returns the progress of an active run; None for any other run."""
        return self._trainings[key].pace.figures if key in self._trainings else None

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
        self._fill()

    def set_writes_events(self, writes: bool) -> bool:
        """Writes TensorBoard events of all runs from now on; returns whether that is possible.

        A run that writes events continues to write them.
        """
        problem = EXPORTERS["tensorboard"].missing() if writes else ""
        if problem:
            self._session.message_posted.emit(problem)
        self._writes_events = writes and not problem
        for key in self.active:
            self._ask_for_events(key)
        return self._writes_events

    def _ask_for_events(self, key: str) -> None:
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
        self._enqueue(self._session.add(run, "queued"))

    def continue_run(self, key: str) -> None:
        """Queues a stopped or interrupted run, to be finished."""
        if key not in self._trainings and key not in self._waiting:
            self._enqueue(key)

    def remove(self, key: str) -> None:
        """Removes a waiting run from the queue; it can be continued later."""
        if key in self._waiting:
            self._waiting.remove(key)
            self._session.set_state(key, "stopped")
            self.activity_changed.emit()

    def pause(self) -> None:
        """Pauses the active runs: a single one stays in memory, processes save and end."""
        if self.activity is Activity.RUNNING:
            self._hold(True)

    def resume(self) -> None:
        """Resumes the paused runs."""
        if self.activity is Activity.PAUSED:
            for training in self._trainings.values():
                training.pace.rest()
            self._hold(False)
            self._fill()

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
            training.place.stop_training(self._session.run(chosen))
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
        self._delivery.close()

    # -- the queue -------------------------------------------------------------------------------

    def _enqueue(self, key: str) -> None:
        was_idle = not self._trainings
        self._waiting.append(key)
        self._session.set_state(key, "queued")
        self._fill()
        if was_idle:
            self._session.set_current(key)
            self._session.follow()

    def _fill(self) -> None:
        """Starts waiting runs as far as there is room."""
        if not self._trainings:
            # A pause that arrives while the previous run ends must not pause the next one.
            self._hold(False)
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
        self._session.set_state(key, "running")
        self._delivery.expect(key)
        self._ask_for_events(key)
        place.train(self._session.run(key))
        if is_free:
            self._session.set_current(key)
            self._session.follow()
        self._tell_figures()

    def _hold(self, paused: bool) -> None:
        self._is_paused = paused
        for place in (self._compute, self._processes):
            place.set_paused(paused)
        for key, training in self._trainings.items():
            if not training.is_stopping:
                self._session.set_state(key, "paused" if paused else "running")
        self.activity_changed.emit()

    def _tell_figures(self) -> None:
        self._figures = together([t.pace.figures for t in self._trainings.values()])
        self.progressed.emit()

    # -- events ----------------------------------------------------------------------------------

    @Slot(str, Started)
    def _take_start(self, key: str, event: Started) -> None:
        if key in self._trainings:
            self._trainings[key].pace.begin(event.step, event.steps, event.device)
            self._tell_figures()

    @Slot(str, Progress)
    def _take_progress(self, key: str, event: Progress) -> None:
        if key in self._trainings:
            self._trainings[key].pace.advance(event.step, event.steps)
            self._tell_figures()

    @Slot(str, str, object)
    def _end_run(self, key: str, state: str, step: int | None = None) -> None:
        """Handles the end of an active run, and starts the next one."""
        was_live = self._session.is_live and self._is_current(key)
        if self._session.has(key):
            self._session.set_state(key, state, step)
        if self._trainings.pop(key, None) is not None:
            self._fill()
            if self._trainings:
                self._tell_figures()
        if was_live and self._is_current(key):
            self._session.follow()

    @Slot(str)
    def _take_end(self, key: str) -> None:
        if key in self._trainings:
            self._end_run(key, "stopped")

    @Slot()
    def _follow_current(self) -> None:
        """Emits a signal when `stop` would stop another run than before."""
        if len(self._trainings) > 1:
            self.activity_changed.emit()

    def _is_current(self, key: str) -> bool:
        current = self._session.current
        return current is not None and current.key == key
