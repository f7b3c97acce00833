"""The command `aeviewer`: opens the program, or trains, lists, evaluates, exports without it."""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

import rich_click as click

from aeviewer.startup import libraries, system_check
from trainers import cli
from trainers.plain_text import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterable


class Commands(click.RichGroup):
    """The commands; an archive as the only argument is opened, as after a double click.

    Each is loaded when it is asked for: the window waits for none of them.
    """

    def main(self, *args: Any, **options: Any) -> Any:
        """Runs the command that the arguments name."""
        with cli.usable_output(), cli.interrupt_on_signals():
            return super().main(*args, **options)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Lists the names of the commands, in the order of the help."""
        return [*cli.COMMANDS, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Returns the command of a name; None where there is none."""
        place = cli.COMMANDS.get(cmd_name)
        return super().get_command(ctx, cmd_name) if place is None else resolve_name(place)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Finds the command that the arguments begin with."""
        if args[0] not in self.list_commands(ctx) and args[0].lower().endswith(".zip"):
            args = ["open", *args]
        return super().resolve_command(ctx, args)


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="aeviewer")
@cli.runs_option
@click.option(
    "--smoke-test",
    is_flag=True,
    help="Open the window, train 50 steps, decode a click, read the run again; tell what was done.",
)
@click.pass_context
@cli.report_errors
def main(context: click.Context, folder: Path, smoke_test: bool) -> None:
    """AE Viewer: train autoencoders on handwritten digits, and explore what they learnt.

    Without a command, the program opens.
    """
    if context.invoked_subcommand is None:
        if smoke_test:
            sys.exit(_run_smoke_test())
        _open_window(folder)


def _run_smoke_test() -> int:
    prepare()
    from aeviewer.smoke_test import run

    return run()


def prepare() -> None:
    """Prepares the system before the modules of the window are loaded."""
    system_check.check_screen()
    system_check.set_default_encoding()
    libraries.arrange_libraries()
    libraries.return_freed_memory()
    libraries.load_qt()
    libraries.load_plots()


@click.command("open")
@click.argument("file", type=click.Path(dir_okay=False, exists=True, path_type=Path))
@click.option("--no-window", is_flag=True, help="Only put it into the runs folder.")
@cli.runs_option
@cli.report_errors
def open_archive(file: Path, no_window: bool, folder: Path) -> None:
    """Open a run that was exported as an archive.

    FILE is what `aeviewer export RUN zip` wrote. It is put into the runs folder; nothing in it is
    trusted, and what is damaged leaves nothing there.
    """
    if not no_window:
        _open_window(folder, [file])
    from trainers.generators import finish
    from trainers.runs.archive import unpack

    click.echo(clean_line(str(finish(unpack(file, folder)).path)))


def _open_window(folder: Path, archives: Iterable[Path] = ()) -> None:
    """Opens the program, and ends with it."""
    prepare()
    from aeviewer.app import run

    sys.exit(run(folder, archives))


main.add_command(open_archive)

if __name__ == "__main__":
    multiprocessing.freeze_support()  # In a packaged program, child processes start here.
    main()
