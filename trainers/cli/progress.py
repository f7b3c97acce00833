"""The progress bar of a training on a terminal."""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, Self

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console

    from trainers.config import RunConfig
    from trainers.events import Losses

_SHOWN_STEPS = 100


class ConsoleProgress:
    """Steps, rate, time left and the mean losses of the last 100 steps.

    Parameters
    ----------
    console
        Where it is drawn; nothing is animated where that is no terminal.
    config
        Says which losses there are and their unit.
    """

    def __init__(self, console: Console, config: RunConfig) -> None:
        self._unit = "nats" if config.model.likelihood == "bernoulli" else "sq. error"
        self._has_kl = config.model.variational
        self._recent: deque[tuple[float, float, float]] = deque(maxlen=_SHOWN_STEPS)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[losses]}"),
            console=console,
        )
        self._task = self._bar.add_task("starting", total=None, rate="", losses="")
        self._began = (monotonic(), 0)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def start(self, step: int, steps: int, device: str) -> None:
        """Starts at `step` of `steps`."""
        self._began = (monotonic(), step)
        self._bar.update(self._task, total=steps, completed=step, description=device)

    def advance(self, step: int, losses: Losses) -> None:
        """Shows that `step` steps are done, with the losses of the last of them."""
        columns = (losses.total, losses.reconstruction, losses.kl)
        self._recent.extend(zip(*(column.tolist() for column in columns), strict=True))
        began, first = self._began
        rate = (step - first) / max(monotonic() - began, 1e-9)
        self._bar.update(
            self._task, completed=step, rate=f"{rate:,.0f} steps/s", losses=self._losses()
        )

    def _losses(self) -> str:
        total, reconstruction, kl = (
            sum(column) / len(self._recent) for column in zip(*self._recent, strict=True)
        )
        parts = f" ({reconstruction:.1f} + KL {kl:.1f})" if self._has_kl else ""
        return f"loss {total:.1f}{parts} {self._unit}"
