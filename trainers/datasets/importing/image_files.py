"""Image files from anywhere, as pixels. Loads no torch.

Only formats are read whose readers are made of data alone: Pillow knows others that have programs
run for them. How many pixels there are is looked at before any of them is unpacked.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from trainers.datasets.importing.import_errors import FlawError
from trainers.errors import DataError
from trainers.storage.regular_files import NotRegularFileError, open_regular_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
MOST_PIXELS, MOST_BYTES = 50_000_000, 500_000_000
_DAMAGE_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    AssertionError,
    RuntimeError,
    struct.error,
    zlib.error,
)
"""What Pillow is known to raise of files that are damaged, or made to be."""

_MESSAGES = {
    "too large": "The image cannot be taken: {}. Make it smaller first.",
    "no image": "The file is no image that can be read: {}. Choose another one.",
    "truncated": "The image cannot be read: {}. Choose another one.",
}


@contextmanager
def open_image(file: Path | IO[bytes]) -> Iterator[Image.Image]:
    """An image file, as far as its header says what it is; use it inside the `with`.

    Raises
    ------
    FlawError
        When it is no image, is cut off, or is too large; also of what is done inside.
    """
    try:
        with Image.open(_read_content(file), formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > MOST_PIXELS:
                raise FlawError(
                    "too large",
                    f"{width:,} x {height:,} = {width * height:,} pixels; {MOST_PIXELS:,} are the "
                    "most",
                )
            yield picture
    except Image.DecompressionBombError:
        raise FlawError("too large", f"more than {MOST_PIXELS:,} pixels, the most") from None
    except UnidentifiedImageError:
        raise FlawError("no image", f"none of {', '.join(FORMATS)}") from None
    except NotRegularFileError as error:
        raise FlawError("no image", error.strerror or "") from None
    except _DAMAGE_ERRORS as error:
        raise FlawError("truncated", str(error) or type(error).__name__) from None


def _read_content(file: Path | IO[bytes]) -> IO[bytes]:
    """A file's content: of a file itself, Pillow makes room for as long a part as it promises."""
    if not isinstance(file, Path):
        return file
    with open_regular_file(file) as content:
        size = os.fstat(content.fileno()).st_size
        if size > MOST_BYTES:
            raise FlawError("too large", f"{size:,} bytes; {MOST_BYTES:,} are the most")
        return io.BytesIO(content.read(size))


@contextmanager
def open_image_bytes(content: bytes) -> Iterator[Image.Image]:
    """What a person pasted or dropped, as `opened` has it.

    Raises
    ------
    DataError
        When it is no image, is cut off, or is too large; also of what is done inside.
    """
    try:
        with open_image(io.BytesIO(content)) as picture:
            yield picture
    except FlawError as error:
        raise DataError(_MESSAGES[error.kind].format(error)) from error


def extract_pixels(picture: Image.Image) -> NDArray[np.uint8]:
    """(h, w) or (h, w, 3), a picture's pixels, upright, transparent parts white."""
    image = ImageOps.exif_transpose(picture)
    if image.mode in {"I;16", "I;16B", "I;16L", "I"}:
        deep = np.asarray(image)
        top = 65_535 if deep.max(initial=0) > 255 else 255
        scaled = deep.clip(0, top).astype(np.float32) * (255 / top)
        return np.asarray(np.rint(scaled, out=scaled), np.uint8)
    if image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info:
        clear = image.convert("RGBA")
        paper = Image.new("RGBA", clear.size, "white")
        is_grey = image.mode in {"LA", "La"}
        return np.asarray(Image.alpha_composite(paper, clear).convert("L" if is_grey else "RGB"))
    return np.asarray(image.convert("L" if image.mode in {"L", "1", "F"} else "RGB"))
