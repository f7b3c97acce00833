"""Downloading a data set that torchvision knows, and making it one of the store.

torchvision says where the files are and reads them; importing it takes seconds and loads torch, so
that it happens here alone, when a download is asked for. In the window this is a process of its
own, which tells how far it is by a pipe.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import threading
import time
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.datasets import store
from trainers.datasets.catalogue import CatalogueEntry, entry
from trainers.datasets.http import fetch_file
from trainers.datasets.importing.importer import ImportRequest, default_conversion, import_images
from trainers.datasets.sources.arrays import ArrayBlock, ArraySource
from trainers.errors import AEViewerError, DataError
from trainers.generators import finish

if TYPE_CHECKING:
    from collections.abc import Generator
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess
    from types import ModuleType

    from trainers.datasets.description import Dataset

_TELL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """What is being done, and how far it is: 0..1, or None where that is not known."""

    words: str
    share: float | None = None


@dataclass(frozen=True, slots=True)
class DownloadFailed:
    """Why there is no data set."""

    problem: str


@dataclass(frozen=True, slots=True)
class _File:
    urls: tuple[str, ...]
    md5: str
    place: Path


def download_dataset(name: str, mirror: str = "") -> Generator[DownloadProgress, None, Dataset]:
    """Downloads and imports a data set; yields what is being done.

    Closing the generator keeps what came so far, and the next attempt goes on from there.

    Parameters
    ----------
    name
        Of an entry of the catalogue.
    mirror
        An address that has the files too, asked before the others.

    Raises
    ------
    DataError
        When it is here already, cannot be reached, or is not what it should be.
    """
    found = entry(name)
    if name in store.dataset_names():
        raise DataError(f"The data set {name!r} is here already.")
    yield DownloadProgress("Loading torchvision")
    kind = _kind(found)
    root = store.folder() / ".downloads" / name
    files = _files(found, kind, root, mirror)
    for number, file in enumerate(files, 1):
        try:
            file.place.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{root} cannot be made ({error.strerror}).") from error
        for so_far in fetch_file(file.urls, file.place, file.md5):
            size = f"{so_far.done / 1e6:,.1f}"
            of = f" of {so_far.total / 1e6:,.1f}" if so_far.total else ""
            words = f"Downloading {file.place.name}, {number} of {len(files)}: {size}{of} MB"
            yield DownloadProgress(words, so_far.done / so_far.total if so_far.total else None)
    yield DownloadProgress("Unpacking")
    source = _source(found, kind, root)
    finish(source.measure_range())
    wanted = ImportRequest(
        name, found.title, default_conversion(source), classes=found.classes, centred=found.centred
    )
    work = import_images(source, wanted)
    while True:
        try:
            yield DownloadProgress("Importing", next(work))
        except StopIteration as done:
            dataset: Dataset = done.value.keep()
            break
    shutil.rmtree(root, ignore_errors=True)
    return dataset


def _kind(found: CatalogueEntry) -> Any:
    """Torchvision's class."""
    try:
        known = _torchvision_datasets()
    except (ImportError, RuntimeError) as error:
        raise DataError(
            f"torchvision, which knows where {found.title} is, cannot be loaded ({error}). "
            "Install the torchvision that fits the torch that is there."
        ) from error
    return getattr(known, found.kind)


def _torchvision_datasets() -> ModuleType:
    """Torchvision's data sets, which use nothing of its compiled part.

    That part may be made for another build of PyTorch: the registry's for Linux is for CUDA, and
    the packaged program has none. Its operators are named in its place then.
    """
    try:
        return import_module("torchvision.datasets")
    except RuntimeError as error:
        if "torchvision::nms does not exist" not in str(error):
            raise
        _name_operators()
        return import_module("torchvision.datasets")


@cache
def _name_operators() -> Any:
    from torch.library import Library

    names = Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        names.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return names


def _files(found: CatalogueEntry, kind: Any, root: Path, mirror: str) -> list[_File]:
    """What has to be there for torchvision to read it, and where it looks for it."""
    raw = root / found.kind / "raw"
    listed: list[tuple[tuple[str, ...], str, Path]]
    match found.kind:
        case "EMNIST":
            listed = [((kind.url,), kind.md5, raw / Path(kind.url).name)]
        case "QMNIST":
            pairs = [pair for part in ("train", "test") for pair in kind.resources[part]]
            listed = [((url,), md5, raw / Path(url).name) for url, md5 in pairs]
        case "USPS":
            split = kind.split_list.values()
            listed = [((url,), md5, root / name) for url, name, md5 in split]
        case _:
            listed = [
                (tuple(f"{base}{name}" for base in kind.mirrors), md5, raw / name)
                for name, md5 in kind.resources
            ]
    first = f"{mirror.rstrip('/')}/" if mirror else ""
    return [
        _File((f"{first}{place.name}", *urls) if first else urls, md5, place)
        for urls, md5, place in listed
    ]


def _source(found: CatalogueEntry, kind: Any, root: Path) -> ArraySource:
    blocks = []
    for is_test in (False, True):
        options = {"split": found.split} if found.split else {}
        try:
            part = kind(str(root), train=not is_test, download=True, **options)
        except (OSError, RuntimeError, ValueError, EOFError) as error:
            raise DataError(
                f"What was downloaded of {found.title} cannot be read ({error}). Try again."
            ) from error
        images, labels = np.asarray(part.data), np.asarray(part.targets)
        labels = labels[:, 0] if labels.ndim == 2 else labels
        if found.is_turned:
            images = images.swapaxes(1, 2)
        what = "test" if is_test else "train"
        blocks.append(ArrayBlock(images, labels - found.first, is_test, f"{found.title} {what}"))
    return ArraySource(Path(found.title), blocks)


# -- a process of its own --------------------------------------------------------------------------


def start_download(name: str, mirror: str = "") -> tuple[BaseProcess, Connection]:
    """A process that downloads, and the pipe that it reports by: `DownloadProgress`, then a `Dataset`.

    A `Failed` comes in the place of the data set where there is none. The process ends when the
    one that started it ends; ended before, it keeps what came.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_live, args=(there, name, mirror), daemon=True)
    process.start()
    there.close()
    return process, here


def _live(pipe: Connection, name: str, mirror: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        pipe.send(_outcome(pipe, name, mirror))
    except (EOFError, OSError):
        return  # nobody listens any more


def _outcome(pipe: Connection, name: str, mirror: str) -> Dataset | DownloadFailed:
    last = 0.0
    work = download_dataset(name, mirror)
    while True:
        try:
            report = next(work)
        except StopIteration as done:
            dataset: Dataset = done.value
            return dataset
        except AEViewerError as error:
            return DownloadFailed(str(error))
        if report.share is None or time.monotonic() - last >= _TELL_SECONDS:
            pipe.send(report)
            last = time.monotonic()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)
