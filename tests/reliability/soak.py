"""The real window, used for an hour: `python -m tests.reliability.soak [--record]`.

A window on a virtual screen is used by mouse and keyboard, by chance: runs are started, held,
stopped, continued, renamed, deleted; the latent space is dragged through, time scrubbed, digits
drawn, runs compared, images imported, results exported; docks are closed, sizes, themes and the
language of panels changed; now and then the window is closed and opened again. Each of these is
done once before anything is done again: what the program loads for them is there in the first ten
minutes, in which memory is not judged. The seed decides what is done; what comes of it depends on
time too.

It fails on an exception, a warning of Qt or of Python, a warning that is logged, something that
does not come, a thread, timer, window or process that is left, and on memory that grows after the
first ten minutes by more than noise, or by more than a twentieth.
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

_MOST_GROWN = 5.0
"""Percent of the memory after ten minutes; a slope alone may be hidden by wandering."""
_SIT = """
from aeviewer.__main__ import prepare
prepare()  # as the program does, before anything is loaded
from tests.reliability.sitting import main
main()
"""


def soak(minutes: float, seed: int, report: Path) -> dict[str, Any]:
    """Has the window used in a process of its own; what is known of it then."""
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
        command = [sys.executable, "-c", _SIT, place, str(minutes), str(seed), str(report)]
        done = subprocess.run(command, env=environment, check=False)
    told: dict[str, Any] = json.loads(report.read_text()) if report.is_file() else {"found": []}
    if done.returncode not in (0, 1):
        told["found"].append(f"the program ended with {done.returncode}")
    line = told.get("memory after ten minutes, MB an hour")
    if line is not None and line["low"] > 0:
        told["found"].append(
            f"memory grows by {line['per_hour']:.1f} MB an hour "
            f"({line['low']:.1f} to {line['high']:.1f})"
        )
    grown = told.get("memory grew after ten minutes, %")
    if grown is not None and grown > _MOST_GROWN:
        told["found"].append(f"memory grew by {grown} %, which is more than {_MOST_GROWN:.0f} %")
    report.write_text(json.dumps(told, indent=1), encoding="utf-8")
    return told


def row(told: dict[str, Any]) -> Row:
    """The line of docs/reliability.md."""
    minutes, late = round(told["minutes"]), told["late, ms"]
    return Row(
        part="Soak",
        fault=f"{minutes} minutes of mouse and keyboard by chance, a screen of 1600 x 1000",
        promise="no exception, no warning, nothing left when it closes, memory level after ten "
        "minutes; whatever is asked for comes",
        test=f"python -m tests.reliability.soak --minutes {minutes} --seed {told['seed']}",
        tried=f"{told['acts']:,} acts; a 16 ms timer late by {late['median']} ms (median), "
        f"{late['99 %']} ms (99 %), {late['worst']} ms (worst); memory "
        f"{told['memory grew after ten minutes, %']:+.1f} % after its first ten minutes",
        lost="nothing" if not told["found"] else f"**{len(told['found'])} faults**",
    )


@click.command()
@click.option("--minutes", default=60.0, show_default=True)
@click.option("--seed", default=0, show_default=True, help="Of what is done.")
@click.option(
    "--report", type=click.Path(path_type=Path), default="soak.json", help="Where it is kept."
)
@click.option("--record", "records", is_flag=True, help="Write it into docs/reliability.md.")
def main(minutes: float, seed: int, report: Path, records: bool) -> None:
    """Use the window by chance; the exit status is 1 where anything was wrong."""
    if IS_LACKING:
        sys.exit(LACKING)
    told = soak(minutes, seed, report.absolute())
    for name in ("minutes", "acts", "times opened", "late, ms"):
        click.echo(f"{name}: {told.get(name)}")
    click.echo(f"memory after ten minutes: {told.get('memory after ten minutes, MB an hour')}")
    click.echo(f"it grew by {told.get('memory grew after ten minutes, %')} %")
    for problem in told["found"]:
        click.echo(f"FAILED: {problem}")
    if records:
        record(row(told))
    sys.exit(1 if told["found"] else 0)


if __name__ == "__main__":
    main()
