"""Exporting runs and opening archives, done by the compute thread part by part."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from aeviewer.numbers import local
from aeviewer.services.compute.compute_client import ComputeClient
from trainers.exporting.export import Moment, export_run
from trainers.runs import Run
from trainers.runs.archive import unpack

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from aeviewer.services.compute.compute_thread import ComputeThread
    from aeviewer.services.compute.model_cache import ModelCache
    from aeviewer.services.runs.session import Session
    from trainers.exporting.exporters import Exporter

_FILES = "files"


class ExportService(QObject):
    """Exports a run while the window stays usable and training continues.

    Parameters
    ----------
    compute
        Writes them, a part between two slices of training.
    """

    advanced = Signal(int, str)
    """The number of finished exports, and the name of the current one."""
    ended = Signal(object, str)
    """The files, and the message of a failure; there are no files then."""

    def __init__(self, compute: ComputeThread, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._client = ComputeClient(compute, "export", self._end_with_problem, self)

    def start(
        self,
        run: Run,
        exporters: Sequence[Exporter],
        folder: Path,
        step: int | None,
        *,
        replaces: bool,
    ) -> None:
        """Starts an export; see `trainers.exporting.export.export_run`."""
        work = partial(_export_run, run, tuple(exporters), folder, step, replaces)
        self._client.submit(_FILES, work, self._show_result)

    def cancel(self) -> None:
        """Cancels the export; finished exports stay."""
        self._client.cancel(_FILES)

    def _show_result(self, result: Moment | tuple[Path, ...]) -> None:
        if isinstance(result, Moment):
            self.advanced.emit(result.done, result.label)
        else:
            self.ended.emit(result, "")

    def _end_with_problem(self, problem: str) -> None:
        self.ended.emit((), problem)


def _export_run(
    run: Run,
    exporters: tuple[Exporter, ...],
    folder: Path,
    step: int | None,
    replaces: bool,
    _models: ModelCache,
) -> Generator[Moment | tuple[Path, ...] | None]:
    """Yields each change of the progress once, and the files at the end."""
    work = export_run(run, exporters, folder, step, replaces=replaces)
    files = yield from _distinct_moments(work)
    yield files


def _distinct_moments(
    work: Generator[Moment, None, tuple[Path, ...]],
) -> Generator[Moment | None, None, tuple[Path, ...]]:
    reported: Moment | None = None
    try:
        while True:
            moment = next(work)
            yield None if moment == reported else moment
            reported = moment
    except StopIteration as done:
        files: tuple[Path, ...] = done.value
        return files
    finally:
        work.close()


class ArchiveOpener(QObject):
    """Opens archives of runs into the runs folder, and shows them.

    Parameters
    ----------
    session
        Receives the run; posts what is wrong with an archive.
    compute
        Unpacks, a part between two slices of training.
    """

    changed = Signal()
    """An archive is being opened, has progressed, or is open."""

    def __init__(
        self, session: Session, compute: ComputeThread, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._client = ComputeClient(compute, "open archive", session.report, self)
        self._shares: dict[Path, float] = {}

    @property
    def progress_text(self) -> str:
        """The archives that are being opened, with their progress; empty without one."""
        parts = (f"{file.name} ({local(share):.0%})" for file, share in self._shares.items())
        return f"Opening {', '.join(parts)}…" if self._shares else ""

    def open(self, file: Path) -> None:
        """Opens an archive; its run becomes the current one."""
        if file not in self._shares:
            self._shares[file] = 0.0
            work = partial(_unpack_archive, file, self._session.folder)
            self._client.submit(
                str(file), work, partial(self._show_result, file), on_end=partial(self._end, file)
            )
            self.changed.emit()

    def _show_result(self, file: Path, result: float | Run) -> None:
        if isinstance(result, Run):
            self._session.refresh()
            self._session.set_current(str(result.path))
        else:
            self._shares[file] = result
            self.changed.emit()

    def _end(self, file: Path) -> None:
        self._shares.pop(file, None)
        self.changed.emit()


def _unpack_archive(file: Path, folder: Path, _models: ModelCache) -> Generator[float | Run | None]:
    """Yields every hundredth of the progress, and the run at the end."""
    work, reported = unpack(file, folder), -1.0
    try:
        while True:
            share = next(work)
            is_new = share - reported >= 0.01
            reported = share if is_new else reported
            yield share if is_new else None
    except StopIteration as done:
        run: Run = done.value
        yield run
    finally:
        work.close()
