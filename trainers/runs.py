"""The run folder: create, append, read. Loads no torch.

::

    <runs>/<name>/config.json          what was asked for
                  dataset.json         what the data set is, where it is not MNIST
                  status.json          state, step, seconds, device, engine, versions, error
                  metrics.csv          step,loss,reconstruction,kl: one row a step
                  checkpoints/<step:08d>/  model.safetensors evaluation.json codes.npy
                                           reconstructions.png
                  resume.safetensors   optimiser, random state, position: the newest only
                  lease                of whoever has it trained by another process

A file is written beside its place and renamed into it, a checkpoint likewise as a whole folder: a
reader never sees half of one. While a process trains the run it holds `lock`, which dies with it;
a run that says "running" and is not locked was interrupted.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import platformdirs
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from trainers import config as configs
from trainers import datasets, formats
from trainers.datasets import MNIST, Data, Dataset, fitting
from trainers.errors import RunError
from trainers.evaluation.summary import Evaluation
from trainers.events import Losses, Preview

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainers.config import RunConfig

State = Literal["new", "running", "stopped", "finished", "diverged", "failed", "interrupted"]
_NAME = re.compile(r"[^\W_][\w .=+-]{0,79}")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
_MOST_STEPS = 10_000_000
_MOST_JSON = 1_000_000
_LOCK_SECONDS = 0.2
"""Whoever looks whether a run is locked holds the lock for a moment."""


class Status(BaseModel):
    """Where a run is, as `status.json` keeps it."""

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


@dataclass(frozen=True)
class Checkpoint:
    """One checkpoint's folder; `evaluation`, `codes` and picture may still be missing.

    What is read from it is data from outside: sizes are checked before anything is allocated.
    """

    path: Path
    run: Run

    @property
    def step(self) -> int:
        """The training step it was taken at."""
        return int(self.path.name)

    @property
    def model(self) -> Path:
        """The weights, as safetensors."""
        return self.path / "model.safetensors"

    @property
    def is_evaluated(self) -> bool:
        """Whether evaluation, codes and picture are there beside the weights."""
        names = ("evaluation.json", "codes.npy", "reconstructions.png")
        return all((self.path / name).is_file() for name in names)

    def evaluation(self) -> Evaluation:
        """The test figures.

        Raises
        ------
        RunError
            When they are missing or damaged.
        """
        with formats.reading(self.path / "evaluation.json") as file:
            evaluation = Evaluation.model_validate_json(file.read(_MOST_JSON))
            if evaluation.step != self.step:
                raise ValueError(f"it is of step {evaluation.step:,}")
            return evaluation

    def preview(self) -> Preview:
        """Codes of the test images and reconstructions of the preview digits.

        Raises
        ------
        RunError
            When they are missing or damaged.
        """
        tiles = formats.read_sheet(self.path / "reconstructions.png", self.run.dataset.shape)
        return Preview(self.step, self.codes(), tiles)

    def codes(self) -> NDArray[np.float32]:
        """(n, d), the codes of the test images.

        Raises
        ------
        RunError
            When they are missing or damaged.
        """
        shape = self.run.dataset.test, self.run.config.model.latent_dim
        return formats.read_codes(self.path / "codes.npy", shape)


class Run:
    """A run's folder, whoever trains it and wherever.

    Parameters
    ----------
    path
        The folder; its name is the run's name.
    read_only
        Nothing in it may be changed (the demo run).
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self.read_only = read_only
        self._lock = FileLock(path / "lock")

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    @cached_property
    def config(self) -> RunConfig:
        """What the run was asked to do.

        Raises
        ------
        RunError
            When `config.json` is missing or damaged.
        """
        with formats.reading(self.path / "config.json") as file:
            return configs.from_json(file.read(_MOST_JSON))

    @cached_property
    def dataset(self) -> Dataset:
        """What the images are that it learns from.

        Raises
        ------
        RunError
            When its description is missing or damaged.
        """
        if self.config.dataset == MNIST.name:
            return MNIST
        with formats.reading(self.path / "dataset.json") as file:
            return Dataset.model_validate_json(file.read(_MOST_JSON))

    def data(self) -> Data:
        """The images.

        Raises
        ------
        RunError
            As `dataset`.
        DataError
            When the data set is not here, or another one than the run's.
        """
        return datasets.opened(self.dataset)

    def status(self) -> Status:
        """Where the run is; "interrupted" when it says "running" and nobody trains it.

        Raises
        ------
        RunError
            When `status.json` is damaged.
        """
        status = self.written_status()
        if status.state == "running" and not self.is_locked:
            return status.model_copy(update={"state": "interrupted"})
        return status

    def written_status(self) -> Status:
        """The status as it is written, whether or not anybody trains the run.

        Raises
        ------
        RunError
            When `status.json` is damaged.
        """
        if not (self.path / "status.json").exists():
            return Status()
        with formats.reading(self.path / "status.json") as file:
            return Status.model_validate_json(file.read(_MOST_JSON))

    @property
    def is_locked(self) -> bool:
        """Whether a process trains the run."""
        if self.read_only or self._lock.is_locked:
            return not self.read_only
        probe = FileLock(self._lock.lock_file)
        try:
            with probe.acquire(timeout=0):
                return False
        except Timeout:
            return True
        except OSError:
            return False

    def metrics(self) -> Losses:
        """The training losses of every step, up to the first row that is torn or damaged.

        Raises
        ------
        RunError
            When `metrics.csv` can not be opened.
        """
        return formats.read_metrics(self.path / "metrics.csv")

    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """All whole checkpoints, by step."""
        folders = (self.path / "checkpoints").glob("[0-9]" * 8)
        found = (Checkpoint(folder, self) for folder in folders)
        return tuple(sorted((c for c in found if c.model.is_file()), key=lambda c: c.step))

    def checkpoint(self, step: int | None = None) -> Checkpoint:
        """The checkpoint of `step`, or the newest.

        Raises
        ------
        RunError
            When there is none; the message names those there are.
        """
        kept = self.checkpoints()
        if not kept:
            raise RunError(f"The run {self.name!r} has no checkpoint yet: {self.path}")
        found = [c for c in kept if step is None or c.step == step]
        if not found:
            steps = ", ".join(f"{c.step:,}" for c in kept)
            raise RunError(f"The run {self.name!r} has no checkpoint at {step:,}; it has {steps}.")
        return found[-1]

    # -- writing ---------------------------------------------------------------------------------

    @contextmanager
    def training(self) -> Iterator[None]:
        """Holds the run for this process while it is trained.

        Raises
        ------
        RunError
            When another process trains it, or the folder can not be written.
        """
        if self.read_only:
            raise RunError(f"The run {self.name!r} is read-only; start a new one from its config.")
        with self.writing():
            try:
                self._lock.acquire(timeout=_LOCK_SECONDS, poll_interval=_LOCK_SECONDS / 10)
            except Timeout:
                raise RunError(
                    f"The run {self.name!r} is being trained by another program; wait for it."
                ) from None
        try:
            self._sweep()
            yield
        finally:
            self._lock.release()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Turns a failed write into one message.

        Raises
        ------
        RunError
            Naming the folder, what the system said, and what to do.
        """
        try:
            yield
        except OSError as error:
            raise RunError(
                f"The run {self.name!r} can not be written ({error.strerror or error}): "
                f"{self.path}. Free some space or choose another runs folder; "
                "the checkpoints written so far are whole."
            ) from error

    def write_status(self, status: Status) -> None:
        """Replaces `status.json`."""
        with self.writing():
            formats.replace(self.path / "status.json", status.model_dump_json(indent=2).encode())

    def write_resume(self, content: bytes) -> None:
        """Replaces the resume point."""
        with self.writing():
            formats.replace(self.path / "resume.safetensors", content)

    def drop_resume(self) -> None:
        """Removes the resume point of a run that is done."""
        with self.writing():
            (self.path / "resume.safetensors").unlink(missing_ok=True)

    def append_metrics(self, losses: Losses) -> None:
        """Appends a row a step."""
        rows = formats.table(losses)
        with self.writing(), (self.path / "metrics.csv").open("a", encoding="ascii") as file:
            file.write(rows if file.tell() else formats.HEADER + rows)

    def cut_metrics(self, step: int) -> None:
        """Drops the rows after `step`, which a resumed run does again."""
        kept = self.metrics()
        count = int(np.searchsorted(kept.step, step, side="right"))
        cut = Losses(
            kept.step[:count], kept.total[:count], kept.reconstruction[:count], kept.kl[:count]
        )
        with self.writing():
            formats.replace(
                self.path / "metrics.csv", (formats.HEADER + formats.table(cut)).encode()
            )

    def write_checkpoint(self, step: int, model: bytes) -> Checkpoint:
        """Makes the checkpoint of `step`, with the weights alone; replaces one that is there."""
        place = self.path / "checkpoints" / f"{step:08d}"
        with self.writing():
            place.parent.mkdir(exist_ok=True)
            draft = Path(tempfile.mkdtemp(prefix=formats.DRAFT, dir=place.parent))
            try:
                formats.replace(draft / "model.safetensors", model)
                draft.chmod(0o755)
                if place.exists():
                    place.rename(draft / "before")
                draft.rename(place)
            except OSError:
                shutil.rmtree(draft, ignore_errors=True)
                raise
            shutil.rmtree(place / "before", ignore_errors=True)
        return Checkpoint(place, self)

    def complete_checkpoint(self, step: int, evaluation: Evaluation, preview: Preview) -> None:
        """Adds figures, codes and picture (top row the inputs) to the checkpoint of `step`."""
        place = self.path / "checkpoints" / f"{step:08d}"
        kept = np.float16 if self.config.training.precision == "float16" else np.float32
        codes = formats.write_codes(preview.codes, kept)
        data = self.data()
        inputs = data.test.images[list(data.preview)]
        picture = formats.write_sheet(inputs, preview.reconstructions)
        with self.writing():
            formats.replace(place / "codes.npy", codes)
            formats.replace(place / "reconstructions.png", picture)
            formats.replace(
                place / "evaluation.json", evaluation.model_dump_json(indent=2).encode()
            )

    def rename(self, name: str) -> Run:
        """Moves the folder to a new name beside it.

        Raises
        ------
        RunError
            When the name is taken or no folder can have it, or the run is being trained.
        """
        if self.read_only:
            raise RunError(f"The run {self.name!r} is read-only and keeps its name.")
        if self.status().state == "running":
            raise RunError(f"The run {self.name!r} is being trained; stop it before renaming.")
        place = self.path.parent / checked_name(name)
        if place.exists():
            raise RunError(f"There is a run {name!r} already; choose another name.")
        with self.writing():
            self.path.rename(place)
        return Run(place)

    def _sweep(self) -> None:
        """Removes what a crash or a full disk left half written."""
        drafts = f"{formats.DRAFT}*"
        for draft in [*self.path.glob(drafts), *self.path.glob(f"checkpoints/{drafts}")]:
            if draft.is_dir():
                shutil.rmtree(draft, ignore_errors=True)
            else:
                draft.unlink(missing_ok=True)

    def discard(self) -> None:
        """Removes a run that could not even begin, so that its name is free again."""
        shutil.rmtree(self.path, ignore_errors=True)


def default_folder() -> Path:
    """Where runs lie when nobody says otherwise.

    `AEVIEWER_RUNS`, or what `choose_folder` wrote, or the user's data folder.
    """
    chosen = os.environ.get("AEVIEWER_RUNS") or _chosen_folder()
    return Path(chosen) if chosen else platformdirs.user_data_path("aeviewer", False) / "runs"


def choose_folder(folder: Path | None) -> None:
    """Keeps where runs shall lie from now on; None goes back to the user's data folder.

    Raises
    ------
    RunError
        When it is no absolute path, can not be made, or the choice can not be kept.
    """
    if folder is not None and not folder.is_absolute():
        raise RunError(f"{str(folder)!r} is no whole path; give one from the root, or choose it.")
    place = _folder_choice()
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        formats.replace(place, str(folder or "").encode())
    except OSError as error:
        raise RunError(
            f"{folder or place} can not be used ({error.strerror or error}): choose a folder that "
            "you may write to."
        ) from error


def _folder_choice() -> Path:
    return platformdirs.user_config_path("aeviewer", False) / "runs-folder"


def _chosen_folder() -> str:
    try:
        return _folder_choice().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def create(config: RunConfig, folder: Path, name: str = "") -> Run:
    """A new run folder holding `config`; a free name is found where none is given.

    Raises
    ------
    RunError
        When the name is taken or no folder can have it, or the runs folder can not be written.
    DataError
        When the data set is not here.
    ConfigError
        When the config does not fit the data set.
    """
    dataset = datasets.named(config.dataset)
    fitting.check(config, dataset)
    place = folder / (checked_name(name) if name else free_name(config, folder))
    if place.exists():
        raise RunError(f"There is a run {place.name!r} already; choose another name: {place}")
    run = Run(place)
    try:
        place.mkdir(parents=True)
        formats.replace(place / "config.json", config.model_dump_json(indent=2).encode())
        if dataset != MNIST:
            described = dataset.model_dump_json(indent=2).encode()
            formats.replace(place / "dataset.json", described)
        created = Status(created=datetime.now(UTC))
        formats.replace(place / "status.json", created.model_dump_json(indent=2).encode())
    except OSError as error:
        raise RunError(
            f"No run can be made in {folder} ({error.strerror or error}). "
            "Choose a runs folder that you may write to."
        ) from error
    return run


def free_name(config: RunConfig, folder: Path) -> str:
    """A name that says what the run is: "vae-d2", then "vae-d2-2", and so on."""
    data = "" if config.dataset == MNIST.name else f"{config.dataset}-"
    stem = f"{data}{config.preset}-d{config.model.latent_dim}"
    number = 1
    while (folder / (name := stem if number == 1 else f"{stem}-{number}")).exists():
        number += 1
    return name


def checked_name(name: str) -> str:
    """`name`, if a folder may be called so on every system.

    Raises
    ------
    RunError
        Naming what is allowed.
    """
    if not _NAME.fullmatch(name) or _RESERVED.fullmatch(name) or name.endswith((".", " ")):
        raise RunError(
            f"{name!r} can not name a run: use up to 80 letters, digits, spaces or . = + - _, "
            "beginning with a letter or digit."
        )
    return name


def find(folder: Path) -> list[Run]:
    """Every run in `folder`, oldest first; damaged ones too, told when they are read."""
    try:
        found = [Run(c.parent) for c in folder.glob("*/config.json")]
        return sorted(found, key=lambda run: ((run.path / "config.json").stat().st_mtime, run.name))
    except OSError as error:
        raise RunError(f"The runs folder {folder} can not be read ({error.strerror}).") from error


def opened(path: Path) -> Run:
    """The run at `path`.

    Raises
    ------
    RunError
        When there is none there, or its config is damaged.
    """
    if not (path / "config.json").is_file():
        raise RunError(f"There is no run at {path}. To see which there are: aeviewer runs")
    run = Run(path)
    _ = run.config
    return run


@contextmanager
def demo() -> Iterator[Run]:
    """The run that comes with the program, read-only; valid inside the `with`."""
    with as_file(files("resources") / "demo") as folder:
        yield Run(folder / "vae-d2-demo", read_only=True)


@cache
def versions() -> dict[str, str]:
    """What a run was made with; looked up once, for it is told every two seconds."""
    from importlib.metadata import version

    names = ("aeviewer", "torch", "numpy")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}
