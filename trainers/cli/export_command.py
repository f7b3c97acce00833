"""The command that exports a run: export."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from trainers.cli.options import find_run, report_errors, runs_option
from trainers.cli.terminal import open_console
from trainers.exporting.export import export_run, proposed_folder
from trainers.exporting.exporters import EXPORTERS, choose_exporters
from trainers.plain_text import clean_line

if TYPE_CHECKING:
    from collections.abc import Generator

    from trainers.exporting.export import Moment

_HELP = "\n\n".join(
    f"{exporter.name} ({exporter.endings}): {exporter.meaning}" for exporter in EXPORTERS.values()
)


@click.command(epilog=_HELP)
@click.argument("name", metavar="RUN")
@click.argument("what", metavar="WHAT…", nargs=-1, type=click.Choice(list(EXPORTERS)))
@click.option("--all", "is_all", is_flag=True, help="Everything there is.")
@click.option(
    "--to",
    "place",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where to; otherwise a folder RUN-stepN here.",
)
@click.option("--step", type=click.IntRange(0), help="Which checkpoint; otherwise the newest.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
@runs_option
@report_errors
def export(
    name: str,
    what: tuple[str, ...],
    is_all: bool,
    place: Path | None,
    step: int | None,
    force: bool,
    folder: Path,
) -> None:
    """Export a run as files for other programs.

    RUN is a run's name in the runs folder, or the path of its folder. WHAT is one or more of
    the exports below.
    """
    exporters = choose_exporters(EXPORTERS if is_all else what)
    run = find_run(name, folder)
    target = place or Path(proposed_folder(run, step))
    work = export_run(run, exporters, target, step, replaces=force)
    for file in _run_with_status(work, len(exporters)):
        click.echo(clean_line(str(file)))


def _run_with_status(
    work: Generator[Moment, None, tuple[Path, ...]], count: int
) -> tuple[Path, ...]:
    """Shows the current exporter; returns the files."""
    console = open_console(stderr=True)
    columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn()
    with Progress(*columns, console=console, transient=True) as bar, closing(work):
        at = bar.add_task("", total=count)
        while True:
            try:
                moment = next(work)
            except StopIteration as done:
                files: tuple[Path, ...] = done.value
                return files
            bar.update(at, completed=moment.done, description=moment.label)
