"""Trains runs in processes of their own, and puts the same events into the queue.

The folders of the runs are read twice a second, and only their new contents, so that the GUI never
waits.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Slot

from aeviewer.services.compute.event_queue import (
    EventQueue,
    RunEvent,
    TrainingEnded,
    TrainingFailed,
)
from trainers.errors import AEViewerError
from trainers.events import Diverged, Finished, Stopped
from trainers.parallel import Ending, Follower, Job, Pool, process_workers
from trainers.runs.status import RunState

if TYPE_CHECKING:
    from pathlib import Path

    from trainers.runs import Run

_POLL_MILLISECONDS = 500


def cores() -> int:
    """Returns how many processes can compute at once on this machine."""
    return os.cpu_count() or 1


class ProcessTrainer(QObject):
    """Trains each run in its own process, with one thread.

    Parameters
    ----------
    event_queue
        Receives the events of the runs.
    pool
        The processes that train; one per core by default.
    """

    def __init__(
        self, event_queue: EventQueue, pool: Pool | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._event_queue = event_queue
        self._pool = pool or Pool(process_workers(cores()))
        self._followers: dict[Path, Follower] = {}
        self._paused_runs: dict[Path, Run] = {}
        self._stopping: set[Path] = set()
        self._paused = False
        self._timer = QTimer(self, interval=_POLL_MILLISECONDS)
        self._timer.timeout.connect(self._poll)

    def train(self, run: Run) -> None:
        """Trains a run as soon as a core is free."""
        path = run.path.absolute()
        try:
            self._followers[path] = Follower(run)
            self._pool.submit(Job(path, run.config))
        except AEViewerError as error:
            self._followers.pop(path, None)
            self._put_events(run, TrainingFailed(str(error)), TrainingEnded())
            return
        self._timer.start()

    def set_paused(self, paused: bool) -> None:
        """Pauses all runs, which save and end their processes, or resumes them."""
        self._paused = paused
        if paused:
            for path in self._followers:
                self._pool.stop(path)
        else:
            held, self._paused_runs = self._paused_runs, {}
            for run in held.values():
                self.train(run)

    def stop_training(self, run: Run) -> None:
        """Stops the training of a run and saves it."""
        path = run.path.absolute()
        held = self._paused_runs.pop(path, None)
        if held is not None:
            self._put_events(held, Stopped(held.written_status().step), TrainingEnded())
        elif path in self._followers:
            self._stopping.add(path)
            self._pool.stop(path)

    def close(self) -> None:
        """Saves the runs in training, ends their processes and waits for them."""
        self._timer.stop()
        self._stopping.update(self._followers)
        for ending in self._pool.close():
            self._end(ending)
        for run in [*self._paused_runs.values()]:
            self.stop_training(run)

    # -- following -------------------------------------------------------------------------------

    @Slot()
    def _poll(self) -> None:
        for follower in self._followers.values():
            self._put_new_events(follower)
        for ending in self._pool.poll():
            self._end(ending)
        if not self._followers:
            self._timer.stop()
            self._pool.release_idle_workers()

    def _put_new_events(self, follower: Follower) -> None:
        try:
            for event in follower.new_events():
                self._put_events(follower.run, event)
        except AEViewerError:
            # A training in a damaged folder fails too, and its end reports that.
            return

    def _end(self, ending: Ending) -> None:
        """Reports the end of a training; a run that was only paused continues later."""
        path = ending.job.path
        follower = self._followers.pop(path)
        self._put_new_events(follower)
        is_wanted = path not in self._stopping
        self._stopping.discard(path)
        if ending.state is RunState.STOPPED and is_wanted:
            if self._paused:
                self._paused_runs[path] = follower.run
            else:
                self.train(follower.run)
            return
        self._put_events(follower.run, _ending_event(ending), TrainingEnded())

    def _put_events(self, run: Run, *events: object) -> None:
        for event in events:
            self._event_queue.put(RunEvent(str(run.path), event))  # type: ignore[arg-type]


def _ending_event(ending: Ending) -> Stopped | Finished | Diverged | TrainingFailed:
    """Returns the event that a trainer would have yielded for this end."""
    match ending.state:
        case RunState.STOPPED:
            return Stopped(ending.step)
        case RunState.FINISHED:
            return Finished(ending.step)
        case RunState.DIVERGED:
            return Diverged(ending.step + 1, None)
    return TrainingFailed(ending.problem or f"The training of {ending.job.name!r} ended early.")
