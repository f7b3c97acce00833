"""The table of faults: rows kept as JSON, written out as a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

Part = Literal["Exact resume", "Faults", "Hostile files", "Soak", "Undo and questions"]
PARTS: tuple[str, ...] = get_args(Part)

DOCS = Path(__file__).parents[2] / "docs"
KEPT, PAGE = DOCS / "reliability.json", DOCS / "reliability.md"

_HEAD = """# Reliability

What may go wrong, what the program promises then, the test that holds it to that, how many were
tried, and what was lost. The page is written by `uv run python -m tests.reliability`, and by the
scripts that it names; `tests/reliability/__init__.py` tells how. Tests that take minutes are run by
`uv run pytest -m slow`, all others by every check.

Advisories about the packages that the program stands on are asked for by `.ci/audit`, every week
and whenever `pyproject.toml` changes; it fails where one is known, and where the index gives none.
"""


class Row(BaseModel):
    """A fault and what came of it.

    Attributes
    ----------
    part
        The heading that it stands under.
    fault
        What goes wrong; with `part` it names the row.
    promise
        What the program does then.
    test
        A test of pytest ("tests/file.py::test_name"), or the command of a script.
    tried
        How many, and of what: "100 deaths".
    lost
        "nothing", or what.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    part: Part
    fault: str
    promise: str
    test: str
    tried: str
    lost: str = "nothing"


def rows() -> list[Row]:
    """The rows that are kept, in the order of the page."""
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else []
    return [Row.model_validate(row) for row in kept]


def record(*new: Row) -> None:
    """Adds rows, or replaces those of the same part and fault, and writes the page anew."""
    table = {(row.part, row.fault): row for row in rows()}
    table.update({(row.part, row.fault): row for row in new})
    keep([*table.values()])


def keep(table: list[Row]) -> None:
    """Replaces all rows, and writes the page anew."""
    table = sorted(table, key=lambda row: PARTS.index(row.part))
    content = json.dumps([row.model_dump() for row in table], indent=1, ensure_ascii=False)
    KEPT.write_text(content + "\n", encoding="utf-8")
    PAGE.write_text(rendered(table), encoding="utf-8")


def rendered(table: list[Row]) -> str:
    """The page."""
    page = _HEAD
    for part in PARTS:
        found = [row for row in table if row.part == part]
        if found:
            page += f"\n## {part}\n\n| Fault | What the program promises | Test | Tried | Lost |\n"
            page += "| --- | --- | --- | ---: | --- |\n"
            page += "".join(_line(row) for row in found)
    return page


def _line(row: Row) -> str:
    cells = row.fault, row.promise, f"`{row.test}`", row.tried, row.lost
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"
