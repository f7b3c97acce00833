"""Runs a pool until all its jobs have ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.parallel.jobs import Job, SweepProgress, steps_done
from trainers.parallel.pool import Ending, Pool

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from trainers.parallel.executors import Workers

_POLL_SECONDS = 0.5


def train_all(
    jobs: Sequence[Job], workers: Workers, *, finished: Iterable[str] = (), threads: int = 1
) -> Generator[SweepProgress, None, None]:
    """Trains jobs in parallel; yields the progress twice a second, and at the end.

    Closing the generator stops and saves the running trainings.

    Parameters
    ----------
    jobs
        All jobs.
    workers
        The workers.
    finished
        The names of the jobs that are already complete.
    threads
        The number of threads of each run.

    Raises
    ------
    ClusterError
        When the scheduler has ended.
    """
    progress = SweepProgress(tuple(jobs), set(finished))
    remaining = {job.name for job in progress.remaining}
    pool = Pool(workers, threads)
    try:
        for job in jobs:
            if job.name in remaining:
                pool.submit(job)
        while pool.is_busy:
            for ending in pool.poll(_POLL_SECONDS):
                _record(ending, progress)
            ended = progress.finished | progress.failed.keys()
            progress.active = {j.name: steps_done(j.path) for j in jobs if j.name not in ended}
            yield progress
    finally:
        pool.close()
    if not remaining:
        yield progress


def _record(ending: Ending, progress: SweepProgress) -> None:
    name = ending.job.name
    if ending.is_done:
        progress.finished.add(name)
    else:
        stopped = f"The run {name!r} was stopped at step {ending.step:,}."
        progress.failed[name] = ending.problem or stopped
