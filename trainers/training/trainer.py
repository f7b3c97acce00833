"""The training loop: a generator of events that does a slice of work at each `next()`.

Stopping is `Trainer.stop()` and iterating to the end, or simply asking no more: a generator that
is closed saves what was learnt. Pausing is asking later. Slices are cut by the clock, which has no
say in the result: seed and thread count decide every bit.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import torch

from trainers import runs
from trainers.datasets import PREVIEW_DIGITS
from trainers.errors import AEViewerError, RunError
from trainers.evaluation.reconstruction import evaluate, preview, to_bytes
from trainers.events import (
    CheckpointSaved,
    Diverged,
    Event,
    Finished,
    Losses,
    Progress,
    Started,
    Stopped,
    Working,
)
from trainers.models import build
from trainers.training import checkpoint as checkpoints
from trainers.training.data import resident
from trainers.training.device import choose, memory_guard
from trainers.training.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from trainers.models.base import Autoencoder
    from trainers.models.pca import PCA
    from trainers.runs import Run, State

_SLICE_SECONDS = 0.02
_RESUME_SECONDS = 30.0
_STATUS_SECONDS = 2.0
_PREVIEW_SHARE = 0.1
_FIT_CHUNK = 6_000
_DONE: tuple[State, ...] = ("finished", "diverged")


class Trainer:
    """Trains one run, from its start or from its resume point.

    Iterate it to train; see `trainers.events` for what it yields.

    Parameters
    ----------
    run
        The folder: its config says what to do, everything learnt is kept there.
    preview_seconds
        How often codes and reconstructions are wanted while training; None for at checkpoints
        only. They take a tenth of the time at most.

    Raises
    ------
    DeviceError
        When the chosen device is not there.
    RunError
        When the run is finished, has diverged, or its resume point is damaged.
    """

    def __init__(self, run: Run, *, preview_seconds: float | None = None) -> None:
        self.run = run
        self.config = run.config
        status = run.status()
        if status.state in _DONE:
            raise RunError(
                f"The run {run.name!r} has {status.state} at step {status.step:,}; "
                "start a new one from its config to train longer."
            )
        self._status = status
        self._device = choose(self.config.training.device)
        self._preview_seconds = preview_seconds
        self._stop_requested = False
        self._step = 0
        self._seconds = 0.0
        self._unwritten: list[Losses] = []
        self._kept_at = self._told_at = self._previewed_at = time.perf_counter()
        self._preview_cost = 0.0
        with memory_guard(self._device):
            self.model = self._built()

    @property
    def step(self) -> int:
        """Steps done."""
        return self._step

    def stop(self) -> None:
        """Asks to end: the next events are `Stopped`, then the checkpoint it stopped at."""
        self._stop_requested = True

    def __iter__(self) -> Iterator[Event]:
        with self.run.training():
            try:
                with memory_guard(self._device):
                    yield from self._events()
            except GeneratorExit:
                self._keep("stopped")
                raise
            except AEViewerError as error:
                self._fail(str(error))
                raise
            except Exception as error:
                self._fail(f"{type(error).__name__}: {error}")
                raise

    # -- the loop --------------------------------------------------------------------------------

    def _events(self) -> Iterator[Event]:
        self._restore()
        self._tell("running")
        parameters = sum(p.numel() for p in self.model.state_dict().values())
        yield Started(self._step, self.config.steps, str(self._device), parameters)
        if self.model.closed_form:
            yield from self._fit()
        else:
            yield from self._descend()

    def _fit(self) -> Iterator[Event]:
        """A closed form: one pass over the data, one step."""
        model: PCA = self.model  # type: ignore[assignment]
        began = time.perf_counter()
        images = resident("train", self._device)
        for _ in model.fit(images.split(_FIT_CHUNK)):
            if self._stop_requested:
                self._tell("stopped")
                yield Stopped(0)
                return
            yield Working()
        self._step = 1
        error = 0.0
        for chunk in images.split(_FIT_CHUNK):
            error += float(((model.decode(model.encode(chunk)) - chunk) ** 2).sum())
        self._seconds = time.perf_counter() - began
        loss = torch.tensor([[error / len(images), error / len(images), 0.0]])
        yield self._progress(1, loss)
        yield from self._checkpoint()
        yield from self._finish()

    def _descend(self) -> Iterator[Event]:
        """Gradient steps, in slices that end at checkpoints."""
        targets = self.config.checkpoint_steps
        count = 1
        if self._step in targets and not self._is_kept(self._step):
            yield from self._checkpoint()
        while self._step < self.config.steps:
            if self._stop_requested:
                yield from self._stop()
                return
            next_target = next(t for t in targets if t > self._step)
            first, began = self._step, time.perf_counter()
            losses = self._engine.run(first, min(count, next_target - first)).cpu()
            taken = time.perf_counter() - began
            self._seconds += taken
            count = max(1, min(2 * count, int(_SLICE_SECONDS * len(losses) / taken)))
            bad = _first_unsound(losses)
            if bad is not None:
                yield from self._diverge(first, losses[:bad])
                return
            self._step += len(losses)
            yield self._progress(first + 1, losses)
            if self._step in targets:
                if not self._is_sound():
                    yield from self._diverge(self._step, losses[:0])
                    return
                yield from self._checkpoint()
            yield from self._between()
        yield from self._finish()

    def _between(self) -> Iterator[Event]:
        """What is due by the clock: previews, rows of metrics, a resume point."""
        now = time.perf_counter()
        if now - self._told_at > _STATUS_SECONDS:
            self._tell("running")
        if now - self._kept_at > _RESUME_SECONDS:
            self._save_resume_point()
        if self._preview_seconds is not None:
            wait = max(self._preview_seconds, self._preview_cost / _PREVIEW_SHARE)
            if now - self._previewed_at > wait:
                yield from self._preview()

    def _progress(self, first: int, losses: Tensor) -> Progress:
        columns = losses.float().numpy()
        steps = np.arange(first, first + len(columns), dtype=np.int64)
        block = Losses(steps, columns[:, 0], columns[:, 1], columns[:, 2])
        self._unwritten.append(block)
        return Progress(self._step, self.config.steps, self._seconds, block)

    def _preview(self) -> Iterator[Event]:
        cost = 0.0
        work = preview(self.model, resident("test", self._device), self._step)
        while not self._stop_requested:
            began = time.perf_counter()
            try:
                next(work)
            except StopIteration as done:
                yield done.value
                break
            finally:
                cost += time.perf_counter() - began
            yield Working()
        self._preview_cost = cost
        self._previewed_at = time.perf_counter()

    # -- ending ----------------------------------------------------------------------------------

    def _stop(self) -> Iterator[Event]:
        """Everything learnt is safe before `Stopped` is told; the figures follow."""
        self._keep("stopped")
        yield Stopped(self._step)
        if not self._is_kept(self._step):
            yield from self._complete_checkpoint()

    def _finish(self) -> Iterator[Event]:
        self._tell("finished")
        (self.run.path / "resume.safetensors").unlink(missing_ok=True)
        yield Finished(self._step)

    def _diverge(self, before: int, sound: Tensor) -> Iterator[Event]:
        """Ends at the last good checkpoint; the steps before the bad one keep their losses."""
        self._step = before + len(sound)
        self._progress(before + 1, sound)
        bad = self._step + 1
        kept = self.run.checkpoints()
        last_good = kept[-1].step if kept else None
        ends = (
            f"the run ends at its checkpoint of step {last_good:,}" if kept else "nothing is kept"
        )
        self._tell(
            "diverged",
            f"The loss ceased to be a number at step {bad:,}; {ends}. "
            f"Try a learning rate below {self.config.training.learning_rate:g}.",
        )
        yield Diverged(bad, last_good)

    def _fail(self, message: str) -> None:
        """Tells the folder, if it can still be told; the first failure is the one that counts."""
        try:
            self._tell("failed", message)
        except RunError:
            return

    # -- keeping ---------------------------------------------------------------------------------

    def _keep(self, state: State) -> None:
        """Weights, resume point and status of this moment."""
        if self.model.closed_form or not self._is_sound():
            self._tell(state)
            return
        self._save_resume_point()
        if not self._is_kept(self._step):
            self._write_weights()
        self._tell(state)

    def _checkpoint(self) -> Iterator[Event]:
        self._write_weights()
        yield from self._complete_checkpoint()
        if not self.model.closed_form and self._step < self.config.steps:
            self._save_resume_point()
        self._tell("running")

    def _complete_checkpoint(self) -> Iterator[Event]:
        """Measures the model; given up when a stop is asked for, and done after it was told."""
        heeds_stop = not self._stop_requested
        images = resident("test", self._device)
        work = evaluate(self.model, images, self._step)
        while True:
            try:
                next(work)
            except StopIteration as done:
                evaluation, seen = done.value
                break
            if heeds_stop and self._stop_requested:
                return
            yield Working()
        tiles = to_bytes(images[list(PREVIEW_DIGITS)])
        self.run.complete_checkpoint(self._step, evaluation, seen, tiles)
        self._previewed_at = time.perf_counter()
        yield CheckpointSaved(self._step, evaluation, seen)

    def _write_weights(self) -> None:
        precision = self.config.training.precision
        self.run.write_checkpoint(self._step, checkpoints.weights(self.model, precision))

    def _save_resume_point(self) -> None:
        point = checkpoints.ResumePoint(
            step=self._step,
            seconds=self._seconds,
            model=self.model.state_dict(),
            optimiser=checkpoints.optimiser_tensors(self._engine.optimiser),
            noise=self._engine.noise.get_state(),
        )
        self._write_metrics()
        self.run.write_resume(point.to_bytes())
        self._kept_at = time.perf_counter()

    def _tell(self, state: State, error: str = "") -> None:
        self._write_metrics()
        changes = {
            "state": state,
            "step": self._step,
            "seconds": round(self._seconds, 3),
            "device": str(self._device),
            "versions": runs.versions(),
            "error": error,
        }
        self._status = self._status.model_copy(update=changes)
        self.run.write_status(self._status)
        self._told_at = time.perf_counter()

    def _write_metrics(self) -> None:
        blocks, self._unwritten = self._unwritten, []
        for block in blocks:
            self.run.append_metrics(block)

    # -- beginning -------------------------------------------------------------------------------

    def _built(self) -> Autoencoder:
        """The model at its start: weights from the seed, on the device, with its engine."""
        model = build(self.config.model)
        generator = torch.Generator().manual_seed(self.config.training.seed)
        model.initialise(generator, self.config.model.activation)
        model = model.to(self._device).to(memory_format=torch.channels_last)
        if not model.closed_form:
            self._engine = Engine(model, self.config.training, self._device)
        return model

    def _restore(self) -> None:
        """Goes to the resume point, if there is one, and drops the metrics that lie beyond it."""
        path = self.run.path / "resume.safetensors"
        if path.exists() and not self.model.closed_form:
            point = checkpoints.ResumePoint.read(path)
            checkpoints.restore_model(self.model, point.model, path)
            checkpoints.restore_optimiser(self._engine.optimiser, point.optimiser)
            self._engine.noise.set_state(point.noise)
            self._step, self._seconds = point.step, point.seconds
        self.run.cut_metrics(self._step)

    def _is_kept(self, step: int) -> bool:
        """Whether the checkpoint of `step` is there with all its figures."""
        return any(c.step == step and c.is_evaluated for c in self.run.checkpoints())

    def _is_sound(self) -> bool:
        """Whether every weight is a finite number."""
        return all(bool(torch.isfinite(p).all()) for p in self.model.state_dict().values())


def _first_unsound(losses: Tensor) -> int | None:
    """The first row that holds no finite number."""
    bad = (~torch.isfinite(losses)).any(1).nonzero()
    return int(bad[0]) if len(bad) else None
