"""Tries what is promised, and writes down what came of it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import click
import pytest

from tests.reliability.promises import PROMISES, Promise
from tests.reliability.table import Row, keep, rows


class Outcome(NamedTuple):
    """What came of a promise's test."""

    tried: int = 0
    failed: int = 0

    def row(self, promise: Promise) -> Row:
        """The line of the page."""
        part, fault, told, test, unit = promise
        lost = "nothing" if not self.failed else f"**the promise: {self.failed} failed**"
        unit = unit.removesuffix("s") if self.tried == 1 else unit
        return Row(
            part=part,
            fault=fault,
            promise=told,
            test=test,
            tried=f"{self.tried:,} {unit}",
            lost=lost,
        )


def tried(promises: list[Promise]) -> dict[Promise, Outcome]:
    """Runs the tests of some promises."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        tests = sorted({promise.test for promise in promises})
        pytest.main([*tests, "-m", "slow or not slow", f"--junitxml={report}", "--timeout=3600"])
        cases = ElementTree.parse(report).iter("testcase")
        found: dict[str, Outcome] = {}
        for case in cases:
            name = _name(case)
            before = found.get(name, Outcome())
            found[name] = Outcome(before.tried + _tried(case), before.failed + _failed(case))
    return {promise: found.get(_junit(promise.test), Outcome(0, 1)) for promise in promises}


def _name(case: ElementTree.Element) -> str:
    return f"{case.get('classname')}.{case.get('name', '').split('[')[0]}"


def _junit(test: str) -> str:
    file, _, rest = test.partition("::")
    return ".".join([file.removesuffix(".py").replace("/", "."), *rest.split("::")])


def _tried(case: ElementTree.Element) -> int:
    told = [p.get("value") for p in case.iter("property") if p.get("name") == "tried"]
    return sum(int(value or 0) for value in told) if told else 1


def _failed(case: ElementTree.Element) -> int:
    """1 where the test failed or was left out: what was not tried is not promised."""
    return int(any(case.find(kind) is not None for kind in ("failure", "error", "skipped")))


def _write(new: set[Row]) -> None:
    """Promises in their order, then what scripts recorded; what is promised no more is dropped."""
    told = {(row.part, row.fault): row for row in (*rows(), *new)}
    promised = [told[key] for p in PROMISES if (key := (p.part, p.fault)) in told]
    keep([*promised, *(row for row in rows() if "::" not in row.test)])


@click.command()
@click.option("-k", "word", default="", help="Only promises whose test's name has this in it.")
@click.option("--new", is_flag=True, help="Only promises that have no row yet.")
@click.option("--render", is_flag=True, help="Write the page from the rows that are there.")
def main(word: str, new: bool, render: bool) -> None:
    """Try every promise and write docs/reliability.json and docs/reliability.md."""
    if render:
        keep(rows())
        return
    told = {row.test for row in rows()} if new else set()
    chosen = [p for p in PROMISES if word in p.test and p.test not in told]
    outcomes = tried(chosen)
    _write({outcome.row(promise) for promise, outcome in outcomes.items()})
    sys.exit(any(outcome.failed for outcome in outcomes.values()))


main()
