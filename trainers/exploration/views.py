"""Views of a latent space, saved by name in the run's folder. This module loads no torch.

A view is data from anywhere: it is read with bounds on every list, and nothing in it is executed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from trainers.errors import RunError
from trainers.runs import formats
from trainers.runs.runs_folder import checked_name
from trainers.storage import atomic

if TYPE_CHECKING:
    from pathlib import Path

    from trainers.runs import Run

_MOST_BYTES = 4_000_000
_FOLDER = "views"
Code = Annotated[tuple[FiniteFloat, ...], Field(min_length=1, max_length=256)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KeptPin(_Part):
    """A pinned code; `image` is the number of its image, if it has one."""

    code: Code
    image: int | None = Field(default=None, ge=0, lt=70_000)


class KeptLayers(_Part):
    """What was shown behind the points; see the window's layers."""

    mosaic: bool = True
    opacity: float = Field(default=0.6, ge=0, le=1)
    fades: bool = True
    layer: Literal["none", "density", "prior", "magnification", "cycle", "classes"] = "none"
    prior: bool = False
    points: float = Field(default=0.7, ge=0, le=1)
    training: bool = False
    colour: Literal["class", "error", "cross-entropy", "kl", "cluster", "nearest", "norm"] = "class"


class View(_Part):
    """Everything that a user chose in the latent space.

    Attributes
    ----------
    plane, axes, corners
        Which plane: two coordinates of the code (counted from 0), the principal one, the one
        through three codes, or a layout in the place of a plane.
    rectangle
        Left, bottom, width and height of what was seen; None where the view followed the codes.
    code
        The marked code.
    selection
        Numbers of images: test images first, then training images.
    step
        The checkpoint; None for the newest.
    corners_step
        The checkpoint that the corners are codes of, where that is known.
    aligned
        Whether the codes were turned onto those of the last checkpoint; what is kept of the plane
        and the rectangle is meant so.
    """

    plane: Literal["coordinates", "principal", "three-points", "t-sne", "umap"] = "coordinates"
    axes: tuple[int, int] = (0, 1)
    corners: Annotated[tuple[Code, ...], Field(max_length=3)] = ()
    rectangle: tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat] | None = None
    code: Code | None = None
    pins: Annotated[tuple[KeptPin, ...], Field(max_length=1_000)] = ()
    selection: Annotated[
        tuple[Annotated[int, Field(ge=0, lt=70_000)], ...], Field(max_length=70_000)
    ] = ()
    layers: KeptLayers = KeptLayers()
    step: int | None = Field(default=None, ge=0)
    corners_step: int | None = Field(default=None, ge=0)
    aligned: bool = False


def save_view(run: Run, name: str, view: View) -> None:
    """Saves a view under a name, replacing a view of that name.

    Raises
    ------
    RunError
        When the name cannot name a file, or the run cannot be written.
    """
    place = place_of(run, name)
    if run.read_only:
        raise RunError(f"{run.name!r} belongs to the program: views are kept in runs of your own.")
    with run.report_write_errors():
        if not place.parent.is_dir():
            place.parent.mkdir()
            atomic.sync_folder(run.path)
        atomic.replace_file(place, view.model_dump_json(indent=1).encode())


def view_names(run: Run) -> list[str]:
    """Returns the names of a run's views in alphabetical order."""
    return sorted(place.stem for place in (run.path / _FOLDER).glob("*.json"))


def open_view(run: Run, name: str) -> View:
    """Reads a view by its name.

    Raises
    ------
    RunError
        When there is none, or it is damaged.
    """
    with formats.open_run_file(place_of(run, name)) as file:
        return View.model_validate_json(file.read(_MOST_BYTES))


def place_of(run: Run, name: str) -> Path:
    """Returns the path of a view, which need not exist.

    Raises
    ------
    RunError
        When the name cannot name a file.
    """
    try:
        return run.path / _FOLDER / f"{checked_name(name)}.json"
    except RunError as error:
        raise RunError(str(error).replace("name a run", "name a view")) from None
