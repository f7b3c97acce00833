"""Unpacking what is compressed, no further than it says and within bounds."""

from __future__ import annotations

import gzip
import lzma
import zipfile
import zlib
from typing import TYPE_CHECKING, Protocol

from trainers.errors import DataError
from trainers.storage.regular_files import open_regular_file

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_BLOCK, _MOST_REASON = 1 << 20, 300
_BOMB_BYTES, _BOMB_RATIO = 1 << 28, 200
"""What unpacks to more bytes than that, and more than so many times what it was, is no data."""

DAMAGE_ERRORS = (
    OSError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    ValueError,
    RuntimeError,
)


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def check_unpacked_size(name: str, packed: int, unpacked: int) -> None:
    """Refuses what unpacks to far more than images would.

    Raises
    ------
    DataError
        Naming the file, its size and what it would become.
    """
    if unpacked > _BOMB_BYTES and unpacked > _BOMB_RATIO * max(packed, 1):
        raise DataError(
            f"{name} is a zip bomb: its {packed:,} bytes unpack to {unpacked:,} or more, over "
            f"{_BOMB_RATIO} times as many. Nothing of it is imported."
        )


def is_outside(name: str) -> bool:
    """Whether the name of a member of an archive leads out of the folder it is unpacked to."""
    parts = name.replace("\\", "/").split("/")
    return ".." in parts or name.startswith(("/", "\\")) or ":" in parts[0]


def shorten_reason(error: Exception) -> str:
    """Says what is wrong, without the whole of the file that an error may quote."""
    text = str(error) or type(error).__name__
    return text if len(text) < _MOST_REASON else f"{text[:_MOST_REASON]}…"


def copy_stream(
    stream: _Readable, place: Path, name: str, packed: int
) -> Generator[int, None, None]:
    """Unpacks a stream into a file; yields the bytes so far.

    Raises
    ------
    DataError
        When it is a bomb, or is damaged.
    """
    done = 0
    try:
        with place.open("wb") as file:
            while block := stream.read(_BLOCK):
                done += len(block)
                check_unpacked_size(name, packed, done)
                file.write(block)
                yield done
    except DAMAGE_ERRORS as error:
        raise DataError(
            f"{name} is truncated or damaged ({shorten_reason(error)}). Get it anew."
        ) from error


def gunzip(path: Path, place: Path) -> Generator[int, None, None]:
    """Unpacks a gzipped file; see `copied`."""
    with open_regular_file(path) as packed, gzip.open(packed, "rb") as stream:
        yield from copy_stream(stream, place, str(path), path.stat().st_size)
