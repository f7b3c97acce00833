"""The status of a run, as its status.json keeps it. Loads no torch."""

from __future__ import annotations

import platform
from datetime import datetime
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
