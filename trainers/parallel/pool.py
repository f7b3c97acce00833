"""The pool: it submits jobs to an executor, restarts lost ones, and collects their endings."""

from __future__ import annotations

from collections import deque
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

from trainers.errors import AEViewerError, ClusterError, RunError
from trainers.parallel.jobs import Job, modification_time, steps_done
from trainers.parallel.lease import Lease
from trainers.parallel.worker import Outcome, train_run
from trainers.plurals import count_of
from trainers.runs.status import RunState

if TYPE_CHECKING:
    from pathlib import Path

    from trainers.parallel.executors import Workers

_SAVE_SECONDS = 60.0
_MAX_WORKER_LOSSES = 3


class Ending(NamedTuple):
    """The end of a job.

    Attributes
    ----------
    job, step
        The job and the last step of its run.
    state
        How the run ended; `FINISHED` also when it was complete before.
    problem
        The message to the user when the run failed or diverged.
    is_done
        Whether the training and its follow-up work are complete.
    """

    job: Job
    state: RunState
    step: int
    problem: str = ""
    is_done: bool = False


@dataclass
class _SubmittedJob:
    """A job that is waiting or running.

    Attributes
    ----------
    status_time
        When the run's status file was last written before the job was submitted.
    worker_losses
        How many workers were killed since the resume point of `resume_time` was written.
    """

    job: Job
    lease: Lease | None = None
    future: Future[Outcome] | None = None
    executor: Executor | None = None
    status_time: int = 0
    worker_losses: int = 0
    resume_time: int = -1
    is_cancelled: bool = False

    @property
    def has_begun(self) -> bool:
        """Whether a worker has written the status file in the run's folder."""
        return (
            self.future is not None
            and modification_time(self.job.path / "status.json") != self.status_time
        )

    @property
    def step(self) -> int:
        """The last step in the status file."""
        return steps_done(self.job.path)


class Pool:
    """Trains jobs on workers, as many at once as the workers have slots.

    The pool acts only when it is polled; polling also renews the leases. A job whose worker was
    killed resumes from its resume point. A job that loses three workers without a new resume point
    has failed.

    Parameters
    ----------
    workers
        The workers.
    threads
        The number of threads of each run.
    """

    def __init__(self, workers: Workers, threads: int = 1) -> None:
        self._workers, self._threads = workers, threads
        self._executor: Executor | None = None
        self._closing: list[Thread] = []
        self._waiting: deque[_SubmittedJob] = deque()
        self._running: dict[Path, _SubmittedJob] = {}
        self._endings: list[Ending] = []

    @property
    def is_busy(self) -> bool:
        """Whether a job is waiting or running, or an ending has not been returned yet."""
        return bool(self._waiting or self._running or self._endings)

    # -- requests --------------------------------------------------------------------------------

    def submit(self, job: Job) -> None:
        """Adds a job to the end of the queue."""
        self._waiting.append(_SubmittedJob(job))

    def stop(self, path: Path) -> None:
        """Stops the run of that folder. Its ending is returned after it has been saved."""
        for training in [t for t in self._waiting if t.job.path == path]:
            self._waiting.remove(training)
            self._endings.append(Ending(training.job, RunState.STOPPED, training.step))
        training_given = self._running.get(path)
        if training_given is not None:
            _cancel(training_given)

    def poll(self, seconds: float = 0.0) -> list[Ending]:
        """Starts waiting jobs and returns the endings; waits for one at most `seconds`.

        Raises
        ------
        ClusterError
            When the scheduler has ended.
        """
        self._start_waiting()
        for training in self._running.values():
            if training.lease and not training.is_cancelled:
                training.lease.renew()
        futures = [t.future for t in self._running.values() if t.future]
        # While a broken executor still saves, no job can start: wait for it.
        pause = [t for t in self._closing if t.is_alive()]
        if not futures and pause:
            pause[0].join(seconds)
        done, _ = wait(futures, 0 if self._endings else seconds, FIRST_COMPLETED)
        for training in [t for t in self._running.values() if t.future in done]:
            del self._running[training.job.path]
            self._finish(training)
        self._start_waiting()
        endings, self._endings = self._endings, []
        return endings

    def close(self) -> list[Ending]:
        """Stops and saves all runs, waits for them, and returns their endings."""
        for training in [*self._waiting, *self._running.values()]:
            self.stop(training.job.path)
        running = [*self._running.values()]
        self._running.clear()
        wait([t.future for t in running if t.future], _SAVE_SECONDS)
        for training in running:
            if training.future and not training.future.done():
                training.future.cancel()
            self._finish(training)
        self.release_idle_workers()
        for thread in self._closing:
            thread.join()
        endings, self._endings = self._endings, []
        return endings

    def release_idle_workers(self) -> None:
        """Ends the workers if no job is running; the next job starts new ones."""
        if self._executor is not None and not self._running:
            self._shut_down_executor()

    # -- starting and ending ---------------------------------------------------------------------

    def _start_waiting(self) -> None:
        """Starts jobs in free slots, after the workers of a broken executor have saved."""
        self._closing = [thread for thread in self._closing if thread.is_alive()]
        slots = self._workers.slots
        while self._waiting and not self._closing and (slots is None or len(self._running) < slots):
            training = self._waiting.popleft()
            try:
                self._start(training)
            except AEViewerError as error:
                self._endings.append(
                    Ending(training.job, RunState.FAILED, training.step, str(error))
                )

    def _start(self, training: _SubmittedJob) -> None:
        """Submits a job; if the executor is broken, the job waits for the next executor."""
        job = training.job
        job.open_run()
        training.status_time = modification_time(job.path / "status.json")
        training.lease = Lease(job.path)
        try:
            self._executor = self._executor or self._workers.make()
            training.executor = self._executor
            training.future = self._executor.submit(
                train_run, job, training.lease.token, self._threads, self._workers.patience
            )
        except BrokenExecutor:
            training.lease.end()
            self._waiting.appendleft(training)
            self._shut_down_executor()
        except OSError as error:
            training.lease.end()
            raise RunError(
                f"The process that trains {job.name!r} cannot be started "
                f"({error.strerror or error}). Train fewer runs at once, then continue the run."
            ) from error
        else:
            self._running[job.path] = training

    def _finish(self, training: _SubmittedJob) -> None:
        """Records how a future ended, or queues the job again when its worker was lost."""
        job, future = training.job, training.future
        assert training.lease is not None
        assert future is not None
        training.lease.end()
        lost: tuple[type[BaseException], ...] = (CancelledError, TimeoutError, *self._workers.lost)
        try:
            outcome = future.result(timeout=0)
        except lost as error:
            if isinstance(error, BrokenExecutor) and training.executor is self._executor:
                self._shut_down_executor()
            if isinstance(error, CancelledError) and not training.is_cancelled:
                raise self._scheduler_error() from error
            self._restart_or_give_up(training)
        except Exception as error:  # noqa: BLE001
            message = str(error) if isinstance(error, AEViewerError) else _describe(error)
            self._endings.append(Ending(job, RunState.FAILED, training.step, message))
        else:
            if outcome.is_done or outcome.state is RunState.DIVERGED:
                self._endings.append(Ending(job, *outcome))
            else:
                self._restart_or_give_up(training)

    def _restart_or_give_up(self, training: _SubmittedJob) -> None:
        """Handles a job without a result: cancelled by the user, or its worker was killed."""
        job, step = training.job, training.step
        if training.is_cancelled:
            self._endings.append(Ending(job, RunState.STOPPED, step))
            return
        resume_time = modification_time(job.path / "resume.safetensors")
        is_unchanged = resume_time == training.resume_time
        training.worker_losses = training.worker_losses + 1 if is_unchanged else 1
        training.resume_time = resume_time
        if training.worker_losses < _MAX_WORKER_LOSSES:
            training.future = training.lease = None
            self._waiting.appendleft(training)
            return
        problem = (
            f"The process that trained {job.name!r} was killed "
            f"{count_of(training.worker_losses, 'time')} near "
            f"step {step:,}. The system may be short of memory. Train fewer runs at once, then "
            "continue the run."
        )
        self._endings.append(Ending(job, RunState.FAILED, step, problem))

    def _scheduler_error(self) -> ClusterError:
        return ClusterError(
            f"The scheduler at {self._workers.name} has ended. Every run keeps what it has learnt. "
            "Start the scheduler again, then give the same command."
        )

    def _shut_down_executor(self) -> None:
        """Ends the executor in a separate thread, because its workers may still be saving."""
        executor, self._executor = self._executor, None
        if executor is not None:
            thread = Thread(target=executor.shutdown, name="closing workers")
            thread.start()
            self._closing.append(thread)


def _cancel(training: _SubmittedJob) -> None:
    """Stops the worker of a job; a job that has not begun does not start."""
    training.is_cancelled = True
    if training.lease is not None:
        training.lease.end()
    if training.future is not None and not training.has_begun:
        training.future.cancel()


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
