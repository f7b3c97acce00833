"""Figures of digits: inputs in the first row, reconstructions below. Imports no torch."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from trainers.figures.style import DPI, INK, SOFT, create_figure, render_figure
from trainers.reproduction.result_files import landmark_steps
from trainers.runs import formats

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from trainers.figures.style import RenderedFigure
    from trainers.reproduction.result_index import CollectedResults, FinishedRun

COLUMNS = 16
"""The number of digits in a row."""

_SHEET_COLUMNS, _MAX_BYTES = 32, 10_000_000
_SIDE = 28
_ZOOM = 4
_TILE = _SIDE * _ZOOM / DPI
_GAP = 0.03
_LABELS = 1.55
_TITLE = 0.28
_MARGIN = 0.10
_STAMP = 0.22


@dataclass(frozen=True)
class FigureBlock:
    """The rows of one method in a figure of digits; without a run, one row says so."""

    title: str
    run: FinishedRun | None


@dataclass(frozen=True)
class DigitRow:
    """A row of digits with two lines of text at its left.

    Attributes
    ----------
    title
        The heading above the row; empty for none.
    label, note
        The two lines of text.
    images
        (COLUMNS, 28, 28) digits, or None without pictures.
    """

    title: str
    label: str
    note: str
    images: NDArray[np.uint8] | None

    @property
    def height(self) -> float:
        """The height in inches, with heading and gap."""
        body = _TILE if self.images is not None else 0.5 * _TILE
        return body + _GAP + (_TITLE if self.title else 0)


def read_sheet(place: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Reads the (32, 28, 28) inputs and reconstructions from a sheet of the preview digits.

    Raises
    ------
    RunError
        When the file is missing or is not such a sheet.
    """
    size = (_SHEET_COLUMNS * _SIDE, 2 * _SIDE)
    with (
        formats.open_run_file(place) as file,
        io.BytesIO(file.read(_MAX_BYTES)) as content,
        Image.open(content, formats=["PNG"]) as picture,
    ):
        if picture.size != size:
            raise ValueError(f"a picture of {picture.size} is not a sheet of {size}")
        sheet = np.asarray(picture.convert("L"))
    tiles = sheet.reshape(2, _SIDE, _SHEET_COLUMNS, _SIDE).swapaxes(1, 2)
    return tiles[0], tiles[1]


def saved_pictures(collected: CollectedResults, run: FinishedRun) -> dict[int, Path]:
    """Returns the sheets of a run by step: those of its landmark steps that were saved."""
    folder = collected.folder / run.entry.name
    found = {
        int(match[1]): path
        for path in sorted(folder.glob("step-*.png"))
        if (match := re.fullmatch(r"step-(\d{8})\.png", path.name))
    }
    return {step: found[step] for step in landmark_steps(run.entry.steps) if step in found}


def draw_digits(
    collected: CollectedResults,
    blocks: tuple[FigureBlock, ...],
    name: str,
    title: str,
    caption: str,
) -> RenderedFigure | None:
    """Draws a figure of digits; returns None when no run has a sheet.

    Call it within `figure_style()`.
    """
    rows = [row for block in blocks for row in _rows(collected, block)]
    inputs = _inputs(collected, blocks)
    if inputs is None:
        return None
    rows.insert(0, DigitRow("", "Test digits", "input", inputs))
    top = _MARGIN + (_STAMP if collected.quick else 0)
    width = _LABELS + COLUMNS * _TILE + _MARGIN
    figure = create_figure(width, top + sum(row.height for row in rows) + _MARGIN)
    for row in rows:
        _draw_row(figure, row, top)
        top += row.height
    caption += " Beside each row: the training step, and the squared error per image over all test "
    return render_figure(figure, name, title, f"{caption}images.", notice=collected.notice)


def _inputs(
    collected: CollectedResults, blocks: tuple[FigureBlock, ...]
) -> NDArray[np.uint8] | None:
    for block in blocks:
        for path in (saved_pictures(collected, block.run) if block.run else {}).values():
            return read_sheet(path)[0][:COLUMNS]
    return None


def _rows(collected: CollectedResults, block: FigureBlock) -> Iterator[DigitRow]:
    sheets = saved_pictures(collected, block.run) if block.run else {}
    if block.run is None or not sheets:
        note = "not trained yet" if block.run is None else "no picture was kept"
        yield DigitRow(block.title, note, "", None)
        return
    errors = {e.step: e.squared_error for e in block.run.result.history}
    errors[block.run.result.measurement.step] = block.run.squared_error
    is_closed_form = block.run.entry.config.model.family == "pca"
    for number, (step, path) in enumerate(sheets.items()):
        label = "closed form" if is_closed_form else f"{step:,} steps"
        note = f"{errors[step]:.2f} per image" if step in errors else ""
        yield DigitRow("" if number else block.title, label, note, read_sheet(path)[1][:COLUMNS])


def _draw_row(figure: Figure, row: DigitRow, top: float) -> None:
    """Draws a row whose upper edge is `top` inches below that of the figure."""
    width, height = figure.get_size_inches()
    if row.title:
        y = 1 - (top + 0.62 * _TITLE) / height
        figure.text(_MARGIN / width, y, row.title, fontweight="bold", va="center", color=INK)
        top += _TITLE
    body = row.height - _GAP - (_TITLE if row.title else 0)
    middle = 1 - (top + body / 2) / height
    x = (_LABELS - 0.12) / width
    line = 0.075 / height if row.note else 0.0
    figure.text(x, middle + line, row.label, ha="right", va="center", color=INK, fontsize=8.5)
    if row.note:
        figure.text(x, middle - line, row.note, ha="right", va="center", color=SOFT, fontsize=7.5)
    if row.images is None:
        return
    strip = row.images.swapaxes(0, 1).reshape(_SIDE, COLUMNS * _SIDE)
    left, bottom = _LABELS / width, 1 - (top + _TILE) / height
    axes = figure.add_axes((left, bottom, COLUMNS * _TILE / width, _TILE / height))
    axes.imshow(strip, cmap="gray", vmin=0, vmax=255, interpolation="none", aspect="auto")
    axes.set_axis_off()
