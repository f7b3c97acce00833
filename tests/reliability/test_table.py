"""The page says what the rows say, and every test that it names is there."""

from __future__ import annotations

import pytest

from tests.reliability.promises import PROMISES
from tests.reliability.table import DOCS, PAGE, Row, rendered, rows


def test_the_page_is_that_of_the_rows() -> None:
    assert PAGE.read_text(encoding="utf-8") == rendered(rows())


def test_nothing_that_is_told_was_lost() -> None:
    assert {row.lost for row in rows()} == {"nothing"}


@pytest.mark.parametrize("row", [r for r in rows() if "::" in r.test], ids=lambda row: row.test)
def test_the_named_test_is_there(row: Row) -> None:
    file, *names = row.test.split("::")
    text = (DOCS.parent / file).read_text(encoding="utf-8")
    assert f"def {names[-1]}(" in text
    assert all(f"class {name}" in text for name in names[:-1])


def test_every_promise_has_a_row() -> None:
    told = {(row.part, row.fault): row.test for row in rows()}
    assert {(p.part, p.fault): p.test for p in PROMISES}.items() <= told.items()
