"""Making a data set's file: images as they come, its header at last, then into its place."""

from __future__ import annotations

import hashlib
import json
import os
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.datasets import store
from trainers.errors import DataError
from trainers.storage import atomic, drafts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from trainers.datasets.description import Dataset
    from trainers.datasets.store import StoredSplit

_HEADER_BYTES = 65_536
"""Bytes kept for the header besides the names of the classes; it is known at last."""
_DTYPE_NAMES = {kind: code for code, kind in store.DTYPES.items()}


class StoreWriter:
    """A draft of a data set; nothing is in the store before `keep`.

    Test images come first, then validation images, then training images.

    Parameters
    ----------
    name
        What it will be called.
    classes
        The names of its classes, for which the header needs room.

    Raises
    ------
    DataError
        When the store cannot be written.
    """

    def __init__(self, name: str, classes: tuple[str, ...] = ()) -> None:
        self.place = store.dataset_path(name)
        self.counts: dict[StoredSplit, int] = dict.fromkeys(store.STORED_SPLITS, 0)
        self._label_code = store.label_code(len(classes))
        kind = store.DTYPES[self._label_code]
        self._labels = {split: array(np.dtype(kind).char) for split in store.STORED_SPLITS}
        self._header_bytes = _HEADER_BYTES + 2 * len(json.dumps(json.dumps(classes)))
        self._digest = hashlib.sha256()
        try:
            self.place.parent.mkdir(parents=True, exist_ok=True)
            drafts.clear_drafts(self.place.parent, is_ours=True)
            self.draft = atomic.draft_path(self.place.parent)
            self._lock = drafts.DraftLock(self.draft)
            self._file = self.draft.open("xb")
        except OSError as error:
            raise _write_error(self.place, error) from error
        self._file.write(bytes(self._header_bytes))

    def add(self, image: NDArray[np.uint8], label: int, split: StoredSplit) -> None:
        """Takes in one image of the data set's shape.

        Raises
        ------
        DataError
            When the disk is full.
        """
        later = store.STORED_SPLITS[store.STORED_SPLITS.index(split) + 1 :]
        if any(self.counts[other] for other in later):
            raise ValueError("Test images come before validation and training images.")
        self._write(np.ascontiguousarray(image).tobytes())
        self._labels[split].append(label)
        self.counts[split] += 1

    def images(self, shape: tuple[int, ...], split: StoredSplit) -> NDArray[np.uint8]:
        """What is written so far of a split, mapped; (n, *shape) uint8."""
        self._file.flush()
        earlier = store.STORED_SPLITS[: store.STORED_SPLITS.index(split)]
        before = int(np.prod(shape)) * sum(self.counts[other] for other in earlier)
        count = self.counts[split]
        return np.memmap(self.draft, np.uint8, "r", self._header_bytes + before, (count, *shape))

    def finish(self, dataset: Dataset, spectrum: Mapping[str, NDArray[Any]]) -> Dataset:
        """Writes labels, principal components and header; the description with its checksum.

        Raises
        ------
        DataError
            When the disk is full.
        """
        tensors: dict[str, object] = {}
        begin = 0
        stored = {part: count for part, count in self.counts.items() if count}
        for part, count in stored.items():
            end = begin + count * dataset.pixels
            tensors[f"{part}.images"] = _describe_tensor("U8", (count, *dataset.shape), begin, end)
            begin = end
        for part in stored:
            content = np.array(self._labels[part], store.DTYPES[self._label_code]).tobytes()
            self._write(content)
            tensors[f"{part}.labels"] = _describe_tensor(
                self._label_code, (stored[part],), begin, begin + len(content)
            )
            begin += len(content)
        complete = dataset.model_copy(update={"checksum": self._digest.hexdigest()})
        for name, found in spectrum.items():
            content = np.ascontiguousarray(found).tobytes()
            self._write(content)
            code = _DTYPE_NAMES[found.dtype.type]
            tensors[f"spectrum.{name}"] = _describe_tensor(
                code, found.shape, begin, begin + len(content)
            )
            begin += len(content)
        header = {"__metadata__": {"dataset": complete.model_dump_json()}, **tensors}
        self._close(json.dumps(header).encode())
        return complete

    def keep(self) -> None:
        """Moves the finished draft into its place.

        Raises
        ------
        DataError
            When that cannot be.
        """
        try:
            self.draft.replace(self.place)
            self._lock.release()
        except OSError as error:
            raise _write_error(self.place, error) from error

    def discard(self) -> None:
        """Deletes the draft."""
        self._file.close()
        self.draft.unlink(missing_ok=True)
        self._lock.release()

    def _write(self, content: bytes) -> None:
        try:
            self._file.write(content)
        except OSError as error:
            raise _write_error(self.place, error) from error
        self._digest.update(content)

    def _close(self, header: bytes) -> None:
        room = self._header_bytes - 8
        if len(header) > room:
            raise DataError(
                f"The names of the classes and the history take {len(header):,} bytes; {room:,} "
                "are the most. Give shorter names."
            )
        try:
            self._file.seek(0)
            self._file.write(room.to_bytes(8, "little") + header.ljust(room))
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            raise _write_error(self.place, error) from error


def _describe_tensor(kind: str, shape: tuple[int, ...], begin: int, end: int) -> dict[str, object]:
    return {"dtype": kind, "shape": list(shape), "data_offsets": [begin, end]}


def _write_error(place: Path, error: OSError) -> DataError:
    return DataError(
        f"The data set {place} cannot be written ({error.strerror or error}). Free some space, or "
        "name another folder by AEVIEWER_DATASETS."
    )
