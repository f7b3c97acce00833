"""A run as one .zip file, and back. An archive is data from outside: nothing in it is trusted.

Before anything is written, every name is looked at (no path may leave the run's folder, no link, no
name twice), and so are the sizes (no archive may grow without bound). It is unpacked aside, read as
a run is read, and only then given its place: what is damaged leaves nothing. Loads no torch.
"""

from __future__ import annotations

import os
import re
import reprlib
import shutil
import stat
import struct
import textwrap
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from trainers import runs
from trainers.errors import AEViewerError, ExportError, RunError
from trainers.runs import runs_folder
from trainers.storage import drafts
from trainers.storage.regular_files import open_regular_file

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

LARGEST = (1 << 31) - 1
"""The most bytes of an archive."""
MOST_BYTES = 4 << 30
"""The most bytes that an archive may unpack to."""
MOST_FILES = 10_000
MOST_TIMES, ALLOWANCE = 20, 64 << 20
"""An archive may unpack to this many times its size, plus this many bytes."""
SUFFIXES = frozenset({".json", ".csv", ".safetensors", ".npy", ".png"})
"""The files of a run. No reader unpickles or executes any of them."""
CHUNK = 1 << 20
_DEEPEST = 3
_LONGEST = 200
"""The most characters of an archive's own words in a message."""
_PART = re.compile(r"[^\W_][\w .=+-]{0,99}")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
_END, _LOCATOR = b"PK\x05\x06", b"PK\x06\x07"
_END_BYTES, _LOCATOR_BYTES, _LONGEST_COMMENT = 22, 20, 0xFFFF
_MOST_DIRECTORY = 8 << 20
_FOREIGN = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
    MemoryError,
)
"""The exceptions that readers of foreign archives raise."""


def is_kept(relative: PurePosixPath) -> bool:
    """Returns whether a file of a run, by its path within the run, belongs in an archive."""
    return (
        relative.suffix in SUFFIXES
        and len(relative.parts) <= _DEEPEST
        and all(_is_plain(part) for part in relative.parts)
    )


def _is_plain(part: str) -> bool:
    """Returns whether a file or folder may have this name on every system."""
    return bool(_PART.fullmatch(part)) and not _RESERVED.fullmatch(part) and part[-1] not in ". "


def unpack(file: Path, folder: Path) -> Generator[float, None, runs.Run]:
    """Opens an archive as a run in `folder`; yields the progress and returns the run.

    Parameters
    ----------
    file
        A .zip, as the export "zip" writes it.
    folder
        The runs folder; the run is called as in the archive, or "…-2" where there is such a one.

    Raises
    ------
    ExportError
        When it is no archive of one run, too large, damaged, or the folder cannot be written;
        nothing of it is left then.
    """
    with _reading(file), _open_archive(file) as archive:
        name, members = _members(archive, file)
        _check_room(sum(info.file_size for info in members.values()), file, folder)
        folder.mkdir(parents=True, exist_ok=True)
        # The run is unpacked one level deeper than runs lie, so that no list shows a part of it.
        with drafts.locked_draft_folder(folder) as draft:
            yield from _extract(archive, members, draft / "run")
            yield from _check(runs.Run(draft / "run"), draft, file)
            place = folder / _free(name, runs.Run(draft / "run"), folder)
            (draft / "run").rename(place)
    return runs.Run(place)


# -- what it is ------------------------------------------------------------------------------------


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    """Converts every problem with an archive to one message."""
    try:
        yield
    except _FOREIGN as error:
        reason = textwrap.shorten(str(error), _LONGEST, placeholder=" …") or type(error).__name__
        raise ExportError(
            f"{file.name} cannot be opened: it is no sound archive ({reason}). Have it made, or "
            "sent, again."
        ) from error
    except OSError as error:
        raise ExportError(
            f"{file.name} cannot be opened ({error.strerror or error}): {error.filename or file}"
        ) from error


@contextmanager
def _open_archive(file: Path) -> Iterator[zipfile.ZipFile]:
    with open_regular_file(file) as content:
        size = os.fstat(content.fileno()).st_size
        if size > LARGEST:
            raise ExportError(
                f"{file.name} has {_size_text(size)}; archives have up to {_size_text(LARGEST)}."
            )
        _refuse_crowded(file, content, size)
        with zipfile.ZipFile(content) as archive:
            yield archive


def _refuse_crowded(file: Path, content: BinaryIO, size: int) -> None:
    """Checks the length of the table of contents before it is read into memory."""
    content.seek(max(0, size - _END_BYTES - _LONGEST_COMMENT - _LOCATOR_BYTES))
    tail = content.read(_END_BYTES + _LONGEST_COMMENT + _LOCATOR_BYTES)
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_BYTES:
        raise ValueError("its end is missing: it is no zip, or only a part of one")
    count, length = struct.unpack_from("<HI", tail, at + 10)
    is_long = tail[max(0, at - _LOCATOR_BYTES) : at].startswith(_LOCATOR)
    if is_long or count > MOST_FILES or length > _MOST_DIRECTORY:
        raise ExportError(f"{file.name} holds more files than a run: up to {MOST_FILES:,} are.")


def _members(
    archive: zipfile.ZipFile, file: Path
) -> tuple[str, dict[PurePosixPath, zipfile.ZipInfo]]:
    """Returns the run's name, and its files by their paths within the run."""
    found: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        path = _safe(info, file)
        if path in found:
            raise ExportError(
                f"{file.name} holds {_short_name(info.filename)} twice; it was not opened."
            )
        if not info.is_dir():
            found[path] = info
    roots = [path.parent for path in found if path.name == "config.json" and len(path.parts) < 3]
    if (
        PurePosixPath() in roots
    ):  # There is no folder around the run: a folder with another name holds views.
        roots = [PurePosixPath()]
    if len(roots) != 1:
        said = f"holds {len(roots)} runs" if roots else "holds no run (no config.json)"
        raise ExportError(
            f"{file.name} {said}. What can be opened is one run, as `aeviewer export RUN zip` "
            "writes it."
        )
    root = roots[0]
    inner = {p.relative_to(root): i for p, i in found.items() if p.is_relative_to(root)}
    return root.name or file.stem, {path: i for path, i in inner.items() if is_kept(path)}


def _safe(info: zipfile.ZipInfo, file: Path) -> PurePosixPath:
    """Returns the path of an entry, if it can lie only below the run's folder."""
    name = info.orig_filename
    if not info.filename:
        raise ExportError(f"{file.name} holds a file without a name; it was not opened.")
    path = PurePosixPath(name)
    leaves = path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name
    if leaves or "\0" in name:
        raise ExportError(
            f"{file.name} holds the path {_short_name(name)}, which leaves the run's folder. Such "
            "archives are made to do harm; it was not opened."
        )
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ExportError(
            f"{file.name} holds a link or device, {_short_name(name)}; it was not opened."
        )
    return path


def _check_room(total: int, file: Path, folder: Path) -> None:
    allowed = min(MOST_BYTES, ALLOWANCE + MOST_TIMES * file.stat().st_size)
    if total > allowed:
        raise ExportError(
            f"{file.name} would unpack to {_size_text(total)}; from its size {_size_text(allowed)} "
            "are allowed. Such archives are made to fill disks; it was not opened."
        )
    near = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(near).free
    if total > free:
        raise ExportError(
            f"{file.name} needs {_size_text(total)}, but {_size_text(free)} are free in {folder}. "
            "Free some space, or choose another runs folder."
        )


def _short_name(name: str) -> str:
    """Returns a name from an archive in short for a message: it may have 65,535 characters."""
    short = reprlib.Repr()
    short.maxstring = _LONGEST
    return short.repr(name)


def _size_text(size: int) -> str:
    return f"{size / (1 << 20):,.0f} MB"


# -- unpacking -------------------------------------------------------------------------------------


def _extract(
    archive: zipfile.ZipFile, members: dict[PurePosixPath, zipfile.ZipInfo], place: Path
) -> Iterator[float]:
    """Writes every file, a megabyte at a time; zipfile compares each with its checksum."""
    total, done = max(1, sum(info.file_size for info in members.values())), 0
    for path, info in members.items():
        target = place / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(info) as source, target.open("xb") as sink:
            while chunk := source.read(CHUNK):
                done += len(chunk)
                sink.write(chunk)
                yield done / total


def _check(run: runs.Run, draft: Path, file: Path) -> Iterator[float]:
    """Reads every file as the program will, so that a damaged file is reported now."""
    from safetensors import SafetensorError, safe_open

    try:
        _ = run.config
        run.written_status()
        run.metrics()
        for checkpoint in run.checkpoints():
            try:
                with safe_open(checkpoint.model, "np"):
                    pass
            except SafetensorError as error:
                raise RunError(f"{checkpoint.model} is damaged ({error}).") from error
            if checkpoint.is_evaluated:
                checkpoint.evaluation()
                checkpoint.preview()
            yield 1.0
    except AEViewerError as error:
        inside = str(error).replace(f"{draft / 'run'}", "its run").replace("its run/", "")
        raise ExportError(f"{file.name} holds a damaged run: {inside}") from error


def _free(name: str, run: runs.Run, folder: Path) -> str:
    """Returns the run's own name where it is free, or else the next free one."""
    try:
        stem = runs_folder.checked_name(name)
    except RunError:
        return runs_folder.free_name(run.config, folder)
    number, found = 2, stem
    while (folder / found).exists():
        found, number = f"{stem}-{number}", number + 1
    return found
