"""The one thread that runs torch: a small cooperative scheduler.

It holds the generator of the run in training and the requests of panels. It serves waiting requests
first, then gives long requests two thirds of the time and the training the rest. A second thread
that runs torch would slow training by a third for good; serving between slices costs little.
"""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Generator
from importlib import import_module
from typing import TYPE_CHECKING

from aeviewer.services.compute.event_queue import (
    EventQueue,
    RunEvent,
    TrainingEnded,
    TrainingFailed,
)
from aeviewer.services.compute.model_cache import ModelCache
from aeviewer.services.compute.request_thread import FileThread, Reply, Request, RequestThread
from trainers.errors import AEViewerError
from trainers.events import Working

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PySide6.QtCore import QObject

    from trainers.events import Event
    from trainers.runs import Run

logger = logging.getLogger(__name__)
_PREVIEW_SECONDS = 1.0
_ATTENTIVE_SECONDS = 0.5
_LEAST_JOB_SECONDS, _MOST_JOB_SECONDS = 0.02, 0.25
"""How long long work is continued before the next slice of training."""


class ComputeThread(RequestThread):
    """Owns torch. Its public methods may be called from any thread, and return at once.

    Parameters
    ----------
    event_queue
        Receives the events of training runs.

    Attributes
    ----------
    files
        The thread that reads files; it closes with this one.
    """

    def __init__(self, event_queue: EventQueue, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("compute")
        self._event_queue = event_queue
        self.files = FileThread(self)
        self._jobs: dict[str, tuple[Request, Generator[object]]] = {}
        self._training_runs: deque[Run] = deque()
        self._paused = False
        self._run_to_stop: Run | None = None
        self._requested_at, self._slice_seconds = -math.inf, 0.0
        self._last_slice_seconds = 0.0
        self._models = ModelCache()
        self._events: Iterator[Event] | None = None

    # -- from any thread -------------------------------------------------------------------------

    def train(self, run: Run) -> None:
        """Queues a run for training, behind the runs that were queued before."""
        with self._work_arrived:
            self._training_runs.append(run)
            self._work_arrived.notify()

    def set_paused(self, paused: bool) -> None:
        """Pauses or resumes training; requests are answered in both states."""
        with self._work_arrived:
            self._paused = paused
            self._work_arrived.notify()

    def stop_training(self, run: Run) -> None:
        """Stops the training of a run and saves it."""
        with self._work_arrived:
            self._run_to_stop = run
            self._paused = False
            self._work_arrived.notify()

    def close(self) -> None:
        """Saves the run in training, ends the thread and waits for its end."""
        self.files.close()
        super().close()

    # -- in the thread ---------------------------------------------------------------------------

    def run(self) -> None:
        """Does the work of requests and trains, until `close` is called."""
        # Imported here, so that the first search for a point does not wait for the import.
        import_module("scipy.spatial")
        while self._wait_for_work():
            self._start_requests()
            self._continue_jobs()
            if self._can_train() and not self._closing:
                self._advance(self._training_runs[0])
        for channel in [*self._jobs]:
            self._end_job(channel)  # Half-written files are removed here.
        if self._events is not None:
            self._guard(self._training_runs[0], self._save)

    def _wait_for_work(self) -> bool:
        """Sleeps until there is work; returns False when the thread is to end."""
        with self._work_arrived:
            while not (self._closing or self._requests or self._jobs or self._can_train()):
                self._work_arrived.wait()
            return not self._closing

    def _can_train(self) -> bool:
        return bool(self._training_runs) and not self._paused

    def _start_requests(self) -> None:
        """Does the work of the waiting requests, or its first part."""
        requests = self._take_requests()
        self._set_slice_length(has_requests=bool(requests))
        for request in requests:
            self._end_job(request.channel)
            self._replied.emit(self._start(request))

    def _set_slice_length(self, *, has_requests: bool) -> None:
        """Trains single steps for a while after a request: the next request then waits less."""
        now = time.monotonic()
        if has_requests:
            self._requested_at = now
        if self._models.live is not None:
            is_attentive = now - self._requested_at < _ATTENTIVE_SECONDS
            self._models.live.slice_seconds = 0.0 if is_attentive else self._slice_seconds

    def _start(self, request: Request) -> Reply:
        result = self._try(request, lambda: request.work(self._models))
        if isinstance(result, Reply):
            return result
        if not isinstance(result, Generator):
            return Reply(request, result)
        self._jobs[request.channel] = request, result
        return Reply(request, is_last=False)

    def _continue_jobs(self) -> None:
        """Continues long work for twice as long as a slice of training takes.

        The user waits for its result, and it ends; a training may take an hour longer.
        """
        share = min(max(2 * self._last_slice_seconds, _LEAST_JOB_SECONDS), _MOST_JOB_SECONDS)
        end = time.monotonic() + share
        while self._jobs and not self._closing:
            for channel in [*self._jobs]:
                if channel in self._jobs:
                    self._continue(*self._jobs[channel])
                self._start_requests()
            if self._can_train() and time.monotonic() >= end:
                return

    def _continue(self, request: Request, parts: Generator[object]) -> None:
        """Does one part of long work."""
        end = Reply(request)
        part = self._try(request, lambda: next(parts, end))
        if isinstance(part, Reply):
            del self._jobs[request.channel]
            self._replied.emit(part)
        elif part is not None:
            self._replied.emit(Reply(request, part, is_last=False))

    def _end_job(self, channel: str) -> None:
        if channel in self._jobs:
            self._jobs.pop(channel)[1].close()

    def _advance(self, run: Run) -> None:
        """Trains one slice of a run; its end and its failure become events."""
        began = time.monotonic()

        def train_slice() -> None:
            if self._events is None:
                self._events = self._begin(run)
            if self._run_to_stop is run and self._models.live is not None:
                self._run_to_stop = None
                self._models.live.stop()
            event = next(self._events, None)
            if event is None:
                self._finish(run)
            elif not isinstance(event, Working):
                self._event_queue.put(RunEvent(str(run.path), event))

        self._guard(run, train_slice)
        self._last_slice_seconds = time.monotonic() - began

    def _begin(self, run: Run) -> Iterator[Event]:
        from trainers.training.trainer import Trainer

        self._models.forget(run)
        self._models.live = Trainer(run, preview_seconds=_PREVIEW_SECONDS)
        self._slice_seconds = self._models.live.slice_seconds
        return iter(self._models.live)

    def _save(self) -> None:
        """Saves the run: closing the generator does so."""
        close = getattr(self._events, "close", None)
        if close is not None:
            close()

    def _guard(self, run: Run, work: Callable[[], None]) -> None:
        """Does `work`; a failure ends the training with one message."""
        try:
            work()
        except AEViewerError as error:
            self._fail(run, str(error))
        except Exception as error:
            logger.exception("Training %r failed", run.name)
            self._fail(run, f"{type(error).__name__}: {error}")

    def _fail(self, run: Run, message: str) -> None:
        self._event_queue.put(RunEvent(str(run.path), TrainingFailed(message)))
        self._finish(run)

    def _finish(self, run: Run) -> None:
        with self._work_arrived:
            self._training_runs.popleft()
            if self._run_to_stop is run:
                self._run_to_stop = None
        self._events = self._models.live = None
        self._event_queue.put(RunEvent(str(run.path), TrainingEnded()))
