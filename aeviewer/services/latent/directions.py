"""Decoded steps along the local directions around the marked code."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from aeviewer.services.compute.latest_result import LatestResult
from trainers.exploration.local_directions import LocalDirections, local_directions

if TYPE_CHECKING:
    from aeviewer.services.compute.compute_thread import ComputeThread
    from aeviewer.services.compute.model_cache import ModelCache
    from aeviewer.services.latent.latent_state import LatentState
    from aeviewer.services.runs.model_source import ModelSource
    from trainers.runs import Run

WORTH = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class DirectionSteps:
    """A code and the images around it.

    Attributes
    ----------
    source
        The model that decoded them.
    code
        (d,), in the middle of every row.
    local
        The directions, a row each.
    codes
        (r, 7, d), the steps along them.
    images
        (r, 7, ...) images, what they decode to.
    """

    source: ModelSource
    code: NDArray[np.float32]
    local: LocalDirections
    codes: NDArray[np.float32]
    images: NDArray[np.float32]


class DirectionsService(QObject):
    """Keeps the steps around the marked code up to date while they are visible.

    Parameters
    ----------
    latent_state
        Whose session has the code.
    compute
        Computes.
    """

    changed = Signal()
    pointed_changed = Signal()
    """The mouse is over another row, or over none."""

    def __init__(
        self, latent_state: LatentState, compute: ComputeThread, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._latent = latent_state
        self.latest = LatestResult(
            compute, "directions", latent_state.session.message_posted.emit, self
        )
        self.latest.changed.connect(self.changed)
        self.latest.changed.connect(self.pointed_changed)
        self._is_wanted = False
        self._worth = WORTH
        self._pointed = -1
        self._run = ""
        latent_state.code_changed.connect(self._ask)
        latent_state.run_changed.connect(self._ask)
        latent_state.places_changed.connect(self._ask)

    @property
    def steps(self) -> DirectionSteps | None:
        """The steps around the marked code; None without one."""
        steps: DirectionSteps | None = self.latest.value
        return steps

    def set_enabled(self, wanted: bool) -> None:
        """Starts or stops the computation."""
        self._is_wanted = wanted
        self._ask()

    def choose(self, worth: int) -> None:
        """Sets the effective number of codes around the marked one; see `local_directions`."""
        if worth != self._worth:
            self._worth = worth
            self._ask()

    @property
    def worth(self) -> int:
        """The effective number of codes in the neighbourhood."""
        return self._worth

    @property
    def pointed(self) -> NDArray[np.float32] | None:
        """(7, d), the steps of the row under the mouse; None without one."""
        if self.steps is None or not 0 <= self._pointed < len(self.steps.codes):
            return None
        row: NDArray[np.float32] = self.steps.codes[self._pointed]
        return row

    def point_at(self, row: int) -> None:
        """Sets the row under the mouse; −1 means none."""
        if row != self._pointed:
            self._pointed = row
            self.pointed_changed.emit()

    @Slot()
    def _ask(self) -> None:
        session = self._latent.session
        # The directions are those of the test images, as the plane is: they do not rotate when the
        # training images are shown too.
        current, code, codes = session.current, session.code, self._latent.test_codes
        key = current.key if current else ""
        if key != self._run:
            self._run = key
            self.latest.clear()
        # Looking through all codes takes a while, so it is done only while the panel is visible.
        if not (self._is_wanted and current and code is not None and codes is not None):
            self.latest.clear()
        elif not _fits(code, codes):
            self.latest.clear()
        else:
            work = partial(
                decode_steps,
                run=session.run(current.key),
                step=session.step,
                code=code,
                codes=codes,
                worth=self._worth,
                previous=self.steps.local if self.steps else None,
            )
            self.latest.ask((key, session.step, self._worth, code.tobytes()), work)


def _fits(code: NDArray[np.float32], codes: NDArray[np.float32]) -> bool:
    """Returns whether a code has the dimension of the codes and all numbers are finite."""
    is_alike = code.shape == codes.shape[1:]
    return is_alike and bool(np.isfinite(code).all() and np.isfinite(codes).all(axis=1).any())


def decode_steps(
    models: ModelCache,
    run: Run,
    step: int | None,
    code: NDArray[np.float32],
    codes: NDArray[np.float32],
    worth: int,
    previous: LocalDirections | None,
) -> DirectionSteps:
    """Returns the steps around a code among (n, d) codes, decoded by the model of a step."""
    local = local_directions(codes, code, worth, previous)
    grid = local.grid(code)
    images = models.at(run, step).decode(grid.reshape(-1, len(code)))
    return DirectionSteps(
        models.source(run, step),
        code,
        local,
        grid,
        images.reshape(*grid.shape[:2], *images.shape[1:]),
    )
