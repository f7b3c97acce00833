"""The page is generated from the rows, and every test that it names exists."""

from __future__ import annotations

import pytest

from tests.reliability.promises import PROMISES
from tests.reliability.table import DOCS, PAGE, Row, read_rows, render_page


def test_the_page_is_generated_from_the_rows() -> None:
    assert PAGE.read_text(encoding="utf-8") == render_page(read_rows())


def test_nothing_was_lost() -> None:
    assert {row.lost for row in read_rows()} == {"nothing"}


@pytest.mark.parametrize("row", [r for r in read_rows() if "::" in r.test], ids=lambda r: r.test)
def test_the_named_test_exists(row: Row) -> None:
    file, *names = row.test.split("::")
    text = (DOCS.parent / file).read_text(encoding="utf-8")
    assert f"def {names[-1]}(" in text
    assert all(f"class {name}" in text for name in names[:-1])


def test_every_promise_has_a_row() -> None:
    rows = {(row.part, row.fault): (row.promise, row.test) for row in read_rows()}
    assert {(p.part, p.fault): (p.promise, p.test) for p in PROMISES}.items() <= rows.items()
