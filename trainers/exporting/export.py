"""Exports a run: every exporter writes to a draft, and complete files are moved to their place."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainers.errors import ExportError
from trainers.exporting.exporters import Task
from trainers.storage import drafts

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path

    from trainers.exporting.exporters import Exporter
    from trainers.runs import Run


@dataclass(frozen=True, slots=True)
class Moment:
    """The progress: `done` exporters have ended, `label` names the current one."""

    done: int
    label: str


def proposed_folder(run: Run, step: int | None = None) -> str:
    """Returns the name of a folder for the exports of a run, "vae-d2-step3000".

    Raises
    ------
    RunError
        When the run has no such checkpoint.
    """
    return f"{run.name}-step{run.checkpoint(step).step}"


def in_the_way(run: Run, exporters: Sequence[Exporter], folder: Path) -> tuple[str, ...]:
    """Returns existing files that would be replaced, relative to the folder."""
    places = [place for exporter in exporters for place in exporter.places(run)]
    return tuple(place for place in places if (folder / place).exists())


def export_run(
    run: Run,
    exporters: Sequence[Exporter],
    folder: Path,
    step: int | None = None,
    *,
    replaces: bool = False,
) -> Generator[Moment, None, tuple[Path, ...]]:
    """Writes exports of a run into a folder, one exporter after another; returns the files.

    What is given up, or fails, leaves the files of the exporters before it and nothing of its own.

    Parameters
    ----------
    run
        What is carried away; nothing of it changes.
    exporters
        As `table.chosen` finds them.
    folder
        Where to; made where it is not there.
    step
        Which checkpoint; the newest where left out.
    replaces
        Whether files of the same names may be replaced.

    Raises
    ------
    ExportError
        When a file is in the way, the folder cannot be written, or an exporter failed.
    RunError
        When the run has no such checkpoint, or is damaged.
    """
    checkpoint = run.checkpoint(step)
    found = in_the_way(run, exporters, folder)
    if found and not replaces:
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        raise ExportError(
            f"{folder / found[0]}{more} would be replaced. Choose another folder, or say that "
            "they may be (--force)."
        )
    places: list[Path] = []
    for done, exporter in enumerate(exporters):
        yield Moment(done, exporter.label)
        with _writing(folder), _draft(folder) as draft:
            for _ in exporter.write(Task(run, checkpoint, draft)):
                yield Moment(done, exporter.label)
            places += _move_files(draft, folder)
    yield Moment(len(exporters), "")
    return tuple(places)


def _move_files(draft: Path, folder: Path) -> list[Path]:
    """Moves every file of a draft to the same place in the folder."""
    places = []
    for file in sorted(path for path in draft.rglob("*") if path.is_file()):
        place = folder / file.relative_to(draft)
        place.parent.mkdir(parents=True, exist_ok=True)
        file.replace(place)
        places.append(place)
    return places


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    """Yields an empty folder beside the final place, which is removed at the end of the `with`."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with drafts.locked_draft_folder(folder) as draft:
            yield draft
    finally:
        for path in made:
            if any(path.iterdir()):
                break
            path.rmdir()


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Converts a failed write to one message."""
    try:
        yield
    except OSError as error:
        raise ExportError(
            f"{folder} cannot be written ({error.strerror or error}). Free some space, or choose "
            "a folder that you may write to."
        ) from error
