"""The formats inside a run's folder: how each file is written whole, and read with distrust.

Everything here is data from outside, for a run may come from anybody: sizes are checked before
anything is allocated, nothing is unpickled, and what is wrong becomes one message.
"""

from __future__ import annotations

import io
import math
import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from tokenize import TokenError
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError

from trainers import config as configs
from trainers.errors import AEViewerError, ConfigError, RunError
from trainers.events import Losses

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = "step,loss,reconstruction,kl\n"
_PREVIEW_COLUMNS = 32
_LARGEST_CODE = 1e15
_LONGEST_ROW = 200
DRAFT = ".draft-"
_RENAMES, _RENAME_SECONDS = 20, 0.01
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


def replace(place: Path, content: bytes) -> None:
    """Writes beside `place`, then renames: the old content or the new, never a mixture."""
    draft = place.with_name(f"{DRAFT}{place.name}")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _rename(draft, place)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _rename(draft: Path, place: Path) -> None:
    """Windows replaces no file that another process has open, and readers have it for a moment."""
    for _ in range(_RENAMES - 1):
        try:
            draft.replace(place)
        except PermissionError:
            time.sleep(_RENAME_SECONDS)
        else:
            return
    draft.replace(place)


def keep(place: Path, content: bytes) -> None:
    """Writes a file that a person asked for, as `replace` does.

    Raises
    ------
    AEViewerError
        When it can not be written.
    """
    try:
        replace(place, content)
    except OSError as error:
        raise AEViewerError(
            f"{place} can not be written ({error.strerror or error}). Free some space, or choose a "
            "folder that is there and that you may write to."
        ) from error


@contextmanager
def draft_folder(folder: Path) -> Iterator[Path]:
    """An empty folder within `folder`, where something is made whole; gone afterwards."""
    draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=folder))
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def reading(place: Path) -> Iterator[io.BufferedReader]:
    """Opens a file of a run; what is wrong with it becomes one message."""
    try:
        with place.open("rb") as file:
            yield file
    except FileNotFoundError:
        raise RunError(f"{place} is missing: the run is damaged.") from None
    except _FOREIGN as error:
        reason = (
            "; ".join(t for _, t in configs.faults(error))
            if isinstance(error, ValidationError)
            else str(error)
        )
        raise RunError(f"{place} is damaged ({reason}).") from error


def read_codes(place: Path, expected: tuple[int, int]) -> NDArray[np.float32]:
    """The codes in an NPY, of that shape, in one of the two kinds of numbers that are kept.

    Its header is compared and not read: its word allocates nothing, and reading it is reading
    Python, which CPython 3.11 can not do in two threads at once.

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
            content = file.read(size + 1)
            if len(content) != size:
                raise ValueError(f"it does not hold {size:,} bytes of codes")
            codes = np.frombuffer(content, kind).astype(np.float32).reshape(expected)
            if not (np.abs(codes) < _LARGEST_CODE).all():
                raise ValueError("some codes are no finite numbers")
            return codes
        raise ValueError(f"it holds no codes of this run, which are {expected}")


def _npy_head(shape: tuple[int, int], kind: type[np.floating]) -> bytes:
    """What an NPY of that shape begins with, as `write_codes` writes it."""
    head = io.BytesIO()
    told = np.lib.format.header_data_from_array_1_0(np.empty((0, 0), kind)) | {"shape": shape}
    np.lib.format.write_array_header_1_0(head, told)
    return head.getvalue()


def _rows(text: bytes, first: int | None = 1) -> NDArray[np.float64]:
    """The (n, 4) numbers of a table up to its first damaged row; `first` is the step it is of."""
    try:
        rows = np.loadtxt(io.BytesIO(text), delimiter=",", ndmin=2) if text else np.empty((0, 4))
    except ValueError:
        rows = np.array([*_whole_rows(text)], np.float64)
    rows = rows.reshape(-1, 4) if rows.size and rows.shape[1] == 4 else np.empty((0, 4))
    start = rows[0, 0] if first is None and len(rows) else 1
    sound = np.isfinite(rows).all(1) & (rows[:, 0] == np.arange(start, start + len(rows)))
    return rows if sound.all() else rows[: int(np.argmin(sound))]


def _whole_rows(text: bytes) -> Iterator[list[float]]:
    """Rows of four numbers, up to the first that is none."""
    for line in text.splitlines():
        try:
            row = [float(cell) for cell in line.split(b",")]
        except ValueError:
            return
        if len(row) != 4:
            return
        yield row


def table(losses: Losses) -> str:
    """A row a step."""
    columns = zip(
        losses.step.tolist(),
        losses.total.tolist(),
        losses.reconstruction.tolist(),
        losses.kl.tolist(),
        strict=True,
    )
    return "".join(f"{s},{t:.6g},{r:.6g},{k:.6g}\n" for s, t, r, k in columns)


def _losses(rows: NDArray[np.float64]) -> Losses:
    total, reconstruction, kl = (rows[:, i].astype(np.float32) for i in (1, 2, 3))
    return Losses(rows[:, 0].astype(np.int64), total, reconstruction, kl)


def _sheet(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(k·32, h, w) or (k·32, h, w, 3) images as k rows of 32 tiles: (k·h, 32·w) or …3)."""
    count, height, width, *colours = images.shape
    rows = images.reshape(count // _PREVIEW_COLUMNS, _PREVIEW_COLUMNS, height, width, *colours)
    return rows.swapaxes(1, 2).reshape(-1, _PREVIEW_COLUMNS * width, *colours)


def _tiles(sheet: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The reconstructions (lower row) of a sheet that `_sheet` made."""
    side, colours = sheet.shape[0] // 2, sheet.shape[2:]
    return sheet[side:].reshape(side, _PREVIEW_COLUMNS, side, *colours).swapaxes(0, 1)


def read_metrics(place: Path) -> Losses:
    """The losses in a metrics.csv, up to the first row that is torn or damaged.

    Raises
    ------
    RunError
        When it can not be opened.
    """
    if not place.exists():
        return _losses(np.empty((0, 4)))
    with reading(place) as file:
        text = file.read()
    return _losses(_rows(text[: text.rfind(b"\n") + 1].removeprefix(HEADER.encode())))


class Tail:
    """The rows that are appended to a metrics.csv, each read once.

    Parameters
    ----------
    place
        The file, which need not be there yet.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._offset, self._file = 0, 0

    @property
    def is_replaced(self) -> bool:
        """Whether another file stands in the place of the one that was read."""
        return self._found()[1] != self._file

    def skip(self) -> None:
        """Leaves out the rows that are whole by now."""
        size, self._file = self._found()
        self._offset = 0
        if size:
            with reading(self._place) as file:
                start = file.seek(max(0, size - _LONGEST_ROW))
                self._offset = start + file.read(_LONGEST_ROW).rfind(b"\n") + 1

    def read(self) -> Losses:
        """The rows since the last time, up to the first that is torn or damaged.

        Raises
        ------
        RunError
            When the file can not be read.
        """
        if self._found()[0] <= self._offset:
            return _losses(np.empty((0, 4)))
        with reading(self._place) as file:
            file.seek(self._offset)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        return _losses(_rows(whole.removeprefix(HEADER.encode()), None))

    def _found(self) -> tuple[int, int]:
        """Size and identity of the file."""
        try:
            found = self._place.stat()
        except OSError:
            return 0, 0
        return found.st_size, found.st_ino


def write_sheet(inputs: NDArray[np.uint8], reconstructions: NDArray[np.uint8]) -> bytes:
    """A PNG with 32 inputs in its upper row and reconstructions in its lower one."""
    picture = io.BytesIO()
    sheet = _sheet(np.concatenate([inputs, reconstructions]))
    Image.fromarray(sheet).save(picture, "png")
    return picture.getvalue()


def read_sheet(place: Path, image: tuple[int, ...]) -> NDArray[np.uint8]:
    """The 32 reconstructions, of that shape each, in a picture that `write_sheet` made.

    Raises
    ------
    RunError
        When it is missing or another picture.
    """
    with reading(place) as file, Image.open(file, formats=["PNG"]) as picture:
        size = _PREVIEW_COLUMNS * image[1], 2 * image[0]
        if picture.size != size:
            raise ValueError(f"a picture of {picture.size} is no sheet of {size}")
        return _tiles(np.asarray(picture.convert("L" if len(image) == 2 else "RGB")))


def write_codes(codes: NDArray[np.float32], kept: type[np.floating]) -> bytes:
    """An NPY of codes in the precision that is kept."""
    content = io.BytesIO()
    np.save(content, codes.astype(kept), allow_pickle=False)
    return content.getvalue()
