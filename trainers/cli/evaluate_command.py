"""The commands for existing runs: runs, evaluate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click
from rich.table import Table

from trainers import runs
from trainers.cli.options import find_run, report_errors, runs_option
from trainers.cli.report_text import Section, sections
from trainers.cli.terminal import damage_text, one_line, open_console
from trainers.errors import AEViewerError
from trainers.plain_text import clean_text

if TYPE_CHECKING:
    from pathlib import Path

    from rich.text import Text

    from trainers.runs import Run
    from trainers.runs.metrics import Evaluation


@click.command("runs")
@runs_option
@report_errors
def list_runs(folder: Path) -> None:
    """List the runs there are."""
    found = runs.find_runs(folder)
    console = open_console()
    console.print(
        table_of(found)
        if found
        else one_line(f"There are no runs in {folder}. Begin with: aeviewer train elu"),
        soft_wrap=not found,
    )


def table_of(found: list[Run]) -> Table:
    """Returns a table of runs with their state and errors.

    The validation error is shown if a run has one: settings are chosen by it, never by the test
    error.
    """
    rows = [_row(run) for run in found]
    validates = any(row[-1] for row in rows)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, side in (("run", "left"), ("state", "left"), ("step", "right"), ("of", "right")):
        table.add_column(heading, justify=side, overflow="fold")  # type: ignore[arg-type]
    table.add_column("test error per pixel", justify="right")
    if validates:
        table.add_column("validation error per pixel", justify="right")
    for row in rows:
        table.add_row(*row[: len(table.columns)])
    return table


def _row(run: Run) -> tuple[str | Text, ...]:
    try:
        status, steps, kept = run.status(), run.config.steps, run.checkpoints()
        measured = [c for c in kept if c.is_evaluated]
        test, validation = _errors(measured[-1].evaluation(), run) if measured else ("", "")
        name, done = one_line(run.name), f"{status.step:,}"
        return (name, status.state, done, f"{steps:,}", test, validation)
    except AEViewerError as error:
        return (one_line(run.name), damage_text(error), *[""] * 4)


def _errors(found: Evaluation, run: Run) -> tuple[str, str]:
    """Returns the test error and the validation error per pixel; the second may be empty."""
    validation = found.validation_squared_error
    return (
        f"{found.squared_error_per_pixel:.5f}",
        "" if validation is None else f"{validation / run.dataset.pixels:.5f}",
    )


@click.command()
@click.argument("name", metavar="RUN")
@click.option("--step", type=click.IntRange(0), help="Which checkpoint; otherwise the newest.")
@click.option(
    "--best", is_flag=True, help="The checkpoint with the lowest loss on the validation images."
)
@click.option(
    "--samples",
    type=click.IntRange(1, 10_000),
    default=128,
    show_default=True,
    help="Codes an image for log p: it is a bound that rises with them. So does the time.",
)
@click.option(
    "--images",
    type=click.IntRange(1, 10_000),
    default=1_000,
    show_default=True,
    help="Test images, the first ones, that log p is measured on.",
)
@click.option(
    "--complete",
    is_flag=True,
    help="First measure the checkpoints again whose stored figures an older version wrote.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for another program to read.")
@runs_option
@report_errors
def evaluate(
    name: str,
    step: int | None,
    best: bool,
    samples: int,
    images: int,
    complete: bool,
    as_json: bool,
    folder: Path,
) -> None:
    """Measure a run: everything there is to know of a checkpoint.

    RUN is a run's name in the runs folder, or the path of its folder. Reconstruction, likelihood,
    what the codes know, the plane of a linear decoder, compression, noise and collapse; fitted on
    the training images and measured on the 10,000 test images. It takes about a minute.
    """
    from trainers.evaluation.measure_all import complete_evaluations, measure_checkpoint
    from trainers.generators import finish

    run = find_run(name, folder)
    if best and step is not None:
        raise click.UsageError("--best and --step name two checkpoints. Give one of them.")
    step = run.best_checkpoint().step if best else step
    console = open_console()
    with open_console(stderr=True).status(one_line(f"Measuring {run.name} …")):
        if complete:
            finish(complete_evaluations(run))
        found = finish(measure_checkpoint(run, step, samples=samples, images=images))
    if as_json:
        click.echo(clean_text(found.model_dump_json(indent=2)))
        return
    count = found.reconstruction.images
    head = f"{run.name} at step {found.step:,}, {count:,} test images"
    console.print(one_line(f"{head}; ± is the standard error over the images"))
    for section in sections(found, run.config):
        console.print()
        console.print(_section(section))


def _section(section: Section) -> Table:
    """Returns a section as a table: the value, then its meaning."""
    table = Table(title=section.title, title_justify="left", box=None, pad_edge=False)
    table.title_style = "bold"
    for index, heading in enumerate(section.headings):
        table.add_column(heading, justify="left" if index == 0 else "right")
    for row in section.rows:
        table.add_row(*(one_line(cell) for cell in row))
    return table
