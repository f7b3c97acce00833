"""Ending child processes of the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

_END_SECONDS = 2.0


def end(process: BaseProcess, pipe: Connection) -> None:
    """Ends a process and closes the pipe to it; a process that has ended is left alone."""
    if pipe.closed:
        return
    pipe.close()
    process.terminate()
    process.join(_END_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
    process.close()
