"""What is to be trained, and how far all of it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from trainers import datasets, runs, tensorboard
from trainers.errors import AEViewerError, RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from trainers.config import RunConfig
    from trainers.runs import Run

_PIXELS = 784  # of the paper's images
_PCA_WORK = 300.0
_CONV_WORK = 5.5
_PAPER = (_PIXELS, 500, 500, 5)


class NamedConfig(Protocol):
    """A run that is wanted: what it is called and what is trained."""

    @property
    def name(self) -> str:
        """What its run is called."""

    @property
    def config(self) -> RunConfig:
        """What is trained."""


@dataclass(frozen=True)
class Job:
    """A run to be trained by a worker.

    Attributes
    ----------
    path
        Its folder, absolute; made when its training begins.
    config
        What is trained.
    then
        Work on the run when it is finished, as a generator: a function of a module, for another
        process finds it by its name.
    writes_events
        Whether TensorBoard's events are written while it is trained.
    """

    path: Path
    config: RunConfig
    then: Callable[[Run], Generator[None, None, None]] | None = None
    writes_events: bool = False

    @property
    def name(self) -> str:
        """What its run is called."""
        return self.path.name

    def open_run(self) -> Run:
        """The run's folder, made where it is not there yet; it asks for events if the job does.

        Raises
        ------
        RunError
            When it cannot be made, or what is there is damaged.
        ExportError
            When events cannot be written here.
        """
        if (self.path / "config.json").is_file():
            run = runs.open_run(self.path)
        else:
            run = runs.create_run(self.config, self.path.parent, self.path.name)
        if self.writes_events:
            tensorboard.request_events(run)
        return run


@dataclass
class SweepProgress:
    """How far the whole is.

    Attributes
    ----------
    plan
        Every run that is wanted, in order.
    finished
        Names of those that are done.
    active
        Steps done by those that are begun; all of them where something is done with it yet.
    failed
        What went wrong, by name.
    """

    plan: tuple[NamedConfig, ...]
    finished: set[str] = field(default_factory=set)
    active: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def remaining(self) -> tuple[NamedConfig, ...]:
        """What is neither finished nor failed."""
        ended = self.finished | self.failed.keys()
        return tuple(planned for planned in self.plan if planned.name not in ended)

    @property
    def work(self) -> tuple[float, float]:
        """Done and all, in steps of the paper's autoencoder."""
        done = sum(
            cost(p.config)
            if p.name in self.finished
            else cost(p.config) * self.active.get(p.name, 0) / p.config.steps
            for p in self.plan
        )
        return done, sum(cost(planned.config) for planned in self.plan)


def cost(config: RunConfig) -> float:
    """About how long a run takes, in steps of the paper's autoencoder."""
    model, pixels = config.model, _pixels(config)
    if model.family == "pca":
        return _PCA_WORK
    if model.family == "conv":
        return _CONV_WORK * config.steps * pixels / _PIXELS
    widths = (pixels, *model.hidden, model.latent_dim)
    return config.steps * _multiplications(widths) / _multiplications(_PAPER)


def _pixels(config: RunConfig) -> int:
    try:
        return datasets.dataset_named(config.dataset).pixels
    except AEViewerError:
        return _PIXELS


def _multiplications(widths: tuple[int, ...]) -> int:
    """Multiplications of an image on its way through layers of these widths."""
    return sum(a * b for a, b in pairwise(widths))


def refuse_other_config(planned: NamedConfig, folder: Path) -> None:
    """Refuses to go on with a run of that name which was asked to do something else.

    Raises
    ------
    RunError
        Naming the run and what to do.
    """
    place = folder / planned.name
    if not (place / "config.json").is_file():
        return
    # Engines differ in rounding alone.
    asked = runs.open_run(place).config.replace(engine=planned.config.training.engine)
    if asked != planned.config:
        raise RunError(
            f"The run {planned.name!r} in {folder} has other settings than are asked for; "
            "rename or remove it, or choose another name or runs folder."
        )


def steps_done(place: Path) -> int:
    """Steps that a run has done, as far as its folder tells; 0 where there is none."""
    try:
        return runs.Run(place).written_status().step if (place / "config.json").is_file() else 0
    except AEViewerError:
        return 0


def modification_time(place: Path) -> int:
    """When a file was written last, in nanoseconds; 0 where there is none."""
    try:
        return place.stat().st_mtime_ns
    except OSError:
        return 0
