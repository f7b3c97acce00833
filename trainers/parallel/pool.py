"""Training jobs by an executor: who is next, what was lost, what has ended."""

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

if TYPE_CHECKING:
    from pathlib import Path

    from trainers.parallel.executors import Workers
    from trainers.runs import State

_SAVE_SECONDS = 60.0
_MAX_WORKER_LOSSES = 3


class Ending(NamedTuple):
    """What came of a job.

    Attributes
    ----------
    state
        How its run ended; "finished" where it was done before, too.
    problem
        Why it failed or diverged, for the person.
    is_done
        Whether all that was asked for is done.
    """

    job: Job
    state: State
    step: int
    problem: str = ""
    is_done: bool = False


@dataclass
class _RunningJob:
    """A job in a worker's hand.

    Attributes
    ----------
    told_at
        When the run's status was written last before it was given away.
    losses
        How often its worker was killed since the resume point that is of `kept_at`.
    """

    job: Job
    lease: Lease | None = None
    future: Future[Outcome] | None = None
    executor: Executor | None = None
    told_at: int = 0
    losses: int = 0
    kept_at: int = -1
    is_unwanted: bool = False

    @property
    def has_begun(self) -> bool:
        """Whether a worker has said so in the run's folder."""
        return (
            self.future is not None
            and modification_time(self.job.path / "status.json") != self.told_at
        )

    @property
    def step(self) -> int:
        """Steps done, as far as the folder tells."""
        return steps_done(self.job.path)


class Pool:
    """Has jobs trained, as many at once as there is room for.

    It does something only while it is polled, which also tells the workers that they are wanted.
    A job whose worker was killed goes on from its resume point; one that is lost again and again
    without coming further is told as failed.

    Parameters
    ----------
    workers
        Who trains them.
    threads
        Of each run.
    """

    def __init__(self, workers: Workers, threads: int = 1) -> None:
        self._workers, self._threads = workers, threads
        self._executor: Executor | None = None
        self._retiring: list[Thread] = []
        self._waiting: deque[_RunningJob] = deque()
        self._given: dict[Path, _RunningJob] = {}
        self._endings: list[Ending] = []

    @property
    def is_busy(self) -> bool:
        """Whether anything is still to come."""
        return bool(self._waiting or self._given or self._endings)

    # -- requests --------------------------------------------------------------------------------

    def submit(self, job: Job) -> None:
        """Has a job trained, after those that came before."""
        self._waiting.append(_RunningJob(job))

    def stop(self, path: Path) -> None:
        """Has the run of that folder stop and save; its ending is told when it has."""
        for training in [t for t in self._waiting if t.job.path == path]:
            self._waiting.remove(training)
            self._endings.append(Ending(training.job, "stopped", training.step))
        training_given = self._given.get(path)
        if training_given is not None:
            _cancel(training_given)

    def poll(self, seconds: float = 0.0) -> list[Ending]:
        """What has ended, waiting at most so long for something to end.

        Raises
        ------
        ClusterError
            When the scheduler is gone.
        """
        self._start_waiting()
        for training in self._given.values():
            if training.lease and not training.is_unwanted:
                training.lease.renew()
        futures = [t.future for t in self._given.values() if t.future]
        # Where a broken executor is still saving there is nothing else to wait for.
        pause = [t for t in self._retiring if t.is_alive()]
        if not futures and pause:
            pause[0].join(seconds)
        done, _ = wait(futures, 0 if self._endings else seconds, FIRST_COMPLETED)
        for training in [t for t in self._given.values() if t.future in done]:
            del self._given[training.job.path]
            self._finish(training)
        self._start_waiting()
        endings, self._endings = self._endings, []
        return endings

    def close(self) -> list[Ending]:
        """Has all of them stop and save, waits for it, and tells how they ended."""
        for training in [*self._waiting, *self._given.values()]:
            self.stop(training.job.path)
        given = [*self._given.values()]
        self._given.clear()
        wait([t.future for t in given if t.future], _SAVE_SECONDS)
        for training in given:
            if training.future and not training.future.done():
                training.future.cancel()
            self._finish(training)
        self.release_idle_workers()
        for thread in self._retiring:
            thread.join()
        endings, self._endings = self._endings, []
        return endings

    def release_idle_workers(self) -> None:
        """Lets go of idle workers; the next job gets fresh ones."""
        if self._executor is not None and not self._given:
            self._shut_down_executor()

    # -- giving and taking -----------------------------------------------------------------------

    def _start_waiting(self) -> None:
        """Gives away what there is room for, once the workers of a broken executor have saved."""
        self._retiring = [thread for thread in self._retiring if thread.is_alive()]
        slots = self._workers.slots
        while self._waiting and not self._retiring and (slots is None or len(self._given) < slots):
            training = self._waiting.popleft()
            try:
                self._start(training)
            except AEViewerError as error:
                self._endings.append(Ending(training.job, "failed", training.step, str(error)))

    def _start(self, training: _RunningJob) -> None:
        """Gives a job to the executor; to another one later where this one broke meanwhile."""
        job = training.job
        job.open_run()
        training.told_at = modification_time(job.path / "status.json")
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
                f"No process can be started to train {job.name!r} ({error.strerror or error}). "
                "Train fewer at once, then continue the run."
            ) from error
        else:
            self._given[job.path] = training

    def _finish(self, training: _RunningJob) -> None:
        """Tells how a future ended, or has the job trained on where its worker was lost."""
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
            if isinstance(error, CancelledError) and not training.is_unwanted:
                raise self._scheduler_error() from error
            self._restart_or_give_up(training)
        except Exception as error:  # noqa: BLE001
            message = str(error) if isinstance(error, AEViewerError) else _describe(error)
            self._endings.append(Ending(job, "failed", training.step, message))
        else:
            if outcome.is_done or outcome.state == "diverged":
                self._endings.append(Ending(job, *outcome))
            else:
                self._restart_or_give_up(training)

    def _restart_or_give_up(self, training: _RunningJob) -> None:
        """Its worker was killed, or asked by others to end, or it was stopped on request."""
        job, step = training.job, training.step
        if training.is_unwanted:
            self._endings.append(Ending(job, "stopped", step))
            return
        kept_at = modification_time(job.path / "resume.safetensors")
        training.losses = training.losses + 1 if kept_at == training.kept_at else 1
        training.kept_at = kept_at
        if training.losses < _MAX_WORKER_LOSSES:
            training.future = training.lease = None
            self._waiting.appendleft(training)
            return
        problem = (
            f"The process that trained {job.name!r} was killed {training.losses} times near step "
            f"{step:,}. The system may be short of memory: train fewer at once, then continue the "
            "run."
        )
        self._endings.append(Ending(job, "failed", step, problem))

    def _scheduler_error(self) -> ClusterError:
        return ClusterError(
            f"The scheduler at {self._workers.name} is gone. What was learnt is kept: "
            "start it again, then give the same command."
        )

    def _shut_down_executor(self) -> None:
        """Ends the executor in a thread of its own: its workers may be saving."""
        executor, self._executor = self._executor, None
        if executor is not None:
            thread = Thread(target=executor.shutdown, name="retiring workers")
            thread.start()
            self._retiring.append(thread)


def _cancel(training: _RunningJob) -> None:
    """Has a worker stop; one that has not begun need not begin."""
    training.is_unwanted = True
    if training.lease is not None:
        training.lease.end()
    if training.future is not None and not training.has_begun:
        training.future.cancel()


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
