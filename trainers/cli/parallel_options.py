"""What the commands that train several runs share: options, display, Ctrl-C."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Self, TypeVar

import rich_click as click
from rich.progress import (
    BarColumn,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

from trainers.cli.interrupts import handle_stop_signals
from trainers.cli.terminal import one_line
from trainers.errors import RunError
from trainers.parallel import cluster_workers as connected
from trainers.parallel import process_workers
from trainers.plurals import count_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from rich.console import Console
    from rich.progress import TaskID

    from trainers.parallel import SweepProgress, Workers
    from trainers.parallel.jobs import NamedConfig

Command = TypeVar("Command", bound="Callable[..., Any]")

_MOST_JOBS = 8
_PATIENCE = 2


def _default_jobs() -> int:
    return min(os.cpu_count() or 1, _MOST_JOBS)


def workers_options(command: Command) -> Command:
    """Adds `--jobs K` and `--cluster ADDRESS`."""
    on_cluster: Callable[[Command], Command] = click.option(
        "--cluster",
        "address",
        metavar="ADDRESS",
        help="Train on the workers of this Dask scheduler, such as tcp://192.168.0.1:8786, one "
        "thread each; the runs folder has to be on storage that they share. Dask runs what anyone "
        "who reaches the scheduler sends: use one in a network that you trust.",
    )
    here: Callable[[Command], Command] = click.option(
        "--jobs",
        type=click.IntRange(1, 64),
        default=_default_jobs,
        help="Runs trained side by side, one thread each. Default: one a core, "
        f"{_MOST_JOBS} at most. A cluster has its own.",
    )
    return here(on_cluster(command))


def workers(jobs: int, address: str | None, *folders: Path) -> AbstractContextManager[Workers]:
    """Yields the workers: processes of this machine, or a cluster that sees all of the folders."""
    if address is None:
        return nullcontext(process_workers(jobs))
    return connected(address, [folder.absolute() for folder in folders])


def run_with_display(work: Generator[SweepProgress, None, None], console: Console) -> SweepProgress:
    """Does the work until it ends or Ctrl-C is pressed, and shows its progress on the console."""
    with (
        _Display(console) as display,
        _interrupts() as asked,
        closing(work),
    ):
        for progress in work:
            display.show(progress)
            if asked:
                display.say("Saving …")
                break
    if progress.remaining:
        command = shlex.join(["aeviewer", *sys.argv[1:]])
        console.print(one_line(f"Stopped; go on with: {command}"), soft_wrap=True)
        sys.exit(130)
    return progress


def refuse_failures(progress: SweepProgress) -> None:
    """Reports the runs that could not be trained as a failure."""
    if progress.failed:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in progress.failed.items())
        runs = count_of(len(progress.failed), "run")
        raise RunError(f"{runs} could not be trained: {reasons}")


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Collects SIGINT, SIGTERM and SIGHUP; a third one ends the program."""
    asked: list[int] = []

    def note(number: int, _frame: object) -> None:
        asked.append(number)
        if len(asked) > _PATIENCE:
            raise KeyboardInterrupt

    with handle_stop_signals(note):
        yield asked


class _Display:
    """A bar for the whole, one for each run in training, and a line for each finished run."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Bar(
            TextColumn("{task.description}", markup=False),
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
        """Prints a line above the bars."""
        self._console.print(one_line(text), soft_wrap=True)

    def show(self, progress: SweepProgress) -> None:
        """Updates bars and lines."""
        ended, count = progress.finished | progress.failed.keys(), len(progress.plan)
        if self._told is None:
            self._told = set(ended)
            self.say(f"{count_of(count, 'run')}, {len(ended)} of them finished before.")
        for name in sorted(ended - self._told):
            outcome = progress.failed.get(name, "finished")
            self.say(f"{name}: {outcome} ({len(ended)} of {count})")
        self._told = set(ended)
        done, all_work = progress.work
        described = f"{len(ended)} of {count_of(count, 'run')}"
        self._bar.update(self._whole, total=all_work, completed=done, description=described)
        for planned in progress.plan:
            self._show(planned, progress)

    def _show(self, planned: NamedConfig, progress: SweepProgress) -> None:
        step = progress.active.get(planned.name, 0)
        if planned.name in self._tasks and planned.name not in progress.active:
            self._bar.remove_task(self._tasks.pop(planned.name))
        elif step and planned.name not in self._tasks:
            self._tasks[planned.name] = self._bar.add_task(planned.name, total=planned.config.steps)
        if planned.name in self._tasks:
            measuring = " (measuring)" if step >= planned.config.steps else ""
            self._bar.update(
                self._tasks[planned.name], completed=step, description=f"{planned.name}{measuring}"
            )
