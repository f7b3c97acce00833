"""The command `aeviewer`: opens the program, or trains, resumes, lists, evaluates without it."""

from __future__ import annotations

import multiprocessing
import sys
from typing import TYPE_CHECKING

import rich_click as click

from aeviewer import libraries, preflight
from trainers import cli

if TYPE_CHECKING:
    from pathlib import Path


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="aeviewer")
@cli.runs_option
@click.option(
    "--smoke-test",
    is_flag=True,
    help="Open the window, train 50 steps, decode a click, read the run again; tell what was done.",
)
@click.pass_context
@cli.plainly
def main(context: click.Context, folder: Path, smoke_test: bool) -> None:
    """AE Viewer: train autoencoders on handwritten digits, and explore what they learnt.

    Without a command, the program opens.
    """
    if context.invoked_subcommand is None:
        preflight.check()
        libraries.arrange()
        sys.exit(_tested() if smoke_test else _run(folder))


def _run(folder: Path) -> int:
    from aeviewer.app import run

    return run(folder)


def _tested() -> int:
    from aeviewer.smoke_test import run

    return run()


for command in cli.COMMANDS:
    main.add_command(command)

if __name__ == "__main__":
    multiprocessing.freeze_support()  # in a frozen program, processes of its own begin here
    main()
