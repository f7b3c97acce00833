"""Files of named arrays that tell when a bit of them is no more what it was. Loads no torch.

A safetensors file's header holds, beside what is told of the arrays, the SHA-256 of them and of
that. A file without one is of before there were any, and is read as it is.
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

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_KEY = "checksum"

Arrays = dict[str, NDArray[np.generic]]


def pack(arrays: Arrays, told: Mapping[str, str] | None = None) -> bytes:
    """The content of a safetensors file of some arrays and what is told of them."""
    told = dict(told or {})
    # It would write an array of any other order as it lies in memory.
    arrays = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    return safetensors.numpy.save(arrays, told | {_KEY: _digest(arrays, told)})


def read_header(place: Path) -> dict[str, str]:
    """What a file's header tells beside the arrays; nothing is compared.

    Raises
    ------
    RunError
        When it cannot be read.
    """
    with _open_file(place) as file:
        return dict(file.metadata() or {})


def shapes(place: Path) -> dict[str, tuple[int, ...]]:
    """The shape of every array in a file, as its header has it; none is read.

    Raises
    ------
    RunError
        When it cannot be read.
    """
    with _open_file(place) as file:
        return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}


def compare(place: Path, arrays: Arrays, told: Mapping[str, str]) -> None:
    """Compares what was read from a file with its checksum, if it has one.

    Raises
    ------
    RunError
        When they differ.
    """
    kept = {key: value for key, value in told.items() if key != _KEY}
    if _KEY in told and told[_KEY] != (found := _digest(arrays, kept)):
        raise RunError(
            f"{place} is damaged: its checksum is {found[:12]}, not {told[_KEY][:12]}. "
            "The run's other checkpoints can still be explored."
        )


@contextmanager
def _open_file(place: Path) -> Iterator[safe_open]:
    try:
        with safe_open(place, "numpy") as file:
            yield file
    except (OSError, SafetensorError) as error:
        raise RunError(f"{place} cannot be read ({error}): the run is damaged.") from error


def _digest(arrays: Arrays, told: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for key in sorted(told):
        digest.update(f"{key}={told[key]}\n".encode())
    for name in sorted(arrays):
        array = np.asarray(arrays[name], order="C")
        digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
