"""The losses of every step as rows of text: metrics.csv.

A row that is torn or damaged costs itself and no other: what can be read is read, and
`missing` says what could not.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trainers.events import Losses
from trainers.runs.formats import open_run_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEADER = "step,loss,reconstruction,kl\n"
_LONGEST_ROW = 200


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


def read(place: Path) -> Losses:
    """The losses in a metrics.csv; none where there is no such file.

    Raises
    ------
    RunError
        When it cannot be opened.
    """
    if not place.exists():
        return _parse_losses(b"")
    with open_run_file(place) as file:
        return _parse_losses(file.read())


def cut_after(losses: Losses, step: int) -> Losses:
    """Those up to a step, and with it."""
    count = int(np.searchsorted(losses.step, step, side="right"))
    return Losses(
        losses.step[:count], losses.total[:count], losses.reconstruction[:count], losses.kl[:count]
    )


def missing_steps(losses: Losses, step: int) -> str:
    """Which of the steps up to `step` have no losses: "41-100, 205"; empty where all have."""
    ends = np.concatenate([[0], losses.step[losses.step <= step], [step + 1]])
    gaps = np.flatnonzero(np.diff(ends) > 1)
    spans = ((int(ends[i]) + 1, int(ends[i + 1]) - 1) for i in gaps)
    return ", ".join(f"{a:,}-{b:,}" if a < b else f"{a:,}" for a, b in spans)


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
            return _parse_losses(b"")
        with open_run_file(self._place) as file:
            file.seek(self._offset)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        return _parse_losses(whole)

    def _found(self) -> tuple[int, int]:
        """Size and identity of the file."""
        try:
            found = self._place.stat()
        except OSError:
            return 0, 0
        return found.st_size, found.st_ino


def _parse_losses(text: bytes) -> Losses:
    """Every sound row of a text; what follows its last line's end is torn."""
    rows = _sound(_parse_numbers(text[: text.rfind(b"\n") + 1].removeprefix(HEADER.encode())))
    total, reconstruction, kl = (rows[:, i].astype(np.float32) for i in (1, 2, 3))
    return Losses(rows[:, 0].astype(np.int64), total, reconstruction, kl)


def _parse_numbers(text: bytes) -> NDArray[np.float64]:
    """The (n, 4) numbers of every line that has four."""
    if not text:
        return np.empty((0, 4))
    try:
        rows = np.loadtxt(io.BytesIO(text), delimiter=",", ndmin=2)
        if rows.shape[1] == 4:
            return rows
    except ValueError:
        pass
    return np.array([*_parse_rows(text)], np.float64).reshape(-1, 4)


def _parse_rows(text: bytes) -> Iterator[list[float]]:
    for line in text.splitlines():
        try:
            row = [float(cell) for cell in line.split(b",")]
        except ValueError:
            continue
        if len(row) == 4:
            yield row


def _sound(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Those of finite numbers whose step belongs where it stands.

    It does if it follows the one before or comes before the one after, and if no step was greater
    already; of a lone row nothing else is known.
    """
    rows = rows[np.isfinite(rows).all(1) & (rows[:, 0] >= 1)]
    if len(rows) < 2:
        return rows
    follows = np.diff(rows[:, 0]) == 1
    rows = rows[np.append(follows, False) | np.insert(follows, 0, False)]
    highest = np.maximum.accumulate(rows[:, 0])
    return rows[np.diff(highest, prepend=0) > 0]
