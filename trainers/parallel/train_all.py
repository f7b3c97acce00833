"""Driving a pool to the end of all its jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.parallel.jobs import Job, SweepProgress, steps_done
from trainers.parallel.pool import Ending, Pool

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from trainers.parallel.executors import Workers

_LOOK_SECONDS = 0.5


def train_all(
    jobs: Sequence[Job], workers: Workers, *, finished: Iterable[str] = (), threads: int = 1
) -> Generator[SweepProgress, None, None]:
    """Trains jobs side by side; yields twice a second, and at the end.

    Closing it stops and saves what is being trained.

    Parameters
    ----------
    jobs
        All that is wanted.
    workers
        Who trains them.
    finished
        Names of those that need nothing more.
    threads
        Of each run.

    Raises
    ------
    ClusterError
        When the scheduler is gone.
    """
    progress = SweepProgress(tuple(jobs), set(finished))
    wanted = {planned.name for planned in progress.remaining}
    pool = Pool(workers, threads)
    try:
        for job in jobs:
            if job.name in wanted:
                pool.submit(job)
        while pool.is_busy:
            for ending in pool.poll(_LOOK_SECONDS):
                _record(ending, progress)
            ended = progress.finished | progress.failed.keys()
            progress.active = {j.name: steps_done(j.path) for j in jobs if j.name not in ended}
            yield progress
    finally:
        pool.close()
    if not wanted:
        yield progress


def _record(ending: Ending, progress: SweepProgress) -> None:
    name = ending.job.name
    if ending.is_done:
        progress.finished.add(name)
    else:
        stopped = f"The run {name!r} was stopped at step {ending.step:,}."
        progress.failed[name] = ending.problem or stopped
