"""The queue of trainings: what Train, Pause, Resume and Stop do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from trainers.config import RunConfig


class Activity(Enum):
    """What the queue is doing."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class Figures:
    """How far the active run is: steps done of all, steps a second, seconds to go."""

    step: int = 0
    steps: int = 0
    rate: float = 0.0
    seconds_left: float | None = None
    device: str = ""


class TrainingQueue(QObject):
    """Runs one training after another (a stub until the services land)."""

    activity_changed = Signal()
    progressed = Signal()

    @property
    def activity(self) -> Activity: ...
    @property
    def active(self) -> str | None:
        """Key of the run that is trained or held."""
    @property
    def waiting(self) -> tuple[str, ...]:
        """Keys of the runs behind it."""
    @property
    def figures(self) -> Figures: ...
    def train(self, config: RunConfig, name: str = "") -> None:
        """Starts a new run, or puts it behind the one that is running."""
    def pause(self) -> None: ...
    def resume(self) -> None:
        """Goes on with the paused run."""
    def stop(self) -> None:
        """Stops the active run within 200 ms and keeps what was learnt."""
    def continue_run(self, key: str) -> None:
        """Puts a stopped or interrupted run into the queue, to be finished."""
    def remove(self, key: str) -> None:
        """Takes a waiting run out of the queue."""
