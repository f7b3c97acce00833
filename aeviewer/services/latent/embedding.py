"""Keeps the layout of the codes that is asked for: from the run's folder, or computed.

At most one is computed at a time. Who looks at something else meanwhile finds it finished when
they come back; only another layout that is wanted takes its place. While a run is trained its
codes change all the time: its newest checkpoint is laid out, and its images stay where they are
there until the next one is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from aeviewer.numbers import local
from aeviewer.services.latent.embedding_job import LayoutJob
from trainers.embeddings import embedding, embedding_cache
from trainers.errors import AEViewerError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from aeviewer.services.latent.latent_state import Exploration
    from trainers.embeddings.embedding import Layout, Method, Recipe

Phase = Literal["off", "missing", "waiting", "computing", "stopped", "shown"]
_REST_MILLISECONDS = 400
"""Who drags the timeline does not want a layout of every checkpoint on the way."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A run, a checkpoint of it, and how its codes are laid out."""

    run: str
    step: int
    method: Method


@dataclass(frozen=True, slots=True)
class Status:
    """What there is to say.

    Attributes
    ----------
    phase
        No layout is asked for; its package is missing; there is no checkpoint yet; it is being
        computed; it was stopped; it is shown.
    step
        The checkpoint whose layout is shown; None where none is.
    making
        The one whose layout is being made, and `share` how much of it is done, 0..1, if known.
    trustworthiness
        Of what is shown.
    problem
        What to do about a missing package.
    """

    phase: Phase
    method: Method = "t-sne"
    step: int | None = None
    making: int | None = None
    share: float | None = None
    trustworthiness: float | None = None
    problem: str = ""


class Layouts(QObject):
    """Gives the exploration the layout that it asks for.

    Parameters
    ----------
    exploration
        Watched, and given.
    """

    changed = Signal()

    def __init__(self, exploration: Exploration, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._exploration, self._session = exploration, exploration.session
        self.recipes: dict[Method, Recipe] = dict(embedding.RECIPES)
        self._wanted: Wanted | None = None
        self._shown: tuple[Wanted, Layout] | None = None
        self._job: tuple[Wanted, LayoutJob] | None = None
        self._is_held = False
        self._rest = QTimer(self, singleShot=True, interval=_REST_MILLISECONDS)
        self._rest.timeout.connect(self._begin)
        exploration.plane_changed.connect(self._start_anew)
        self._session.current_changed.connect(self._start_anew)
        exploration.places_changed.connect(self._follow)
        self._session.step_changed.connect(self._follow)
        self._session.runs_changed.connect(self._follow)

    @property
    def status(self) -> Status:
        """What there is to say."""
        method, wanted = self._exploration.chosen.method, self._wanted
        if method is None or not self._exploration.is_layout:
            return Status("off")
        if problem := embedding.missing(self.recipes[method]):
            return Status("missing", method, problem=problem)
        if wanted is None:
            return Status("waiting", method)
        step, trust = None, None
        if self._shown is not None:
            step, trust = self._shown[0].step, self._shown[1].trustworthiness
        if step == wanted.step:
            return Status("shown", method, step, trustworthiness=trust)
        if self._is_held:
            return Status("stopped", method, step, wanted.step, trustworthiness=trust)
        making, share = wanted.step, None
        if self._job is not None and self._serves(self._job[0]):
            making, share = self._job[0].step, self._job[1].share
        return Status("computing", method, step, making, share, trust)

    # -- requests --------------------------------------------------------------------------------

    def stop(self) -> None:
        """Ends what is being computed; nothing is begun until somebody asks."""
        self._hold()
        self._drop_job()
        self.changed.emit()

    def go_on(self) -> None:
        """Computes what is wanted after all."""
        self._is_held = False
        self._begin()
        self.changed.emit()

    def close(self) -> None:
        """Ends what is being computed, for good."""
        self._rest.stop()
        self._drop_job()

    # -- what is wanted --------------------------------------------------------------------------

    @Slot()
    def _start_anew(self) -> None:
        """Another run or another kind of view: what was stopped may begin again."""
        self._is_held = False
        self._wanted = self._shown = None
        self._exploration.set_layout(None)
        self._follow()
        self.changed.emit()

    @Slot()
    def _follow(self) -> None:
        """Shows what is wanted if it is kept, and has it computed where it is not."""
        if not self._exploration.is_layout:
            if self._wanted is not None:
                self._start_anew()
            return
        wanted = self._wanting()
        if wanted is None or wanted == self._wanted:
            return
        self._wanted = wanted
        self._rest.stop()
        if embedding.missing(self.recipes[wanted.method]):
            return
        layout = self._read(wanted)
        if layout is not None:
            self._show(wanted, layout)
            return
        if self._shown is not None and not self._serves(self._shown[0]):
            self._shown = None
            self._exploration.set_layout(None)
        self._rest.start()
        self.changed.emit()

    def _wanting(self) -> Wanted | None:
        """What is wanted; None while the codes of the step are on their way."""
        session, method = self._session, self._exploration.chosen.method
        current, preview, step = session.current, session.preview, session.step
        if current is None or preview is None or method is None:
            return None
        if step is None:
            evaluation = current.evaluation
            return None if evaluation is None else Wanted(current.key, evaluation.step, method)
        return Wanted(current.key, step, method) if preview.step == step else None

    def _serves(self, other: Wanted) -> bool:
        """Whether another's layout may be shown: of a run in training, an earlier checkpoint's."""
        wanted = self._wanted
        if wanted is None or other == wanted:
            return wanted is not None
        same = (other.run, other.method) == (wanted.run, wanted.method)
        return same and self._session.step is None

    def _codes(self, wanted: Wanted) -> NDArray[np.float32]:
        """(10000, d), the codes of the test images at that checkpoint."""
        preview = self._session.preview
        if self._session.step == wanted.step and preview is not None:
            return preview.codes
        return self._session.run(wanted.run).checkpoint(wanted.step).preview().codes

    def _kept(self, wanted: Wanted) -> tuple[NDArray[np.float32], str, tuple[Path, ...]]:
        """The codes, the layout's key, and where it is kept."""
        recipe, codes = self.recipes[wanted.method], self._codes(wanted)
        key = embedding_cache.key(codes, recipe)
        checkpoint = self._session.run(wanted.run).checkpoint(wanted.step)
        return codes, key, embedding_cache.files(checkpoint, recipe, key)

    def _read(self, wanted: Wanted) -> Layout | None:
        try:
            codes, key, places = self._kept(wanted)
        except AEViewerError as error:
            self._fail(str(error))
            return None
        return embedding_cache.read(places, key, len(codes))

    # -- computing -------------------------------------------------------------------------------

    @Slot()
    def _begin(self) -> None:
        """Has what is wanted computed, instead of anything else."""
        wanted = self._wanted
        if wanted is None or self._is_held or (self._shown and self._shown[0] == wanted):
            return
        if self._job is not None:
            if self._serves(self._job[0]):
                return
            self._drop_job()
        try:
            codes, key, places = self._kept(wanted)
        except AEViewerError as error:
            self._fail(str(error))
            return
        job = LayoutJob(codes, self.recipes[wanted.method], key, places, self)
        self._job = wanted, job
        job.told.connect(self._take_share)
        job.ended.connect(self._take_end)
        self.changed.emit()

    @Slot()
    def _take_share(self) -> None:
        """Shows how far it is; where nothing better is shown, the places so far as well."""
        if self._job is not None and self._serves(self._job[0]):
            if self._shown is None and self._job[1].places is not None:
                self._exploration.set_layout(self._job[1].places)
            self.changed.emit()

    @Slot()
    def _take_end(self) -> None:
        if self._job is None:
            return
        (made, job), self._job = self._job, None
        job.deleteLater()
        if job.layout is None:
            self._fail(
                f"The codes of step {local(made.step):,} could not be laid out: {job.problem}."
            )
        elif self._serves(made):
            self._show(made, job.layout)
        self._begin()  # what came to be wanted meanwhile

    def _show(self, wanted: Wanted, layout: Layout) -> None:
        self._shown = wanted, layout
        self._exploration.set_layout(layout.places)
        self.changed.emit()

    def _fail(self, problem: str) -> None:
        self._hold()
        self._session.message_posted.emit(problem)
        self.changed.emit()

    def _hold(self) -> None:
        """Begins nothing more; what has not got to its end is no map to look at."""
        self._is_held = True
        if self._shown is None:
            self._exploration.set_layout(None)

    def _drop_job(self) -> None:
        if self._job is not None:
            self._job[1].stop()
            self._job[1].deleteLater()
            self._job = None
