"""The tables of the report: values and units, written as CSV in full or as rounded text."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainers.plain_text import table_cell
from trainers.reproduction.result_index import Spread

if TYPE_CHECKING:
    from collections.abc import Iterator

Cell = str | int | float | Spread | None
Row = tuple[Cell, ...]

_DIGITS = 8


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    key
        The name in the CSV, with the unit.
    head, unit
        The heading and the unit on the page.
    form
        The format of numbers; empty for text.
    scale
        The factor of numbers on the page (100 for percent); the CSV has them unscaled.
    group
        A common heading over neighbouring columns of the same group.
    has_spread
        Whether rows may have several seeds. The CSV then has a column with their half range.
    """

    key: str
    head: str
    unit: str = ""
    form: str = ""
    scale: int = 1
    group: str = ""
    has_spread: bool = False


@dataclass(frozen=True)
class Table:
    """A table of the report."""

    name: str
    title: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    @property
    def groups(self) -> tuple[tuple[str, int], ...]:
        """Group headings and the number of columns that each spans; empty without groups."""
        spans: list[tuple[str, int]] = []
        for column in self.columns:
            if spans and column.group and spans[-1][0] == column.group:
                spans[-1] = (column.group, spans[-1][1] + 1)
            else:
                spans.append((column.group, 1))
        return tuple(spans) if any(name for name, _ in spans) else ()

    def csv(self) -> str:
        """Returns the table as CSV with unrounded numbers."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([key for column in self.columns for key in _keys(column)])
        for row in self.rows:
            cells = zip(self.columns, row, strict=True)
            writer.writerow([value for column, cell in cells for value in _values(column, cell)])
        return text.getvalue()


def _keys(column: Column) -> tuple[str, ...]:
    return (column.key, f"{column.key}_half_range") if column.has_spread else (column.key,)


def _values(column: Column, cell: Cell) -> Iterator[str]:
    value = cell.mean if isinstance(cell, Spread) else cell
    yield (
        ""
        if value is None
        else f"{value:.{_DIGITS}g}"
        if isinstance(value, float)
        else table_cell(str(value))
    )
    if column.has_spread:
        several = isinstance(cell, Spread) and cell.count > 1
        yield f"{cell.half_range:.{_DIGITS}g}" if several and isinstance(cell, Spread) else ""


def format_cell(column: Column, cell: Cell) -> tuple[str, str]:
    """Returns the text of a cell: the value, and "± half range" for several seeds."""
    if cell is None:
        return ("–" if column.form else ""), ""
    if isinstance(cell, str):
        return cell, ""
    if isinstance(cell, Spread):
        extra = f"± {cell.half_range * column.scale:{column.form}}" if cell.count > 1 else ""
        return _format_number(column, cell.mean), extra if column.has_spread else ""
    return _format_number(column, cell), ""


def _format_number(column: Column, value: float) -> str:
    return f"{value * column.scale:{column.form}}".replace("-", "−")
