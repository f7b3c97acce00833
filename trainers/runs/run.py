"""The run folder: create, append, read. Loads no torch.

::

    <runs>/<name>/config.json          what was asked for
                  dataset.json         what the data set is, where it is not MNIST
                  status.json          state, step, seconds, device, engine, versions, error
                  metrics.csv          step,loss,reconstruction,kl: one row a step
                  checkpoints/<step:08d>/  model.safetensors evaluation.json codes.npy
                                           reconstructions.png
                  resume.safetensors   optimiser, random state, position: the newest only
                  lease                held while another process is asked to train the run

A file is written beside its place and renamed into it, a checkpoint likewise as a whole folder: a
reader never sees half of one. While a process trains the run it holds `lock`, which dies with it;
a run that says "running" and is not locked was interrupted.
"""

from __future__ import annotations

import errno
import shutil
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock, Timeout

from trainers import config as configs
from trainers import datasets
from trainers.datasets import MNIST, Data, Dataset
from trainers.errors import AEViewerError, RunError
from trainers.runs import formats, losses_csv
from trainers.runs import status as statuses
from trainers.runs.checkpoint import WEIGHTS, Checkpoint
from trainers.runs.runs_folder import checked_name
from trainers.runs.status import RESUME_POINT, RunState, Status
from trainers.storage import atomic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from trainers.config import RunConfig
    from trainers.events import Losses, Preview
    from trainers.runs.metrics import Evaluation

_MOST_JSON = 1_000_000
_LOCK_SECONDS = 0.2
"""Checking whether a run is locked holds the lock for a moment."""
CONFIG, METRICS, _CHECKPOINTS = "config.json", "metrics.csv", "checkpoints"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Run:
    """The folder of a run, which may be in training in any process on any machine.

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
        with formats.open_run_file(self.path / CONFIG) as file:
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
        with formats.open_run_file(self.path / "dataset.json") as file:
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
        return datasets.open_dataset(self.dataset)

    def status(self) -> Status:
        """Where the run is; "interrupted" when it says "running" and no process trains it.

        Raises
        ------
        RunError
            When `status.json` is damaged.
        """
        status = self.written_status()
        if status.state is RunState.RUNNING and not self.is_locked:
            return status.model_copy(update={"state": RunState.INTERRUPTED})
        return status

    def written_status(self) -> Status:
        """The status as it is written, whether or not anybody trains the run.

        Where it is damaged, the resume point says how far the run is, and the error what is wrong.

        Raises
        ------
        RunError
            When it is damaged, and so is the resume point.
        """
        return statuses.read(self.path)

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
        """The training losses of every step; rows that are torn or damaged are left out.

        Raises
        ------
        RunError
            When `metrics.csv` cannot be opened.
        """
        return losses_csv.read(self.path / METRICS, self._steps())

    def _steps(self) -> int:
        try:
            return self.config.steps
        except AEViewerError:  # The losses of a run can be read without its config.
            return losses_csv.MOST_STEPS

    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """All whole checkpoints, by step."""
        folders = (self.path / _CHECKPOINTS).glob("[0-9]" * 8)
        found = (Checkpoint(folder, self) for folder in folders)
        return tuple(sorted((c for c in found if c.model.is_file()), key=lambda c: c.step))

    def best_checkpoint(self) -> Checkpoint:
        """The checkpoint with the lowest loss on the validation images.

        Raises
        ------
        RunError
            When no checkpoint was measured on validation images.
        """
        found = [(c.evaluation().validation_loss, c) for c in self.checkpoints() if c.is_evaluated]
        known = [(loss, checkpoint) for loss, checkpoint in found if loss is not None]
        if not known:
            raise RunError(
                f"The run {self.name!r} held out no validation images, and the test images must "
                "not choose. Train with --validation, or name a step."
            )
        return min(known, key=lambda pair: pair[0])[1]

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
    def hold_for_training(self) -> Iterator[None]:
        """Holds the run for this process while it is trained.

        Raises
        ------
        RunError
            When another process trains it, or the folder cannot be written.
        """
        if self.read_only:
            raise RunError(f"The run {self.name!r} is read-only; start a new one from its config.")
        with self.report_write_errors():
            try:
                self._lock.acquire(timeout=_LOCK_SECONDS, poll_interval=_LOCK_SECONDS / 10)
            except Timeout:
                raise RunError(
                    f"The run {self.name!r} is being trained by another program; wait for it."
                ) from None
        try:
            self._remove_drafts()
            yield
        finally:
            self._lock.release()

    @contextmanager
    def report_write_errors(self) -> Iterator[None]:
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
                f"The run {self.name!r} cannot be written ({error.strerror or error}): "
                f"{error.filename2 or error.filename or self.path}. {self._remedy(error)}"
            ) from error

    def _remedy(self, error: OSError) -> str:
        if not self.path.is_dir():
            return "Its folder is gone; put it back and go on with the run, or start a new one."
        if isinstance(error, IsADirectoryError):
            return "A folder lies where a file should be; move it away, and go on with the run."
        do = "Free some space" if error.errno in _FULL else "See that you may write to its folder"
        return f"{do}, and go on with the run; what was written so far is whole."

    def write_status(self, status: Status) -> None:
        """Replaces `status.json`."""
        with self.report_write_errors():
            atomic.replace_file(
                self.path / statuses.FILE, status.model_dump_json(indent=2).encode()
            )

    def write_resume(self, content: bytes) -> None:
        """Replaces the resume point."""
        with self.report_write_errors():
            atomic.replace_file(self.path / RESUME_POINT, content)

    def drop_resume(self) -> None:
        """Removes the resume point of a run that is done."""
        with self.report_write_errors():
            (self.path / RESUME_POINT).unlink(missing_ok=True)

    def append_metrics(self, losses: Losses) -> None:
        """Appends a row a step."""
        rows, head = losses_csv.format_rows(losses), losses_csv.HEADER
        with self.report_write_errors():
            atomic.append_to_file(self.path / METRICS, rows.encode(), head.encode())

    def cut_metrics(self, step: int) -> str:
        """Drops the rows after `step`, which a resumed run does again.

        Answers which steps before have none ("41-100"), because the file was damaged.
        """
        kept = losses_csv.cut_after(self.metrics(), step)
        content = losses_csv.HEADER + losses_csv.format_rows(kept)
        with self.report_write_errors():
            atomic.replace_file(self.path / METRICS, content.encode())
        return losses_csv.missing_steps(kept, step)

    def write_checkpoint(self, step: int, model: bytes) -> Checkpoint:
        """Makes the checkpoint of `step`, with the weights alone; replaces one that is there."""
        place = self.path / _CHECKPOINTS / f"{step:08d}"
        with self.report_write_errors():
            if place.is_dir():
                # Figures of other weights must not stand beside these for a moment.
                for other in place.iterdir():
                    if other.name != WEIGHTS:
                        other.unlink()
                atomic.sync_folder(place)
                atomic.replace_file(place / WEIGHTS, model)
            else:
                if not place.parent.is_dir():
                    place.parent.mkdir()
                    atomic.sync_folder(self.path)
                with atomic.draft_folder(place.parent) as draft:
                    atomic.replace_file(draft / WEIGHTS, model)
                    atomic.move_folder(draft, place)
        return Checkpoint(place, self)

    def complete_checkpoint(self, step: int, evaluation: Evaluation, preview: Preview) -> None:
        """Adds figures, codes and picture (top row the inputs) to the checkpoint of `step`."""
        place = self.path / _CHECKPOINTS / f"{step:08d}"
        kept = np.float16 if self.config.training.precision == "float16" else np.float32
        codes = formats.write_codes(preview.codes, kept)
        data = self.data()
        inputs = data.test.images[list(data.preview)]
        picture = formats.write_sheet(inputs, preview.reconstructions)
        with self.report_write_errors():
            atomic.replace_file(place / "codes.npy", codes)
            atomic.replace_file(place / "reconstructions.png", picture)
            atomic.replace_file(
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
        if self.status().state is RunState.RUNNING:
            raise RunError(f"The run {self.name!r} is being trained; stop it before renaming.")
        place = self.path.parent / checked_name(name)
        if place.exists():
            raise RunError(f"There is a run {name!r} already; choose another name.")
        with self.report_write_errors():
            self.path.rename(place)
            atomic.sync_folder(place.parent)
        return Run(place)

    def _remove_drafts(self) -> None:
        """Removes what a crash or a full disk left half written."""
        for folder in (self.path, *(self.path / _CHECKPOINTS).glob("**")):
            atomic.remove_drafts(folder)

    def discard(self) -> None:
        """Removes a run that could not even begin, so that its name is free again."""
        shutil.rmtree(self.path, ignore_errors=True)
