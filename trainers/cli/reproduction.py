"""The command that answers the paper: reproduce."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

import rich_click as click
from rich.console import Console
from rich.progress import (
    BarColumn,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar
from rich.text import Text

from trainers.cli.options import plainly, runs_option
from trainers.reproduction import results
from trainers.reproduction.plan import QUICK_STEPS, entries

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.progress import TaskID

    from trainers.reproduction.plan import Entry
    from trainers.reproduction.runner import Progress

_MOST_JOBS = 8
_PATIENCE = 2


def _default_jobs() -> int:
    return min(os.cpu_count() or 1, _MOST_JOBS)


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
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=_default_jobs,
    help="Runs trained side by side, one thread each. Default: one a core, 8 at most.",
)
@click.option("--only-report", is_flag=True, help="Train nothing: measure and tell what there is.")
@plainly
def reproduce(quick: bool, folder: Path, place: Path | None, jobs: int, only_report: bool) -> None:
    """Train all that the paper trained and supposed, and write a report.

    It goes on where it was interrupted and repeats nothing that is finished: press Ctrl-C at any
    time. The report is one HTML file, with its figures and tables beside it as PNG, SVG and CSV.
    """
    from trainers.reproduction.report import write_report
    from trainers.reproduction.runner import is_trained

    plan = entries(quick=quick)
    home = place or folder / results.folder_name(quick=quick)
    kept = home / "results"
    console = Console(stderr=True)
    if only_report:
        plan = tuple(entry for entry in plan if is_trained(entry, folder))
    ended = _watched(plan, folder, kept, jobs, console)
    if ended.open:
        command = shlex.join(["aeviewer", *sys.argv[1:]])
        console.print(Text(f"Stopped; go on with: {command}"), soft_wrap=True)
        sys.exit(130)
    page = write_report(kept, home, quick=quick)
    console.print(Text(f"The report: {page}"), soft_wrap=True)
    if ended.failed:
        told = "; ".join(f"{name}: {reason}" for name, reason in ended.failed.items())
        raise click.ClickException(f"{len(ended.failed)} runs could not be trained: {told}")


def _watched(
    plan: Sequence[Entry], folder: Path, kept: Path, jobs: int, console: Console
) -> Progress:
    """Trains what is open, told on the console, to the end or to Ctrl-C."""
    from trainers.reproduction.runner import reproduce as train

    with (
        _Display(console) as display,
        _interrupts() as asked,
        closing(train(plan, folder, kept, jobs=jobs)) as work,
    ):
        for progress in work:
            display.show(progress)
            if asked:
                display.say("Saving …")
                break
    return progress


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Collects SIGINT and SIGTERM instead of dying of them; a third breaks off."""
    asked: list[int] = []

    def note(number: int, _frame: object) -> None:
        asked.append(number)
        if len(asked) > _PATIENCE:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Display:
    """A bar over the whole and one for each run at work, and a line for each that is finished."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=console,
        )
        self._whole = self._bar.add_task("starting", total=None)
        self._tasks: dict[str, TaskID] = {}
        self._told: set[str] | None = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        for task in self._tasks.values():
            self._bar.update(task, visible=False)
        self._bar.stop()

    def say(self, text: str) -> None:
        """A line above the bars."""
        self._console.print(Text(text), soft_wrap=True)

    def show(self, progress: Progress) -> None:
        """Brings bars and lines up to date."""
        ended, count = progress.finished | progress.failed.keys(), len(progress.plan)
        if self._told is None:
            self._told = set(ended)
            self.say(f"{count} runs, {len(ended)} of them finished before.")
        for name in sorted(ended - self._told):
            outcome = progress.failed.get(name, "finished")
            self.say(f"{name}: {outcome} ({len(ended)} of {count})")
        self._told = set(ended)
        done, all_work = progress.work
        described = f"{len(ended)} of {count} runs"
        self._bar.update(self._whole, total=all_work, completed=done, description=described)
        for entry in progress.plan:
            self._show(entry, progress)

    def _show(self, entry: Entry, progress: Progress) -> None:
        step = progress.active.get(entry.name, 0)
        if entry.name in self._tasks and entry.name not in progress.active:
            self._bar.remove_task(self._tasks.pop(entry.name))
        elif step and entry.name not in self._tasks:
            self._tasks[entry.name] = self._bar.add_task(entry.name, total=entry.steps)
        if entry.name in self._tasks:
            measuring = " (measuring)" if step >= entry.steps else ""
            self._bar.update(
                self._tasks[entry.name], completed=step, description=f"{entry.name}{measuring}"
            )
