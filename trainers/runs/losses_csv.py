"""The losses of every step as rows of text: metrics.csv.

A row that is torn or damaged costs itself and no other: what can be read is read, and
`missing_steps` says what could not. The file may come from anybody: it is read in blocks, no
further than the run's steps need, and no part of it takes more memory than a block and the rows
that are kept.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json

from trainers.events import Losses
from trainers.runs.formats import open_run_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader
    from pathlib import Path

HEADER = "step,loss,reconstruction,kl\n"
MOST_STEPS = 10_000_000
"""The most steps of a run."""
_LONGEST_ROW, _NO_ROW = 400, bytes(401)
_ROW_BYTES, _ALLOWANCE = 64, 1 << 20
"""The bytes of a row that the program writes are fewer; beside them damage may take so many."""
_BLOCK = 1 << 18
_MOST_SPANS = 20
_LARGEST = float(np.finfo(np.float32).max)
_NUMBER = rb"-?(?:0|[1-9]\d{0,40}+)(?:\.\d{1,40}+)?+(?:[eE][+-]?\d{1,4}+)?+"
_ROW = re.compile(rb"^%(n)b,%(n)b,%(n)b,%(n)b\r?\n" % {b"n": _NUMBER}, re.MULTILINE)
_BETWEEN = np.frombuffer(b",,,\n", np.uint8)
_UNREADABLE = (ValueError, TypeError, OverflowError, RecursionError)


def format_rows(losses: Losses) -> str:
    """A row a step."""
    columns = zip(
        losses.step.tolist(),
        losses.total.tolist(),
        losses.reconstruction.tolist(),
        losses.kl.tolist(),
        strict=True,
    )
    return "".join(f"{s},{t:.6g},{r:.6g},{k:.6g}\n" for s, t, r, k in columns)


def read(place: Path, steps: int = MOST_STEPS) -> Losses:
    """Reads the losses of a metrics.csv; there are none where there is no such file.

    Parameters
    ----------
    place
        The file.
    steps
        The steps of the run: rows of later steps are left out, and the file is read no further
        than so many rows need.

    Raises
    ------
    RunError
        When it cannot be opened.
    """
    if not place.exists():
        return _Sieve(steps).losses()
    with open_run_file(place) as file:
        return _read_rows(file, steps)[0]


def cut_after(losses: Losses, step: int) -> Losses:
    """Those up to a step, and with it."""
    count = int(np.searchsorted(losses.step, step, side="right"))
    return Losses(
        losses.step[:count], losses.total[:count], losses.reconstruction[:count], losses.kl[:count]
    )


def missing_steps(losses: Losses, step: int) -> str:
    """Names the steps up to `step` without losses: "41-100, 205"; empty where all have losses.

    The first spans are named, and the number of the others.
    """
    ends = np.concatenate([[0], losses.step[losses.step <= step], [step + 1]])
    gaps = np.flatnonzero(np.diff(ends) > 1)
    spans = ((int(ends[i]) + 1, int(ends[i + 1]) - 1) for i in gaps[:_MOST_SPANS])
    more = [f"and {len(gaps) - _MOST_SPANS:,} more spans"] if len(gaps) > _MOST_SPANS else []
    return ", ".join([*(f"{a:,}-{b:,}" if a < b else f"{a:,}" for a, b in spans), *more])


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
            with open_run_file(self._place) as file:
                start = file.seek(max(0, size - _LONGEST_ROW))
                self._offset = start + file.read(_LONGEST_ROW).rfind(b"\n") + 1

    def read(self) -> Losses:
        """The rows since the last time; those that are torn or damaged are left out.

        Raises
        ------
        RunError
            When the file cannot be read.
        """
        if self._found()[0] <= self._offset:
            return _Sieve(MOST_STEPS).losses()
        with open_run_file(self._place) as file:
            file.seek(self._offset)
            losses, count = _read_rows(file, MOST_STEPS)
        self._offset += count
        return losses

    def _found(self) -> tuple[int, int]:
        """Size and identity of the file."""
        try:
            found = self._place.stat()
        except OSError:
            return 0, 0
        return found.st_size, found.st_ino


def _read_rows(file: BufferedReader, steps: int) -> tuple[Losses, int]:
    """Returns the sound rows from the file's position on, and the bytes of the lines read."""
    sieve, done = _Sieve(steps), 0
    for block, count in _read_lines(file, len(HEADER) + _ROW_BYTES * steps + _ALLOWANCE):
        sieve.add(_parse_numbers(block.removeprefix(HEADER.encode())))
        done = count
    return sieve.losses(), done


def _read_lines(file: BufferedReader, most: int) -> Iterator[tuple[bytes, int]]:
    """Yields whole lines in blocks, and the bytes up to their end; what follows them is torn.

    A line that is longer than any row is shortened to one that is none.
    """
    rest, done = b"", 0
    while done < most and (chunk := file.read(min(_BLOCK, most - done))):
        done += len(chunk)
        text = rest + chunk
        cut = text.rfind(b"\n") + 1
        rest = text[cut:] if len(text) - cut <= _LONGEST_ROW else _NO_ROW
        if cut:
            yield text[:cut], done - (len(text) - cut)


def _parse_numbers(text: bytes) -> NDArray[np.float64]:
    """Returns the (n, 4) numbers of every line that has four."""
    try:
        return _parse_rows(text)
    except _UNREADABLE:
        return _parse_rows(b"".join(_ROW.findall(text)))


def _parse_rows(text: bytes) -> NDArray[np.float64]:
    """Returns the (n, 4) numbers of lines that have four each, all at once.

    Raises
    ------
    ValueError, TypeError, OverflowError, RecursionError
        When a line is anything else.
    """
    content = np.frombuffer(text, np.uint8)
    between = content[(content == ord(",")) | (content == ord("\n"))].reshape(-1, 4)
    if (between != _BETWEEN).any():
        raise ValueError("some line has not four cells")
    cells = from_json(b"[%b]" % text[:-1].replace(b"\n", b","), cache_strings="none")
    return np.array(cells, np.float64).reshape(len(between), 4)


class _Sieve:
    """Keeps the rows of finite numbers whose step belongs where it stands.

    A step does if it follows the one before or comes before the one after, and if no step was
    greater already; of a lone row nothing else is known.

    Parameters
    ----------
    steps
        The greatest step.
    """

    def __init__(self, steps: int) -> None:
        self._steps, self._highest, self._count = steps, 0.0, 0
        self._tail = np.empty((0, 4))
        self._kept: list[Losses] = []

    def add(self, rows: NDArray[np.float64]) -> None:
        """Adds (n, 4) rows; the last one waits for the one after it."""
        # NaN is not below any bound.
        rows = rows[(np.abs(rows) <= _LARGEST).all(1)]
        rows = rows[(rows[:, 0] >= 1) & (rows[:, 0] <= self._steps)]
        if len(rows):
            self._judge(rows)

    def losses(self) -> Losses:
        """Returns the rows that are kept."""
        if self._count:
            self._judge(np.empty((0, 4)))
        kept, self._kept, self._count = [_to_losses(np.empty((0, 4))), *self._kept], [], 0
        columns = zip(*((k.step, k.total, k.reconstruction, k.kl) for k in kept), strict=True)
        return Losses(*(np.concatenate(column) for column in columns))

    def _judge(self, new: NDArray[np.float64]) -> None:
        """Keeps the sound ones of the rows that wait, and of the new ones but the last.

        `_tail` is the last row that was judged, if there is one, and the row that waits.
        """
        rows = np.concatenate([self._tail, new])
        first = len(self._tail) - 1 if self._count else 0
        self._count += len(new)
        follows = np.diff(rows[:, 0]) == 1
        belongs = np.append(follows, False) | np.insert(follows, 0, False)
        if self._count == 1:
            belongs[:] = True
        end = len(rows) - 1 if len(new) else len(rows)
        self._keep(rows[first:end][belongs[first:end]])
        self._tail = rows[max(0, len(rows) - 2) :]

    def _keep(self, rows: NDArray[np.float64]) -> None:
        highest = np.maximum.accumulate(np.append(self._highest, rows[:, 0]))
        self._highest = highest[-1]
        self._kept.append(_to_losses(rows[np.diff(highest) > 0]))


def _to_losses(rows: NDArray[np.float64]) -> Losses:
    total, reconstruction, kl = (rows[:, i].astype(np.float32) for i in (1, 2, 3))
    return Losses(rows[:, 0].astype(np.int64), total, reconstruction, kl)
