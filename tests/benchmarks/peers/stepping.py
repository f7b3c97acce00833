"""Running somebody else's training loop a few steps at a time, without a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenlet import getcurrent, greenlet

if TYPE_CHECKING:
    from collections.abc import Callable


def stepwise(fit: Callable[[Callable[[], None]], object]) -> Callable[[int], None]:
    """Steps of a loop that has no end.

    Parameters
    ----------
    fit
        Trains for ever, and calls what it is given after each step. It is left there until more
        steps are wanted: its stack waits in a greenlet, so that all it does is done in this thread.
    """
    here = getcurrent()
    loop = greenlet(lambda: fit(here.switch))

    def steps(count: int) -> None:
        for _ in range(count):
            loop.switch()

    return steps
