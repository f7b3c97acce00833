"""What the latent panel says of the codes that it shows, or why there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeviewer.numbers import local

if TYPE_CHECKING:
    from aeviewer.services.latent_services import LatentServices
    from aeviewer.services.runs.session import Session

_EMPTY = "Press Train, or choose a run: its codes appear here."
_STARTING = "Starting: the first codes appear in a moment"
_WAITING = "It waits for its turn"
_NOT_STARTED = "Not started: choose Continue training in the runs list"
_CONTINUABLE = {"new", "stopped", "interrupted"}


def without_codes(session: Session) -> str:
    """Why there are no codes yet, and what to do."""
    item = session.current
    state = item.state if item else ""
    if state == "running":
        return _STARTING
    if state == "queued":
        return _WAITING
    if state in _CONTINUABLE and not session.checkpoints:
        return _NOT_STARTED
    return _EMPTY


def told(latent_services: LatentServices, step: int, count: int) -> str:
    """Which codes these are, and how they are turned: `count` of them, of a step."""
    return " · ".join([_counted(latent_services, step, count), *_turned(latent_services, step)])


def _turned(latent_services: LatentServices, step: int) -> list[str]:
    """That they are aligned, where they are."""
    aligned, plane = latent_services.alignments.aligned, latent_services.latent_state.plane
    if aligned is None or plane is None or not plane.is_aligned:
        return []
    motion = aligned.alignments[step]
    way = "rotation and reflection" if motion.is_mirroring else "rotation"
    return [f"aligned to step {local(aligned.last):,} by {way}"]


def _counted(latent_services: LatentServices, step: int, count: int) -> str:
    latent_state = latent_services.latent_state
    tests = latent_services.session.dataset.test
    if count > tests and latent_state.is_layout:
        seen = f"step {local(step):,} · {local(tests):,} test images"
        return f"{seen} · training images are not laid out"
    if count > tests:
        return f"step {local(step):,} · {local(count):,} test and training images"
    words = f"step {local(step):,} · {local(count):,} test images"
    if not latent_state.displayed_codes.wants_training:
        return words
    is_live = latent_services.session.is_live
    return f"{words} · " + ("training images at checkpoints" if is_live else "encoding the others…")
