"""Downloads a data set that torchvision knows and imports it into the store.

torchvision provides the addresses of the files and reads them. Importing torchvision takes seconds
and loads torch, so only this module imports it, and only when a download starts. The window
downloads in a child process, which reports its progress.
"""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.child_process import ChildProcess
from trainers.datasets import store
from trainers.datasets.catalogue import CatalogueEntry, find_entry
from trainers.datasets.http import fetch_file
from trainers.datasets.importing.importer import ImportRequest, default_conversion, import_images
from trainers.datasets.sources.arrays import ArrayBlock, ArraySource
from trainers.errors import DataError
from trainers.generators import finish

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import ModuleType

    from trainers.child_process import ParentPipe
    from trainers.datasets.description import Dataset
    from trainers.datasets.sources.array_names import Split

_REPORT_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """The progress of a download.

    Attributes
    ----------
    words
        A description of the current task.
    share
        The share of the task that is done, 0..1; None where it is unknown.
    """

    words: str
    share: float | None = None


@dataclass(frozen=True, slots=True)
class _File:
    urls: tuple[str, ...]
    md5: str
    place: Path


def download_dataset(name: str, mirror: str = "") -> Generator[DownloadProgress, None, Dataset]:
    """Downloads and imports a data set; yields the progress and returns the description.

    Closing the generator keeps the bytes received so far, and the next attempt continues there.

    Parameters
    ----------
    name
        The name of an entry of the catalogue.
    mirror
        The address of a folder that has the files too; it is tried before the other addresses.

    Raises
    ------
    DataError
        When the data set is already in the store, when it cannot be downloaded, or when a file
        fails its checksum or cannot be read.
    """
    catalogue_entry = find_entry(name)
    if name in store.dataset_names():
        raise DataError(f"The data set {name!r} is already in the store.")
    yield DownloadProgress("Loading torchvision")
    torchvision_class = find_torchvision_class(catalogue_entry)
    root = store.folder() / ".downloads" / name
    files = _list_files(catalogue_entry, torchvision_class, root, mirror)
    for number, file in enumerate(files, 1):
        try:
            file.place.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{root} cannot be created ({error.strerror}).") from error
        for so_far in fetch_file(file.urls, file.place, file.md5):
            size = f"{so_far.done / 1e6:,.1f}"
            of = f" of {so_far.total / 1e6:,.1f}" if so_far.total else ""
            words = f"Downloading {file.place.name}, {number} of {len(files)}: {size}{of} MB"
            yield DownloadProgress(words, so_far.done / so_far.total if so_far.total else None)
    yield DownloadProgress("Unpacking")
    source = _read_source(catalogue_entry, torchvision_class, root)
    finish(source.measure_range())
    request = ImportRequest(
        name,
        catalogue_entry.title,
        default_conversion(source),
        classes=catalogue_entry.classes,
        centred=catalogue_entry.centred,
    )
    with closing(import_images(source, request)) as work:
        while True:
            try:
                yield DownloadProgress("Importing", next(work))
            except StopIteration as done:
                dataset: Dataset = done.value.keep()
                break
    shutil.rmtree(root, ignore_errors=True)
    return dataset


def find_torchvision_class(catalogue_entry: CatalogueEntry) -> Any:
    """Returns torchvision's class of a data set.

    Raises
    ------
    DataError
        When torchvision cannot be imported.
    """
    try:
        torchvision_datasets = _import_torchvision_datasets()
    except (ImportError, RuntimeError) as error:
        raise DataError(
            f"torchvision, which knows where {catalogue_entry.title} is, cannot be imported "
            f"({error}). Install the version of torchvision that fits the installed torch."
        ) from error
    return getattr(torchvision_datasets, catalogue_entry.kind)


def _import_torchvision_datasets() -> ModuleType:
    """Imports torchvision's data sets, which need none of its compiled operators.

    The compiled operators may belong to another build of PyTorch: those of the registry's package
    for Linux are for CUDA, and the packaged program contains none. The import fails then,
    because torchvision extends operators that are not defined; so they are defined first.
    """
    try:
        return import_module("torchvision.datasets")
    except RuntimeError as error:
        if "torchvision::nms does not exist" not in str(error):
            raise
        _define_operators()
        return import_module("torchvision.datasets")


@cache
def _define_operators() -> Any:
    """Defines torchvision's operators; they exist as long as the library that is returned."""
    from torch.library import Library

    library = Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library


def _list_files(
    catalogue_entry: CatalogueEntry, torchvision_class: Any, root: Path, mirror: str
) -> list[_File]:
    """Lists the files that torchvision reads, with the paths where it looks for them."""
    raw = root / catalogue_entry.kind / "raw"
    listed: list[tuple[tuple[str, ...], str, Path]]
    match catalogue_entry.kind:
        case "EMNIST":
            url = torchvision_class.url
            listed = [((url,), torchvision_class.md5, raw / Path(url).name)]
        case "QMNIST":
            resources = torchvision_class.resources
            pairs = [pair for part in ("train", "test") for pair in resources[part]]
            listed = [((url,), md5, raw / Path(url).name) for url, md5 in pairs]
        case "USPS":
            split = torchvision_class.split_list.values()
            listed = [((url,), md5, root / name) for url, name, md5 in split]
        case _:
            bases = torchvision_class.mirrors
            listed = [
                (tuple(f"{base}{name}" for base in bases), md5, raw / name)
                for name, md5 in torchvision_class.resources
            ]
    first = f"{mirror.rstrip('/')}/" if mirror else ""
    return [
        _File((f"{first}{place.name}", *urls) if first else urls, md5, place)
        for urls, md5, place in listed
    ]


def _read_source(
    catalogue_entry: CatalogueEntry, torchvision_class: Any, root: Path
) -> ArraySource:
    title = catalogue_entry.title
    blocks = []
    for is_test in (False, True):
        options = {"split": catalogue_entry.split} if catalogue_entry.split else {}
        try:
            part = torchvision_class(str(root), train=not is_test, download=True, **options)
        except (OSError, RuntimeError, ValueError, EOFError) as error:
            raise DataError(
                f"The downloaded files of {title} cannot be read ({error}). Try again."
            ) from error
        images, labels = np.asarray(part.data), np.asarray(part.targets)
        labels = labels[:, 0] if labels.ndim == 2 else labels
        if catalogue_entry.is_turned:
            images = images.swapaxes(1, 2)
        place = f"{title} {'test' if is_test else 'train'}"
        split: Split = "test" if is_test else "train"
        blocks.append(ArrayBlock(images, labels - catalogue_entry.first, split, place, place))
    return ArraySource(Path(title), blocks)


# -- in a child process ----------------------------------------------------------------------------


def start_download(name: str, mirror: str = "") -> ChildProcess:
    """Starts a child process that downloads a data set, with the arguments of `download_dataset`.

    Its messages are `DownloadProgress`, then the `Dataset` or a `ChildFailure`. When the process is
    ended early, the bytes received so far are kept.
    """
    return ChildProcess(report_download, name, mirror)


def report_download(parent: ParentPipe, name: str, mirror: str) -> Dataset:
    """Downloads a data set in a child process and sends the progress to the parent."""
    work = download_dataset(name, mirror)
    while True:
        try:
            progress = next(work)
        except StopIteration as done:
            dataset: Dataset = done.value
            return dataset
        parent.report(progress, 0.0 if progress.share is None else _REPORT_SECONDS)
