"""A folder of images in a .zip file, unpacked within bounds."""

from __future__ import annotations

import shutil
import struct
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from trainers.datasets.importing import image_files
from trainers.datasets.importing.import_errors import Flaw
from trainers.datasets.sources.compressed_files import (
    DAMAGE_ERRORS,
    check_unpacked_size,
    copy_stream,
    is_outside,
    shorten_reason,
)
from trainers.datasets.sources.folder import FolderSource
from trainers.datasets.sources.label_table import TABLE_NAME
from trainers.datasets.sources.source import ScratchFolder
from trainers.errors import DataError
from trainers.storage.regular_files import open_regular_file

if TYPE_CHECKING:
    from collections.abc import Generator

_MOST_FILES = 2_000_000
_LONGEST_NAME = 200


def open_zip(path: Path, labels: Path | None = None) -> Generator[float, None, FolderSource]:
    """Opens the images of a .zip file as those of a folder; yields the share unpacked.

    Only images and labels.csv are unpacked; files of other types are counted.

    Parameters
    ----------
    path
        The .zip file.
    labels
        A table of file names and labels that the user chose.

    Raises
    ------
    DataError
        When it is damaged, encrypted, a zip bomb, larger than the free space, or holds no images.
    """
    scratch = ScratchFolder()
    source: FolderSource | None = None
    flaws: list[Flaw] = []
    try:
        with open_regular_file(path) as packed, zipfile.ZipFile(packed) as archive:
            members = [info for info in archive.infolist() if not info.filename.endswith("/")]
            _check_sizes(path, members, scratch.folder)
            total, done = sum(info.file_size for info in members) or 1, 0
            for info in members:
                if is_outside(info.filename):
                    flaws.append(Flaw(info.filename, "path outside", "a name that leads outside"))
                    continue
                for so_far in _unpack(archive, info, path, scratch.folder):
                    yield min(1.0, (done + so_far) / total)
                done += info.file_size
        source = FolderSource(path, labels, scratch.folder)
    except (*DAMAGE_ERRORS, LookupError, ArithmeticError, struct.error) as error:
        raise DataError(
            f"{path} is truncated, or no ZIP file ({shorten_reason(error)}). Get it anew."
        ) from error
    finally:
        if source is None:
            scratch.delete()
    source.flaws += flaws
    source.adopt_scratch(scratch)
    return source


def _check_sizes(path: Path, members: list[zipfile.ZipInfo], place: Path) -> None:
    if len(members) > _MOST_FILES:
        raise DataError(f"{path} holds {len(members):,} files; {_MOST_FILES:,} are the most.")
    total = sum(info.file_size for info in members)
    check_unpacked_size(str(path), path.stat().st_size, total)
    free = shutil.disk_usage(place).free
    if total > free:
        raise DataError(
            f"{path} unpacks to {total:,} bytes and {place.parent} has {free:,} left. Free some "
            "space, or unpack it elsewhere and import the folder."
        )


def _unpack(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, folder: Path
) -> Generator[int, None, None]:
    """Unpacks an image or a table; leaves an empty file of its name for any other file."""
    parts = PurePosixPath(info.filename.replace("\\", "/")).parts
    if any(len(part) > _LONGEST_NAME or "\0" in part for part in parts):
        raise ValueError(f"a name in it has more than {_LONGEST_NAME} characters")
    place = folder.joinpath(*parts)
    place.parent.mkdir(parents=True, exist_ok=True)
    name = f"{path}: {info.filename}"
    check_unpacked_size(name, info.compress_size, info.file_size)
    if image_files.has_image_suffix(place) or place.name == TABLE_NAME or not place.suffix:
        with archive.open(info) as stream:
            yield from copy_stream(stream, place, name, info.compress_size)
    else:
        place.touch()
