"""Creating, finding and opening run folders. This module loads no torch."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import resources
from typing import TYPE_CHECKING

from trainers import datasets
from trainers.datasets import MNIST, compatibility
from trainers.errors import RunError
from trainers.runs import status as statuses
from trainers.runs.run import CONFIG, METRICS, Run
from trainers.runs.runs_folder import checked_name, free_name
from trainers.runs.status import RESUME_POINT, Status
from trainers.storage import atomic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from trainers.config import RunConfig


def create_run(config: RunConfig, folder: Path, name: str = "") -> Run:
    """Creates a run folder that holds `config`; finds a free name where none is given.

    Raises
    ------
    RunError
        When the name is taken or no folder can have it, or the runs folder cannot be written.
    DataError
        When the data set is not here.
    ConfigError
        When the config does not fit the data set.
    """
    dataset = datasets.dataset_named(config.dataset)
    compatibility.check_compatible(config, dataset)
    try:
        place = _taken_place(folder, config, name)
        try:
            created = Status(created=datetime.now(UTC))
            atomic.replace_file(place / statuses.FILE, created.model_dump_json(indent=2).encode())
            if dataset != MNIST:
                described = dataset.model_dump_json(indent=2).encode()
                atomic.replace_file(place / "dataset.json", described)
            # The config is written last, because it makes the folder a run.
            atomic.replace_file(place / CONFIG, config.model_dump_json(indent=2).encode())
        except OSError:
            shutil.rmtree(place, ignore_errors=True)
            raise
    except OSError as error:
        raise RunError(
            f"No run can be made in {folder} ({error.strerror or error}). "
            "Choose a runs folder that you may write to."
        ) from error
    return Run(place)


def _taken_place(folder: Path, config: RunConfig, name: str) -> Path:
    """Makes the folder of a new run; another program may do the same at this moment."""
    while True:
        place = folder / (checked_name(name) if name else free_name(config, folder))
        try:
            atomic.make_folder(place)
        except FileExistsError:
            if place.exists() and not name:
                continue
            if not place.exists():  # A file lies where the runs folder should be.
                raise
            raise RunError(
                f"There is a run {place.name!r} already; choose another name: {place}"
            ) from None
        return place


def find_runs(folder: Path) -> list[Run]:
    """Returns every run in `folder`, the oldest first. A damaged run raises when it is read."""
    try:
        if not folder.exists():
            return []
        found = [Run(place) for place in folder.iterdir() if _is_run(place)]
    except OSError as error:
        raise RunError(f"The runs folder {folder} cannot be read ({error.strerror}).") from error
    return sorted(found, key=lambda run: (_made_at(run.path), run.name))


def _is_run(place: Path) -> bool:
    """Returns whether a folder is a run, even one that has lost its config."""
    return any((place / name).exists() for name in (CONFIG, statuses.FILE, METRICS, RESUME_POINT))


def _made_at(place: Path) -> float:
    """Returns when a run was made; another program may be removing it."""
    for known in (place / CONFIG, place):
        try:
            return known.stat().st_mtime
        except OSError:
            continue
    return 0.0


def open_run(path: Path) -> Run:
    """Opens the run at `path`.

    Raises
    ------
    RunError
        When there is none there, or its config is damaged.
    """
    if not _is_run(path):
        raise RunError(f"There is no run at {path}. To see which there are: aeviewer runs")
    run = Run(path)
    _ = run.config
    return run


@contextmanager
def demo_run() -> Iterator[Run]:
    """Opens the run that comes with the program, read-only, for the time of the `with`."""
    with resources.as_file(resources.files("resources") / "demo") as folder:
        yield Run(folder / "vae-d2-demo", read_only=True)
