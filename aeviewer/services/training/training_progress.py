"""How far trainings are and how fast they go. Knows nothing of Qt."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_RATE_SECONDS = 5.0
_SETTLED_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """How far trainings are: steps done of all, steps a second, seconds to go, how many runs."""

    step: int = 0
    steps: int = 0
    rate: float = 0.0
    seconds_left: float | None = None
    device: str = ""
    runs: int = 1


class RateMeter:
    """The figures of one run while it is trained."""

    def __init__(self, step: int, steps: int) -> None:
        self.figures = TrainingProgress(step, steps)
        self._times: deque[tuple[float, int]] = deque()

    def begin(self, step: int, steps: int, device: str) -> None:
        """Training begins, or goes on, at `step`."""
        self.figures = TrainingProgress(step, steps, device=device)

    def rest(self) -> None:
        """Leaves a pause out of the rate."""
        self._times.clear()

    def advance(self, step: int, steps: int) -> None:
        """`step` steps are done."""
        rate, seconds = self._rate(step)
        left = (steps - step) / rate if rate and seconds > _SETTLED_SECONDS else None
        self.figures = replace(self.figures, step=step, steps=steps, rate=rate, seconds_left=left)

    def _rate(self, step: int) -> tuple[float, float]:
        """Steps a second over the last few seconds, pauses left out, and how many they are."""
        now = time.monotonic()
        self._times.append((now, step))
        while now - self._times[0][0] > _RATE_SECONDS:
            self._times.popleft()
        began, first = self._times[0]
        return ((step - first) / (now - began) if now > began else 0.0), now - began


def together(figures: Sequence[TrainingProgress]) -> TrainingProgress:
    """The figures of runs side by side: steps and rates add up; the slowest says when it ends."""
    if len(figures) == 1:
        return figures[0]
    left = [f.seconds_left for f in figures if f.seconds_left is not None]
    return TrainingProgress(
        sum(f.step for f in figures),
        sum(f.steps for f in figures),
        sum(f.rate for f in figures),
        max(left) if figures and len(left) == len(figures) else None,
        next((f.device for f in figures if f.device), ""),
        len(figures),
    )
