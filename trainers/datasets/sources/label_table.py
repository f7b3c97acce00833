"""Labels in a table of file names and labels: labels.csv beside a folder of images."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from trainers.datasets.sources.array_names import parse_name
from trainers.datasets.sources.compressed_files import shorten_reason
from trainers.errors import DataError
from trainers.storage.regular_files import open_regular_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TABLE_NAME = "labels.csv"

_MOST_BYTES = 1 << 28
_MOST_COLUMNS = 200
_SAMPLE = 1_000
_DELIMITERS = ",;\t|"


class LabelTable:
    """A table whose rows give the label of a file.

    Parameters
    ----------
    path
        The table: UTF-8 text, columns separated by comma, semicolon or tab.

    Raises
    ------
    DataError
        When it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            if path.stat().st_size > _MOST_BYTES:
                raise DataError(
                    f"{path} has {path.stat().st_size:,} bytes; a table of labels has "
                    f"{_MOST_BYTES:,} at most. Choose another file."
                )
            with io.TextIOWrapper(
                open_regular_file(path), encoding="utf-8-sig", newline=""
            ) as file:
                first = file.readline()
                file.seek(0)
                delimiter = max(_DELIMITERS, key=first.count)
                self._rows = [
                    [cell.strip() for cell in row[:_MOST_COLUMNS]]
                    for row in csv.reader(file, delimiter=delimiter)
                    if row
                ]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise DataError(
                f"The labels in {path} cannot be read ({shorten_reason(error)})."
            ) from error

    def find_labels(self, files: Sequence[str]) -> list[str] | None:
        """Returns the label of each file, empty where the table has none.

        A row names a file by its path, its name, or its name without the suffix. None where no
        row names a file, or where the column of the labels is not certain.

        Parameters
        ----------
        files
            The files from the source's folder on, with / between.
        """
        places = _index_files(files)
        sample = self._rows[:_SAMPLE]
        width = max((len(row) for row in sample), default=0)
        hits = [sum(cell in places for cell in _column(sample, at)) for at in range(width)]
        if not any(hits):
            return None
        name_at = hits.index(max(hits))
        label_at = self._find_label_column(name_at, width, places)
        if label_at is None:
            return None
        found = [""] * len(files)
        for row in self._rows:
            if len(row) > max(name_at, label_at):
                for index in places.get(row[name_at], ()):
                    found[index] = row[label_at]
        return found

    def _find_label_column(
        self, name_at: int, width: int, places: dict[str, list[int]]
    ) -> int | None:
        others = [at for at in range(width) if at != name_at]
        if len(others) == 1:
            return others[0]
        head = self._rows[0]
        has_head = name_at < len(head) and head[name_at] not in places
        named = [
            at
            for at in others
            if has_head and at < len(head) and parse_name(head[at]).role == "labels"
        ]
        return named[0] if len(named) == 1 else None


def _column(rows: Iterable[list[str]], at: int) -> Iterable[str]:
    return (row[at] for row in rows if at < len(row))


def _index_files(files: Sequence[str]) -> dict[str, list[int]]:
    """Returns the files by the names that a table may give them; unclear short names are left out.

    A path is exact. A name, or a name without suffix, that several files share names none of them.
    """
    exact: dict[str, list[int]] = {file: [at] for at, file in enumerate(files)}
    short: defaultdict[str, list[int]] = defaultdict(list)
    for at, file in enumerate(files):
        for name in {PurePosixPath(file).name, PurePosixPath(file).stem}:
            short[name].append(at)
    return {name: places for name, places in short.items() if len(places) == 1} | exact
