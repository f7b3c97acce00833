"""Keeps the requested embedding of the codes: read from the run folder, or computed.

At most one embedding is computed at a time. It continues while something else is shown; only
a request for another embedding replaces it. While a run is trained its codes change all the time,
so its newest checkpoint is embedded, and its points stay in place
until the next embedding is finished.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from aeviewer.numbers import local
from aeviewer.services.latent.embedding_job import EmbeddingJob
from trainers.embeddings import embedding, embedding_cache
from trainers.errors import AEViewerError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from aeviewer.services.latent.latent_state import LatentState
    from trainers.embeddings.embedding import Embedding, Method, Recipe

Phase = Literal["off", "missing", "waiting", "computing", "stopped", "shown"]
_REST_MILLISECONDS = 400
"""A timeline that is dragged does not request an embedding of every checkpoint on the way."""


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """A run, one of its checkpoints, and the method of the embedding."""

    run: str
    step: int
    method: Method


@dataclass(frozen=True, slots=True)
class EmbeddingStatus:
    """The state of the requested embedding.

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


class Embeddings(QObject):
    """Provides the embedding that the latent state requests.

    Parameters
    ----------
    latent_state
        Watched, and given.
    """

    changed = Signal()

    def __init__(self, latent_state: LatentState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._latent, self._session = latent_state, latent_state.session
        self.recipes: dict[Method, Recipe] = dict(embedding.RECIPES)
        self._wanted: EmbeddingRequest | None = None
        self._shown: tuple[EmbeddingRequest, Embedding] | None = None
        self._job: tuple[EmbeddingRequest, EmbeddingJob] | None = None
        self._is_held = False
        self._rest = QTimer(self, singleShot=True, interval=_REST_MILLISECONDS)
        self._rest.timeout.connect(self._begin)
        latent_state.plane_changed.connect(self._start_anew)
        latent_state.run_changed.connect(self._start_anew)
        latent_state.places_changed.connect(self._follow)
        self._session.runs_changed.connect(self._follow)

    @property
    def status(self) -> EmbeddingStatus:
        """The state of the requested embedding."""
        method, wanted = self._latent.chosen.method, self._wanted
        if method is None or not self._latent.is_embedding:
            return EmbeddingStatus("off")
        if problem := embedding.missing_package(self.recipes[method]):
            return EmbeddingStatus("missing", method, problem=problem)
        if wanted is None:
            return EmbeddingStatus("waiting", method)
        step, trust = None, None
        if self._shown is not None:
            step, trust = self._shown[0].step, self._shown[1].trustworthiness
        if step == wanted.step:
            return EmbeddingStatus("shown", method, step, trustworthiness=trust)
        if self._is_held:
            return EmbeddingStatus("stopped", method, step, wanted.step, trustworthiness=trust)
        making, share = wanted.step, None
        if self._job is not None and self._serves(self._job[0]):
            making, share = self._job[0].step, self._job[1].share
        return EmbeddingStatus("computing", method, step, making, share, trust)

    # -- requests --------------------------------------------------------------------------------

    def stop(self) -> None:
        """Stops the computation; nothing is computed until `resume` is called."""
        self._hold()
        self._drop_job()
        self.changed.emit()

    def resume(self) -> None:
        """Computes the requested embedding after it was stopped."""
        self._is_held = False
        self._begin()
        self.changed.emit()

    def close(self) -> None:
        """Stops the computation for good."""
        self._rest.stop()
        self._drop_job()

    # -- what is wanted --------------------------------------------------------------------------

    @Slot()
    def _start_anew(self) -> None:
        """Forgets that the computation was stopped: another run or kind of view is shown."""
        self._is_held = False
        self._wanted = self._shown = None
        self._latent.set_embedding(None)
        self._follow()
        self.changed.emit()

    @Slot()
    def _follow(self) -> None:
        """Shows the requested embedding if it is kept, and computes it otherwise."""
        if not self._latent.is_embedding:
            if self._wanted is not None:
                self._start_anew()
            return
        wanted = self._wanting()
        if wanted is None or wanted == self._wanted:
            return
        self._wanted = wanted
        self._rest.stop()
        if embedding.missing_package(self.recipes[wanted.method]):
            return
        layout = self._read(wanted)
        if layout is not None:
            self._show(wanted, layout)
            return
        if self._shown is not None and not self._serves(self._shown[0]):
            self._shown = None
            self._latent.set_embedding(None)
        self._rest.start()
        self.changed.emit()

    def _wanting(self) -> EmbeddingRequest | None:
        """Returns the embedding to show; None while the codes of the step are read."""
        session, method = self._session, self._latent.chosen.method
        current, preview, step = session.current, session.preview, session.step
        if current is None or preview is None or method is None:
            return None
        if step is None:
            evaluation = current.evaluation
            return (
                None
                if evaluation is None
                else EmbeddingRequest(current.key, evaluation.step, method)
            )
        return EmbeddingRequest(current.key, step, method) if preview.step == step else None

    def _serves(self, other: EmbeddingRequest) -> bool:
        """Returns whether another embedding may be shown: an earlier one of a run in training."""
        wanted = self._wanted
        if wanted is None or other == wanted:
            return wanted is not None
        same = (other.run, other.method) == (wanted.run, wanted.method)
        return same and self._session.step is None

    def _codes(self, wanted: EmbeddingRequest) -> NDArray[np.float32]:
        """Returns (10000, d), the codes of the test images at that checkpoint."""
        preview = self._session.preview
        if self._session.step == wanted.step and preview is not None:
            return preview.codes
        return self._session.run(wanted.run).checkpoint(wanted.step).preview().codes

    def _cache_entry(
        self, wanted: EmbeddingRequest
    ) -> tuple[NDArray[np.float32], str, tuple[Path, ...]]:
        """Returns the codes, the key of the embedding, and its files."""
        recipe, codes = self.recipes[wanted.method], self._codes(wanted)
        key = embedding_cache.compute_key(codes, recipe)
        checkpoint = self._session.run(wanted.run).checkpoint(wanted.step)
        return codes, key, embedding_cache.cache_files(checkpoint, recipe, key)

    def _read(self, wanted: EmbeddingRequest) -> Embedding | None:
        try:
            codes, key, places = self._cache_entry(wanted)
        except AEViewerError as error:
            self._fail(str(error))
            return None
        return embedding_cache.read(places, key, len(codes))

    # -- computing -------------------------------------------------------------------------------

    @Slot()
    def _begin(self) -> None:
        """Starts the requested embedding and cancels any other one."""
        wanted = self._wanted
        if wanted is None or self._is_held or (self._shown and self._shown[0] == wanted):
            return
        if self._job is not None:
            if self._serves(self._job[0]):
                return
            self._drop_job()
        try:
            codes, key, places = self._cache_entry(wanted)
        except AEViewerError as error:
            self._fail(str(error))
            return
        job = EmbeddingJob(codes, self.recipes[wanted.method], key, places, self)
        self._job = wanted, job
        job.progressed.connect(self._take_share)
        job.ended.connect(self._take_end)
        self.changed.emit()

    @Slot()
    def _take_share(self) -> None:
        """Shows the progress and, where no better embedding is shown, the places so far."""
        if self._job is not None and self._serves(self._job[0]):
            if self._shown is None and self._job[1].places is not None:
                self._latent.set_embedding(self._job[1].places)
            self.changed.emit()

    @Slot()
    def _take_end(self) -> None:
        if self._job is None:
            return
        (made, job), self._job = self._job, None
        job.deleteLater()
        if job.result is None:
            self._fail(
                f"The codes of step {local(made.step):,} could not be embedded: {job.problem}."
            )
        elif self._serves(made):
            self._show(made, job.result)
        self._begin()  # A request may have arrived in the meantime.

    def _show(self, wanted: EmbeddingRequest, layout: Embedding) -> None:
        self._shown = wanted, layout
        self._latent.set_embedding(layout.places)
        self.changed.emit()

    def _fail(self, problem: str) -> None:
        self._hold()
        self._session.message_posted.emit(problem)
        self.changed.emit()

    def _hold(self) -> None:
        """Starts nothing more; an unfinished embedding is not shown."""
        self._is_held = True
        if self._shown is None:
            self._latent.set_embedding(None)

    def _drop_job(self) -> None:
        if self._job is not None:
            self._job[1].stop()
            self._job[1].deleteLater()
            self._job = None
