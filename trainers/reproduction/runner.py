"""Training and measuring what the plan still lacks, side by side.

What is finished is told by its result, what is begun goes on from its resume point, and nothing is
done twice. Loads no torch; the workers do.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from trainers import runs
from trainers.parallel import Job, refuse_other_config, train_all
from trainers.reproduction import result_files

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from trainers.parallel import SweepProgress, Workers
    from trainers.reproduction.plan import PlannedRun
    from trainers.runs import Run


def reproduce(
    plan: Sequence[PlannedRun], folder: Path, kept: Path, workers: Workers
) -> Generator[SweepProgress, None, None]:
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
    workers
        Who trains and measures.

    Raises
    ------
    RunError
        When a result is damaged, or a run is in the way that has another config.
    ClusterError
        When the scheduler is gone.
    """
    finished = set(result_files.read_results(kept, plan))
    for entry in plan:
        if entry.name not in finished:
            refuse_other_config(entry, folder)
    place, results_place = folder.absolute(), kept.absolute()
    jobs = [
        Job(place / e.name, e.config, partial(_measure_and_save, entry=e, kept=results_place))
        for e in plan
    ]
    yield from train_all(jobs, workers, finished=finished)


def is_trained(entry: PlannedRun, folder: Path) -> bool:
    """Whether the run of that name has done its last step."""
    place = folder / entry.name
    return (place / "config.json").is_file() and runs.Run(place).status().state == "finished"


def _measure_and_save(run: Run, entry: PlannedRun, kept: Path) -> Generator[None, None, None]:
    """Measures a finished run and keeps its result: what a worker does when it is trained."""
    from trainers.evaluation.measure_all import complete_evaluations, measure_checkpoint

    yield from complete_evaluations(run)
    measured = yield from measure_checkpoint(run, samples=entry.samples, images=entry.images)
    result_files.write_result(kept, run, measured)
