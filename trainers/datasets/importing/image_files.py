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
from trainers.datasets.importing.value_range import ValueSurvey, choose_range
from trainers.errors import DataError
from trainers.storage.regular_files import NotRegularFileError, open_regular_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
_SHALLOW_SUFFIXES = frozenset(".jpg .jpeg .jpe .jfif .gif .bmp .dib .webp".split())
_SUFFIXES = _SHALLOW_SUFFIXES | frozenset(".png .tif .tiff .ppm .pgm .pbm .pnm".split())
_OTHER_SUFFIXES = frozenset(".txt .md .csv .tsv .xml .json .npy .npz .py .mat .html .pdf".split())
"""Types that are not looked into: a text may begin like an image."""
_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_DEEP_MODES = frozenset(["I;16", "I;16B", "I;16L", "I;16N", "I", "F"])
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
    "not a number": "The image cannot be taken: {}. Choose another one.",
}


@contextmanager
def open_image(file: Path | IO[bytes]) -> Iterator[Image.Image]:
    """An image file, as far as its header says what it is; use it inside the `with`.

    Raises
    ------
    FlawError
        When it is no image, is cut off, or is too large; also of what is done inside.
    """
    with _name_damage(), Image.open(_read_content(file), formats=FORMATS) as picture:
        _check_size(picture)
        yield picture


class PageReader:
    """Reads the pages of an image file one by one; the file is held open.

    Parameters
    ----------
    path
        An image file, such as a TIFF of many pages.

    Raises
    ------
    FlawError
        When it is no image, is cut off, or is too large.
    """

    def __init__(self, path: Path) -> None:
        with _name_damage():
            self._picture = Image.open(_read_content(path), formats=FORMATS)
            self.count = int(getattr(self._picture, "n_frames", 1))

    def read(self, index: int) -> NDArray[np.generic]:
        """(h, w) or (h, w, 3), the values of a page.

        Raises
        ------
        FlawError
            When it cannot be read, or is too large.
        """
        with _name_damage():
            self._picture.seek(index)
            _check_size(self._picture)
            return extract_values(self._picture)

    def close(self) -> None:
        """Closes the file."""
        self._picture.close()


@contextmanager
def _name_damage() -> Iterator[None]:
    """Turns what Pillow raises of a damaged file into a flaw."""
    try:
        yield
    except Image.DecompressionBombError:
        raise FlawError("too large", f"more than {MOST_PIXELS:,} pixels, the most") from None
    except UnidentifiedImageError:
        raise FlawError("no image", f"none of {', '.join(FORMATS)}") from None
    except NotRegularFileError as error:
        raise FlawError("no image", error.strerror or "") from None
    except _DAMAGE_ERRORS as error:
        raise FlawError("truncated", str(error) or type(error).__name__) from None


def _check_size(picture: Image.Image) -> None:
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise FlawError(
            "too large",
            f"{width:,} x {height:,} = {width * height:,} pixels; {MOST_PIXELS:,} are the most",
        )


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
    """(h, w) or (h, w, 3), a single picture's pixels, upright, transparent parts white.

    The range of deep numbers is that of this picture. The images of a source have one range for
    all: `Source.image`.

    Raises
    ------
    FlawError
        When numbers are not finite.
    """
    return scale_alone(extract_values(picture))


def scale_alone(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Returns a single picture's values as bytes, with the range of this picture.

    Raises
    ------
    FlawError
        When numbers are not finite.
    """
    survey = ValueSurvey(values.dtype)
    if values.dtype != np.uint8:
        survey.add(values)
    return choose_range(survey.statistics()).to_bytes(values)


def extract_values(picture: Image.Image) -> NDArray[np.generic]:
    """(h, w) or (h, w, 3), a picture's values, upright, transparent parts white.

    Bytes, or 16-bit, 32-bit or floating-point numbers where the picture has them.
    """
    image = ImageOps.exif_transpose(picture)
    if image.mode in _DEEP_MODES:
        deep = np.asarray(image)
        return deep.astype(deep.dtype.newbyteorder("="), copy=False)
    if image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info:
        clear = image.convert("RGBA")
        paper = Image.new("RGBA", clear.size, "white")
        is_grey = image.mode in {"LA", "La"}
        return np.asarray(Image.alpha_composite(paper, clear).convert("L" if is_grey else "RGB"))
    return np.asarray(image.convert("L" if image.mode in {"L", "1"} else "RGB"))


def is_image_file(path: Path) -> bool:
    """Whether a file is an image by its name or, if that says nothing, by its first bytes."""
    if has_image_suffix(path):
        return True
    if path.suffix.lower() in _OTHER_SUFFIXES:
        return False
    try:
        with open_regular_file(path) as file:
            head = file.read(12)
    except OSError:
        return False
    return head.startswith(_SIGNATURES) or (head[:4] == b"RIFF" and head[8:] == b"WEBP")


def has_image_suffix(path: Path) -> bool:
    """Whether the name of a file is that of an image."""
    return path.suffix.lower() in _SUFFIXES


def may_be_deep(name: str) -> bool:
    """Whether a file of this name may have more than eight bits for a value."""
    return Path(name).suffix.lower() not in _SHALLOW_SUFFIXES


def count_pages(path: Path) -> int:
    """Returns the number of pages of an image file; 0 where it is none."""
    try:
        pages = PageReader(path)
    except FlawError:
        return 0
    pages.close()
    return pages.count


def is_deep(path: Path) -> bool:
    """Whether an image file has more than eight bits for a value; False where it is damaged."""
    try:
        with open_image(path) as picture:
            return picture.mode in _DEEP_MODES
    except FlawError:
        return False
