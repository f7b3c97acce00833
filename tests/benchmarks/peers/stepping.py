"""Runs the training loop of another library a few steps at a time, without a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenlet import getcurrent, greenlet

if TYPE_CHECKING:
    from collections.abc import Callable


def step_through(fit: Callable[[Callable[[], None]], object]) -> Callable[[int], None]:
    """Returns a function that runs a number of steps of an endless loop.

    Parameters
    ----------
    fit
        The loop. It calls its argument after each step, and is suspended there until more steps are
        requested. Its stack is in a greenlet, so that it runs in this thread.
    """
    here = getcurrent()
    loop = greenlet(lambda: fit(here.switch))

    def steps(count: int) -> None:
        for _ in range(count):
            loop.switch()

    return steps
