"""What a run of the reproduction came to, in a folder small enough to be kept with the project.

::

    <results>/<name>/result.json               figures, config, seconds, device, versions
                     step-<step:08d>.png       the preview digits: inputs above reconstructions

An entry whose result is there, for the same config, is finished, whether or not its run folder
still is. Loads no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from trainers.config import LANDMARKS, RunConfig, default_checkpoints
from trainers.evaluation.measurement import Measurement
from trainers.runs import formats
from trainers.runs.metrics import Evaluation
from trainers.storage import atomic

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from trainers.reproduction.plan import PlannedRun
    from trainers.runs import Run

_MOST_JSON = 1_000_000
_PER_DIMENSION = ("class_squared_error", "code_variances", "kl_per_dimension", "principal_angles")


class Result(BaseModel):
    """Everything that the report says of one finished run.

    Attributes
    ----------
    config
        What was trained.
    seconds
        Training time, pauses and measuring left out.
    device, threads, versions
        Where, and by which releases.
    measurement
        Of the last checkpoint.
    history
        The figures of every checkpoint that are one number, by step.
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
    """Steps whose reconstructions the report shows: the paper's, or the last three of a short run.

    All of them are checkpoints that a run keeps where nothing else is asked for.
    """
    if steps >= LANDMARKS[-1]:
        return tuple(sorted({*LANDMARKS, steps}))
    return tuple(step for step in default_checkpoints(steps) if step)[-3:]


def folder_name(*, quick: bool) -> str:
    """The folder among the runs that holds report and results."""
    return "reproduction-quick" if quick else "reproduction"


def has_result(folder: Path, entry: PlannedRun) -> bool:
    """Whether there is a result of that name; `read` says whether it is of the same config."""
    return (folder / entry.name / "result.json").is_file()


def read_result(folder: Path, entry: PlannedRun) -> Result | None:
    """The result of `entry` in a folder of results; None where there is none of its config.

    Raises
    ------
    RunError
        When the file is damaged.
    """
    path = folder / entry.name / "result.json"
    if not path.is_file():
        return None
    with formats.reading(path) as file:
        result = Result.model_validate_json(file.read(_MOST_JSON))
    return result if result.config == entry.config else None


def read_results(folder: Path, plan: Iterable[PlannedRun]) -> dict[str, Result]:
    """The results that are there, by the name of their entry."""
    found = ((entry.name, read_result(folder, entry)) for entry in plan)
    return {name: result for name, result in found if result is not None}


def write_result(folder: Path, run: Run, measurement: Measurement) -> Result:
    """Keeps what a finished run came to; the result file comes last and makes it whole."""
    place = folder / run.name
    place.mkdir(parents=True, exist_ok=True)
    kept = [c for c in run.checkpoints() if c.is_evaluated]
    for checkpoint in kept:
        if checkpoint.step in landmark_steps(run.config.steps):
            picture = (checkpoint.path / "reconstructions.png").read_bytes()
            atomic.replace(place / f"step-{checkpoint.step:08d}.png", picture)
    status = run.status()
    brief = dict.fromkeys(_PER_DIMENSION)
    result = Result(
        config=run.config,
        seconds=status.seconds,
        device=status.device,
        threads=status.threads,
        versions=status.versions,
        measurement=measurement,
        history=tuple(c.evaluation().model_copy(update=brief) for c in kept),
    )
    content = result.model_dump_json(indent=1, exclude_none=True).encode()
    atomic.replace(place / "result.json", content)
    return result
