"""Plays the checkpoints of the current run: the codes move from each one to the next."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal, Slot

from aeviewer.services.compute.compute_client import ComputeClient
from aeviewer.services.timeline.trajectory import (
    Interpolation,
    Trajectory,
    compute_trajectory,
    seconds_per_step,
)

if TYPE_CHECKING:
    from aeviewer.services.compute.compute_thread import ComputeThread
    from aeviewer.services.latent.latent_state import LatentState

_FRAME_MILLISECONDS = 16
_LONGEST_FRAME = 0.05
"""The most seconds that one frame counts for: slow drawing makes the film longer, not jumpy."""


class Playback(QObject):
    """Shows one checkpoint after the other, and interpolates between them.

    The session's step is the nearer checkpoint, by whose model everything is decoded; only the
    points' places are interpolated. It plays the checkpoints there are when it begins.

    Parameters
    ----------
    latent_state
        Its planes are looked at, its session is moved.
    compute
        Reads the codes.
    """

    changed = Signal()
    """The playback has started or stopped."""
    moved = Signal()
    """`interpolation` has changed."""

    def __init__(
        self, latent_state: LatentState, compute: ComputeThread, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._latent, self._session = latent_state, latent_state.session
        self._client = ComputeClient(compute, "playback", self._play_without_interpolation, self)
        self._steps: tuple[int, ...] = ()
        self._number, self._time = 0, 0.0
        self._is_playing = False
        self.trajectory: Trajectory | None = None
        self.interpolation: Interpolation | None = None
        self._clock = QElapsedTimer()
        self._timer = QTimer(self, interval=_FRAME_MILLISECONDS)
        self._timer.timeout.connect(self._advance)
        self._session.current_changed.connect(self.pause)
        self._session.step_changed.connect(self._follow_step)
        latent_state.plane_changed.connect(self._follow_plane)
        latent_state.alignments.changed.connect(self._follow_plane)

    @property
    def is_playing(self) -> bool:
        """Whether the checkpoints are played."""
        return self._is_playing

    def start(self) -> None:
        """Plays from the step that is shown; from the first one if that is the last."""
        steps, step = self._session.checkpoints, self._session.step
        if self._is_playing or len(steps) < 2:
            return
        if step is None or step >= steps[-1]:
            self._session.show_step(steps[0])
            step = steps[0]
        self._steps = tuple(known for known in steps if known >= step)
        self._number, self._time = 0, 0.0
        self._is_playing = True
        self.changed.emit()
        self._prepare()

    @Slot()
    def pause(self) -> None:
        """Stops at the step that is shown."""
        if not self._is_playing:
            return
        self._is_playing = False
        self._timer.stop()
        self._client.cancel("trajectory")
        self._clear_interpolation()
        self.changed.emit()

    def _clear_interpolation(self) -> None:
        """Shows the checkpoint itself, without interpolation."""
        self.trajectory = None
        if self.interpolation is not None:
            self.interpolation = None
            self.moved.emit()

    # -- what is played --------------------------------------------------------------------------

    def _prepare(self) -> None:
        """Requests the places of the codes when the alignment is known."""
        self._timer.stop()
        self._clear_interpolation()
        alignments, current = self._latent.alignments, self._session.current
        alignments.follow()
        if current is None or alignments.is_working:
            return
        if self._latent.test_codes is None or self._latent.is_embedding:
            # Two embeddings cannot be interpolated: the playback jumps from step to step.
            self._start_clock()
            return
        work = partial(
            compute_trajectory,
            run=self._session.run(current.key),
            steps=self._steps[self._number :],
            planes=self._latent.planes(self._steps),
            previous=self._latent.plane,
        )
        self._steps, self._number = self._steps[self._number :], 0
        self._client.submit("trajectory", work, self._show_result)

    def _show_result(self, trajectory: Trajectory) -> None:
        self.trajectory = trajectory
        self._start_clock()

    def _play_without_interpolation(self, _problem: str) -> None:
        """Plays from step to step with nothing between, because codes are missing."""
        self.trajectory = None
        self._start_clock()

    def _start_clock(self) -> None:
        self._clock.start()
        self._timer.start()

    @Slot()
    def _follow_plane(self) -> None:
        """Continues in another plane or alignment."""
        if self._is_playing:
            self._time = 0.0
            if self._session.step in self._steps:
                self._number = self._steps.index(self._session.step)
            self._prepare()

    @Slot()
    def _follow_step(self) -> None:
        """Stops when another step is chosen."""
        if self._is_playing and self._session.step not in self._steps[self._number :][:2]:
            self.pause()

    # -- going -----------------------------------------------------------------------------------

    @Slot()
    def _advance(self) -> None:
        """Shows one frame."""
        passed = min(self._clock.restart() / 1000, _LONGEST_FRAME)
        if self._number + 1 < len(self._steps):
            self._time += passed / seconds_per_step(len(self._session.checkpoints))
        if self._time >= 1:
            self._number, self._time = self._number + 1, self._time - 1
        if self._number + 1 >= len(self._steps):
            self._session.show_step(self._steps[-1])
            self.pause()
            return
        self._session.show_step(self._steps[self._number + (self._time >= 0.5)])
        if self._is_playing and self.trajectory is not None:
            self.interpolation = self.trajectory.at(self._number, self._time)
            self.moved.emit()
