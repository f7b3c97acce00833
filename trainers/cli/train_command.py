"""The commands that train: train, resume."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import rich_click as click

import trainers
from trainers import tensorboard as tensorboard_events
from trainers.cli.interrupts import handle_stop_signals
from trainers.cli.options import (
    config_options,
    events_option,
    find_run,
    note_unused,
    report_errors,
    runs_option,
)
from trainers.cli.terminal import one_line, open_console
from trainers.errors import RunError
from trainers.evaluation.collapse import forecast
from trainers.exporting.exporters import choose_exporters as exporters
from trainers.plain_text import clean_line
from trainers.presets import PRESETS, preset
from trainers.runs import runs_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.console import Console

    from trainers.config import RunConfig
    from trainers.events import Event
    from trainers.runs import Run
    from trainers.training.trainer import Trainer

_EXAMPLES = """Examples:

aeviewer train elu --steps 2000 --latent-dim 5 --seed 1

aeviewer train vae --latent-dim 2 --hidden 256,128 --name small"""


@click.command(epilog=_EXAMPLES)
@click.argument("name_of_preset", metavar="PRESET", type=click.Choice(list(PRESETS)))
@click.option("--name", default="", help="What to call the run; otherwise it names itself.")
@events_option
@runs_option
@config_options
@report_errors
def train(
    name_of_preset: str, name: str, tensorboard: bool, folder: Path, **changes: object
) -> None:
    """Train a run without a window.

    PRESET is one of the paper's experiments; every option overrides one of its settings. What is
    learnt is kept in the runs folder as it trains. Ctrl-C saves and says how to go on.
    """
    chosen = {key: value for key, value in changes.items() if value is not None}
    config = preset(name_of_preset).replace(**chosen)
    note_unused([config], chosen)
    _note_collapse(config)
    if tensorboard:
        exporters(["tensorboard"])  # This reports a missing package before there is a run.

    def prepare() -> Trainer:
        trainer = trainers.train(config, folder, name)
        if tensorboard:
            tensorboard_events.request_events(trainer.run)
        return trainer

    _drive(prepare)


@click.command()
@click.argument("name", metavar="RUN")
@events_option
@runs_option
@report_errors
def resume(name: str, tensorboard: bool, folder: Path) -> None:
    """Go on with a run that was stopped or interrupted.

    RUN is a run's name in the runs folder, or the path of its folder. The result is the same as if
    it had never been stopped.
    """
    run = find_run(name, folder)
    if tensorboard:
        tensorboard_events.request_events(run)

    def prepare() -> Trainer:
        from trainers.training.trainer import Trainer

        return Trainer(run)

    _drive(prepare)


def _note_collapse(config: RunConfig) -> None:
    known = forecast(config)
    if known and known.dead:
        click.echo(clean_line(f"Note: {known.message}"), err=True)


class _Interrupt:
    """Handles Ctrl-C, SIGTERM and SIGHUP: the first stops and saves, the second ends all."""

    def __init__(self) -> None:
        self._asked = False
        self._trainer: Trainer | None = None

    def attach(self, trainer: Trainer) -> None:
        """Sets the trainer to stop."""
        self._trainer = trainer
        if self._asked:
            trainer.stop()

    def __call__(self, _number: int, _frame: object) -> None:
        """Handles a signal."""
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        if self._trainer is not None:
            self._trainer.stop()


def _drive(prepare: Callable[[], Trainer]) -> None:
    """Trains a run to its end, or to Ctrl-C, with a progress bar."""
    console = open_console(stderr=True)
    interrupt = _Interrupt()
    with handle_stop_signals(interrupt):
        trainer = prepare()
        interrupt.attach(trainer)
        run = trainer.run
        console.print(one_line(f"Training {run.name} in {run.path}"), soft_wrap=True)
        try:
            last = _watch(trainer, console)
        except KeyboardInterrupt:
            console.print("Broken off; what was saved last is kept.")
            _say_how_to_resume(run, console)
            sys.exit(130)
    _report(last, run, console)


def _say_how_to_resume(run: Run, console: Console) -> None:
    command = ["aeviewer", "resume", run.name]
    if run.path.parent != runs_folder.default_folder():
        command += ["--runs", str(run.path.parent.absolute())]
    console.print(one_line(f"Go on with: {shlex.join(command)}"), soft_wrap=True)


def _watch(trainer: Trainer, console: Console) -> Event | None:
    """Shows rate, time left and losses; returns the event that ended the training."""
    from trainers.cli.progress import ConsoleProgress
    from trainers.events import Diverged, Finished, Progress, Started, Stopped

    ended: Event | None = None
    with ConsoleProgress(console, trainer.config) as bar:
        for event in trainer:
            match event:
                case Started(step=step, steps=steps, device=device):
                    bar.start(step, steps, device)
                case Progress(step=step, losses=losses):
                    bar.advance(step, losses)
                case Finished() | Stopped() | Diverged():
                    ended = event
                case _:
                    pass
    return ended


def _report(ended: Event | None, run: Run, console: Console) -> None:
    from trainers.events import Diverged, Stopped

    match ended:
        case Stopped(step=step):
            console.print(f"Stopped at step {step:,}; everything is saved.")
            _say_how_to_resume(run, console)
        case Diverged():
            raise RunError(run.status().error)
        case _:
            error = run.checkpoint().evaluation()
            console.print(
                f"Finished: test squared error {error.squared_error_per_pixel:.5f} per pixel, "
                f"{error.squared_error:.2f} per image."
            )
