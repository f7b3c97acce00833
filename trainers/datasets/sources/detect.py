"""Which kind of source a path is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trainers.datasets.sources.folder import FolderSource, NoImagesError
from trainers.datasets.sources.foreign_files import describe_foreign_file
from trainers.datasets.sources.idx_files import (
    is_idx_file,
    list_idx_files,
    open_idx,
    read_label_column,
)
from trainers.datasets.sources.numpy_files import map_array, open_npy, open_npz
from trainers.datasets.sources.zip_folder import open_zip
from trainers.errors import DataError
from trainers.storage.regular_files import open_regular_file

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from numpy.typing import NDArray

    from trainers.datasets.sources.source import Source

_MOST_TEXT = 1 << 28


def detect_source(path: Path, labels: Path | None = None) -> Generator[float, None, Source]:
    """The images at a path; yields the share done while they are unpacked and looked at.

    Parameters
    ----------
    path
        A folder of images or of IDX files, a .zip of a folder, an .npy, .npz or IDX file.
    labels
        Labels of an .npy: .npy, IDX, or text with one a line. Of a folder or a .zip: a table of
        file names and labels.

    Raises
    ------
    DataError
        When there is nothing there, or nothing that can be imported.
    """
    if not path.exists():
        raise DataError(f"There is nothing at {path}.")
    source = yield from _open_source(path, labels)
    try:
        yield from source.measure_range()
    except BaseException:
        source.close()
        raise
    return source


def _open_source(path: Path, labels: Path | None) -> Generator[float, None, Source]:
    if path.is_dir():
        return (yield from _open_folder(path, labels))
    if path.suffix.lower() == ".zip":
        return (yield from open_zip(path, labels))
    if path.suffix.lower() == ".npy":
        if labels is None:
            return open_npy(path)
        return open_npy(path, (yield from _read_labels(labels)), labels.name)
    if labels is not None:
        raise DataError(
            f"{path} is no .npy file, folder or .zip file, so the labels in {labels} cannot be "
            "given to it. Leave them out: its own labels are found by their names."
        )
    if path.suffix.lower() == ".npz":
        return (yield from open_npz(path))
    if is_idx_file(path):
        return (yield from open_idx(path))
    raise DataError(
        describe_foreign_file(path)
        or f"{path} is nothing that can be imported. Choose a folder of images or its .zip, or an "
        ".npy, .npz or IDX file."
    )


def _open_folder(path: Path, labels: Path | None) -> Generator[float, None, Source]:
    if labels is None and list_idx_files(path):
        return (yield from open_idx(path))
    try:
        return FolderSource(path, labels)
    except NoImagesError as error:
        foreign = describe_foreign_file(path)
        if foreign:
            raise DataError(foreign) from error
        raise


def _read_labels(path: Path) -> Generator[float, None, NDArray[np.generic]]:
    if path.suffix.lower() == ".npy":
        return map_array(path, str(path))
    if path.is_file() and is_idx_file(path):
        return (yield from read_label_column(path))
    try:
        if path.stat().st_size > _MOST_TEXT:
            raise DataError(f"{path} is too large for a list of labels.")
        with open_regular_file(path) as file:
            words = file.read(_MOST_TEXT).decode().split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"The labels in {path} cannot be read ({error}).") from error
    lines = [word.strip() for word in words]
    while lines and not lines[-1]:
        lines.pop()
    if all(line.lstrip("-").isdecimal() for line in lines):
        return np.array([int(line) for line in lines])
    return np.array(lines)
