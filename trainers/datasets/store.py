"""The data sets that a person imported: one memory-mapped file each. Loads no torch.

::

    <store>/<name>.safetensors    test.images train.images test.labels train.labels [spectrum.*]

The description stands in the file's own header. What is read is data from outside: sizes are
checked against the file before anything is mapped.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import platformdirs
from pydantic import ValidationError
from send2trash import send2trash

from trainers.datasets import mnist
from trainers.datasets.description import MNIST, PREVIEWED, Data, Dataset, Split, is_name
from trainers.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

SUFFIX = ".safetensors"
HASHED = ("test.images", "train.images", "test.labels", "train.labels")
"""What the checksum is of, in this order, as it lies in the file."""
KINDS: dict[str, type[np.generic]] = {"U8": np.uint8, "F32": np.float32, "F64": np.float64}
"""Of numbers, as safetensors names them."""

_MOST_HEADER, _MOST_TOLD = 1_000_000, 300
_DAMAGED = (
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


def folder() -> Path:
    """Where data sets lie: `AEVIEWER_DATASETS`, or a folder among the user's data."""
    chosen = os.environ.get("AEVIEWER_DATASETS")
    return Path(chosen) if chosen else platformdirs.user_data_path("aeviewer", False) / "datasets"


def place_of(name: str) -> Path:
    """The file of a data set."""
    return folder() / f"{name}{SUFFIX}"


def dataset_names() -> tuple[str, ...]:
    """What there is: MNIST, then all that was imported."""
    try:
        found = sorted(path.name.removesuffix(SUFFIX) for path in folder().glob(f"[!.]*{SUFFIX}"))
    except OSError:
        found = []
    return (MNIST.name, *found)


def dataset_named(name: str) -> Dataset:
    """The description of the data set called `name`.

    Raises
    ------
    DataError
        When there is none of that name, or its file is damaged.
    """
    return MNIST if name == MNIST.name else _header(name).dataset


def open_dataset(dataset: Dataset) -> Data:
    """The images of a data set.

    Raises
    ------
    DataError
        When it is not here, is another one than described, or its file is damaged.
    """
    if dataset.name == MNIST.name:
        return mnist.data()
    header = _header(dataset.name)
    if header.dataset.checksum != dataset.checksum:
        raise DataError(
            f"The data set {dataset.name!r} is another one than the run was trained on "
            f"(checksum {header.dataset.checksum[:12]}, not {dataset.checksum[:12]}). "
            "Import the one it was trained on under that name."
        )
    return _map_dataset(header)


def spectrum_tensors(name: str) -> dict[str, NDArray[Any]] | None:
    """The principal components kept with a data set, by name; None where there are none.

    Raises
    ------
    DataError
        As `named`.
    """
    header = _header(name)
    found = {
        key.removeprefix("spectrum."): np.array(header.array(key))
        for key in header.tensors
        if key.startswith("spectrum.")
    }
    return found or None


def check(name: str) -> Generator[float, None, None]:
    """Reads a data set through and compares its checksum; yields the share done.

    Raises
    ------
    DataError
        When it is damaged.
    """
    header = _header(name)
    places = [header.tensors[key] for key in HASHED]
    done, total = 0, sum(tensor.end - tensor.begin for tensor in places)
    digest = hashlib.sha256()
    with header.path.open("rb") as file:
        for tensor in places:
            file.seek(header.start + tensor.begin)
            left = tensor.end - tensor.begin
            while left and (block := file.read(min(left, _CHUNK))):
                digest.update(block)
                left -= len(block)
                done += len(block)
                yield done / total
    if digest.hexdigest() != header.dataset.checksum:
        raise DataError(
            f"{header.path} fails its checksum: it is damaged. Remove it, and import {name!r} anew."
        )


def remove(name: str) -> None:
    """Moves a data set to the system's trash; runs that learnt from it keep what they learnt.

    Raises
    ------
    DataError
        When there is none, or the system has no trash for it.
    """
    if name == MNIST.name:
        raise DataError("MNIST is part of the program and cannot be removed.")
    path = _header(name).path
    try:
        send2trash(path)
    except OSError as error:
        raise DataError(
            f"The system has no trash for {name!r} ({error}); delete it yourself: {path}"
        ) from error


# -- the file --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Tensor:
    kind: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True, eq=False)
class _Header:
    """What a file says of itself, checked."""

    path: Path
    start: int
    dataset: Dataset
    tensors: dict[str, _Tensor]

    def array(self, key: str) -> NDArray[Any]:
        """A tensor, mapped."""
        found = self.tensors[key]
        kind, offset = KINDS[found.kind], self.start + found.begin
        return np.memmap(self.path, kind, "r", offset, found.shape)


def _header(name: str) -> _Header:
    path = place_of(name)
    try:
        if not is_name(name):  # a config may come from anybody: no path is made of what is none
            raise FileNotFoundError
        stamp = path.stat().st_mtime_ns
    except OSError:
        known = ", ".join(dataset_names())
        raise DataError(
            f"There is no data set {name!r} here; there are: {known}. Import its images under that "
            f"name: by the window's menu Datasets, or aeviewer import PATH --name {name}"
        ) from None
    return _read_header(path, stamp)


@lru_cache(maxsize=32)
def _read_header(path: Path, _stamp: int) -> _Header:
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= _MOST_HEADER:
                raise ValueError(f"its header has {length:,} bytes")
            content = json.loads(file.read(length))
            size = file.seek(0, os.SEEK_END) - 8 - length
        dataset = Dataset.model_validate_json(content.pop("__metadata__")["dataset"])
        if dataset.name != path.name.removesuffix(SUFFIX):
            raise ValueError(f"it calls itself {dataset.name!r}")
        tensors = {
            str(key): _Tensor(
                found["dtype"],
                tuple(int(n) for n in found["shape"]),
                *(int(n) for n in found["data_offsets"]),
            )
            for key, found in content.items()
        }
        _check_tensors(dataset, tensors, size)
    except _DAMAGED as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:_MOST_TOLD]
        raise DataError(
            f"The data set {path} is damaged ({reason}). Remove it, and import it anew."
        ) from error
    return _Header(path, 8 + length, dataset, tensors)


def _check_tensors(dataset: Dataset, tensors: dict[str, _Tensor], size: int) -> None:
    """Whether each tensor lies in the file, and those that must be there are of their shape."""
    for key, tensor in tensors.items():
        count = prod(tensor.shape) * np.dtype(KINDS[tensor.kind]).itemsize
        if min(tensor.shape, default=1) < 1 or not 0 <= tensor.begin <= tensor.end <= size:
            raise ValueError(f"{key} lies outside of the file")
        if tensor.end - tensor.begin != count:
            raise ValueError(f"{key} has {tensor.end - tensor.begin:,} bytes, not {count:,}")
    for part, count in (("train", dataset.train), ("test", dataset.test)):
        for what, shape in (("images", (count, *dataset.shape)), ("labels", (count,))):
            found = tensors[f"{part}.{what}"]
            if (found.kind, found.shape) != ("U8", shape):
                raise ValueError(f"{part}.{what} is {found.kind} {found.shape}, not U8 {shape}")


@lru_cache(maxsize=4)
def _map_dataset(header: _Header) -> Data:
    dataset = header.dataset
    most = max(len(dataset.classes) - 1, 0)
    splits = {}
    for part in ("train", "test"):
        labels = np.array(header.array(f"{part}.labels"))
        if int(labels.max()) > most:
            raise DataError(f"{header.path} is damaged: it has labels of no class. Import it anew.")
        splits[part] = Split(header.array(f"{part}.images"), labels)
    test = splits["test"]
    return Data(dataset, splits["train"], test, choose_preview(test.labels))


def choose_preview(labels: NDArray[np.uint8]) -> tuple[int, ...]:
    """The first image of each class, then the second of each, ...: 32 in all, ascending."""
    turns = np.zeros(len(labels), np.intp)
    for label in np.unique(labels):
        of_class = np.flatnonzero(labels == label)
        turns[of_class] = np.arange(len(of_class))
    first = np.argsort(turns, kind="stable")[:PREVIEWED]
    return tuple(sorted(first.tolist()))
