"""The commands that need no window: train, resume, runs, evaluate.

The options of `train` are made from the config's fields, so that form, file and command line speak
of the same settings with the same bounds.
"""

from __future__ import annotations

import shlex
import signal
import sys
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

import trainers
from trainers import runs
from trainers.config import Leaf, RunConfig, fields
from trainers.errors import AEViewerError, RunError
from trainers.presets import PRESETS, preset

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainers.events import Event
    from trainers.runs import Run
    from trainers.training.trainer import Trainer

Command = TypeVar("Command", bound="Callable[..., Any]")

_PANELS = {"": "Data", "model": "Model", "training": "Training"}


class _IntList(click.ParamType[object]):
    """Whole numbers joined by commas, as in 500,500."""

    name = "n,n,…"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        if not isinstance(value, str):
            return value
        try:
            return tuple(int(part) for part in value.replace(",", " ").split())
        except ValueError:
            self.fail(f"{value!r} is not a list of whole numbers such as 500,500.", param, ctx)


def _type(leaf: Leaf) -> Any:
    """What click checks a value of this field with: the same bounds as everywhere."""
    if leaf.choices:
        return click.Choice(leaf.choices)
    if isinstance(leaf.default, bool):
        return bool
    if leaf.default is None or isinstance(leaf.default, tuple):
        return _IntList()
    least, above = leaf.bound("ge"), leaf.bound("gt")
    kind: Any = click.IntRange if isinstance(leaf.default, int) else click.FloatRange
    return kind(above if least is None else least, leaf.bound("le"), min_open=least is None)


def _option(leaf: Leaf) -> Callable[[Command], Command]:
    """The option of one field; left out, the preset decides."""
    dashed = leaf.name.replace("_", "-")
    flag = f"--{dashed}/--no-{dashed}" if isinstance(leaf.default, bool) else f"--{dashed}"
    unit = f" [{leaf.term.unit}]" if leaf.term.unit else ""
    values = {_written(leaf.value(entry.config)) for entry in PRESETS.values()}
    usual = values.pop() if len(values) == 1 else "the preset's"
    return click.option(
        flag,
        leaf.name,
        type=_type(leaf),
        default=None,
        help=f"{leaf.info.description}{unit} Default: {usual}.",
        panel=_PANELS[leaf.part],
    )


def _written(value: object) -> str:
    """A default as one would type it."""
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    return "automatic" if value is None else str(value)


def config_options(command: Command) -> Command:
    """Adds an option for every field of the config."""
    for leaf in reversed(list(fields())):
        command = _option(leaf)(command)
    return command


def _folder() -> Path:
    """The runs folder where the command names none: the one named before it, or the default."""
    context = click.get_current_context(silent=True)
    before = context.parent.params.get("folder") if context and context.parent else None
    return before or runs.default_folder()


def runs_option(command: Command) -> Command:
    """Adds `--runs DIR`, the runs folder."""
    option: Callable[[Command], Command] = click.option(
        "--runs",
        "folder",
        type=click.Path(file_okay=False, path_type=Path),
        default=_folder,
        metavar="DIR",
        help="The runs folder; otherwise $AEVIEWER_RUNS, or a folder among your user data.",
    )
    return option(command)


def plainly(command: Command) -> Command:
    """Turns an error that a person can act on into its message and exit status 1."""

    @wraps(command)
    def wrapped(*args: object, **kwargs: object) -> object:
        try:
            return command(*args, **kwargs)
        except AEViewerError as error:
            raise click.ClickException(str(error)) from error

    return wrapped  # type: ignore[return-value]


_EXAMPLES = """Examples:

aeviewer train elu --steps 2000 --latent-dim 5 --seed 1

aeviewer train vae --latent-dim 2 --hidden 256,128 --name small"""


@click.command(epilog=_EXAMPLES)
@click.argument("name_of_preset", metavar="PRESET", type=click.Choice(list(PRESETS)))
@click.option("--name", default="", help="What to call the run; otherwise it names itself.")
@runs_option
@config_options
@plainly
def train(name_of_preset: str, name: str, folder: Path, **changes: object) -> None:
    """Train a run without a window.

    PRESET is one of the paper's experiments; every option overrides one of its settings. What is
    learnt is kept in the runs folder as it trains. Ctrl-C saves and says how to go on.
    """
    chosen = {key: value for key, value in changes.items() if value is not None}
    config = preset(name_of_preset).replace(**chosen)
    _note_unused(config, chosen)
    _drive(lambda: trainers.train(config, folder, name))


@click.command()
@click.argument("name", metavar="RUN")
@runs_option
@plainly
def resume(name: str, folder: Path) -> None:
    """Go on with a run that was stopped or interrupted.

    RUN is a run's name in the runs folder, or the path of its folder. The result is the same as if
    it had never been stopped.
    """
    run = _found(name, folder)

    def prepare() -> Trainer:
        from trainers.training.trainer import Trainer

        return Trainer(run)

    _drive(prepare)


@click.command("runs")
@runs_option
@plainly
def list_runs(folder: Path) -> None:
    """List the runs there are."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, side in (("run", "left"), ("state", "left"), ("step", "right"), ("of", "right")):
        table.add_column(heading, justify=side)  # type: ignore[arg-type]
    table.add_column("test error per pixel", justify="right")
    found = runs.find(folder)
    for run in found:
        table.add_row(*_row(run))
    console = Console()
    console.print(
        table if found else Text(f"There are no runs in {folder}. Begin with: aeviewer train elu"),
        soft_wrap=not found,
    )


@click.command()
@click.argument("name", metavar="RUN")
@click.option("--step", type=click.IntRange(0), help="Which checkpoint; otherwise the newest.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for another program to read.")
@runs_option
@plainly
def evaluate(name: str, step: int | None, as_json: bool, folder: Path) -> None:
    """Measure a run on the 10,000 test images.

    RUN is a run's name in the runs folder, or the path of its folder. Every image is encoded to
    its mean code and decoded again.
    """
    from trainers.evaluation.reconstruction import evaluated

    run = _found(name, folder)
    found = evaluated(run, step)
    if as_json:
        click.echo(found.model_dump_json(indent=2))
        return
    unit = "nats" if run.config.model.likelihood == "bernoulli" else "squared error"
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right", style="bold")
    table.add_column()
    rows = [
        (f"{found.squared_error_per_pixel:.6f}", "test squared error per pixel"),
        (f"{found.squared_error:.4f}", "test squared error per image"),
    ]
    if unit == "nats":
        rows.append((f"{found.reconstruction:.4f}", "test cross-entropy, nats per image"))
    if run.config.model.variational:
        rows.append((f"{found.kl:.4f}", "KL to the prior, nats per image"))
        rows.append(
            (f"{found.loss:.4f}", f"test loss, {unit} per image, β = {run.config.model.beta:g}")
        )
    for row in rows:
        table.add_row(*row)
    console = Console()
    console.print(f"{escape(run.name)} at step {found.step:,}, {found.images:,} test images")
    console.print(table)


COMMANDS = (train, resume, list_runs, evaluate)


def _found(name: str, folder: Path) -> Run:
    """The run called so in the folder, or the one at that path."""
    for place in (folder / name, Path(name)):
        if (place / "config.json").is_file():
            return runs.opened(place)
    raise RunError(f"There is no run {name!r} in {folder}. To see which there are: aeviewer runs")


def _note_unused(config: RunConfig, chosen: dict[str, object]) -> None:
    unused = [f.name for f in fields() if f.name in chosen and not f.term.applies(config)]
    for name in unused:
        option = f"--{name.replace('_', '-')}"
        click.echo(f"Note: {option} means nothing for this model and is left aside.", err=True)


def _row(run: Run) -> tuple[str, ...]:
    try:
        status, steps, kept = run.status(), run.config.steps, run.checkpoints()
        measured = [c for c in kept if c.is_evaluated]
        error = f"{measured[-1].evaluation().squared_error_per_pixel:.5f}" if measured else ""
        return (escape(run.name), status.state, f"{status.step:,}", f"{steps:,}", error)
    except AEViewerError as error:
        return (escape(run.name), f"[red]damaged[/red]: {escape(str(error))}", "", "", "")


class _Interrupt:
    """What Ctrl-C does: the first stops and saves, however early it comes; a second breaks off."""

    def __init__(self) -> None:
        self._asked = False
        self._trainer: Trainer | None = None

    def attach(self, trainer: Trainer) -> None:
        """Names whom to stop."""
        self._trainer = trainer
        if self._asked:
            trainer.stop()

    def __call__(self, _number: int, _frame: object) -> None:
        """Handles SIGINT."""
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        if self._trainer is not None:
            self._trainer.stop()


def _drive(prepare: Callable[[], Trainer]) -> None:
    """Trains a run to its end, or to Ctrl-C, with a progress bar."""
    console = Console(stderr=True)
    interrupt = _Interrupt()
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        trainer = prepare()
        interrupt.attach(trainer)
        run = trainer.run
        console.print(Text(f"Training {run.name} in {run.path}"), soft_wrap=True)
        try:
            last = _watch(trainer, console)
        except KeyboardInterrupt:
            console.print("Broken off; what was saved last is kept.")
            _say_how_to_resume(run, console)
            sys.exit(130)
    finally:
        signal.signal(signal.SIGINT, before)
    _report(last, run, console)


def _say_how_to_resume(run: Run, console: Console) -> None:
    command = ["aeviewer", "resume", run.name]
    if run.path.parent != runs.default_folder():
        command += ["--runs", str(run.path.parent.absolute())]
    console.print(Text(f"Go on with: {shlex.join(command)}"), soft_wrap=True)


def _watch(trainer: Trainer, console: Console) -> Event | None:
    """Shows rate, time left and losses; answers the event that ended the training."""
    from trainers.events import Diverged, Finished, Progress, Started, Stopped
    from trainers.progress import TrainingProgress

    ended: Event | None = None
    with TrainingProgress(console, trainer.config) as bar:
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
            raise click.ClickException(run.status().error)
        case _:
            error = run.checkpoint().evaluation()
            console.print(
                f"Finished: test squared error {error.squared_error_per_pixel:.5f} per pixel, "
                f"{error.squared_error:.2f} per image."
            )
