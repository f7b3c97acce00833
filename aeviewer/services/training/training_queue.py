"""The queue of trainings: what Train, Pause, Resume and Stop do."""

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
    """Where runs are trained; what happens there is left in the event_queue."""

    def train(self, run: Run) -> None:
        """Trains a run, after those that were asked for before."""

    def set_paused(self, paused: bool) -> None:
        """Holds what is trained, or lets it go on."""

    def stop_training(self, run: Run) -> None:
        """Ends the training of a run, with everything kept."""

    def close(self) -> None:
        """Saves what is being trained and waits for it."""


@dataclass
class _Training:
    """A run in hand: where it is trained, and how far it is."""

    place: Executor
    pace: RateMeter
    is_stopping: bool = False


class TrainingQueue(QObject):
    """Trains runs, one after another or some side by side.

    Parameters
    ----------
    session
        Receives the states of the runs.
    compute
        Trains where one run is trained at a time, with every core and live previews; it puts its
        events into `event_queue`.
    event_queue
        Holds the events of all runs in training.
    processes
        Train where several runs are trained at a time; they leave word in the same event_queue.
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
        """What is going on."""
        if not self._trainings:
            return Activity.IDLE
        if all(training.is_stopping for training in self._trainings.values()):
            return Activity.STOPPING
        return Activity.PAUSED if self._is_paused else Activity.RUNNING

    @property
    def active(self) -> tuple[str, ...]:
        """Keys of the runs that are trained or held."""
        return tuple(self._trainings)

    @property
    def waiting(self) -> tuple[str, ...]:
        """Keys of the runs behind them."""
        return tuple(self._waiting)

    @property
    def progress(self) -> TrainingProgress:
        """The progress of all active runs together; the last known one where none is active."""
        return self._figures

    def figures_of(self, key: str) -> TrainingProgress | None:
        """How far an active run is; None for another."""
        return self._trainings[key].pace.figures if key in self._trainings else None

    @property
    def side_by_side(self) -> int:
        """How many runs are trained at once."""
        return self._side_by_side

    @property
    def to_stop(self) -> str | None:
        """Key of the run that `stop` stops: the one that is explored, or the first one."""
        keys = [key for key, training in self._trainings.items() if not training.is_stopping]
        return next((key for key in keys if self._is_current(key)), keys[0] if keys else None)

    # -- requests --------------------------------------------------------------------------------

    def set_side_by_side(self, count: int) -> None:
        """Trains up to `count` runs at once: more than one in processes of their own.

        What is trained goes on where it is; what waits begins as there is room.
        """
        self._side_by_side = max(1, count)
        self._fill()

    def set_writes_events(self, writes: bool) -> bool:
        """Has TensorBoard's events written of what is trained, from now on; whether it will be.

        A run whose events were asked for once goes on writing them.
        """
        problem = EXPORTERS["tensorboard"].missing() if writes else ""
        if problem:
            self._session.message_posted.emit(problem)
        self._writes_events = writes and not problem
        for key in self.active:
            self._ask_for_events(key)
        return self._writes_events

    def _ask_for_events(self, key: str) -> None:
        """Asks a run's folder for events, where they are wanted; a failure is posted."""
        try:
            if self._writes_events:
                tensorboard.request_events(self._session.run(key))
        except AEViewerError as error:
            self._session.message_posted.emit(str(error))

    def train(self, config: RunConfig, name: str = "") -> None:
        """Starts a new run, or puts it behind those that are running."""
        try:
            run = runs.create_run(config, self._session.folder, name)
        except AEViewerError as error:
            self._session.message_posted.emit(str(error))
            return
        self._enqueue(self._session.add(run, "queued"))

    def continue_run(self, key: str) -> None:
        """Puts a stopped or interrupted run into the queue, to be finished."""
        if key not in self._trainings and key not in self._waiting:
            self._enqueue(key)

    def remove(self, key: str) -> None:
        """Takes a waiting run out of the queue; it can be continued later."""
        if key in self._waiting:
            self._waiting.remove(key)
            self._session.set_state(key, "stopped")
            self.activity_changed.emit()

    def pause(self) -> None:
        """Holds the active runs: one alone stays in memory, processes save and end."""
        if self.activity is Activity.RUNNING:
            self._hold(True)

    def resume(self) -> None:
        """Goes on with what was paused."""
        if self.activity is Activity.PAUSED:
            for training in self._trainings.values():
                training.pace.rest()
            self._hold(False)
            self._fill()

    def stop(self, key: str | None = None) -> None:
        """Stops an active run and keeps what was learnt; the next one then begins.

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
        """Stops every active run, and leaves the waiting ones to another day."""
        for key in self.waiting:
            self.remove(key)
        for key in self.active:
            self.stop(key)

    def close(self) -> None:
        """Stops and saves, waits for it, and leaves the waiting runs to another day."""
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
        """Begins what there is room for."""
        if not self._trainings:
            # A pause that came as the run before was ending must not hold the next one.
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
        """An active run has come to its end; the next one begins."""
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
        """Which one `stop` stops has changed."""
        if len(self._trainings) > 1:
            self.activity_changed.emit()

    def _is_current(self, key: str) -> bool:
        current = self._session.current
        return current is not None and current.key == key
