"""Imports a data set (reads the source, converts the images, keeps the draft) or downloads one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, Signal

from aeviewer.services.compute.compute_client import ComputeClient
from aeviewer.services.system.child_task import ChildTask
from trainers.datasets import download, sources
from trainers.datasets.description import Dataset
from trainers.datasets.importing.importer import ImportDraft, ImportRequest, import_images
from trainers.errors import AEViewerError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from aeviewer.services.compute.compute_thread import ComputeThread
    from trainers.datasets.sources import Source

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class _WorkResult:
    """The result of the work."""

    result: Any


class DatasetImport(QObject):
    """One import: a path is read, then converted; the draft is kept or discarded.

    The work is done between slices of training.

    Parameters
    ----------
    compute
        Computes.

    Attributes
    ----------
    source
        What is at the place; None until it is looked at.
    draft
        What it has become, not yet in the store.
    share
        How far the work is, 0..1; None where none is done.
    problem
        Why there is no source, or no draft.
    """

    changed = Signal()

    def __init__(self, compute: ComputeThread, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._client = ComputeClient(compute, f"import {id(self)}", self._show_problem, self)
        self.source: Source | None = None
        self.draft: ImportDraft | None = None
        self.share: float | None = None
        self.problem = ""

    def read_source(self, path: Path) -> None:
        """Reads what is at a path."""
        self._start(lambda: sources.detect_source(path), self._take_source)

    def convert(self, wanted: ImportRequest) -> None:
        """Converts the source to a draft."""
        source = self.source
        if source is not None:
            self._start(lambda: import_images(source, wanted), self._take_draft)

    def cancel(self) -> None:
        """Cancels the work; nothing of it is left."""
        self._client.cancel("work")
        self.share = None
        self.discard()
        self.changed.emit()

    def keep(self) -> Dataset | None:
        """Moves the draft into the store; returns None where that fails, and `problem` says why."""
        draft, self.draft = self.draft, None
        try:
            return draft.keep() if draft is not None else None
        except AEViewerError as error:
            self.problem = str(error)
            self.changed.emit()
            return None

    def discard(self) -> None:
        """Deletes the draft."""
        if self.draft is not None:
            self.draft.discard()
            self.draft = None

    def close(self) -> None:
        """Closes the source and discards the draft."""
        self.cancel()
        if self.source is not None:
            self.source.close()
            self.source = None

    def _start(
        self, begin: Callable[[], Generator[float, None, T]], take: Callable[[T], None]
    ) -> None:
        self.share, self.problem = 0.0, ""

        def show_result(result: _WorkResult | float) -> None:
            if isinstance(result, _WorkResult):
                self.share = None
                take(result.result)
            else:
                self.share = result
            self.changed.emit()

        self._client.submit("work", lambda _models: _yield_result(begin()), show_result)
        self.changed.emit()

    def _show_problem(self, problem: str) -> None:
        self.share, self.problem = None, problem
        self.changed.emit()

    def _take_source(self, source: Source) -> None:
        self.source = source

    def _take_draft(self, draft: ImportDraft) -> None:
        self.draft = draft


def _yield_result(work: Generator[float, None, object]) -> Generator[object, None, None]:
    """Yields the result of the work like its parts."""
    yield _WorkResult((yield from work))


class DatasetDownload(ChildTask):
    """Downloads a data set in a child process; the bytes received are kept when it is stopped.

    Parameters
    ----------
    name
        The name of an entry of the catalogue.
    mirror
        An address that also has the files.

    Attributes
    ----------
    activity
        What the process does at the moment, for the user.
    dataset
        The data set; None before the end.
    """

    def __init__(self, name: str, mirror: str = "", parent: QObject | None = None) -> None:
        super().__init__(
            download.start_download(name, mirror),
            "the download ended early; try again to continue from there",
            parent,
        )
        self.activity = "Starting"
        self.dataset: Dataset | None = None

    def _take(self, message: object) -> bool:
        match message:
            case download.DownloadProgress(activity, share):
                self.activity, self.share = activity, share
            case Dataset():
                self.dataset = message
        return self.dataset is not None
