"""Images in Parquet files: a column of image files and one of labels, as Hugging Face has them."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from trainers.datasets.file_formats.isolation import read_in_child
from trainers.datasets.importing import image_files
from trainers.datasets.importing.import_errors import FlawError
from trainers.datasets.sources.array_names import SPLITS, parse_name
from trainers.datasets.sources.compressed_files import check_unpacked_size, shorten_reason
from trainers.datasets.sources.label_column import Labels, UnusableLabelsError
from trainers.datasets.sources.source import ScratchFolder, Source
from trainers.errors import DataError
from trainers.optional_packages import missing_packages

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from numpy.typing import NDArray

    from trainers.child_process import ParentPipe

_SHARD = re.compile(r"(.+?)-\d{5}-of-\d{5}")
_ROWS = 256


@dataclass
class _Content:
    """What Parquet files hold besides the images."""

    ends: list[int] = field(default_factory=lambda: [0])
    labels: list[Any] = field(default_factory=list)
    splits: list[int] = field(default_factory=list)
    names: tuple[str, ...] = ()


class ParquetSource(Source):
    """Images in Parquet files. Use `open_parquet`, which copies the image files out of them."""

    kind = "Parquet files of images"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._ends = [0]
        self._blob: NDArray[np.uint8] = np.empty(0, np.uint8)
        self._labels: Labels | None = None

    def name(self, index: int) -> str:
        """The row in the files."""
        return f"{self.path.name}: row {index + 1:,}"

    def label(self, index: int) -> int:
        """From the column of labels."""
        return 0 if self._labels is None else self._labels.at(index)

    def values(self, index: int) -> NDArray[np.generic]:
        """The image file of a row, upright."""
        content = self._blob[self._ends[index] : self._ends[index + 1]].tobytes()
        if not content:
            raise FlawError("no image", "the row has no image")
        with image_files.open_image(io.BytesIO(content)) as picture:
            return image_files.extract_values(picture)

    def chunks(self) -> Generator[tuple[NDArray[np.generic], int, float], None, None]:
        """Yields the values of every image: the type of its file is not known before."""
        for index in range(self.count):
            try:
                values = self.values(index)
            except FlawError:
                continue
            yield values, 1, (index + 1) / self.count

    def take(self, content: _Content, blob: Path) -> None:
        """Takes what was read of the files.

        Parameters
        ----------
        content
            Labels, splits and the ends of the image files in the blob.
        blob
            A file of all image files, one after the other.

        Raises
        ------
        DataError
            When there are no images.
        """
        self._ends = content.ends
        self.count = len(self._ends) - 1
        if not self.count or not self._ends[-1]:
            raise DataError(f"{self.path} has no images.")
        self._blob = np.memmap(blob, np.uint8, "r")
        if len(set(content.splits)) > 1:
            self.splits = np.array(content.splits, np.int8)
        if content.labels:
            self._take_labels(content.labels, content.names)

    def _take_labels(self, labels: list[Any], names: tuple[str, ...]) -> None:
        values = [-1 if label is None else label for label in labels]
        try:
            self._labels = Labels(np.array(values), f"{self.path.name}: labels", names)
        except (UnusableLabelsError, ValueError) as error:
            self.notes.append(str(error))
            return
        self.classes, self.class_numbers = self._labels.classes, self._labels.numbers


def open_parquet(path: Path) -> Generator[float, None, ParquetSource]:
    """Opens the images in a Parquet file, with its other shards and splits; yields the share read.

    Raises
    ------
    DataError
        When pyarrow is not installed, or the file is damaged, a zip bomb, or holds no images.
    """
    missing = missing_packages("Parquet", ("pyarrow",), "formats")
    if missing:
        raise DataError(f"{path} cannot be read. {missing}")
    scratch, files = ScratchFolder(), _list_shards(path)
    source = ParquetSource(path)
    is_read = False
    try:
        blob = scratch.folder / "images"
        source.take((yield from read_in_child(_copy_images, path, files, blob)), blob)
        is_read = True
    finally:
        if not is_read:
            scratch.delete()
    if len(files) > 1:
        source.notes.append(f"Read together: {', '.join(file.name for file in files)}.")
    source.adopt_scratch(scratch)
    return source


def _list_shards(path: Path) -> list[Path]:
    """Returns a file and all shards beside it, such as train-00000-of-00002.parquet."""
    if not _SHARD.fullmatch(path.stem):
        return [path]
    own = _shard_stem(path)
    others = (other for other in path.parent.glob("*.parquet") if _SHARD.fullmatch(other.stem))
    return sorted(other for other in others if _shard_stem(other) == own)


def _shard_stem(path: Path) -> tuple[str, ...]:
    found = _SHARD.fullmatch(path.stem)
    return parse_name(found[1] if found else path.stem).stem


# -- in the child process --------------------------------------------------------------------------


def _copy_images(parent: ParentPipe, path: Path, files: list[Path], blob: Path) -> _Content:
    """Copies the image files out of Parquet files into one file."""
    import pyarrow as pa

    content = _Content()
    try:
        with blob.open("wb") as out:
            for number, file in enumerate(files):
                for _ in _copy_file(file, content, out):
                    parent.send(number / len(files))
    except (OSError, pa.ArrowException, ValueError, LookupError) as error:
        raise DataError(
            f"{path} is truncated, or no Parquet file ({shorten_reason(error)}). Get it anew."
        ) from error
    return content


def _copy_file(path: Path, content: _Content, out: IO[bytes]) -> Generator[None, None, None]:
    """Copies the image files out of a Parquet file; yields after some rows."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    groups = [file.metadata.row_group(at) for at in range(file.metadata.num_row_groups)]
    unpacked = sum(group.total_byte_size for group in groups)
    check_unpacked_size(str(path), path.stat().st_size, unpacked)
    image, label = _find_columns(file.schema_arrow, path)
    content.names = content.names or _class_names(file.schema_arrow, label)
    split = SPLITS.index(parse_name(path.stem).split or "train")
    for batch in file.iter_batches(_ROWS, columns=[image, label] if label else [image]):
        table = batch.to_pydict()
        for cell in table[image]:
            out.write(_image_bytes(cell))
            content.ends.append(out.tell())
        content.labels += table[label] if label else []
        content.splits += [split] * batch.num_rows
        yield


def _find_columns(schema: Any, path: Path) -> tuple[str, str]:
    """Returns the column of images and that of labels, which may be empty."""
    import pyarrow.types as types

    def is_image(kind: Any) -> bool:
        if types.is_struct(kind):
            return any(kind.field(at).name == "bytes" for at in range(kind.num_fields))
        return bool(types.is_binary(kind) or types.is_large_binary(kind))

    images = [field.name for field in schema if is_image(field.type)]
    named = [name for name in images if parse_name(name).role == "images"] or images
    if len(named) != 1:
        listed = ", ".join(f"{field.name} ({field.type})" for field in schema)
        raise DataError(
            f"{path} has the columns {listed}: which of them has the images? There must be one of "
            "image files, called image."
        )
    labels = [
        field.name
        for field in schema
        if parse_name(field.name).role == "labels"
        and (types.is_integer(field.type) or types.is_string(field.type))
    ]
    exact = [name for name in labels if name == "label"] or labels
    return named[0], exact[0] if len(exact) == 1 else ""


def _class_names(schema: Any, label: str) -> tuple[str, ...]:
    """Returns the names of the classes, which Hugging Face keeps in the schema."""
    try:
        info = json.loads(schema.metadata[b"huggingface"])
        names = info["info"]["features"][label]["names"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return ()
    return tuple(str(name) for name in names) if isinstance(names, list) else ()


def _image_bytes(cell: object) -> bytes:
    found = cell.get("bytes") if isinstance(cell, dict) else cell
    return found if isinstance(found, bytes) else b""
