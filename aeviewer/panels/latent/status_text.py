"""The texts of the latent panels: which codes and which model they show, or why they show none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeviewer.numbers import local
from aeviewer.services.runs.model_source import ModelSource
from trainers.runs.status import RunState

if TYPE_CHECKING:
    from aeviewer.services.compute.latest_result import LatestResult
    from aeviewer.services.latent_services import LatentServices
    from aeviewer.services.runs.session import Session
    from aeviewer.widgets.displays.result_line import ResultLine

_EMPTY = "Press Train, or choose a run: its codes appear here."
_STARTING = "Training starts: the first codes appear in a moment."
_WAITING = "This run is queued."
_LOADING = "The codes of this run are being read…"
_FAILED = "This run has no codes to show. Its row in the list of runs says why."
_NOT_STARTED = "This run has no checkpoint yet. Choose Continue training in the list of runs."


def no_codes_text(session: Session) -> str:
    """Returns why there are no codes yet, and what to do."""
    item = session.current
    if item is None:
        return _EMPTY
    if item.state is RunState.RUNNING:
        return _STARTING
    if item.state is RunState.QUEUED:
        return _WAITING
    if item.state.can_continue and not session.checkpoints:
        return _NOT_STARTED
    return _LOADING if session.is_loading else _FAILED


def codes_text(latent_services: LatentServices, step: int, count: int) -> str:
    """Returns the step, the number of codes, and how they are aligned."""
    return " · ".join(
        [_count_text(latent_services, step, count), *_alignment_text(latent_services, step)]
    )


def _alignment_text(latent_services: LatentServices, step: int) -> list[str]:
    """Returns how the codes are aligned; nothing where they are not."""
    aligned, plane = latent_services.alignments.aligned, latent_services.latent_state.plane
    if aligned is None or plane is None or not plane.is_aligned:
        return []
    motion = aligned.alignments[step]
    way = "rotation and reflection" if motion.is_mirroring else "rotation"
    return [f"aligned to step {local(aligned.last):,} by {way}"]


def _count_text(latent_services: LatentServices, step: int, count: int) -> str:
    latent_state = latent_services.latent_state
    session = latent_services.session
    tests, name = session.dataset.test, session.current.name if session.current else ""
    shown = source_text(session, ModelSource(name, step, session.is_live))
    if count > tests and latent_state.is_embedding:
        seen = f"{shown} · {local(tests):,} test images"
        return f"{seen} · the embedding is of the test images only"
    if count > tests:
        return f"{shown} · {local(count):,} test and training images"
    words = f"{shown} · {local(count):,} test images"
    if not latent_state.displayed_codes.shows_training:
        return words
    return f"{words} · " + (
        "training images at checkpoints" if session.is_live else "encoding the training images…"
    )


def source_text(session: Session, source: ModelSource) -> str:
    """Returns the step of a model, whether it is in training, and its run.

    The name of the run is last: it may be long, and a narrow panel elides the end.
    """
    words = [f"step {local(source.step):,}"]
    if source.is_live:
        item = session.current
        is_paused = item is not None and item.state is RunState.PAUSED
        words.append("paused" if is_paused else "live")
    return " · ".join([*words, source.run_name])


def show_status(line: ResultLine, latest: LatestResult, session: Session) -> None:
    """Shows under a result which model it is of, and whether a newer one is computed."""
    source = None if latest.value is None else latest.value.source
    if source is None:
        line.set_source("")
    else:
        line.set_source(source_text(session, source), f"{source.run_name}-step{source.step}")
    line.set_status(
        is_computing=latest.is_computing and (latest.is_stale or latest.value is None),
        is_stale=latest.is_stale,
        progress=latest.progress,
    )
