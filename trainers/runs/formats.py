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

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PREVIEW_COLUMNS, _MOST_SHEET = 32, 10_000_000
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
"""The exceptions that readers of foreign bytes raise."""


@contextmanager
def reading(place: Path) -> Iterator[io.BufferedReader]:
    """Opens a file of a run; a problem becomes one message."""
    try:
        with place.open("rb") as file:
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
    """Reads the codes of an NPY file that has this shape and one of the two kept number types.

    Its header is compared and not read: its word allocates nothing, and reading it is reading
    Python, which CPython 3.11 cannot do in two threads at once.

    Raises
    ------
    RunError
        When it is missing, damaged, or holds anything else.
    """
    with reading(place) as file:
        for kind in (np.float32, np.float16):
            head, size = _npy_head(expected, kind), np.dtype(kind).itemsize * math.prod(expected)
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


def _npy_head(shape: tuple[int, int], kind: type[np.floating]) -> bytes:
    """Returns the header of an NPY file of that shape, as `write_codes` writes it."""
    head = io.BytesIO()
    header = np.lib.format.header_data_from_array_1_0(np.empty((0, 0), kind)) | {"shape": shape}
    np.lib.format.write_array_header_1_0(head, header)
    return head.getvalue()


def _sheet(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Arranges (k·32, h, w) or (k·32, h, w, 3) images as k rows of 32 tiles: (k·h, 32·w) or …3)."""
    count, height, width, *colours = images.shape
    rows = images.reshape(count // _PREVIEW_COLUMNS, _PREVIEW_COLUMNS, height, width, *colours)
    return rows.swapaxes(1, 2).reshape(-1, _PREVIEW_COLUMNS * width, *colours)


def _tiles(sheet: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns the reconstructions, the lower row of a sheet that `_sheet` made."""
    side, colours = sheet.shape[0] // 2, sheet.shape[2:]
    return sheet[side:].reshape(side, _PREVIEW_COLUMNS, side, *colours).swapaxes(0, 1)


def write_sheet(inputs: NDArray[np.uint8], reconstructions: NDArray[np.uint8]) -> bytes:
    """Returns a PNG with 32 inputs in its upper row and reconstructions in its lower row."""
    picture = io.BytesIO()
    sheet = _sheet(np.concatenate([inputs, reconstructions]))
    Image.fromarray(sheet).save(picture, "png")
    return picture.getvalue()


def read_sheet(place: Path, image: tuple[int, ...]) -> NDArray[np.uint8]:
    """Reads the 32 reconstructions of that shape in a picture that `write_sheet` made.

    Raises
    ------
    RunError
        When it is missing or another picture.
    """
    with (
        reading(place) as file,
        # Pillow allocates as much as a part of the file promises.
        io.BytesIO(file.read(_MOST_SHEET)) as content,
        Image.open(content, formats=["PNG"]) as picture,
    ):
        size = _PREVIEW_COLUMNS * image[1], 2 * image[0]
        if picture.size != size:
            raise ValueError(f"a picture of {picture.size} is no sheet of {size}")
        return _tiles(np.asarray(picture.convert("L" if len(image) == 2 else "RGB")))


def write_codes(codes: NDArray[np.float32], kept: type[np.floating]) -> bytes:
    """Returns an NPY file of codes in the kept precision."""
    content = io.BytesIO()
    np.save(content, codes.astype(kept), allow_pickle=False)
    return content.getvalue()
