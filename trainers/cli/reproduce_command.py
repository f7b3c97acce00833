"""The command that reproduces the paper: reproduce."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from trainers.cli.options import report_errors, runs_option
from trainers.cli.parallel_options import (
    refuse_failures,
    run_with_display,
    workers,
    workers_options,
)
from trainers.cli.terminal import one_line, open_console
from trainers.reproduction import result_files
from trainers.reproduction.plan import QUICK_STEPS, planned_runs


@click.command()
@click.option(
    "--quick",
    is_flag=True,
    help=f"{QUICK_STEPS:,} steps and one seed: to see that it works, not to believe its numbers.",
)
@runs_option
@click.option(
    "--report",
    "place",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where the report and the results go; otherwise a folder 'reproduction' among the runs.",
)
@workers_options
@click.option("--only-report", is_flag=True, help="Train nothing: measure and tell what there is.")
@report_errors
def reproduce(
    quick: bool,
    folder: Path,
    place: Path | None,
    jobs: int,
    address: str | None,
    only_report: bool,
) -> None:
    """Train all that the paper trained and supposed, and write a report.

    It goes on where it was interrupted and repeats nothing that is finished: press Ctrl-C at any
    time. The report is one HTML file, with its figures and tables beside it as PNG, SVG and CSV.
    """
    from trainers.reproduction.report import write_report
    from trainers.reproduction.runner import is_trained
    from trainers.reproduction.runner import reproduce as train

    plan = planned_runs(quick=quick)
    home = place or folder / result_files.folder_name(quick=quick)
    kept = home / "results"
    console = open_console(stderr=True)
    if only_report:
        plan = tuple(entry for entry in plan if is_trained(entry, folder))
    with workers(jobs, address, folder, kept) as who:
        ended = run_with_display(train(plan, folder, kept, who), console)
    page = write_report(kept, home, quick=quick)
    console.print(one_line(f"The report: {page}"), soft_wrap=True)
    refuse_failures(ended)
