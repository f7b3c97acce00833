"""The soak test: an hour of random use. `python -m tests.reliability.soak [--record]`.

A simulated user works in the real window on a virtual screen, at random and with mouse and
keyboard: starts, pauses, stops, continues, renames and deletes runs; drags in the latent space and
the timeline; draws digits; compares runs; imports images; exports results; closes docks; changes
sizes and themes; and now and then closes the window and opens it again. Every act is tried once
before any is repeated, so that the program has loaded everything in the first ten minutes, in which
memory is not judged. The seed determines the acts; their results depend on timing too.

The test fails on an exception, a warning of Qt or of Python, a logged warning, a result that does
not come, a thread, timer, window or process that remains, and on memory that grows after the first
ten minutes significantly or by more than a twentieth.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from tests.end_to_end.screen import IS_LACKING, LACKING, virtual_screen
from tests.reliability.table import Row, record

_MAX_GROWTH = 5.0
"""The allowed growth in percent; a slope alone may be hidden by a series that wanders."""
_SCRIPT = """
from aeviewer.__main__ import prepare
prepare()  # as the program does, before other imports
from tests.reliability.soak_session import main
main()
"""


def run_in_process(minutes: float, seed: int, report: Path) -> dict[str, Any]:
    """Runs the soak test in another process; returns its report."""
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="soak-") as place, virtual_screen() as environment:
        environment |= {
            "HOME": place,
            "XDG_RUNTIME_DIR": place,
            "AEVIEWER_DATASETS": f"{place}/datasets",
            "OMP_NUM_THREADS": "1",
        }
        for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
            environment.pop(name, None)
        os.chmod(place, 0o700)
        command = [sys.executable, "-c", _SCRIPT, place, str(minutes), str(seed), str(report)]
        done = subprocess.run(command, env=environment, check=False)
    results: dict[str, Any] = json.loads(report.read_text()) if report.is_file() else {"found": []}
    if done.returncode not in (0, 1):
        results["found"].append(f"the program ended with {done.returncode}")
    line = results.get("memory after ten minutes, MB an hour")
    if line is not None and line["low"] > 0:
        results["found"].append(
            f"memory grows by {line['per_hour']:.1f} MB an hour "
            f"({line['low']:.1f} to {line['high']:.1f})"
        )
    grown = results.get("memory grew after ten minutes, %")
    if grown is not None and grown > _MAX_GROWTH:
        results["found"].append(f"memory grew by {grown} %, which is more than {_MAX_GROWTH:.0f} %")
    report.write_text(json.dumps(results, indent=1), encoding="utf-8")
    return results


def make_row(results: dict[str, Any]) -> Row:
    """Returns the row for docs/reliability.md."""
    minutes, late = round(results["minutes"]), results["late, ms"]
    return Row(
        part="Soak",
        fault=f"{minutes} minutes of random use by mouse and keyboard, a screen of 1600 x 1000",
        promise="No exception, no warning, nothing remains after closing, and memory is constant "
        "after ten minutes. Every result comes.",
        test=f"python -m tests.reliability.soak --minutes {minutes} --seed {results['seed']}",
        tried=f"{results['acts']:,} acts; a 16 ms timer late by {late['median']} ms (median), "
        f"{late['99 %']} ms (99 %), {late['worst']} ms (worst); memory "
        f"{results['memory grew after ten minutes, %']:+.1f} % after its first ten minutes",
        lost="nothing" if not results["found"] else f"**{len(results['found'])} faults**",
    )


@click.command()
@click.option("--minutes", default=60.0, show_default=True)
@click.option("--seed", default=0, show_default=True, help="The seed of the acts.")
@click.option(
    "--report", type=click.Path(path_type=Path), default="soak.json", help="The report's file."
)
@click.option("--record", "records", is_flag=True, help="Write a row into docs/reliability.md.")
def main(minutes: float, seed: int, report: Path, records: bool) -> None:
    """Use the window at random. The exit status is 1 if a problem was found."""
    if IS_LACKING:
        sys.exit(LACKING)
    results = run_in_process(minutes, seed, report.absolute())
    for name in ("minutes", "acts", "times opened", "late, ms"):
        click.echo(f"{name}: {results.get(name)}")
    click.echo(f"memory after ten minutes: {results.get('memory after ten minutes, MB an hour')}")
    click.echo(f"it grew by {results.get('memory grew after ten minutes, %')} %")
    for problem in results["found"]:
        click.echo(f"FAILED: {problem}")
    if records:
        record(make_row(results))
    sys.exit(1 if results["found"] else 0)


if __name__ == "__main__":
    main()
