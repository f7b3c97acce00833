"""The worker process: trains one run at a time, to its end or until its lease ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import time
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

from trainers.child_process import ignore_terminal_signals
from trainers.errors import RunError
from trainers.parallel.lease import LeaseMonitor
from trainers.runs.status import RunState

if TYPE_CHECKING:
    from collections.abc import Generator

    from trainers.parallel.jobs import Job
    from trainers.runs import Run

_CHECK_SECONDS = 0.25
_ENDED = 143
_WORKING_STATES = frozenset({"init", "running", "paused"})


class Outcome(NamedTuple):
    """The result of a job: how the run ended, and whether its follow-up work is complete too."""

    state: RunState
    step: int
    error: str
    is_done: bool


def train_run(job: Job, token: str, threads: int, patience: float) -> Outcome:
    """Trains a job's run to its end, or until its lease ends, then does the follow-up work.

    Parameters
    ----------
    job
        The job. A run that its folder holds already is continued.
    token
        The token of the lease.
    threads
        The number of threads for torch. They and the config determine the result to the bit.
    patience
        The seconds to wait until another worker, believed lost, releases the run.

    Raises
    ------
    RunError
        When this machine does not see the run's folder, or the run cannot be continued.
    """
    monitor = LeaseMonitor(job.path, token, _is_alone)
    if not (job.path / "config.json").is_file():
        raise RunError(
            f"The worker on {socket.gethostname()} does not see {job.path}. Choose a runs folder "
            "on storage that all workers share."
        )
    with _process.busy:
        run = job.open_run()
        _await_lock(run, monitor, patience)
        is_done = False
        if not monitor.is_over:
            _train(run, monitor, threads)
            is_done = run.status().state is RunState.FINISHED and _follow_up(job, run, monitor)
        status = run.status()
        return Outcome(status.state, status.step, status.error, is_done)


def _train(run: Run, monitor: LeaseMonitor, threads: int) -> None:
    import torch

    torch.set_num_threads(threads)
    if run.status().state is RunState.FINISHED:
        return
    from trainers.training.trainer import Trainer

    trainer = Trainer(run)
    for _ in trainer:
        if monitor.is_over:
            trainer.stop()


def _follow_up(job: Job, run: Run, monitor: LeaseMonitor) -> bool:
    """Does the work that follows the training; returns whether it is complete."""
    for _ in (work := job.then(run) if job.then else _no_work()):
        if monitor.is_over:
            work.close()
            return False
    return True


def _no_work() -> Generator[None, None, None]:
    yield from ()


def _await_lock(run: Run, monitor: LeaseMonitor, patience: float) -> None:
    """Waits for the run's lock: a worker that was believed lost may still be saving."""
    until = time.monotonic() + patience
    while time.monotonic() < until and run.is_locked and not monitor.is_over:
        time.sleep(_CHECK_SECONDS)


# -- the process -----------------------------------------------------------------------------------


class _Busy:
    """A context in which the process does not end, because the run in it is not saved yet."""

    def __init__(self) -> None:
        self.is_entered = False

    def __enter__(self) -> None:
        self.is_entered = True

    def __exit__(self, *_: object) -> None:
        self.is_entered = False
        if _process.is_ending:
            os._exit(_ENDED)


class _Process:
    """The state of the worker's process."""

    def __init__(self) -> None:
        self.is_ending = False
        self.busy = _Busy()

    def end(self, *_: object) -> None:
        """Ends the process: at once if it is idle, otherwise after its run is saved."""
        self.is_ending = True
        if not self.busy.is_entered:
            os._exit(_ENDED)


_process = _Process()


def prepare_process() -> None:
    """Prepares a new process to be a worker.

    The worker ignores SIGINT and SIGHUP, which its parent handles. After SIGTERM, or after the
    death of its parent, it saves its run and ends. An idle worker would notice neither by itself.
    """
    ignore_terminal_signals()
    signal.signal(signal.SIGTERM, _process.end)
    Thread(target=_end_with_parent, name="watches the parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        _process.end()


def _is_alone() -> bool:
    """Returns whether the worker has lost its parent or its scheduler."""
    return _process.is_ending or _is_closing()


def _is_closing() -> bool:
    """Returns whether this is a worker of a cluster that lost its scheduler or is closing."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return False
    try:
        return distributed.get_worker().status.name not in _WORKING_STATES
    except ValueError:
        return False
