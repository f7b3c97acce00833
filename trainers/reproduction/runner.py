"""Trains and measures the missing runs of the plan in parallel.

A run with a result is finished and is not repeated. A run that has begun continues from its resume
point. Imports no torch; the workers do.
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
    plan: Sequence[PlannedRun], folder: Path, results: Path, workers: Workers
) -> Generator[SweepProgress, None, None]:
    """Trains and measures the runs without a result; yields twice a second, and at the end.

    Closing the generator stops and saves the running trainings.

    Parameters
    ----------
    plan
        The planned runs.
    folder
        The runs folder.
    kept
        The folder of results.
    workers
        The workers that train and measure.

    Raises
    ------
    RunError
        When a result is damaged, or a run of the same name has another config.
    ClusterError
        When the scheduler has ended.
    """
    finished = set(result_files.read_results(results, plan))
    for entry in plan:
        if entry.name not in finished:
            refuse_other_config(entry, folder)
    place, results_place = folder.absolute(), results.absolute()
    jobs = [
        Job(place / e.name, e.config, partial(_measure_and_save, entry=e, results=results_place))
        for e in plan
    ]
    yield from train_all(jobs, workers, finished=finished)


def is_trained(entry: PlannedRun, folder: Path) -> bool:
    """Returns whether the run of that name has finished its training."""
    place = folder / entry.name
    return (place / "config.json").is_file() and runs.Run(
        place
    ).status().state is runs.RunState.FINISHED


def _measure_and_save(run: Run, entry: PlannedRun, results: Path) -> Generator[None, None, None]:
    """Measures a finished run and writes its result. A worker does this after the training."""
    from trainers.evaluation.measure_all import complete_evaluations, measure_checkpoint

    yield from complete_evaluations(run)
    measurement = yield from measure_checkpoint(run, samples=entry.samples, images=entry.images)
    result_files.write_result(results, run, measurement)
