"""The queue of trainings: what Train, Pause, Resume and Stop do.

It also carries what happens in the compute thread to the session.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from enum import Enum
from functools import singledispatchmethod
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from aeviewer.services.mailbox import Ended, Failed, Mailbox
from trainers import runs
from trainers.errors import AEViewerError
from trainers.events import (
    CheckpointSaved,
    Diverged,
    Finished,
    Preview,
    Progress,
    Started,
    Stopped,
)

if TYPE_CHECKING:
    from aeviewer.services.compute import ComputeThread
    from aeviewer.services.mailbox import Letter
    from aeviewer.services.session import Session
    from trainers.config import RunConfig

_DRAIN_MILLISECONDS = 33
_RATE_SECONDS = 5.0
_SETTLED_SECONDS = 2.0


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
    """Runs one training after another.

    Parameters
    ----------
    session
        Told of everything that happens.
    compute
        Does the work; its mailbox is `mailbox`.
    mailbox
        Emptied 30 times a second while something trains, and not looked at otherwise.
    """

    activity_changed = Signal()
    progressed = Signal()

    def __init__(
        self,
        session: Session,
        compute: ComputeThread,
        mailbox: Mailbox,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._compute = compute
        self._mailbox = mailbox
        self._activity = Activity.IDLE
        self._active: str | None = None
        self._waiting: deque[str] = deque()
        self._unended = 0
        self._figures = Figures()
        self._pace: deque[tuple[float, int]] = deque()
        self._letters: deque[Letter] = deque()
        self._timer = QTimer(self, interval=_DRAIN_MILLISECONDS)
        self._timer.timeout.connect(self._drain)

    @property
    def activity(self) -> Activity:
        """What is going on."""
        return self._activity

    @property
    def active(self) -> str | None:
        """Key of the run that is trained or held."""
        return self._active

    @property
    def waiting(self) -> tuple[str, ...]:
        """Keys of the runs behind it."""
        return tuple(self._waiting)

    @property
    def figures(self) -> Figures:
        """How far the active run is."""
        return self._figures

    # -- requests --------------------------------------------------------------------------------

    def train(self, config: RunConfig, name: str = "") -> None:
        """Starts a new run, or puts it behind the one that is running."""
        try:
            run = runs.create(config, self._session.folder, name)
        except AEViewerError as error:
            self._session.message_posted.emit(str(error))
            return
        self._enqueue(self._session.add(run, "queued"))

    def continue_run(self, key: str) -> None:
        """Puts a stopped or interrupted run into the queue, to be finished."""
        if key != self._active and key not in self._waiting:
            self._enqueue(key)

    def remove(self, key: str) -> None:
        """Takes a waiting run out of the queue; it can be continued later."""
        if key in self._waiting:
            self._waiting.remove(key)
            self._session.set_state(key, "stopped")
            self.activity_changed.emit()

    def pause(self) -> None:
        """Holds the active run; it stays in memory."""
        if self._activity is Activity.RUNNING and self._active:
            self._compute.set_paused(True)
            self._session.set_state(self._active, "paused")
            self._set_activity(Activity.PAUSED)

    def resume(self) -> None:
        """Goes on with the paused run."""
        if self._activity is Activity.PAUSED and self._active:
            self._pace.clear()
            self._compute.set_paused(False)
            self._session.set_state(self._active, "running")
            self._set_activity(Activity.RUNNING)

    def stop(self) -> None:
        """Stops the active run and keeps what was learnt; the next one then begins."""
        if self._activity in {Activity.RUNNING, Activity.PAUSED} and self._active:
            self._compute.stop_training(self._session.run(self._active))
            self._set_activity(Activity.STOPPING)

    def close(self) -> None:
        """Stops and saves, waits for it, and leaves the waiting runs to another day."""
        self._waiting.clear()
        self._compute.close()
        self._drain()
        self._timer.stop()

    # -- the queue -------------------------------------------------------------------------------

    def _enqueue(self, key: str) -> None:
        self._waiting.append(key)
        self._session.set_state(key, "queued")
        if self._active is None:
            self._begin_next()
            self._session.set_current(key)
            self._session.follow()
        else:
            self.activity_changed.emit()

    def _begin_next(self) -> None:
        # A pause that came as the run before was ending must not hold the next one.
        self._compute.set_paused(False)
        if not self._waiting:
            self._set_activity(Activity.IDLE)
            return
        was_followed = self._session.current is None or self._session.step is None
        self._active = key = self._waiting.popleft()
        item = self._session.item(key)
        self._figures = Figures(item.step, item.steps)
        self._pace.clear()
        self._session.set_state(key, "running")
        self._unended += 1
        self._compute.train(self._session.run(key))
        self._timer.start()
        self._set_activity(Activity.RUNNING)
        if was_followed:
            self._session.set_current(key)
            self._session.follow()
        self.progressed.emit()

    def _leave(self, key: str, state: str, step: int | None = None) -> None:
        """The active run has come to its end; the next one begins."""
        was_live = self._session.is_live and self._is_current(key)
        if self._session.has(key):
            self._session.set_state(key, state, step)
        if key == self._active:
            self._active = None
            self._begin_next()
        if was_live and self._is_current(key):
            self._session.follow()

    def _set_activity(self, activity: Activity) -> None:
        self._activity = activity
        self.activity_changed.emit()

    # -- the mail --------------------------------------------------------------------------------

    @Slot()
    def _drain(self) -> None:
        # Letters stay until they are read: one that fails keeps none of the others back for good.
        self._letters.extend(self._mailbox.fetch())
        while self._letters:
            letter = self._letters.popleft()
            # The folder of a run may have been deleted meanwhile; then only its end matters.
            if self._session.has(letter.key) or isinstance(letter.event, Ended):
                self._heard(letter.event, letter.key)
        if not self._unended:
            self._timer.stop()

    @singledispatchmethod
    def _heard(self, event: object, key: str) -> None:
        raise TypeError(f"Nobody reads {type(event).__name__}")

    @_heard.register
    def _(self, event: Started, key: str) -> None:
        self._session.forget_curves(key)
        self._figures = Figures(event.step, event.steps, device=event.device)
        self.progressed.emit()

    @_heard.register
    def _(self, event: Progress, key: str) -> None:
        self._session.append_losses(key, event.losses)
        rate, seconds = self._rate(event.step)
        left = (event.steps - event.step) / rate if rate and seconds > _SETTLED_SECONDS else None
        self._figures = Figures(event.step, event.steps, rate, left, self._figures.device)
        self.progressed.emit()

    @_heard.register
    def _(self, event: Preview, key: str) -> None:
        if self._is_current(key) and self._session.is_live:
            self._session.set_preview(event)

    @_heard.register
    def _(self, event: CheckpointSaved, key: str) -> None:
        self._session.add_checkpoint(key, event.evaluation)
        self._heard(event.preview, key)

    @_heard.register
    def _(self, event: Stopped, key: str) -> None:
        if event.step:
            self._session.add_step(key, event.step)
        self._leave(key, "stopped", event.step)

    @_heard.register
    def _(self, event: Finished, key: str) -> None:
        self._leave(key, "finished", event.step)

    @_heard.register
    def _(self, event: Diverged, key: str) -> None:
        self._leave(key, "diverged", event.step - 1)
        self._session.refresh()
        self._session.message_posted.emit(
            f"{self._session.item(key).name}: {self._session.item(key).problem}"
        )

    @_heard.register
    def _(self, event: Failed, key: str) -> None:
        self._leave(key, "failed")
        self._session.set_problem(key, event.message)
        self._session.message_posted.emit(event.message)

    @_heard.register
    def _(self, _event: Ended, key: str) -> None:
        self._unended -= 1
        # A run may be continued while its first training still measures its last checkpoint.
        if key == self._active and not self._unended:
            self._leave(key, "stopped")

    def _is_current(self, key: str) -> bool:
        current = self._session.current
        return current is not None and current.key == key

    def _rate(self, step: int) -> tuple[float, float]:
        """Steps a second over the last few seconds, pauses left out, and how many they are."""
        now = time.monotonic()
        self._pace.append((now, step))
        while now - self._pace[0][0] > _RATE_SECONDS:
            self._pace.popleft()
        began, first = self._pace[0]
        return ((step - first) / (now - began) if now > began else 0.0), now - began
