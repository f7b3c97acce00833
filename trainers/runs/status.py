"""The status of a run, as its status.json keeps it. Loads no torch."""

from __future__ import annotations

import platform
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trainers.errors import RunError
from trainers.runs import formats
from trainers.storage import safetensors_file

if TYPE_CHECKING:
    from pathlib import Path

FILE, RESUME_POINT = "status.json", "resume.safetensors"
_LEARNT = ("metrics.csv", "checkpoints", RESUME_POINT)
_MOST_STEPS, _MOST_JSON = 10_000_000, 1_000_000

State = Literal["new", "running", "stopped", "finished", "diverged", "failed", "interrupted"]
"""The states that `status.json` keeps, and "interrupted", which follows from the lock."""


class RunState(StrEnum):
    """The state of a run: one that its folder keeps, or one that only the program knows."""

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
    def is_training(self) -> bool:
        """Whether a trainer holds the run: it is running or paused."""
        return self in {RunState.RUNNING, RunState.PAUSED}

    @property
    def is_active(self) -> bool:
        """Whether the run's folder is in use, or will be soon: it is training or queued."""
        return self.is_training or self is RunState.QUEUED

    @property
    def can_continue(self) -> bool:
        """Whether training can begin or continue: a trainer refuses finished and diverged runs."""
        return self in {
            RunState.NEW,
            RunState.STOPPED,
            RunState.INTERRUPTED,
            RunState.FAILED,
        }

    @property
    def has_curves(self) -> bool:
        """Whether the run may have losses that can be read."""
        return self not in {RunState.NEW, RunState.QUEUED, RunState.DAMAGED}

    @property
    def is_alarming(self) -> bool:
        """Whether something went wrong that the user should see."""
        return self in {RunState.DIVERGED, RunState.FAILED, RunState.DAMAGED}


class Status(BaseModel):
    """The status of a run, as `status.json` keeps it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    state: State = "new"
    step: Annotated[int, Field(ge=0, le=_MOST_STEPS)] = 0
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    device: str = ""
    engine: str = ""
    threads: int = 0
    versions: dict[str, str] = {}
    error: str = ""
    created: datetime | None = None


def read(folder: Path) -> Status:
    """Reads the status in a run folder; a new run has none yet.

    Where it is damaged, the resume point says how far the run is, and the error what is wrong.

    Raises
    ------
    RunError
        When it is damaged, and so is the resume point.
    """
    place = folder / FILE
    if not place.exists() and not any((folder / name).exists() for name in _LEARNT):
        return Status()
    try:
        with formats.reading(place) as file:
            return Status.model_validate_json(file.read(_MOST_JSON))
    except RunError as error:
        found = _at_resume_point(folder)
        if found is None:
            raise
        message = (
            f"{error} The step of the run comes from its resume point; the run can be continued."
        )
        return found.model_copy(update={"state": "interrupted", "error": message})


def _at_resume_point(folder: Path) -> Status | None:
    """Reads the status from the resume point, if it can be read."""
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
