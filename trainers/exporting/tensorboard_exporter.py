"""A whole run as TensorBoard's events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.tensorboard import FOLDER, SUFFIX, EventFile, write_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainers.exporting.exporters import Task


def write(task: Task) -> Iterator[None]:
    """Writes the losses of every step and the figures of every checkpoint, yielding in between."""
    folder = task.folder / FOLDER
    folder.mkdir()
    yield from write_run(task.run, EventFile(folder / f"{task.run.name}{SUFFIX}"))
