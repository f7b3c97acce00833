"""Which kind of source a path is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trainers.datasets.file_formats.cifar_files import is_cifar_folder, open_cifar
from trainers.datasets.file_formats.class_arrays import open_class_arrays
from trainers.datasets.file_formats.hdf5_files import SUFFIXES as HDF5_SUFFIXES
from trainers.datasets.file_formats.hdf5_files import is_hdf5_file, open_hdf5
from trainers.datasets.file_formats.mat_files import open_mat
from trainers.datasets.file_formats.parquet_files import open_parquet
from trainers.datasets.file_formats.pixel_tables import open_pixel_table
from trainers.datasets.file_formats.tiff_stack import SUFFIXES as TIFF_SUFFIXES
from trainers.datasets.file_formats.tiff_stack import TiffSource
from trainers.datasets.importing.image_files import count_pages
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
    from collections.abc import Callable, Generator
    from pathlib import Path

    from numpy.typing import NDArray

    from trainers.datasets.sources.source import Source

FILE_TYPES = "an .npy, .npz, IDX, .mat, .h5, .csv, .parquet or .tif file"
"""The types of files that hold many images, in words."""

_MOST_TEXT, _MOST_WRAPPERS = 1 << 28, 16
_OPENERS: dict[str, Callable[[Path], Generator[float, None, Source]]] = {
    ".npz": open_npz,
    ".mat": open_mat,
    ".csv": open_pixel_table,
    ".parquet": open_parquet,
}


def detect_source(path: Path, labels: Path | None = None) -> Generator[float, None, Source]:
    """The images at a path; yields the share done while they are unpacked and looked at.

    Parameters
    ----------
    path
        A folder of images, of IDX files or of CIFAR's binary files, a .zip of a folder, or one of
        `FILE_TYPES`.
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
    if labels is not None:
        _check_regular(labels)
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
    _check_regular(path)
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
    suffix = path.suffix.lower()
    if suffix in TIFF_SUFFIXES:
        return TiffSource(path)
    if suffix in HDF5_SUFFIXES or is_hdf5_file(path):
        return (yield from open_hdf5(path))
    if suffix in _OPENERS:
        return (yield from _OPENERS[suffix](path))
    if is_idx_file(path):
        return (yield from open_idx(path))
    raise DataError(
        describe_foreign_file(path)
        or f"{path} is nothing that can be imported. Choose a folder of images or its .zip, or "
        f"{FILE_TYPES}."
    )


def _check_regular(path: Path) -> None:
    """Raises an error where a path is no regular file: reading a pipe would wait for ever."""
    if not path.is_file():
        raise DataError(f"{path} is no regular file. Choose a file or a folder.")


def _open_folder(path: Path, labels: Path | None) -> Generator[float, None, Source]:
    inner = _pass_wrappers(path) if labels is None else path
    if labels is None and list_idx_files(inner):
        return (yield from open_idx(inner))
    if labels is None and is_cifar_folder(inner):
        return open_cifar(inner)
    try:
        source = FolderSource(path, labels)
        _refuse_single_stack(source)
        return source
    except NoImagesError as error:
        found = open_class_arrays(inner) if labels is None else None
        if found is not None:
            return found
        foreign = describe_foreign_file(inner)
        if foreign:
            raise DataError(foreign) from error
        raise


def _pass_wrappers(path: Path) -> Path:
    """Returns the innermost of folders that each hold a single folder, up to files of images."""
    for _ in range(_MOST_WRAPPERS):
        if list_idx_files(path) or is_cifar_folder(path):
            break
        inner = [entry for entry in path.iterdir() if not entry.name.startswith((".", "__"))]
        folders = [entry for entry in inner if entry.is_dir() and not entry.is_symlink()]
        if len(folders) != 1:
            break
        path = folders[0]
    return path


def _refuse_single_stack(source: FolderSource) -> None:
    """Raises an error where a folder's only image is a stack of pages."""
    file = source.path / source.name(0)
    if source.count == 1 and file.suffix.lower() in TIFF_SUFFIXES and count_pages(file) > 1:
        raise DataError(
            f"{source.path} holds one file, {source.name(0)}, with {count_pages(file):,} pages, "
            "which can be imported: choose it."
        )


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
