"""The terminal, as the commands print to it: text from outside cannot command it."""

from __future__ import annotations

import errno
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from trainers import plain_text
from trainers.cli.interrupts import lead_to_nothing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.text import Text


def open_console(*, stderr: bool = False) -> Console:
    """Returns the console on which the commands print; every text on it is cleaned."""
    from trainers.cli.clean_console import CleanConsole

    return CleanConsole(stderr=stderr)


def one_line(text: object, style: str = "") -> Text:
    """Returns a text without markup as one line, however many line ends it contains."""
    from rich.text import Text

    return Text(plain_text.clean_line(str(text)), style)


def damage_text(error: Exception) -> Text:
    """Returns the cell of a table that says why its row cannot be read."""
    from rich.text import Text

    return Text.assemble(("damaged", "red"), ": ", one_line(error))


@contextmanager
def usable_output() -> Iterator[None]:
    """Prints what an encoding lacks in other letters, and reports output that fails in a line."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):  # There is no such stream, or it is replaced.
            stream.reconfigure(errors=plain_text.ERRORS)  # type: ignore[union-attr]
    try:
        try:
            yield
        finally:
            _flush(sys.stdout)
    except OSError as error:
        place = f" ({plain_text.clean_line(str(error.filename))})" if error.filename else ""
        _discard_output()
        with suppress(OSError):
            sys.stderr.write(
                f"Error: The system reports: {error.strerror or error}{place}. {_remedy(error)}\n"
            )
        sys.exit(1)


def _remedy(error: OSError) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return "Free some space, or choose another place for the output."
    return "Check the path, and whether you may use it."


def _flush(stream: Any) -> None:
    if stream is not None and not stream.closed:
        stream.flush()


def _discard_output() -> None:
    """Leaves the output to nothing, so that the interpreter does not fail once more at its end."""
    with suppress(OSError, ValueError, AttributeError):
        lead_to_nothing(sys.stdout.fileno())
