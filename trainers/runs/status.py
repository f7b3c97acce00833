"""The state and the progress of a run, as status.json stores them. This module loads no torch."""

from __future__ import annotations

import platform
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from trainers.errors import RunError
from trainers.runs import formats
from trainers.storage import safetensors_file

if TYPE_CHECKING:
    from pathlib import Path

FILE, RESUME_POINT = "status.json", "resume.safetensors"
_LEARNT = ("metrics.csv", "checkpoints", RESUME_POINT)
_MOST_STEPS, _MOST_JSON = 10_000_000, 1_000_000


class RunState(StrEnum):
    """The state of a run.

    `status.json` stores the value of a state. A trainer's queue alone knows `QUEUED` and `PAUSED`,
    and `DAMAGED` is the state of a run whose folder cannot be read: no file stores these three.
    """

    NEW = "new"
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    FINISHED = "finished"
    DIVERGED = "diverged"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    DAMAGED = "damaged"

    @property
    def is_stored(self) -> bool:
        """Whether `status.json` can contain this state."""
        return self not in {RunState.QUEUED, RunState.PAUSED, RunState.DAMAGED}

    @property
    def is_in_training(self) -> bool:
        """Whether a trainer holds the run, also while it pauses."""
        return self in {RunState.RUNNING, RunState.PAUSED}

    @property
    def is_active(self) -> bool:
        """Whether the run's folder is in use or soon will be: in training or queued."""
        return self.is_in_training or self is RunState.QUEUED

    @property
    def is_final(self) -> bool:
        """Whether the training is over: a trainer refuses such a run."""
        return self in {RunState.FINISHED, RunState.DIVERGED}

    @property
    def can_continue(self) -> bool:
        """Whether a trainer can start or continue the run.

        A failed run is one of these: a full disk, for example, leaves its resume point intact.
        """
        return self.is_stored and not self.is_final and self is not RunState.RUNNING

    @property
    def has_curves(self) -> bool:
        """Whether the run can have losses to show; a queued run shows them when it starts."""
        return self not in {RunState.NEW, RunState.QUEUED, RunState.DAMAGED}

    @property
    def is_problem(self) -> bool:
        """Whether something went wrong that the user should look at."""
        return self in {RunState.DIVERGED, RunState.FAILED, RunState.DAMAGED}


def _refuse_unstored(state: RunState) -> RunState:
    if not state.is_stored:
        raise ValueError(f"{state.value!r} is not a state that a file stores")
    return state


class Status(BaseModel):
    """The state and the progress of a run, as `status.json` stores them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    state: Annotated[RunState, AfterValidator(_refuse_unstored)] = RunState.NEW
    step: Annotated[int, Field(ge=0, le=_MOST_STEPS)] = 0
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    device: str = ""
    engine: str = ""
    threads: int = 0
    versions: dict[str, str] = {}
    error: str = ""
    created: datetime | None = None


def read(folder: Path) -> Status:
    """Returns the status in a run's folder; the status of a new run if the folder has no results.

    If the file is damaged, the step comes from the resume point and `error` says what is wrong.

    Raises
    ------
    RunError
        When both the file and the resume point are damaged.
    """
    place = folder / FILE
    if not place.exists() and not any((folder / name).exists() for name in _LEARNT):
        return Status()
    try:
        with formats.open_run_file(place) as file:
            return Status.model_validate_json(file.read(_MOST_JSON))
    except RunError as error:
        found = _at_resume_point(folder)
        if found is None:
            raise
        message = (
            f"{error} The step of the run comes from its resume point; the run can be continued."
        )
        return found.model_copy(update={"state": RunState.INTERRUPTED, "error": message})


def _at_resume_point(folder: Path) -> Status | None:
    """Returns the status in the resume point; None if it cannot be read."""
    try:
        return Status.model_validate_json(
            safetensors_file.read_header(folder / RESUME_POINT)["position"]
        )
    except (RunError, KeyError, ValidationError):
        return None


@cache
def versions() -> dict[str, str]:
    """Returns the versions that a run is trained with; they are looked up once."""
    from importlib.metadata import version

    names = ("aeviewer", "torch", "numpy")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}
