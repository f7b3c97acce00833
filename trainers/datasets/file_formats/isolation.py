"""Reads files in a child process, where a library of compiled code may crash on a hostile file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trainers.child_process import ChildFailure, ChildProcess
from trainers.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

_WAIT_SECONDS = 0.02


def read_in_child(
    function: Callable[..., object], path: Path, *arguments: object
) -> Generator[float, None, Any]:
    """Calls a function in a child process; yields the share done and returns its result.

    Closing the generator ends the process.

    Parameters
    ----------
    function
        A function at the top level of a module. It takes a `ParentPipe`, to which it sends the
        share done, the path and the arguments.
    path
        The file that the function reads.
    arguments
        Its other arguments.

    Raises
    ------
    DataError
        When the function raises one, or the process crashes.
    """
    child = ChildProcess(function, path, *arguments)
    share = 0.0
    try:
        while True:
            if not child.connection.poll(_WAIT_SECONDS):
                yield share
                continue
            match child.receive():
                case float() as share:
                    yield share
                case ChildFailure(problem):
                    raise DataError(problem)
                case result:
                    return result
    except (EOFError, OSError) as error:
        raise DataError(
            f"{path} cannot be read: the process that read it crashed, so the file is damaged or "
            "was made to do harm. Get it anew from a place that you trust."
        ) from error
    finally:
        child.end()
