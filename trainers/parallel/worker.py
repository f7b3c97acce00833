"""What a worker does: one run at a time, to its end or until it is no longer wanted."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import time
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

from trainers.errors import RunError
from trainers.parallel.lease import LeaseMonitor

if TYPE_CHECKING:
    from collections.abc import Generator

    from trainers.parallel.jobs import Job
    from trainers.runs import Run, State

_LOOK_SECONDS = 0.25
_ENDED = 143
_WORKING_STATES = frozenset({"init", "running", "paused"})


class Outcome(NamedTuple):
    """What came of a job: how its run ended, and whether all was done that was asked for."""

    state: State
    step: int
    error: str
    is_done: bool


def train_run(job: Job, token: str, threads: int, patience: float) -> Outcome:
    """Trains a job's run to its end, or until its lease ends, and does what comes then.

    Parameters
    ----------
    job
        What is trained; what its folder holds already is not done again.
    token
        Of the lease.
    threads
        For torch. Together with the config they decide every bit.
    patience
        Seconds to wait for another worker, thought lost, to let go of the run.

    Raises
    ------
    RunError
        When the run's folder is not in sight, or the run cannot go on.
    """
    leased = LeaseMonitor(job.path, token, _is_alone)
    if not (job.path / "config.json").is_file():
        raise RunError(
            f"The worker on {socket.gethostname()} does not see {job.path}: the runs folder has to "
            "be on storage that all workers share."
        )
    with _process.busy:
        run = job.open_run()
        _await_lock(run, leased, patience)
        is_done = False
        if not leased.is_over:
            _train(run, leased, threads)
            is_done = run.status().state == "finished" and _follow_up(job, run, leased)
        status = run.status()
        return Outcome(status.state, status.step, status.error, is_done)


def _train(run: Run, leased: LeaseMonitor, threads: int) -> None:
    import torch

    torch.set_num_threads(threads)
    if run.status().state == "finished":
        return
    from trainers.training.trainer import Trainer

    trainer = Trainer(run)
    for _ in trainer:
        if leased.is_over:
            trainer.stop()


def _follow_up(job: Job, run: Run, leased: LeaseMonitor) -> bool:
    """Whether what comes after the training was done."""
    work: Generator[None, None, None] = job.then(run) if job.then else _nothing()
    for _ in work:
        if leased.is_over:
            work.close()
            return False
    return True


def _nothing() -> Generator[None, None, None]:
    yield from ()


def _await_lock(run: Run, leased: LeaseMonitor, patience: float) -> None:
    """A worker that was thought lost may yet be saving."""
    until = time.monotonic() + patience
    while time.monotonic() < until and run.is_locked and not leased.is_over:
        time.sleep(_LOOK_SECONDS)


# -- the process -----------------------------------------------------------------------------------


class _Busy:
    """Marks that a run is in hand: ending now would lose what it learnt since it was saved."""

    def __init__(self) -> None:
        self.is_entered = False

    def __enter__(self) -> None:
        self.is_entered = True

    def __exit__(self, *_: object) -> None:
        self.is_entered = False
        if _process.is_ending:
            os._exit(_ENDED)


class _Process:
    """What is known of the process that the worker is."""

    def __init__(self) -> None:
        self.is_ending = False
        self.busy = _Busy()

    def end(self, *_: object) -> None:
        """Ends the process: now if it does nothing, else when its run is saved."""
        self.is_ending = True
        if not self.busy.is_entered:
            os._exit(_ENDED)


_process = _Process()


def prepare_process() -> None:
    """Makes a worker of a fresh process.

    Ctrl-C is its parent's to handle. A polite kill, and the parent's death, end it when its run is
    saved: nothing else would, for a worker that waits for work hears of neither.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _process.end)
    Thread(target=_end_with_parent, name="watches the parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        _process.end()


def _is_alone() -> bool:
    """Whether nobody waits for the result any more."""
    return _process.is_ending or _is_closing()


def _is_closing() -> bool:
    """Whether this is a cluster's worker that lost its scheduler, or is being closed."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return False
    try:
        return distributed.get_worker().status.name not in _WORKING_STATES
    except ValueError:
        return False
