"""The jobs of a pool, and the progress of a whole sweep."""

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

_PIXELS = 784  # an image of the paper
_PCA_WORK = 300.0
_CONV_WORK = 5.5
_PAPER = (_PIXELS, 500, 500, 5)


class NamedConfig(Protocol):
    """The name and the config of a run that may not exist yet."""

    @property
    def name(self) -> str:
        """The name of the run."""

    @property
    def config(self) -> RunConfig:
        """The config of the run."""


@dataclass(frozen=True)
class Job:
    """A run that a worker trains.

    Attributes
    ----------
    path
        The absolute path of the run's folder, which is created when its training begins.
    config
        The config of the run.
    then
        A generator function that the worker runs on the finished run. It must be a function of a
        module, because the other process finds it by its name.
    writes_events
        Whether the training also writes TensorBoard events.
    """

    path: Path
    config: RunConfig
    then: Callable[[Run], Generator[None, None, None]] | None = None
    writes_events: bool = False

    @property
    def name(self) -> str:
        """The name of the run."""
        return self.path.name

    def open_run(self) -> Run:
        """Opens the run, or creates it where it does not exist, and requests events if set.

        Raises
        ------
        RunError
            When the folder cannot be created, or the run in it is damaged.
        ExportError
            When TensorBoard events cannot be written here.
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
    """The progress of all runs of a sweep or a reproduction.

    Attributes
    ----------
    plan
        All runs, in order.
    finished
        The names of the runs that are complete.
    active
        The steps done by each run that has started. A run whose training is complete but whose
        follow-up work is not counts with all its steps.
    failed
        The error message of each failed run, by name.
    """

    plan: tuple[NamedConfig, ...]
    finished: set[str] = field(default_factory=set)
    active: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def remaining(self) -> tuple[NamedConfig, ...]:
        """The runs that have neither finished nor failed."""
        ended = self.finished | self.failed.keys()
        return tuple(planned for planned in self.plan if planned.name not in ended)

    @property
    def work(self) -> tuple[float, float]:
        """The work done and the total work, in steps of the paper's autoencoder."""
        done = sum(
            cost(p.config)
            if p.name in self.finished
            else cost(p.config) * self.active.get(p.name, 0) / p.config.steps
            for p in self.plan
        )
        return done, sum(cost(planned.config) for planned in self.plan)


def cost(config: RunConfig) -> float:
    """Returns the approximate cost of a training, in steps of the paper's autoencoder."""
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
    """Returns the multiplications for one image in dense layers of these widths."""
    return sum(a * b for a, b in pairwise(widths))


def refuse_other_config(planned: NamedConfig, folder: Path) -> None:
    """Checks that a run of the same name in the folder has the same config.

    Raises
    ------
    RunError
        When its config differs. The message names the run and says what to do.
    """
    place = folder / planned.name
    if not (place / "config.json").is_file():
        return
    # Engines differ only in rounding.
    existing = runs.open_run(place).config.replace(engine=planned.config.training.engine)
    if existing != planned.config:
        raise RunError(
            f"The run {planned.name!r} in {folder} already exists with other settings. "
            "Rename or remove it, or choose another name or runs folder."
        )


def steps_done(place: Path) -> int:
    """Returns the last step in the run's status file; 0 without a readable one."""
    try:
        return runs.Run(place).written_status().step if (place / "config.json").is_file() else 0
    except AEViewerError:
        return 0


def modification_time(place: Path) -> int:
    """Returns the modification time of a file in nanoseconds; 0 for a missing file."""
    try:
        return place.stat().st_mtime_ns
    except OSError:
        return 0
