"""A folder of image files; its sub-folders, if it has any, are the splits or the classes."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trainers.datasets.description import MOST_CLASSES
from trainers.datasets.importing import image_files
from trainers.datasets.importing.import_errors import Flaw, FlawError
from trainers.datasets.sources.array_names import SPLITS
from trainers.datasets.sources.folder_layout import find_layout, natural_key
from trainers.datasets.sources.label_table import TABLE_NAME, LabelTable
from trainers.datasets.sources.source import Source, spread_indices
from trainers.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

_IGNORED = {"thumbs.db", "desktop.ini", "__macosx"}
_MOST_DEPTH = 16
_SAMPLE = 200
_DARK = 85
"""A sample of bytes whose brightest value is below has the whole folder looked at."""
_MOST_LISTED = 5
_STACK = re.compile(r".*(\.(npz|npy|mat|h5|hdf5|parquet|csv|idx\d?)|-ubyte)(\.gz)?")
"""Names of files that hold many images."""


class NoImagesError(DataError):
    """A folder holds no image files."""


class FolderSource(Source):
    """Image files in a folder.

    `find_layout` says what its sub-folders are. Files of other types are passed over. Links that
    lead out of the folder are not followed.

    Parameters
    ----------
    path
        The folder, for messages.
    labels
        A table of file names and labels that the user chose; otherwise labels.csv in the folder or
        beside it is used, where the sub-folders are no classes.
    folder
        The folder that the files are read from, where it is another one.

    Raises
    ------
    DataError
        When there are no image files in it, or the table has no labels for them.
    """

    kind = "a folder of images"

    def __init__(self, path: Path, labels: Path | None = None, folder: Path | None = None) -> None:
        super().__init__(path)
        self._folder = folder or path
        self._root = self._folder.resolve()
        self._others: list[str] = []
        files = self._list_files(self._folder, 0)
        if not files:
            raise NoImagesError(self._describe_nothing())
        layout = find_layout(files)
        self._files, self.count = layout.files, len(layout.files)
        self.notes += layout.notes
        if self._others:
            self.notes.append(_describe_others(self._others))
        if layout.splits is not None:
            self.splits = np.array([SPLITS.index(split) for split in layout.splits], np.int8)
        self._why_unlabelled = "it lies in no class's folder"
        names = layout.folders if labels is None else self._read_table(labels)
        if not any(names):
            names = self._find_table() or names
        self._labels = self._find_classes(names)

    def name(self, index: int) -> str:
        """The file, from the folder on."""
        return self._files[index]

    def label(self, index: int) -> int:
        """The sub-folder that it lies in."""
        if not self.classes:
            return 0
        if self._labels[index] < 0:
            raise FlawError("label that does not fit", self._why_unlabelled)
        return self._labels[index]

    def values(self, index: int) -> NDArray[np.generic]:
        """The file's first image, upright."""
        return read_values(self._folder / self._files[index])

    def chunks(self) -> Generator[tuple[NDArray[np.generic], int, float], None, None]:
        """Yields the values of the images that may have another range than bytes have.

        These are all files of types that can have it, and all files if a sample of them is dark.
        """
        chosen = [at for at, file in enumerate(self._files) if image_files.may_be_deep(file)]
        sample = spread_indices(self.count, _SAMPLE)
        seen: set[int] = set()
        brightest = 0
        for at in sample:
            found = self._try_values(at)
            seen.add(at)
            if found is not None:
                if found.dtype == np.uint8:
                    brightest = max(brightest, int(found.max(initial=0)))
                yield found, 1, len(seen) / self.count
        pages = sum(image_files.count_pages(self._folder / self._files[at]) > 1 for at in chosen
                    if self._files[at].lower().endswith((".tif", ".tiff")))  # fmt: skip
        if pages:
            files = "1 file has" if pages == 1 else f"{pages:,} files have"
            self.notes.append(f"{files} several pages, of which the first is taken.")
        is_dark = brightest < _DARK
        for at in range(self.count) if is_dark else chosen:
            if at in seen:
                continue
            seen.add(at)
            if is_dark or image_files.is_deep(self._folder / self._files[at]):
                found = self._try_values(at)
                if found is not None:
                    yield found, 1, len(seen) / self.count

    def _try_values(self, index: int) -> NDArray[np.generic] | None:
        try:
            return self.values(index)
        except FlawError:
            return None

    def _read_table(self, path: Path) -> list[str]:
        """Reads the labels of the files from a table that the user chose."""
        found = LabelTable(path).find_labels(self._files)
        if found is None:
            raise DataError(
                f"{path} does not say which label a file of {self.path} has. It needs a column "
                "with the names of the files, and one that is called label."
            )
        return self._take_table(path, found)

    def _find_table(self) -> list[str] | None:
        """Reads labels.csv in the folder or beside it; None where there is none for the files."""
        inside = sorted(name for name in self._others if Path(name).name == TABLE_NAME)
        for path in (*(self._folder / name for name in inside), self.path.parent / TABLE_NAME):
            if not path.is_file():
                continue
            found = LabelTable(path).find_labels(self._files)
            if found is not None:
                return self._take_table(path, found)
            self.notes.append(
                f"{path.name} has no column of these file names with a column of labels, so the "
                "images come without labels."
            )
        return None

    def _take_table(self, path: Path, labels: list[str]) -> list[str]:
        self._why_unlabelled = f"{path.name} has no label for it"
        self.notes.append(f"The labels are those of {path.name}.")
        return labels

    def _find_classes(self, folders: list[str]) -> list[int]:
        """Takes folders or labels as classes; returns the class of each file, or -1."""
        names = sorted(set(folders) - {""}, key=natural_key)
        if len(names) > MOST_CLASSES:
            self.notes.append(
                f"{len(names):,} labels are too many classes; {MOST_CLASSES:,} are the most. "
                "The images come without labels."
            )
            names = []
        self.classes = tuple(names)
        numbers = {name: number for number, name in enumerate(names)}
        found = [numbers.get(folder, -1) for folder in folders]
        if names and min(found) < 0:
            self.labelled = np.array(found) >= 0
        return found

    def _list_files(self, folder: Path, depth: int) -> list[str]:
        """Lists the image files below, by their paths from the source's folder on, with / between.

        The others are kept apart.
        """
        found: list[str] = []
        try:
            with os.scandir(folder) as entries:
                listed = list(entries)
        except OSError as error:
            raise DataError(f"{folder} cannot be read ({error.strerror}).") from error
        for entry in listed:
            if entry.name.startswith(".") or entry.name.lower() in _IGNORED:
                continue
            name = Path(entry.path).relative_to(self._folder).as_posix()
            if entry.is_symlink() and not self._is_inside(entry.path):
                self.flaws.append(
                    Flaw(name, "path outside", "a link that leads out of the folder, or nowhere")
                )
            elif entry.is_dir():
                if depth < _MOST_DEPTH and not entry.is_symlink():
                    found += self._list_files(Path(entry.path), depth + 1)
            elif entry.is_file() and image_files.is_image_file(Path(entry.path)):
                found.append(name)
            else:
                self._others.append(name)
        return found

    def _is_inside(self, path: str) -> bool:
        try:
            return Path(path).resolve(strict=True).is_relative_to(self._root)
        except (OSError, RuntimeError):  # A link to itself, or to nothing.
            return False

    def _describe_nothing(self) -> str:
        """Says that there are no image files, and what there is instead."""
        text = f"There are no image files in {self.path}"
        if self.flaws:
            text += f" ({self.flaws[0].name}: {self.flaws[0].detail})"
        stacks = [name for name in self._others if _STACK.fullmatch(name.lower())]
        first = "unpack it and choose" if self._folder != self.path else "choose"
        if len(stacks) == 1:
            return f"{text}. It holds {stacks[0]}, which can be imported: {first} it."
        if stacks:
            listed = ", ".join(sorted(stacks)[:_MOST_LISTED])
            return f"{text}. It holds {listed}: {first} one of these files."
        if self._others:
            text += f". {_describe_others(self._others)}"
        return f"{text.rstrip('.')}. Choose another folder."


def read_values(path: Path) -> NDArray[np.generic]:
    """(h, w) or (h, w, 3), the first image of a file, upright, transparent parts white.

    Bytes, or deeper numbers where the file has them.

    Raises
    ------
    FlawError
        When it is no image, is cut off, or is too large.
    """
    if path.is_file() and path.stat().st_size == 0:
        raise FlawError("truncated", "the file is empty")
    with image_files.open_image(path) as picture:
        return image_files.extract_values(picture)


def _describe_others(names: list[str]) -> str:
    """Says which files are passed over: "3 other files are passed over: 2 .txt, 1 .csv."."""
    counts = Counter(Path(name).suffix.lower() or Path(name).name for name in names)
    listed = ", ".join(f"{count:,} {kind}" for kind, count in counts.most_common(_MOST_LISTED))
    more = ", …" if len(counts) > _MOST_LISTED else ""
    files = "1 other file is" if len(names) == 1 else f"{len(names):,} other files are"
    return f"{files} passed over: {listed}{more}."
