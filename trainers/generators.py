"""Running a generator of work to its end."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator

Result = TypeVar("Result")


def finish(work: Generator[object, None, Result]) -> Result:
    """Iterates `work` to its end and returns its result; an interrupt closes it at once."""
    with closing(work):
        while True:
            try:
                next(work)
            except StopIteration as done:
                result: Result = done.value
                return result
