"""A table of the report: values with their units, as CSV in full and as text to be read."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainers.reproduction.result_index import Spread

if TYPE_CHECKING:
    from collections.abc import Iterator

Cell = str | int | float | Spread | None
Row = tuple[Cell, ...]

_DIGITS = 8


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes
    ----------
    key
        Its name in the CSV, unit included.
    head, unit
        What stands above it.
    form
        How its numbers are written; empty for text.
    scale
        What a number is multiplied with to be read (the CSV has it unscaled).
    group
        A heading over it and its neighbours of the same group.
    has_spread
        Whether some rows are of several seeds: the CSV then has their half range beside it.
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
    """A table of the report, and the CSV beside it."""

    name: str
    title: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    @property
    def groups(self) -> tuple[tuple[str, int], ...]:
        """Headings over columns and how many each spans; empty where no column has any."""
        found: list[tuple[str, int]] = []
        for column in self.columns:
            if found and column.group and found[-1][0] == column.group:
                found[-1] = (column.group, found[-1][1] + 1)
            else:
                found.append((column.group, 1))
        return tuple(found) if any(name for name, _ in found) else ()

    def csv(self) -> str:
        """Every number in full."""
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
        "" if value is None else f"{value:.{_DIGITS}g}" if isinstance(value, float) else str(value)
    )
    if column.has_spread:
        several = isinstance(cell, Spread) and cell.count > 1
        yield f"{cell.half_range:.{_DIGITS}g}" if several and isinstance(cell, Spread) else ""


def format_cell(column: Column, cell: Cell) -> tuple[str, str]:
    """A cell as it is read: the value, and "± half range" where it is of several seeds."""
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
