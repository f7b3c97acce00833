"""Where the compute thread leaves what happened for the GUI to fetch. Knows nothing of Qt.

Losses add up; a newer preview of a run replaces one that nobody has fetched: however slow the
reader, the box holds one picture a run.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from trainers.events import Losses, Preview, Progress

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trainers.events import Event
    from trainers.parallel import CheckpointFound


class TrainingFailed(NamedTuple):
    """A training that could not begin or go on; `message` is meant for the person."""

    message: str


class TrainingEnded(NamedTuple):
    """Nothing more will come of a training."""


class RunEvent(NamedTuple):
    """What happened to the run called `key`."""

    key: str
    event: Event | CheckpointFound | TrainingFailed | TrainingEnded


def merge_progress(run_events: Iterable[RunEvent]) -> list[RunEvent]:
    """The same letters, consecutive slices of a run told as one: it costs as much to show."""
    found: list[RunEvent] = []
    for is_progress, group in groupby(
        run_events, lambda run_event: isinstance(run_event.event, Progress)
    ):
        if not is_progress:
            found += group
            continue
        slices: dict[str, list[Progress]] = {}
        for key, event in group:
            slices.setdefault(key, []).append(event)  # type: ignore[arg-type]
        found += [RunEvent(key, _together(events)) for key, events in slices.items()]
    return found


def _together(slices: list[Progress]) -> Progress:
    losses = Losses.concatenate([part.losses for part in slices])
    return replace(slices[-1], losses=losses)


class EventQueue:
    """A thread-safe list of letters, in order."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._letters: list[RunEvent] = []

    def put(self, run_event: RunEvent) -> None:
        """Adds a letter; an unread preview of the same run is dropped for a newer one."""
        with self._lock:
            if isinstance(run_event.event, Preview):
                self._letters = [
                    kept
                    for kept in self._letters
                    if kept.key != run_event.key or not isinstance(kept.event, Preview)
                ]
            self._letters.append(run_event)

    def take_all(self) -> list[RunEvent]:
        """All letters since the last time."""
        with self._lock:
            run_events, self._letters = self._letters, []
        return run_events
