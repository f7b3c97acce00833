"""The IDX format of MNIST: a magic number, the dimensions, the bytes."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trainers.errors import DataError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_UNSIGNED_BYTE = 0x08


def read(file: Traversable, *, md5: str | None = None) -> NDArray[np.uint8]:
    """The array in a gzipped IDX file of unsigned bytes.

    Parameters
    ----------
    file
        Where it lies; `importlib.resources` finds it in source, wheel and packaged program alike.
    md5
        Checksum of the uncompressed file, checked where given.

    Raises
    ------
    DataError
        When the file is missing, damaged, or no IDX file of bytes; the message names the file.
    """
    try:
        content = gzip.decompress(file.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"The data file {file} cannot be read ({error}). Reinstall AE Viewer."
        ) from error
    if md5 and hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
        raise DataError(f"The data file {file} fails its checksum: it is damaged. Reinstall it.")
    return _parse(content, str(file))


def _parse(content: bytes, name: str) -> NDArray[np.uint8]:
    """Magic: two zero bytes, the element type, the number of dimensions; then big-endian sizes."""
    dimensions = content[3] if len(content) >= 4 else 0
    start = 4 + 4 * dimensions
    if len(content) < start or content[:3] != bytes([0, 0, _UNSIGNED_BYTE]) or not dimensions:
        raise DataError(f"{name} is no IDX file of bytes: its first four bytes say otherwise.")
    shape = [int(n) for n in np.frombuffer(content, ">u4", dimensions, 4)]
    expected = 1
    for size in shape:
        expected *= size
    if len(content) - start != expected:
        raise DataError(
            f"{name} promises {expected:,} bytes of data and holds {len(content) - start:,}."
        )
    return np.frombuffer(content, np.uint8, expected, start).reshape(shape)
