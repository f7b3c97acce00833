"""Training and measuring what the plan still lacks, in processes side by side.

A process a run with one thread each does more steps a second in all than one run with every
thread. What is finished is told by its result, what is begun goes on from its resume point, and
nothing is done twice. Loads no torch; the workers do.
"""

from __future__ import annotations

import multiprocessing
import signal
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trainers import runs
from trainers.errors import AEViewerError, RunError
from trainers.reproduction import results

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from multiprocessing.synchronize import Event
    from pathlib import Path

    from trainers.reproduction.plan import Entry

_LOOK_SECONDS = 0.5


@dataclass
class Progress:
    """How far the reproduction is.

    Attributes
    ----------
    plan
        Every entry, in order.
    finished
        Names of those whose result is there.
    active
        Steps done by those that are begun; all of them where it is being measured.
    failed
        What went wrong, by name.
    """

    plan: tuple[Entry, ...]
    finished: set[str] = field(default_factory=set)
    active: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def open(self) -> tuple[Entry, ...]:
        """What is neither finished nor failed."""
        ended = self.finished | self.failed.keys()
        return tuple(entry for entry in self.plan if entry.name not in ended)

    @property
    def work(self) -> tuple[float, float]:
        """Done and all, in steps of the paper's autoencoder."""
        done = sum(
            e.work if e.name in self.finished else e.work * self.active.get(e.name, 0) / e.steps
            for e in self.plan
        )
        return done, sum(entry.work for entry in self.plan)


def reproduce(
    plan: Sequence[Entry], folder: Path, kept: Path, *, jobs: int, threads: int = 1
) -> Generator[Progress, None, None]:
    """Trains and measures what has no result yet; yields twice a second, and at the end.

    Closing it stops and saves what is being trained.

    Parameters
    ----------
    plan
        What is wanted.
    folder
        The runs folder.
    kept
        The folder of results.
    jobs
        Processes side by side.
    threads
        Of each.

    Raises
    ------
    RunError
        When a result is damaged, or a run is in the way that has another config.
    """
    progress = Progress(tuple(plan), set(results.read_all(kept, plan)))
    for entry in progress.open:
        refuse_another(entry, folder)
    if not progress.open:
        yield progress
        return
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    pool = ProcessPoolExecutor(jobs, context, _begin, (stop, threads))
    try:
        waiting = {pool.submit(_do, e, folder, kept): e for e in progress.open}
        yield from _until_done(waiting, progress, folder)
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def is_trained(entry: Entry, folder: Path) -> bool:
    """Whether the run of that name has done its last step."""
    place = folder / entry.name
    return (place / "config.json").is_file() and runs.Run(place).status().state == "finished"


def refuse_another(entry: Entry, folder: Path) -> None:
    """Refuses to go on with a run of that name which was asked to do something else.

    Raises
    ------
    RunError
        Naming the run and what to do.
    """
    place = folder / entry.name
    if not (place / "config.json").is_file():
        return
    # Engines differ in rounding alone.
    asked = runs.opened(place).config.replace(engine=entry.config.training.engine)
    if asked != entry.config:
        raise RunError(
            f"The run {entry.name!r} in {folder} has other settings than the reproduction's; "
            "rename or remove it, or choose another runs folder."
        )


def _until_done(
    waiting: dict[Future[None], Entry], progress: Progress, folder: Path
) -> Generator[Progress, None, None]:
    while waiting:
        done, _ = wait(waiting, _LOOK_SECONDS, FIRST_COMPLETED)
        for future in done:
            entry = waiting.pop(future)
            error = future.exception()
            if error is None:
                progress.finished.add(entry.name)
            else:
                progress.failed[entry.name] = str(error) or type(error).__name__
        progress.active = {e.name: _step(folder / e.name) for e in progress.open}
        yield progress


def _step(place: Path) -> int:
    """Steps that a run has done, as far as its folder tells; 0 where there is none."""
    try:
        return runs.Run(place).status().step if (place / "config.json").is_file() else 0
    except AEViewerError:
        return 0


# -- in the worker ---------------------------------------------------------------------------------

_stop: Event


def _begin(stop: Event, threads: int) -> None:
    """Prepares a worker: Ctrl-C is the parent's to handle."""
    global _stop
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _stop = stop
    torch.set_num_threads(threads)


def _is_over() -> bool:
    """Whether nobody waits for the result any more."""
    parent = multiprocessing.parent_process()
    return _stop.is_set() or (parent is not None and not parent.is_alive())


def _do(entry: Entry, folder: Path, kept: Path) -> None:
    """Trains an entry to its end, unless asked to stop, and keeps its result."""
    from trainers.evaluation.measure import complete, measure
    from trainers.training.trainer import Trainer
    from trainers.work import finish

    place = folder / entry.name
    begun = (place / "config.json").is_file()
    run = runs.opened(place) if begun else runs.create(entry.config, folder, entry.name)
    if run.status().state != "finished":
        trainer = Trainer(run)
        for _ in trainer:
            if _is_over():
                trainer.stop()
    status = run.status()
    if status.state != "finished":
        raise RunError(status.error or f"The run {run.name!r} was stopped at step {status.step:,}.")
    finish(complete(run))
    measured = measure(run, samples=entry.samples, images=entry.images)
    results.write(kept, run, finish(measured))
