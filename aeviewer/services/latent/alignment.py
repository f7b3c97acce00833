"""How the codes of each checkpoint of the current run are aligned to those of its last one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from aeviewer.services.compute.compute_client import ComputeClient
from trainers.exploration.alignment import Alignment, chain_alignments

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from aeviewer.services.compute.compute_thread import ComputeThread
    from aeviewer.services.compute.model_cache import ModelCache
    from aeviewer.services.runs.session import Session
    from trainers.runs import Run


@dataclass(frozen=True, slots=True, eq=False)
class AlignedCheckpoints:
    """The checkpoints of a run, each with its alignment to the last one.

    Attributes
    ----------
    run
        Its key.
    alignments
        By step, ascending; the last is the identity.
    codes
        (10000, d), the test images' codes at the last step.
    """

    run: str
    alignments: dict[int, Alignment]
    codes: NDArray[np.float32]

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps, ascending."""
        return tuple(self.alignments)

    @property
    def last(self) -> int:
        """The step that all others are aligned to."""
        return self.steps[-1]


class AlignmentService(QObject):
    """Keeps the alignments of the current run while alignment is switched on.

    They are computed when the run becomes current, and again when it is played or when a step
    without
    an alignment is shown. A checkpoint that is merely saved does not rotate what is seen.

    Parameters
    ----------
    session
        Watched.
    compute
        Reads the checkpoints' codes, two of them at once.
    """

    changed = Signal()

    def __init__(
        self, session: Session, compute: ComputeThread, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._client = ComputeClient(compute, "alignments", self._show_problem, self)
        self._is_wanted = True
        self._asked: tuple[str, tuple[int, ...]] | None = None
        self._failed: tuple[str, tuple[int, ...]] | None = None
        self._known: AlignedCheckpoints | None = None
        self._problem = ""
        session.current_changed.connect(self._start_anew)
        session.step_changed.connect(self._follow_step)

    @property
    def is_enabled(self) -> bool:
        """Whether codes are shown aligned."""
        return self._is_wanted

    def set_enabled(self, wanted: bool) -> None:
        """Shows codes aligned, or as they are."""
        if wanted != self._is_wanted:
            self._is_wanted = wanted
            self._follow_step()
            self.changed.emit()

    @property
    def problem(self) -> str:
        """Why there are no alignments."""
        return self._problem

    @property
    def is_working(self) -> bool:
        """Whether alignments are being computed."""
        return self._asked is not None

    @property
    def aligned(self) -> AlignedCheckpoints | None:
        """The alignments, where they are switched on and known."""
        return self._known if self._is_wanted else None

    def at(self, step: int | None) -> Alignment | None:
        """Returns the alignment of a step; None where codes are shown as they are."""
        aligned = self.aligned
        return None if aligned is None or step is None else aligned.alignments.get(step)

    def follow(self) -> None:
        """Takes in all current checkpoints; `changed` is emitted when they are aligned."""
        current, steps = self._session.current, self._session.checkpoints
        if not self._is_wanted or current is None or len(steps) < 2:
            return
        place = current.key, steps
        known = self._known
        if place in (self._asked, self._failed, known and (known.run, known.steps)):
            return
        self._asked = place
        work = partial(align_run, run=self._session.run(current.key), key=current.key, steps=steps)
        self._client.submit("chain", work, self._show_result)

    @Slot()
    def _start_anew(self) -> None:
        self._client.cancel("chain")
        self._asked = self._failed = self._known = None
        self._problem = ""
        self.follow()

    @Slot()
    def _follow_step(self) -> None:
        """Requests the alignment of a step that is not known."""
        step, known = self._session.step, self._known
        if step is not None and (known is None or step not in known.alignments):
            self.follow()

    def _show_result(self, aligned: AlignedCheckpoints) -> None:
        self._asked, self._problem = None, ""
        self._known = aligned
        self.changed.emit()

    def _show_problem(self, problem: str) -> None:
        self._failed, self._asked, self._problem = self._asked, None, problem
        self.changed.emit()


def codes_at(models: ModelCache, run: Run, step: int) -> NDArray[np.float32]:
    """Returns (10000, d), the codes of the test images at a checkpoint: read, or computed."""
    checkpoint = run.checkpoint(step)
    codes: NDArray[np.float32]
    codes = checkpoint.codes() if checkpoint.is_evaluated else models.preview(run, step).codes
    return codes


def align_run(
    models: ModelCache, run: Run, key: str, steps: tuple[int, ...]
) -> Generator[AlignedCheckpoints | None]:
    """Computes the alignments of a run's steps to the last of them, one step at a time."""
    last = codes_at(models, run, steps[-1])

    def tables() -> Iterator[NDArray[np.float32]]:
        yield last
        for step in reversed(steps[:-1]):
            yield codes_at(models, run, step)

    alignments = {}
    for step, alignment in zip(reversed(steps), chain_alignments(tables()), strict=True):
        alignments[step] = alignment
        yield None
    yield AlignedCheckpoints(key, {step: alignments[step] for step in steps}, last)
