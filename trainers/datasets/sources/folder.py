"""A folder of image files; its sub-folders, if it has any, are the classes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trainers.datasets.description import MOST_CLASSES
from trainers.datasets.importing import image_files
from trainers.datasets.importing.import_errors import Flaw, FlawError
from trainers.datasets.sources.source import Source
from trainers.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_IGNORED = {"thumbs.db", "desktop.ini", "__macosx"}
_TEST, _TRAIN = {"test", "testing", "val", "valid", "validation"}, {"train", "training"}
_MOST_DEPTH = 16


class FolderSource(Source):
    """Image files in a folder.

    Folders at its top are the classes; where they are called train and test (or val), they are the
    splits, and the folders in them the classes. Without folders there are no labels. Links that
    lead out of the folder are not followed.

    Raises
    ------
    DataError
        When there are no files in it, or too many classes.
    """

    kind = "a folder of images"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._root = path.resolve()
        files = sorted(self._list_files(path, 0))
        if not files:
            reason = f" ({self.flaws[0].name}: {self.flaws[0].detail})" if self.flaws else ""
            raise DataError(f"There are no image files in {path}{reason}. Choose another folder.")
        tops = {file.split("/")[0].lower() for file in files if "/" in file}
        has_splits = bool(tops & _TRAIN) and tops <= _TRAIN | _TEST
        parts = [file.split("/") for file in files]
        folders = [part[1 if has_splits else 0] if len(part) > 1 + has_splits else "" for part in
                   parts]  # fmt: skip
        names = sorted(set(folders) - {""}, key=_natural_key)
        if len(names) > MOST_CLASSES:
            raise DataError(
                f"{path} has {len(names):,} sub-folders; as classes {MOST_CLASSES} are the most."
            )
        self.classes = tuple(names)
        self._files, self.count = files, len(files)
        numbers = {name: number for number, name in enumerate(names)}
        self._labels = [numbers.get(folder, -1) for folder in folders]
        if has_splits:
            self.is_test = np.array([part[0].lower() in _TEST for part in parts])

    def name(self, index: int) -> str:
        """The file, from the folder on."""
        return self._files[index]

    def label(self, index: int) -> int:
        """The sub-folder that it lies in."""
        if not self.classes:
            return 0
        if self._labels[index] < 0:
            raise FlawError("label that does not fit", "it lies in no class's folder")
        return self._labels[index]

    def image(self, index: int) -> NDArray[np.uint8]:
        """The file's first image, upright."""
        return read_image(self.path / self._files[index])

    def _list_files(self, folder: Path, depth: int) -> list[str]:
        """Every file below, by its path from the source's folder on, with / between."""
        found: list[str] = []
        try:
            with os.scandir(folder) as entries:
                listed = list(entries)
        except OSError as error:
            raise DataError(f"{folder} cannot be read ({error.strerror}).") from error
        for entry in listed:
            if entry.name.startswith(".") or entry.name.lower() in _IGNORED:
                continue
            name = Path(entry.path).relative_to(self.path).as_posix()
            if entry.is_symlink() and not self._is_inside(entry.path):
                self.flaws.append(
                    Flaw(name, "path outside", "a link that leads out of the folder, or nowhere")
                )
            elif entry.is_dir():
                if depth < _MOST_DEPTH and not entry.is_symlink():
                    found += self._list_files(Path(entry.path), depth + 1)
            else:
                found.append(name)
        return found

    def _is_inside(self, path: str) -> bool:
        try:
            return Path(path).resolve(strict=True).is_relative_to(self._root)
        except (OSError, RuntimeError):  # A link to itself, or to nothing.
            return False


def read_image(path: Path) -> NDArray[np.uint8]:
    """(h, w) or (h, w, 3), the first image of a file, upright, transparent parts white.

    Raises
    ------
    FlawError
        When it is no image, is cut off, or is too large.
    """
    if path.is_file() and path.stat().st_size == 0:
        raise FlawError("truncated", "the file is empty")
    with image_files.open_image(path) as picture:
        return image_files.extract_pixels(picture)


def _natural_key(name: str) -> tuple[int, int, str]:
    """Numbers by their value, then words."""
    is_number = name.isascii() and name.isdigit()
    return (0, int(name), name) if is_number and len(name) < 10 else (1, 0, name)
