"""The formats inside a run's folder: how each file is written, and read with distrust.

Everything here is data from outside, for a run may come from anybody: sizes are checked before
anything is allocated, nothing is unpickled, and what is wrong becomes one message.
"""

from __future__ import annotations

import io
import math
import os
from contextlib import contextmanager
from tokenize import TokenError
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError

from trainers.config_messages import faults
from trainers.errors import ConfigError, RunError
from trainers.storage.regular_files import open_regular_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_SHEET = 10_000_000
"""The most bytes of a picture of reconstructions."""
_PREVIEW_COLUMNS = 32
_LARGEST_CODE = 1e15
_FOREIGN = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
    SyntaxError,
    TokenError,
    Image.DecompressionBombError,
    ConfigError,
)
"""What readers of foreign bytes are known to raise."""


@contextmanager
def open_run_file(place: Path) -> Iterator[io.BufferedReader]:
    """Opens a file of a run; what is wrong with it becomes one message."""
    try:
        with open_regular_file(place) as file:
            yield file
    except FileNotFoundError:
        raise RunError(f"{place} is missing: the run is damaged.") from None
    except _FOREIGN as error:
        reason = (
            "; ".join(t for _, t in faults(error))
            if isinstance(error, ValidationError)
            else str(error)
        )
        raise RunError(f"{place} is damaged ({reason}).") from error


def read_codes(place: Path, expected: tuple[int, int]) -> NDArray[np.float32]:
    """The codes in an NPY, of that shape, in one of the two kinds of numbers that are kept.

    Its header is compared and not read: its word allocates nothing, and reading it is reading
    Python, which CPython 3.11 cannot do in two threads at once.

    Raises
    ------
    RunError
        When it is missing, damaged, or holds anything else.
    """
    with open_run_file(place) as file:
        for kind in (np.float32, np.float16):
            head, size = _npy_header(expected, kind), np.dtype(kind).itemsize * math.prod(expected)
            file.seek(0)
            if file.read(len(head)) != head:
                continue
            held = os.fstat(file.fileno()).st_size - len(head)
            if held != size:
                raise ValueError(f"it holds {held:,} bytes of codes, not {size:,}")
            content = file.read(size)
            codes = np.frombuffer(content, kind).astype(np.float32).reshape(expected)
            if not (np.abs(codes) < _LARGEST_CODE).all():
                raise ValueError("some codes are no finite numbers")
            return codes
        raise ValueError(f"it holds no codes of this run, which are {expected}")


def _npy_header(shape: tuple[int, int], kind: type[np.floating]) -> bytes:
    """What an NPY of that shape begins with, as `write_codes` writes it."""
    head = io.BytesIO()
    header = np.lib.format.header_data_from_array_1_0(np.empty((0, 0), kind)) | {"shape": shape}
    np.lib.format.write_array_header_1_0(head, header)
    return head.getvalue()


def _arrange_sheet(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(k·32, h, w) or (k·32, h, w, 3) images as k rows of 32 tiles: (k·h, 32·w) or …3)."""
    count, height, width, *colours = images.shape
    rows = images.reshape(count // _PREVIEW_COLUMNS, _PREVIEW_COLUMNS, height, width, *colours)
    return rows.swapaxes(1, 2).reshape(-1, _PREVIEW_COLUMNS * width, *colours)


def _cut_sheet(sheet: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The reconstructions (lower row) of a sheet that `_sheet` made."""
    side, colours = sheet.shape[0] // 2, sheet.shape[2:]
    return sheet[side:].reshape(side, _PREVIEW_COLUMNS, side, *colours).swapaxes(0, 1)


def write_sheet(inputs: NDArray[np.uint8], reconstructions: NDArray[np.uint8]) -> bytes:
    """A PNG with 32 inputs in its upper row and reconstructions in its lower one."""
    picture = io.BytesIO()
    sheet = _arrange_sheet(np.concatenate([inputs, reconstructions]))
    Image.fromarray(sheet).save(picture, "png")
    return picture.getvalue()


def read_sheet(place: Path, image: tuple[int, ...]) -> NDArray[np.uint8]:
    """The 32 reconstructions, of that shape each, in a picture that `write_sheet` made.

    Raises
    ------
    RunError
        When it is missing or another picture.
    """
    with (
        open_run_file(place) as file,
        # Of the file itself, Pillow makes room for as long a part as it promises.
        io.BytesIO(file.read(MOST_SHEET)) as content,
        Image.open(content, formats=["PNG"]) as picture,
    ):
        size = _PREVIEW_COLUMNS * image[1], 2 * image[0]
        if picture.size != size:
            raise ValueError(f"a picture of {picture.size} is no sheet of {size}")
        return _cut_sheet(np.asarray(picture.convert("L" if len(image) == 2 else "RGB")))


def write_codes(codes: NDArray[np.float32], kept: type[np.floating]) -> bytes:
    """An NPY of codes in the precision that is kept."""
    content = io.BytesIO()
    np.save(content, codes.astype(kept), allow_pickle=False)
    return content.getvalue()
