"""What a trainer writes into its run's folder: status, rows of metrics, weights, resume points."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch

from trainers import runs
from trainers.events import Losses
from trainers.training import checkpoint as checkpoints

if TYPE_CHECKING:
    from trainers.models.base import Autoencoder
    from trainers.runs import Run, State

_RESUME_SECONDS = 30.0
_STATUS_SECONDS = 2.0


class Journal:
    """Keeps a run's folder up to date, in an order that a crash can not confuse.

    Rows of metrics are on disk before the status or the resume point that counts them.

    Parameters
    ----------
    run
        The folder.
    device
        Told in the status.

    Attributes
    ----------
    engine
        Told in the status; empty where no steps are done.
    """

    def __init__(self, run: Run, device: torch.device) -> None:
        self.run = run
        self.status = run.status()
        self._device = device
        self.engine = ""
        self._unwritten: list[Losses] = []
        self._kept_at = self._told_at = time.perf_counter()

    @property
    def status_is_due(self) -> bool:
        """Whether the status is older than a reader would like."""
        return time.perf_counter() - self._told_at > _STATUS_SECONDS

    @property
    def resume_point_is_due(self) -> bool:
        """Whether a crash would cost more steps than it may."""
        return time.perf_counter() - self._kept_at > _RESUME_SECONDS

    def add(self, losses: Losses) -> None:
        """Takes in the losses of a slice, to be written with what comes next."""
        self._unwritten.append(losses)

    def tell(self, state: State, step: int, seconds: float, error: str = "") -> None:
        """Writes the status."""
        self._write_metrics()
        changes = {
            "state": state,
            "step": step,
            "seconds": round(seconds, 3),
            "device": str(self._device),
            "engine": self.engine,
            "threads": torch.get_num_threads(),
            "versions": runs.versions(),
            "error": error,
        }
        self.status = self.status.model_copy(update=changes)
        self.run.write_status(self.status)
        self._told_at = time.perf_counter()

    def write_weights(self, model: Autoencoder, step: int) -> None:
        """Makes the checkpoint of `step`; its figures follow later."""
        precision = self.run.config.training.precision
        self.run.write_checkpoint(step, checkpoints.weights(model, precision))

    def write_resume_point(self, point: checkpoints.ResumePoint) -> None:
        """Replaces the resume point."""
        self._write_metrics()
        self.run.write_resume(point.to_bytes())
        self._kept_at = time.perf_counter()

    def is_kept(self, step: int) -> bool:
        """Whether the checkpoint of `step` is there with all its figures."""
        return any(c.step == step and c.is_evaluated for c in self.run.checkpoints())

    def _write_metrics(self) -> None:
        blocks, self._unwritten = self._unwritten, []
        if blocks:
            self.run.append_metrics(Losses.joined(blocks))
