"""The store of imported data sets: one memory-mapped file each. Loads no torch.

::

    <store>/<name>.safetensors    test.images [validation.images] train.images
                                  test.labels [validation.labels] train.labels [spectrum.*]

The description is in the header of the file. The files are untrusted: all sizes are compared with
the size of the file before anything is mapped.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import platformdirs
from pydantic import ValidationError

from trainers.datasets import mnist
from trainers.datasets.description import MNIST, PREVIEW_COUNT, Data, Dataset, Split, is_name
from trainers.errors import DataError
from trainers.storage.regular_files import open_regular_file
from trainers.storage.trash import move_to_trash

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

SUFFIX = ".safetensors"
StoredSplit = Literal["test", "validation", "train"]
STORED_SPLITS: tuple[StoredSplit, ...] = ("test", "validation", "train")
"""The splits in the order of the file. A data set without validation images has no such tensors."""
DTYPES: dict[str, type[np.generic]] = {
    "U8": np.uint8, "U16": np.uint16, "F32": np.float32, "F64": np.float64,
}  # fmt: skip
"""The types of tensors by their names in safetensors."""

_MOST_HEADER, _MOST_REASON = 1_000_000, 300
_DAMAGE_ERRORS = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    RecursionError,
    ValidationError,
)
_CHUNK = 1 << 22
_MOST_BYTE_CLASSES = 256


def label_code(classes: int) -> str:
    """Returns the type of the labels of so many classes by its name in safetensors."""
    return "U8" if classes <= _MOST_BYTE_CLASSES else "U16"


def list_splits(dataset: Dataset) -> dict[StoredSplit, int]:
    """Returns the number of images in each split that a data set has, in the file's order."""
    counts: dict[StoredSplit, int] = {
        "test": dataset.test, "validation": dataset.validation, "train": dataset.train
    }  # fmt: skip
    return {split: count for split, count in counts.items() if count}


def list_hashed_tensors(dataset: Dataset) -> list[str]:
    """Returns the tensors that the checksum covers, in order, with the bytes of the file."""
    return [f"{split}.{what}" for what in ("images", "labels") for split in list_splits(dataset)]


def folder() -> Path:
    """Returns the folder of the store: `AEVIEWER_DATASETS`, or one among the user's data."""
    chosen = os.environ.get("AEVIEWER_DATASETS")
    return Path(chosen) if chosen else platformdirs.user_data_path("aeviewer", False) / "datasets"


def dataset_path(name: str) -> Path:
    """Returns the path of a data set's file, which need not exist."""
    return folder() / f"{name}{SUFFIX}"


def dataset_names() -> tuple[str, ...]:
    """Returns the names of all available data sets: MNIST, then the imported ones."""
    try:
        names = sorted(path.name.removesuffix(SUFFIX) for path in folder().glob(f"[!.]*{SUFFIX}"))
    except OSError:
        names = []
    return (MNIST.name, *names)


def dataset_named(name: str) -> Dataset:
    """Returns the description of the data set with this name.

    Raises
    ------
    DataError
        When the store has no data set of this name, or its file is damaged.
    """
    return MNIST if name == MNIST.name else _find_header(name).dataset


def open_dataset(dataset: Dataset) -> Data:
    """Opens a data set; the images of an imported one are mapped into memory.

    Raises
    ------
    DataError
        When the store does not have it, has another one of this name, or its file is damaged.
    """
    if dataset.name == MNIST.name:
        return mnist.load_mnist()
    header = _find_header(dataset.name)
    if header.dataset.checksum != dataset.checksum:
        raise DataError(
            f"The data set {dataset.name!r} is not the one that the run was trained on "
            f"(checksum {header.dataset.checksum[:12]}, not {dataset.checksum[:12]}). "
            "Import that one under this name."
        )
    return _map_dataset(header)


def spectrum_tensors(name: str) -> dict[str, NDArray[Any]] | None:
    """Reads the arrays of a data set's principal components by name; None if there are none.

    Raises
    ------
    DataError
        When the store has no data set of this name, or its file is damaged.
    """
    header = _find_header(name)
    tensors = {
        key.removeprefix("spectrum."): np.array(header.array(key))
        for key in header.tensors
        if key.startswith("spectrum.")
    }
    return tensors or None


def verify_checksum(name: str) -> Generator[float, None, None]:
    """Reads the whole file of a data set and compares its checksum; yields the share done.

    Raises
    ------
    DataError
        When the data set is damaged, or the store has none of this name.
    """
    header = _find_header(name)
    places = [header.tensors[key] for key in list_hashed_tensors(header.dataset)]
    done, total = 0, sum(tensor.end - tensor.begin for tensor in places)
    digest = hashlib.sha256()
    with open_regular_file(header.path) as file:
        for tensor in places:
            file.seek(header.start + tensor.begin)
            left = tensor.end - tensor.begin
            while left and (block := file.read(min(left, _CHUNK))):
                digest.update(block)
                left -= len(block)
                done += len(block)
                yield done / total
    if digest.hexdigest() != header.dataset.checksum:
        raise DataError(f"{header.path} fails its checksum. Remove it, and import {name!r} again.")


def remove(name: str) -> None:
    """Moves a data set to the system's trash, also a damaged one; its runs keep their weights.

    Raises
    ------
    DataError
        When the store has no data set of this name.
    AEViewerError
        When the system has no trash for it.
    """
    if name == MNIST.name:
        raise DataError("MNIST is part of the program and cannot be removed.")
    path, _ = _find_file(name)
    move_to_trash(path, name)


# -- the file --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Tensor:
    kind: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True, eq=False)
class _Header:
    """The header of a file, after its sizes have been checked."""

    path: Path
    start: int
    dataset: Dataset
    tensors: dict[str, _Tensor]

    def array(self, key: str) -> NDArray[Any]:
        """Maps a tensor into memory."""
        tensor = self.tensors[key]
        dtype, offset = DTYPES[tensor.kind], self.start + tensor.begin
        with open_regular_file(self.path) as file:
            return np.memmap(file, dtype, "r", offset, tensor.shape)


def _find_file(name: str) -> tuple[Path, int]:
    """Returns the file of a data set and the time of its last change in nanoseconds."""
    path = dataset_path(name)
    try:
        if not is_name(name):  # A config is untrusted: its data set may contain "../".
            raise FileNotFoundError
        return path, path.stat().st_mtime_ns
    except OSError:
        known = ", ".join(dataset_names())
        raise DataError(
            f"There is no data set {name!r} here; there are: {known}. Import its images under that "
            f"name: by the window's menu Datasets, or aeviewer import PATH --name {name}"
        ) from None


def _find_header(name: str) -> _Header:
    return _read_header(*_find_file(name))


@lru_cache(maxsize=32)
def _read_header(path: Path, _stamp: int) -> _Header:
    try:
        with open_regular_file(path) as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= _MOST_HEADER:
                raise ValueError(f"its header has {length:,} bytes")
            content = json.loads(file.read(length))
            size = file.seek(0, os.SEEK_END) - 8 - length
        dataset = Dataset.model_validate_json(content.pop("__metadata__")["dataset"])
        if dataset.name != path.name.removesuffix(SUFFIX):
            raise ValueError(f"its header names it {dataset.name!r}")
        tensors = {
            str(key): _Tensor(
                entry["dtype"],
                tuple(int(n) for n in entry["shape"]),
                *(int(n) for n in entry["data_offsets"]),
            )
            for key, entry in content.items()
        }
        _check_tensors(dataset, tensors, size)
    except _DAMAGE_ERRORS as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:_MOST_REASON]
        raise DataError(
            f"The data set {path} is damaged ({reason}). Remove it, and import it again."
        ) from error
    return _Header(path, 8 + length, dataset, tensors)


def _check_tensors(dataset: Dataset, tensors: dict[str, _Tensor], size: int) -> None:
    """Checks that each tensor lies in the file, and that images and labels have their shapes.

    Raises
    ------
    ValueError, KeyError
        When one does not.
    """
    for key, tensor in tensors.items():
        count = prod(tensor.shape) * np.dtype(DTYPES[tensor.kind]).itemsize
        if min(tensor.shape, default=1) < 1 or not 0 <= tensor.begin <= tensor.end <= size:
            raise ValueError(f"{key} lies outside the file")
        if tensor.end - tensor.begin != count:
            raise ValueError(f"{key} has {tensor.end - tensor.begin:,} bytes, not {count:,}")
    label_kind = label_code(len(dataset.classes))
    for part, count in list_splits(dataset).items():
        expected = {"images": ("U8", (count, *dataset.shape)), "labels": (label_kind, (count,))}
        for what, (kind, shape) in expected.items():
            tensor = tensors[f"{part}.{what}"]
            if (tensor.kind, tensor.shape) != (kind, shape):
                raise ValueError(
                    f"{part}.{what} is {tensor.kind} {tensor.shape}, not {kind} {shape}"
                )


@lru_cache(maxsize=4)
def _map_dataset(header: _Header) -> Data:
    dataset = header.dataset
    highest = max(len(dataset.classes) - 1, 0)
    splits: dict[str, Split] = {}
    for part in list_splits(dataset):
        labels = np.array(header.array(f"{part}.labels"))
        if int(labels.max()) > highest:
            raise DataError(
                f"{header.path} is damaged: some labels belong to no class. Import it again."
            )
        splits[part] = Split(header.array(f"{part}.images"), labels)
    test = splits["test"]
    preview = choose_preview(test.labels)
    return Data(dataset, splits["train"], test, preview, splits.get("validation"))


def choose_preview(labels: NDArray[np.unsignedinteger]) -> tuple[int, ...]:
    """Chooses 32 images: the first of each class, then the second of each, and so on.

    Returns
    -------
    Their indices, ascending.
    """
    order = np.argsort(labels, kind="stable")
    _, firsts, counts = np.unique(labels[order], return_index=True, return_counts=True)
    ranks = np.empty(len(labels), np.intp)
    ranks[order] = np.arange(len(labels)) - np.repeat(firsts, counts)
    first = np.argsort(ranks, kind="stable")[:PREVIEW_COUNT]
    return tuple(sorted(first.tolist()))
