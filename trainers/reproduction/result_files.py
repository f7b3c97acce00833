"""The result files of the reproduction, small enough to be kept with the project.

::

    <results>/<name>/result.json               measurement, config, seconds, device, versions
                     step-<step:08d>.png       the preview digits: inputs above reconstructions

A planned run is finished if it has a result of the same config, even if its run folder was removed.
Imports no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from trainers.checkpoint_steps import LANDMARKS, default_checkpoints
from trainers.config import RunConfig
from trainers.evaluation.measurement import Measurement
from trainers.runs import formats
from trainers.runs.metrics import Evaluation
from trainers.storage import atomic

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from trainers.reproduction.plan import PlannedRun
    from trainers.runs import Run

_MAX_JSON_BYTES = 1_000_000
_PER_DIMENSION = ("class_squared_error", "code_variances", "kl_per_dimension", "principal_angles")


class Result(BaseModel):
    """All data of one finished run that the report uses.

    Attributes
    ----------
    config
        The config of the run.
    seconds
        The training time without pauses and measurements.
    device, threads, versions
        The device, the number of threads, and the software versions of the training.
    measurement
        The measurement of the last checkpoint.
    history
        The evaluations of all checkpoints by step, without values per class or per dimension.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="constants")

    config: RunConfig
    seconds: float
    device: str
    threads: int
    versions: dict[str, str]
    measurement: Measurement
    history: tuple[Evaluation, ...]


def landmark_steps(steps: int) -> tuple[int, ...]:
    """Returns the steps whose reconstructions the report shows.

    These are the paper's steps, or the last three checkpoints of a shorter run. A run saves all of
    them by default.
    """
    if steps >= LANDMARKS[-1]:
        return tuple(sorted({*LANDMARKS, steps}))
    return tuple(step for step in default_checkpoints(steps) if step)[-3:]


def folder_name(*, quick: bool) -> str:
    """Returns the name of the folder in the runs folder that holds report and results."""
    return "reproduction-quick" if quick else "reproduction"


def has_result(folder: Path, entry: PlannedRun) -> bool:
    """Returns whether a result of that name exists. `read_result` also compares its config."""
    return (folder / entry.name / "result.json").is_file()


def read_result(folder: Path, entry: PlannedRun) -> Result | None:
    """Reads the result of a planned run; returns None without a result of the same config.

    Raises
    ------
    RunError
        When the file is damaged.
    """
    path = folder / entry.name / "result.json"
    if not path.is_file():
        return None
    with formats.open_run_file(path) as file:
        result = Result.model_validate_json(file.read(_MAX_JSON_BYTES))
    return result if result.config == entry.config else None


def read_results(folder: Path, plan: Iterable[PlannedRun]) -> dict[str, Result]:
    """Reads the existing results of a plan, by the name of their run."""
    results = ((entry.name, read_result(folder, entry)) for entry in plan)
    return {name: result for name, result in results if result is not None}


def write_result(folder: Path, run: Run, measurement: Measurement) -> Result:
    """Writes the result of a finished run. The result file is written last and completes it."""
    place = folder / run.name
    place.mkdir(parents=True, exist_ok=True)
    checkpoints = [c for c in run.checkpoints() if c.is_evaluated]
    for checkpoint in checkpoints:
        if checkpoint.step in landmark_steps(run.config.steps):
            with formats.open_run_file(checkpoint.path / "reconstructions.png") as file:
                picture = file.read(formats.MOST_SHEET)
            atomic.replace_file(place / f"step-{checkpoint.step:08d}.png", picture)
    status = run.status()
    without = dict.fromkeys(_PER_DIMENSION)
    result = Result(
        config=run.config,
        seconds=status.seconds,
        device=status.device,
        threads=status.threads,
        versions=status.versions,
        measurement=measurement,
        history=tuple(c.evaluation().model_copy(update=without) for c in checkpoints),
    )
    content = result.model_dump_json(indent=1, exclude_none=True).encode()
    atomic.replace_file(place / "result.json", content)
    return result
