"""Runs the tests of the promises, and writes their results into the table."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import click
import pytest

from tests.reliability.promises import PROMISES, Promise
from tests.reliability.table import Row, read_rows, write_rows


class Outcome(NamedTuple):
    """The result of a promise's test."""

    tried: int = 0
    failed: int = 0

    def row(self, promise: Promise) -> Row:
        """Returns the row of the table."""
        part, fault, text, test, unit = promise
        lost = "nothing" if not self.failed else f"**the promise: {self.failed} failed**"
        unit = unit.removesuffix("s") if self.tried == 1 else unit
        return Row(
            part=part,
            fault=fault,
            promise=text,
            test=test,
            tried=f"{self.tried:,} {unit}",
            lost=lost,
        )


def run_tests(promises: list[Promise]) -> dict[Promise, Outcome]:
    """Runs the tests of some promises; returns their results."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        tests = sorted({promise.test for promise in promises})
        pytest.main([*tests, "-m", "slow or not slow", f"--junitxml={report}", "--timeout=3600"])
        cases = ElementTree.parse(report).iter("testcase")
        outcomes: dict[str, Outcome] = {}
        for case in cases:
            name = _case_name(case)
            before = outcomes.get(name, Outcome())
            outcomes[name] = Outcome(before.tried + _tried(case), before.failed + _failed(case))
    return {promise: outcomes.get(_junit_name(promise.test), Outcome(0, 1)) for promise in promises}


def _case_name(case: ElementTree.Element) -> str:
    return f"{case.get('classname')}.{case.get('name', '').split('[')[0]}"


def _junit_name(test: str) -> str:
    file, _, rest = test.partition("::")
    return ".".join([file.removesuffix(".py").replace("/", "."), *rest.split("::")])


def _tried(case: ElementTree.Element) -> int:
    """Returns the number that the test has recorded as "tried"; 1 without one."""
    values = [p.get("value") for p in case.iter("property") if p.get("name") == "tried"]
    return sum(int(value or 0) for value in values) if values else 1


def _failed(case: ElementTree.Element) -> int:
    """Returns 1 for a failed test, and for a skipped one, which proves nothing."""
    return int(any(case.find(kind) is not None for kind in ("failure", "error", "skipped")))


def _write_outcomes(new: set[Row]) -> None:
    """Writes the rows of promises in their order, then those of scripts; drops old promises."""
    rows = {(row.part, row.fault): row for row in (*read_rows(), *new)}
    promised = [rows[key] for p in PROMISES if (key := (p.part, p.fault)) in rows]
    write_rows([*promised, *(row for row in read_rows() if "::" not in row.test)])


@click.command()
@click.option("-k", "word", default="", help="Only promises whose test's name contains this.")
@click.option("--new", is_flag=True, help="Only promises that have no row yet.")
@click.option("--render", is_flag=True, help="Only generate the page from the existing rows.")
def main(word: str, new: bool, render: bool) -> None:
    """Test every promise; write docs/reliability.json and docs/reliability.md."""
    if render:
        write_rows(read_rows())
        return
    known = {row.test for row in read_rows()} if new else set()
    chosen = [p for p in PROMISES if word in p.test and p.test not in known]
    outcomes = run_tests(chosen)
    _write_outcomes({outcome.row(promise) for promise, outcome in outcomes.items()})
    sys.exit(any(outcome.failed for outcome in outcomes.values()))


main()
