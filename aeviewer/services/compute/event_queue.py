"""A thread-safe queue of the events of training runs. It does not use Qt.

The compute thread adds events, the GUI thread takes them. Losses are kept; a newer preview of a run
replaces one that was not taken, so that a slow reader leaves one preview per run in the queue.
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
    """A training that could not begin or continue; `message` is for the user."""

    message: str


class TrainingEnded(NamedTuple):
    """The end of a training: no event follows."""


class RunEvent(NamedTuple):
    """An event of the run with this key."""

    key: str
    event: Event | CheckpointFound | TrainingFailed | TrainingEnded


def merge_progress(run_events: Iterable[RunEvent]) -> list[RunEvent]:
    """Returns the events with consecutive `Progress` of a run merged into one."""
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
        found += [RunEvent(key, _join_slices(events)) for key, events in slices.items()]
    return found


def _join_slices(slices: list[Progress]) -> Progress:
    losses = Losses.concatenate([part.losses for part in slices])
    return replace(slices[-1], losses=losses)


class EventQueue:
    """A thread-safe list of events, in order."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._run_events: list[RunEvent] = []

    def put(self, run_event: RunEvent) -> None:
        """Adds an event; a preview replaces an older preview of the same run."""
        with self._lock:
            if isinstance(run_event.event, Preview):
                self._run_events = [
                    kept
                    for kept in self._run_events
                    if kept.key != run_event.key or not isinstance(kept.event, Preview)
                ]
            self._run_events.append(run_event)

    def take_all(self) -> list[RunEvent]:
        """Returns all events since the last call, and empties the queue."""
        with self._lock:
            run_events, self._run_events = self._run_events, []
        return run_events
