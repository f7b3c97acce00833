"""The command that trains every combination of some settings: sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

from trainers import runs
from trainers.cli.evaluate_command import table_of
from trainers.cli.options import (
    events_option,
    note_unused,
    report_errors,
    runs_option,
    sweep_options,
)
from trainers.cli.parallel_options import (
    refuse_failures,
    run_with_display,
    workers,
    workers_options,
)
from trainers.cli.terminal import one_line, open_console
from trainers.exporting.exporters import choose_exporters as exporters
from trainers.parallel import Job, refuse_other_config, train_all
from trainers.parallel.sweep import combinations
from trainers.presets import PRESETS, preset

if TYPE_CHECKING:
    from pathlib import Path

_EXAMPLES = """Examples:

aeviewer sweep elu --latent-dim 2,5,10 --activation elu,relu --seed 1,2,3

aeviewer sweep elu --hidden 500,500/256,128 --steps 2000 --jobs 2"""


@click.command(epilog=_EXAMPLES)
@click.argument("name_of_preset", metavar="PRESET", type=click.Choice(list(PRESETS)))
@click.option("--name", default="", help="What the names of the runs begin with.")
@workers_options
@events_option
@runs_option
@sweep_options
@report_errors
def sweep(
    name_of_preset: str,
    name: str,
    jobs: int,
    address: str | None,
    tensorboard: bool,
    folder: Path,
    **values: tuple[object, ...] | None,
) -> None:
    """Train every combination of some settings, side by side.

    PRESET is one of the paper's experiments; every option gives one of its settings one or several
    values, with commas between. It goes on where it was interrupted and repeats nothing that is
    finished: press Ctrl-C at any time.
    """
    chosen = {key: several for key, several in values.items() if several is not None}
    points = combinations(preset(name_of_preset), chosen, name or name_of_preset)
    note_unused([point.config for point in points], chosen)
    for point in points:
        refuse_other_config(point, folder)
    if tensorboard:
        exporters(["tensorboard"])  # says what is missing before there is a run
    wanted = [
        Job(folder.absolute() / point.name, point.config, writes_events=tensorboard)
        for point in points
    ]
    console = open_console(stderr=True)
    with workers(jobs, address, folder) as who:
        ended = run_with_display(train_all(wanted, who, finished=_finished_names(wanted)), console)
    _show(wanted, folder)
    refuse_failures(ended)


def _finished_names(jobs: list[Job]) -> set[str]:
    """Names of the runs that have done their last step."""
    return {
        job.name
        for job in jobs
        if runs.Run(job.path).written_status().state is runs.RunState.FINISHED
    }


def _show(jobs: list[Job], folder: Path) -> None:
    """What came of the runs."""
    console = open_console()
    console.print(table_of([runs.Run(job.path) for job in jobs if job.path.is_dir()]))
    console.print(one_line(f"In {folder}"), soft_wrap=True)
