"""What a trainer writes into its run's folder: status, rows of metrics, weights, resume points.

No step waits for the disk: a writer's thread writes one after another what is given here.
"""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import wait
from functools import partial
from typing import TYPE_CHECKING

import torch

from trainers.checkpointing import weights as checkpoints
from trainers.events import CheckpointSaved, Losses
from trainers.runs.status import versions
from trainers.tensorboard import LiveEvents
from trainers.training.background_writer import BackgroundWriter

if TYPE_CHECKING:
    from concurrent.futures import Future

    from trainers.events import Preview
    from trainers.models.base import Autoencoder
    from trainers.runs import Run, State
    from trainers.runs.metrics import Evaluation

_STATUS_SECONDS = 2.0


class RunWriter:
    """Keeps a run's folder up to date, in an order that a crash can not confuse.

    Rows of metrics are on disk before the status or the resume point that counts them. Everything
    is written in the order of the calls, which return before it is; a failure to write is raised by
    a later call. With the status go TensorBoard's events, where the folder asks for them.

    Parameters
    ----------
    run
        The folder.
    device
        Told in the status.
    resume_seconds
        How much training a crash may cost.

    Attributes
    ----------
    engine
        Told in the status; empty where no steps are done.
    note
        Told in the status where nothing went wrong: what the folder has lost.
    """

    def __init__(self, run: Run, device: torch.device, resume_seconds: float) -> None:
        self.run = run
        self.status = run.status()
        self._device = device
        self._resume_seconds = resume_seconds
        self.engine = self.note = ""
        self._writer = BackgroundWriter()
        self._unwritten: list[Losses] = []
        self._resume_point: Future[None] | None = None
        self._completed: deque[tuple[Future[None], CheckpointSaved]] = deque()
        self._events = LiveEvents(run)
        self._kept_at = self._told_at = time.perf_counter()

    @property
    def status_is_due(self) -> bool:
        """Whether the status is older than a reader would like."""
        return time.perf_counter() - self._told_at > _STATUS_SECONDS

    @property
    def resume_point_is_due(self) -> bool:
        """Whether a crash would cost more steps than it may."""
        return time.perf_counter() - self._kept_at > self._resume_seconds

    def add(self, losses: Losses) -> None:
        """Takes in the losses of a slice, to be written with what comes next."""
        self._unwritten.append(losses)

    def tell(self, state: State, step: int, seconds: float, error: str = "") -> None:
        """Writes the status; a failure is told before the rows, which may be what failed."""
        if state != "failed":
            self._write_metrics()
        changes = {
            "state": state,
            "step": step,
            "seconds": round(seconds, 3),
            "device": str(self._device),
            "engine": self.engine,
            "threads": torch.get_num_threads(),
            "versions": versions(),
            "error": error or self.note,
        }
        self.status = self.status.model_copy(update=changes)
        self._writer.put(partial(self.run.write_status, self.status))
        self._write_metrics()
        self._writer.put(self._events.follow)
        self._told_at = time.perf_counter()

    def write_weights(self, model: Autoencoder, step: int) -> None:
        """Makes the checkpoint of `step`; its figures follow later."""
        content = checkpoints.weights(model, self.run.config.training.precision)
        self._writer.put(partial(_write_weights, self.run, step, content))

    def write_figures(self, step: int, evaluation: Evaluation, seen: Preview) -> None:
        """Adds its figures to the checkpoint of `step`; `completed` tells when it is whole."""
        work = partial(self.run.complete_checkpoint, step, evaluation, seen)
        event = CheckpointSaved(step, evaluation, seen)
        self._completed.append((self._writer.put(work), event))

    def completed(self) -> list[CheckpointSaved]:
        """The checkpoints that have become whole since the last time, by step."""
        self._writer.check()
        events = []
        while self._completed and self._completed[0][0].done():
            future, event = self._completed.popleft()
            future.result()
            events.append(event)
        return events

    def write_resume_point(self, point: checkpoints.ResumePoint) -> None:
        """Replaces the resume point; waits for the one before: one is in memory at most."""
        if self._resume_point is not None:
            wait([self._resume_point])
            self._writer.check()
        self._write_metrics()
        self._resume_point = self._writer.put(partial(_write_point, self.run, point.snapshot()))
        self._kept_at = time.perf_counter()

    def drop_resume_point(self) -> None:
        """Removes the resume point of a run that is done."""
        self._writer.put(self.run.drop_resume)

    def wait(self) -> None:
        """Returns when everything is on disk."""
        self._writer.wait()

    def close(self) -> None:
        """Ends the writer's thread; what waits is written first."""
        self._writer.close()

    def is_kept(self, step: int) -> bool:
        """Whether the checkpoint of `step` is there with all its figures."""
        self.wait()
        return any(c.step == step and c.is_evaluated for c in self.run.checkpoints())

    def _write_metrics(self) -> None:
        blocks, self._unwritten = self._unwritten, []
        if blocks:
            self._writer.put(partial(self.run.append_metrics, Losses.joined(blocks)))


def _write_weights(run: Run, step: int, content: bytes) -> None:
    run.write_checkpoint(step, content)


def _write_point(run: Run, snapshot: checkpoints.Snapshot) -> None:
    run.write_resume(snapshot.to_bytes())
