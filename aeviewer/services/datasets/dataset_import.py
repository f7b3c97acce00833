"""Imports a data set (reads the source, converts the images, keeps the draft) or downloads one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from PySide6.QtCore import QObject, Signal

from aeviewer.services.compute.compute_client import ComputeClient
from aeviewer.services.system.child_task import ChildTask
from trainers.datasets import download, sources
from trainers.datasets.description import Dataset
from trainers.datasets.importing.import_report import describe_import
from trainers.datasets.importing.importer import (
    ImportDraft,
    ImportRequest,
    default_conversion,
    import_images,
    preview_conversion,
)
from trainers.errors import AEViewerError, DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from aeviewer.services.compute.compute_thread import ComputeThread
    from trainers.datasets.importing.conversion import Conversion
    from trainers.datasets.sources import Source

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ReadingChoice:
    """How the values of a source are read.

    Attributes
    ----------
    scale
        Usual for their type, stretched to their own range, between other bounds, or not chosen.
    low, high
        The bounds: the values that become black and white.
    is_transposed
        Whether rows and columns are swapped.
    """

    scale: Literal["usual", "own", "other", ""] = ""
    low: float = 0.0
    high: float = 1.0
    is_transposed: bool = False

    def apply_to(self, source: Source) -> str:
        """Reads a source as chosen; returns what is wrong with the choice, if anything is."""
        source.is_transposed = self.is_transposed
        if not self.scale:
            return source.range_problem
        if self.scale != "other":
            source.stretch(is_stretched=self.scale == "own")
            return ""
        try:
            source.take_range(self.low, self.high)
        except DataError as error:
            return str(error)
        return ""


@dataclass(frozen=True, slots=True, eq=False)
class SourceSummary:
    """What lies at a place: the source, the conversion that suits it, and the sizes of images."""

    source: Source
    suggested: Conversion
    sizes: set[tuple[int, int, int]]


@dataclass(frozen=True, slots=True, eq=False)
class ImportPreview:
    """Some images before and after an import.

    Attributes
    ----------
    problem
        Why the images cannot be imported like this; empty if they can.
    report
        What will be imported, a line each.
    before, after
        The images; None where one cannot be read or converted.
    flaws
        What is wrong with each image; empty if nothing is.
    """

    problem: str
    report: list[str]
    before: list[NDArray[np.uint8] | None]
    after: list[NDArray[np.uint8] | None]
    flaws: list[str]


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
    summary
        What is at the place; None until it is read.
    draft
        What it has become, not yet in the store.
    share
        How far the work is, 0..1; None where none is done.
    problem
        Why there is no source, or no draft.
    """

    changed = Signal()
    previewed = Signal(object)
    """An `ImportPreview`."""

    def __init__(self, compute: ComputeThread, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._client = ComputeClient(compute, f"import {id(self)}", self._show_problem, self)
        self.summary: SourceSummary | None = None
        self.draft: ImportDraft | None = None
        self.share: float | None = None
        self.problem = ""

    def read_source(self, path: Path) -> None:
        """Reads what is at a path."""
        self._start(lambda: _summarise(path), self._take_summary)

    def preview(self, choice: ReadingChoice, wanted: ImportRequest, indices: list[int]) -> None:
        """Converts some images of the source, by their numbers; `previewed` follows."""
        if self.summary is not None:
            work = partial(_preview, self.summary.source, choice, wanted, indices)
            self._client.submit("preview", lambda _models: work(), self.previewed.emit)

    def convert(self, choice: ReadingChoice, wanted: ImportRequest) -> None:
        """Converts the source to a draft."""
        if self.summary is not None:
            self._client.cancel("preview")
            work = partial(_convert, self.summary.source, choice, wanted)
            self._start(work, self._take_draft)

    def cancel(self) -> None:
        """Cancels the work; nothing of it is left."""
        self._client.cancel("work")
        self._client.cancel("preview")
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
        if self.summary is not None:
            self.summary.source.close()
            self.summary = None

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

    def _take_summary(self, summary: SourceSummary) -> None:
        self.summary = summary

    def _take_draft(self, draft: ImportDraft) -> None:
        self.draft = draft


# -- in the compute thread -----------------------------------------------------------------------


def _summarise(path: Path) -> Generator[float, None, SourceSummary]:
    source = yield from sources.detect_source(path)
    return SourceSummary(source, default_conversion(source), source.sizes())


def _preview(
    source: Source, choice: ReadingChoice, wanted: ImportRequest, indices: list[int]
) -> ImportPreview:
    problem, report = choice.apply_to(source), []
    try:
        report = describe_import(source, wanted)
    except DataError as error:
        problem = str(error)
    return ImportPreview(problem, report, *preview_conversion(source, wanted.conversion, indices))


def _convert(
    source: Source, choice: ReadingChoice, wanted: ImportRequest
) -> Generator[float, None, ImportDraft]:
    problem = choice.apply_to(source)
    if problem:
        raise DataError(problem)
    return (yield from import_images(source, wanted))


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
