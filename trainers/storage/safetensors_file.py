"""Safetensors files with a checksum: a changed bit is detected. This module loads no torch.

The header holds the SHA-256 of the arrays and of the other header texts. A file without a checksum
is refused: nothing says whether its arrays are those that were written.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from trainers.errors import RunError
from trainers.storage.regular_files import check_regular_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_KEY = "checksum"

Arrays = dict[str, NDArray[np.generic]]


def pack(arrays: Arrays, header: Mapping[str, str] | None = None) -> bytes:
    """Returns the content of a safetensors file of arrays and header texts."""
    header = dict(header or {})
    # safetensors would write an array of another memory order as it lies in memory.
    arrays = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    return safetensors.numpy.save(arrays, header | {_KEY: _digest(arrays, header)})


def read_header(place: Path) -> dict[str, str]:
    """Reads the texts in a file's header; compares nothing.

    Raises
    ------
    RunError
        When it cannot be read.
    """
    with _open_file(place) as file:
        return dict(file.metadata() or {})


def read_shapes(place: Path) -> dict[str, tuple[int, ...]]:
    """Reads the shape of every array in a file's header; reads no array.

    Raises
    ------
    RunError
        When it cannot be read.
    """
    with _open_file(place) as file:
        return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}


def check_checksum(place: Path, arrays: Arrays, header: Mapping[str, str]) -> None:
    """Compares arrays that were read with the checksum of their file.

    Raises
    ------
    RunError
        When they differ, or the file has no checksum.
    """
    kept = {key: value for key, value in header.items() if key != _KEY}
    if _KEY not in header:
        raise RunError(
            f"{place} has no checksum, so that nothing says whether its numbers are those that "
            "were written. Get the run anew from where it was trained, or train it again."
        )
    if header[_KEY] != (found := _digest(arrays, kept)):
        raise RunError(
            f"{place} is damaged: its checksum is {found[:12]}, not {header[_KEY][:12]}. "
            "The run's other checkpoints can still be explored."
        )


@contextmanager
def _open_file(place: Path) -> Iterator[safe_open]:
    try:
        check_regular_file(place)
        with safe_open(place, "numpy") as file:
            yield file
    except (OSError, SafetensorError) as error:
        raise RunError(f"{place} cannot be read ({error}): the run is damaged.") from error


def _digest(arrays: Arrays, header: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for key in sorted(header):
        digest.update(f"{key}={header[key]}\n".encode())
    for name in sorted(arrays):
        array = np.asarray(arrays[name], order="C")
        digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
