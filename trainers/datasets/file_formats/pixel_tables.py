"""Tables of pixels: a row an image, with its label in one column, as Kaggle has MNIST."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import TYPE_CHECKING

import numpy as np

from trainers.datasets.sources.array_names import parse_name
from trainers.datasets.sources.arrays import ArrayBlock, ArraySource
from trainers.datasets.sources.compressed_files import shorten_reason
from trainers.datasets.sources.pairing import find_companions
from trainers.datasets.sources.source import ScratchFolder
from trainers.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path
    from typing import TextIO

    from numpy.typing import NDArray

_ROWS = 1_000
_LONGEST_LINE = 1 << 22
_FEWEST_PIXELS = 64


class PixelTable(ArraySource):
    """Images in tables of pixels."""

    kind = "a table of pixels"


@dataclass(frozen=True)
class _Columns:
    """How a table is laid out: whether it has a head, and which column is the label."""

    has_head: bool
    label: int | None
    pixels: int


def open_pixel_table(path: Path) -> Generator[float, None, PixelTable]:
    """Opens the images in a .csv file, with those of the other splits beside it.

    Parameters
    ----------
    path
        A file with an image a row: a square number of pixels, and perhaps a label in the first or
        the last column.

    Raises
    ------
    DataError
        When it is no such table, or a row is damaged.
    """
    scratch = ScratchFolder()
    source: PixelTable | None = None
    notes: list[str] = []
    try:
        columns = _find_columns(path)
        blocks = [(yield from _read_table(path, columns, scratch))]
        for file in find_companions(path, path.parent.glob("*.csv")):
            if _find_columns(file) == columns:
                blocks.append((yield from _read_table(file, columns, scratch)))
            else:
                notes.append(f"{file.name} is left out: its columns are not those of {path.name}.")
        if len(blocks) > 1:
            notes.append(f"Read together: {', '.join(block.place for block in blocks)}.")
        source = PixelTable(path, blocks)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise DataError(f"{path} is no table of pixels ({shorten_reason(error)}).") from error
    finally:
        if source is None:
            scratch.delete()
    source.notes += notes
    source.adopt_scratch(scratch)
    return source


def _find_columns(path: Path) -> _Columns:
    with path.open(encoding="utf-8-sig") as file:
        first = [cell.strip().strip('"') for cell in file.readline(_LONGEST_LINE).split(",")]
    has_head = not all(_is_number(cell) for cell in first)
    count = len(first)
    if _is_square(count):
        return _Columns(has_head, None, count)
    if not _is_square(count - 1):
        raise DataError(
            f"{path} has {count:,} columns. A table of images has a square number of pixels, such "
            "as 784, and perhaps a column of labels."
        )
    is_last = has_head and parse_name(first[-1]).role == "labels"
    return _Columns(has_head, count - 1 if is_last else 0, count - 1)


def _read_table(
    path: Path, columns: _Columns, scratch: ScratchFolder
) -> Generator[float, None, ArrayBlock]:
    """Reads a table into a file of numbers, which is mapped; yields the share read."""
    place, labels = scratch.folder / f"{path.stem}.f4", []
    size, rows = path.stat().st_size or 1, 0
    with path.open(encoding="utf-8-sig") as file, place.open("wb") as out:
        if columns.has_head:
            file.readline(_LONGEST_LINE)
        done = 0
        while lines := _read_lines(file):
            done += sum(map(len, lines))
            values = _parse(lines, columns, f"{path}, row {rows + 1:,}")
            if columns.label is not None:
                labels.append(values[:, columns.label].copy())
                values = np.delete(values, columns.label, axis=1)
            out.write(values.astype("<f4").tobytes())
            rows += len(values)
            yield min(1.0, done / size)
    if not rows:
        raise DataError(f"{path} has no rows.")
    images = np.memmap(place, "<f4", "r", 0, (rows, columns.pixels))
    column = np.concatenate(labels) if labels else None
    split = parse_name(path.stem).split
    return ArrayBlock(images, column, split, path.name, f"{path.name}: labels")


def _read_lines(file: TextIO) -> list[str]:
    lines = []
    for _ in range(_ROWS):
        line = file.readline(_LONGEST_LINE)
        if not line:
            break
        if line.strip():
            lines.append(line)
    return lines


def _parse(lines: list[str], columns: _Columns, place: str) -> NDArray[np.float64]:
    count = columns.pixels + (columns.label is not None)
    try:
        values = np.loadtxt(lines, np.float64, delimiter=",", quotechar='"', ndmin=2)
    except ValueError as error:
        raise DataError(
            f"{place} or one of the next {_ROWS:,} is damaged ({shorten_reason(error)})."
        ) from error
    if values.shape[1] != count:
        raise DataError(f"{place} has {values.shape[1]:,} columns, not {count:,}.")
    return values


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_square(count: int) -> bool:
    return count >= _FEWEST_PIXELS and isqrt(count) ** 2 == count
