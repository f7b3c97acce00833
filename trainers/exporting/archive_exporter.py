"""A whole run as one .zip file, which `trainers.runs.archive.unpack` opens elsewhere."""

from __future__ import annotations

import zipfile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from trainers.errors import ExportError
from trainers.runs.archive import CHUNK, LARGEST, is_kept
from trainers.storage.regular_files import open_regular_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from trainers.exporting.exporters import Task
    from trainers.runs import Run

_WORTH_PRESSING = frozenset({".json", ".csv"})


def write(task: Task) -> Iterator[None]:
    """Writes RUN.aeviewer.zip: config, status, metrics, checkpoints, views, and the resume point.

    Raises
    ------
    ExportError
        When the run is larger than an archive may be.
    """
    files = [*_files(task.run)]
    total = sum(place.stat().st_size for _, place in files)
    if total > LARGEST:
        raise ExportError(
            f"{task.run.name} has {total / (1 << 20):,.0f} MB, and an archive holds up to "
            f"{LARGEST / (1 << 20):,.0f}. Copy its folder instead: {task.run.path}"
        )
    with zipfile.ZipFile(task.folder / f"{task.run.name}.aeviewer.zip", "w") as archive:
        for relative, place in files:
            info = zipfile.ZipInfo.from_file(place, f"{task.run.name}/{relative}")
            is_pressed = place.suffix in _WORTH_PRESSING
            info.compress_type = zipfile.ZIP_DEFLATED if is_pressed else zipfile.ZIP_STORED
            with open_regular_file(place) as source, archive.open(info, "w") as sink:
                while chunk := source.read(CHUNK):
                    sink.write(chunk)
                    yield


def _files(run: Run) -> Iterator[tuple[PurePosixPath, Path]]:
    """Yields every file that belongs in an archive, without incomplete ones."""
    for place in sorted(run.path.rglob("*")):
        relative = PurePosixPath(place.relative_to(run.path).as_posix())
        if place.is_file() and not place.is_symlink() and is_kept(relative):
            yield relative, place
