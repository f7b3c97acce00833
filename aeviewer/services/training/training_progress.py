"""The progress and the rate of training runs. This module does not use Qt."""

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
    """Steps done, steps in all, steps per second, seconds left, and the number of runs."""

    step: int = 0
    steps: int = 0
    rate: float = 0.0
    seconds_left: float | None = None
    device: str = ""
    runs: int = 1


class RateMeter:
    """Measures the rate of one run in training."""

    def __init__(self, step: int, steps: int) -> None:
        self.progress = TrainingProgress(step, steps)
        self._times: deque[tuple[float, int]] = deque()

    def begin(self, step: int, steps: int, device: str) -> None:
        """Starts or resumes measuring at `step`."""
        self.progress = TrainingProgress(step, steps, device=device)

    def skip_pause(self) -> None:
        """Excludes a pause from the rate."""
        self._times.clear()

    def advance(self, step: int, steps: int) -> None:
        """Records that `step` steps are done."""
        rate, seconds = self._rate(step)
        left = (steps - step) / rate if rate and seconds > _SETTLED_SECONDS else None
        self.progress = replace(self.progress, step=step, steps=steps, rate=rate, seconds_left=left)

    def _rate(self, step: int) -> tuple[float, float]:
        """Returns the steps per second over the last seconds without pauses, and their number."""
        now = time.monotonic()
        self._times.append((now, step))
        while now - self._times[0][0] > _RATE_SECONDS:
            self._times.popleft()
        began, first = self._times[0]
        return ((step - first) / (now - began) if now > began else 0.0), now - began


def join_progress(figures: Sequence[TrainingProgress]) -> TrainingProgress:
    """Joins the progress of several runs: steps and rates add up, and the slowest run ends last."""
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
