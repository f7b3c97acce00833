"""Writes the files of a run in training: status, rows of metrics, weights and resume points."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import wait
from functools import partial
from typing import TYPE_CHECKING

import torch

from trainers.checkpointing import weights as checkpoints
from trainers.events import CheckpointSaved, Losses
from trainers.runs.status import RunState, versions
from trainers.tensorboard import LiveEvents
from trainers.training.background_writer import BackgroundWriter

if TYPE_CHECKING:
    from concurrent.futures import Future

    from trainers.events import Preview
    from trainers.models.base import Autoencoder
    from trainers.runs import Run
    from trainers.runs.metrics import Evaluation

_STATUS_SECONDS = 2.0


class RunWriter:
    """Keeps a run's folder up to date; a crash at any time leaves it consistent.

    Rows of metrics are on disk before the status or the resume point that counts them. A thread
    writes everything in the order of the calls, which return at once; a later call raises a failure
    to write. TensorBoard's events are written with the status, if the folder asks for them.

    Parameters
    ----------
    run
        The run whose folder is written.
    device
        The device, for the status.
    resume_seconds
        The time between two resume points: how much training a crash may cost.

    Attributes
    ----------
    engine
        The name of the engine, for the status; empty for a closed form.
    note
        What the folder has lost; the status shows it when no error occurred.
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
        self._last_resume_point = self._last_status = time.perf_counter()

    @property
    def status_is_due(self) -> bool:
        """Whether the status is older than two seconds."""
        return time.perf_counter() - self._last_status > _STATUS_SECONDS

    @property
    def resume_point_is_due(self) -> bool:
        """Whether the resume point is older than `resume_seconds`."""
        return time.perf_counter() - self._last_resume_point > self._resume_seconds

    def add(self, losses: Losses) -> None:
        """Adds the losses of a slice; the next write of status or resume point includes them."""
        self._unwritten.append(losses)

    def write_status(self, state: RunState, step: int, seconds: float, error: str = "") -> None:
        """Writes the rows of metrics and the status.

        A failure goes first: writing the rows may be what failed.
        """
        if state is not RunState.FAILED:
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
        self._last_status = time.perf_counter()

    def write_weights(self, model: Autoencoder, step: int) -> None:
        """Writes the weights of the checkpoint of `step`; its evaluation follows later."""
        content = checkpoints.weights_to_bytes(model, self.run.config.training.precision)
        self._writer.put(partial(_write_weights, self.run, step, content))

    def write_evaluation(self, step: int, evaluation: Evaluation, preview: Preview) -> None:
        """Adds the evaluation to the checkpoint of `step`.

        `take_completed` returns the checkpoint when everything is written.
        """
        work = partial(self.run.complete_checkpoint, step, evaluation, preview)
        event = CheckpointSaved(step, evaluation, preview)
        self._completed.append((self._writer.put(work), event))

    def take_completed(self) -> list[CheckpointSaved]:
        """Returns the checkpoints that were completed since the last call, by step."""
        self._writer.check()
        events = []
        while self._completed and self._completed[0][0].done():
            future, event = self._completed.popleft()
            future.result()
            events.append(event)
        return events

    def write_resume_point(self, point: checkpoints.ResumePoint) -> None:
        """Replaces the resume point.

        Waits until the previous one is written, so that at most one is in memory.
        """
        if self._resume_point is not None:
            wait([self._resume_point])
            self._writer.check()
        self._write_metrics()
        self._resume_point = self._writer.put(partial(_write_point, self.run, point.snapshot()))
        self._last_resume_point = time.perf_counter()

    def drop_resume_point(self) -> None:
        """Removes the resume point of a run that has finished."""
        self._writer.put(self.run.drop_resume)

    def wait(self) -> None:
        """Waits until everything is on disk."""
        self._writer.wait()

    def close(self) -> None:
        """Ends the thread after everything is written."""
        self._writer.close()

    def has_checkpoint(self, step: int) -> bool:
        """Returns whether the checkpoint of `step` is complete, with its evaluation."""
        self.wait()
        return any(c.step == step and c.is_evaluated for c in self.run.checkpoints())

    def _write_metrics(self) -> None:
        blocks, self._unwritten = self._unwritten, []
        if blocks:
            self._writer.put(partial(self.run.append_metrics, Losses.concatenate(blocks)))


def _write_weights(run: Run, step: int, content: bytes) -> None:
    run.write_checkpoint(step, content)


def _write_point(run: Run, snapshot: checkpoints.Snapshot) -> None:
    run.write_resume(snapshot.to_bytes())
