"""What the commands share: options, finding a run by its name, errors without a traceback.

The options of `train` are made from the config's fields, so that form, file and command line speak
of the same settings with the same bounds.
"""

from __future__ import annotations

from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from trainers import runs
from trainers.config import fields
from trainers.errors import AEViewerError, RunError
from trainers.plain_text import clean_line
from trainers.presets import PRESETS
from trainers.runs import runs_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from trainers.config import RunConfig
    from trainers.config_fields import Leaf
    from trainers.runs import Run

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


class _Several(click.ParamType[object]):
    """Values of one field joined by commas, each checked by the field's bounds."""

    def __init__(self, leaf: Leaf) -> None:
        self._kind = click.BOOL if isinstance(leaf.default, bool) else _type(leaf)
        self._between = "/" if isinstance(self._kind, _IntList) else ","
        self.name = f"v{self._between}v{self._between}…"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        if not isinstance(value, str):
            return value
        parts = [part.strip() for part in value.split(self._between)]
        found = (self._kind.convert(part, param, ctx) for part in parts)
        return tuple(dict.fromkeys(found))


def _type(leaf: Leaf) -> Any:
    """Returns the click type of a field, with the same bounds as everywhere."""
    if leaf.name == "dataset":
        return click.STRING  # The choices are known when one of them is needed.
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
    """Returns the option of one field; without it the preset decides."""
    dashed = leaf.name.replace("_", "-")
    flag = f"--{dashed}/--no-{dashed}" if isinstance(leaf.default, bool) else f"--{dashed}"
    return click.option(
        flag, leaf.name, type=_type(leaf), default=None, help=_help(leaf), panel=_PANELS[leaf.part]
    )


def _sweep_option(leaf: Leaf) -> Callable[[Command], Command]:
    """Returns the option that gives one field one or several values."""
    kind = _Several(leaf)
    help_ = _help(leaf)
    if leaf.choices:
        help_ += f" One or more of {', '.join(leaf.choices)}."
    flag = f"--{leaf.name.replace('_', '-')}"
    return click.option(
        flag, leaf.name, type=kind, default=None, help=help_, panel=_PANELS[leaf.part]
    )


def _help(leaf: Leaf) -> str:
    unit = f" [{leaf.term.unit}]" if leaf.term.unit else ""
    values = {_default_text(leaf.value(entry.config)) for entry in PRESETS.values()}
    usual = values.pop() if len(values) == 1 else "the preset's"
    return f"{leaf.info.description}{unit} Default: {usual}."


def _default_text(value: object) -> str:
    """Returns a default as a user would type it."""
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    return "automatic" if value is None else str(value)


def config_options(command: Command) -> Command:
    """Adds an option for every field of the config."""
    for leaf in reversed(list(fields())):
        command = _option(leaf)(command)
    return command


def sweep_options(command: Command) -> Command:
    """Adds an option for every field of the config that takes several values."""
    for leaf in reversed(list(fields())):
        command = _sweep_option(leaf)(command)
    return command


def note_unused(configs: Iterable[RunConfig], chosen: Iterable[str]) -> None:
    """Reports chosen settings that have no effect for any of the configs."""
    configs = list(configs)
    for leaf in fields():
        if leaf.name in chosen and not any(leaf.term.applies(config) for config in configs):
            option = f"--{leaf.name.replace('_', '-')}"
            note = f"Note: {option} means nothing for this model and is left aside."
            click.echo(clean_line(note), err=True)


def _folder() -> Path:
    """Returns the runs folder: the one named before the command, or the default one."""
    context = click.get_current_context(silent=True)
    before = context.parent.params.get("folder") if context and context.parent else None
    return before or runs_folder.default_folder()


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


def events_option(command: Command) -> Command:
    """Adds `--tensorboard`."""
    option: Callable[[Command], Command] = click.option(
        "--tensorboard",
        is_flag=True,
        help="Write TensorBoard's events into the run's folder as it trains.",
    )
    return option(command)


def report_errors(command: Command) -> Command:
    """Prints the message of an error that a user can act on, and exits with status 1."""

    @wraps(command)
    def wrapped(*args: object, **kwargs: object) -> object:
        try:
            return command(*args, **kwargs)
        except AEViewerError as error:
            raise click.ClickException(clean_line(str(error))) from error

    return wrapped  # type: ignore[return-value]


def find_run(name: str, folder: Path) -> Run:
    """Returns the run of that name in the folder, or the run at that path."""
    for place in (folder / name, Path(name)):
        if (place / "config.json").exists():
            return runs.open_run(place)
    raise RunError(f"There is no run {name!r} in {folder}. To see which there are: aeviewer runs")
