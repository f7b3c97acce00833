"""The training loop: a generator of events that does one slice of work at each `next()`.

To stop, call `Trainer.stop()` and iterate to the end, or close the generator: it saves the weights.
To pause, call `next()` later. The clock decides how many steps a slice has, but not the result: the
seed and the number of threads determine every bit.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np
import torch

from trainers.errors import AEViewerError, RunError
from trainers.evaluation.reconstruction import compute_preview, evaluate_test_set
from trainers.events import (
    Diverged,
    Event,
    Finished,
    Losses,
    Progress,
    Started,
    Stopped,
    Working,
)
from trainers.models.base import ClosedForm
from trainers.runs.status import RunState
from trainers.training.device import choose_device, guard
from trainers.training.divergence import FACTOR, ExplosionMonitor
from trainers.training.model_state import ModelState
from trainers.training.run_writer import RunWriter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from trainers.models.base import Autoencoder
    from trainers.runs import Run
    from trainers.training.engines import Engine

_SLICE_SECONDS = 0.02
_PREVIEW_SHARE = 0.03
RESUME_SECONDS = 30.0


class Trainer:
    """Trains one run, from its start or from its resume point.

    Iterate over it to train; `trainers.events` lists what it yields.

    Parameters
    ----------
    run
        The run's folder, which holds the config and receives all results.
    preview_seconds
        The time between two previews (codes and reconstructions) during training; None for previews
        at checkpoints only. Previews take at most 3 % of the time.
    resume_seconds
        The time between two resume points: how much training a crash may cost.

    Attributes
    ----------
    slice_seconds
        The time that the steps of a slice take, rounded to whole steps and at least one. It may be
        changed at any time and does not influence the result.

    Raises
    ------
    DataError
        When the data set is missing, or is not the one that the run began with.
    DeviceError
        When the chosen device is missing.
    EngineError
        When the chosen engine cannot train the model on the device.
    RunError
        When the run is finished or has diverged, or began with an engine that cannot continue it.
        Iterating also raises it: when another program trains the run, when its resume point is
        missing or damaged, and when its folder cannot be written.
    """

    def __init__(
        self,
        run: Run,
        *,
        preview_seconds: float | None = None,
        resume_seconds: float = RESUME_SECONDS,
    ) -> None:
        self.run = run
        self.config = run.config
        _refuse_ended(run)
        self._device = choose_device(self.config.training.device)
        self.writer = RunWriter(run, self._device, resume_seconds)
        self._preview_seconds = preview_seconds
        self.slice_seconds = _SLICE_SECONDS
        self._is_stop_requested = False
        self._has_ended = False
        self._monitor = ExplosionMonitor()
        self._last_preview = time.perf_counter()
        self._preview_cost = 0.0
        with guard(self._device):
            self.model_state = ModelState(run, self.writer.status, self._device)
        if self.model_state.engine is not None:
            self.writer.engine = self.model_state.engine.name

    @property
    def model(self) -> Autoencoder:
        """The model in training."""
        return self.model_state.model

    @property
    def engine(self) -> Engine | None:
        """The engine that does the steps; None for a closed form."""
        return self.model_state.engine

    @property
    def step(self) -> int:
        """The steps done."""
        return self.model_state.step

    def stop(self) -> None:
        """Requests the end: `Stopped` is one of the next two events, then comes its checkpoint.

        A run that has done its last step finishes instead.
        """
        self._is_stop_requested = True

    def __iter__(self) -> Iterator[Event]:
        with self.run.hold_for_training():
            try:
                with guard(self._device):
                    yield from self._events()
            except GeneratorExit:
                if not self._has_ended:
                    self._save(RunState.STOPPED)
                raise
            except AEViewerError as error:
                self._fail(str(error))
                raise
            except Exception as error:
                self._fail(f"{type(error).__name__}: {error}")
                raise
            finally:
                self.writer.close()

    # -- the loop --------------------------------------------------------------------------------

    def _events(self) -> Iterator[Event]:
        _refuse_ended(self.run)
        self._restore()
        self._write_status(RunState.RUNNING)
        self.writer.wait()
        yield Started(self.step, self.config.steps, str(self._device), self.model_state.parameters)
        if isinstance(self.model, ClosedForm):
            yield from self._fit(self.model)
        else:
            yield from self._descend()

    def _restore(self) -> None:
        """Goes to the resume point and removes the metrics of later steps."""
        self.model_state.restore()
        damaged = self.run.cut_metrics(self.step)
        self._monitor = ExplosionMonitor()
        self._monitor.count_sound(self.run.metrics().total)
        if damaged:
            self.writer.note = f"metrics.csv was damaged: the losses of steps {damaged} are lost."

    def _fit(self, model: ClosedForm) -> Iterator[Event]:
        """Solves a closed form in one pass over the data, which counts as one step."""
        start = time.perf_counter()
        for _ in self.model_state.fit():
            if self._is_stop_requested:
                self._write_status(RunState.STOPPED)
                yield self._mark_end(Stopped(0))
                return
            yield Working()
        self.model_state.step = 1
        self.model_state.seconds = time.perf_counter() - start
        error = model.training_error
        yield self._progress(1, torch.tensor([[error, error, 0.0]]))
        yield from self._checkpoint()
        yield from self._finish()

    def _descend(self) -> Iterator[Event]:
        """Does gradient steps, in slices that end at checkpoints."""
        targets, steps, count = self.config.checkpoint_steps, self.config.steps, 1
        if self.step == 0 and self.step not in targets:
            # Losses are written before the first checkpoint, and without a resume point a run with
            # losses cannot continue.
            self._write_resume_point()
        is_due = self.step in targets and not self.writer.has_checkpoint(self.step)
        while is_due or self.step < steps:
            if self._is_stop_requested and self.step < steps:
                yield from self._stop()
                return
            if is_due:
                if not self._is_sound():
                    yield from self._diverge(self.step)
                    return
                yield from self._checkpoint()
                is_due = False
                continue
            next_target = next(t for t in targets if t > self.step)
            first, start = self.step, time.perf_counter()
            losses = self.model_state.advance(min(count, next_target - first))
            seconds = time.perf_counter() - start
            self.model_state.seconds += seconds
            count = max(1, min(2 * count, int(self.slice_seconds * len(losses) / seconds)))
            sound = self._sound_prefix(losses)
            self.model_state.step += len(sound)
            if len(sound):
                yield self._progress(first + 1, sound)
            if len(sound) < len(losses):
                yield from self._diverge(self.step, losses[len(sound)])
                return
            is_due = self.step in targets
            yield from self._do_periodic_work()
        yield from self._finish()

    def _do_periodic_work(self) -> Iterator[Event]:
        """Yields the checkpoints written by now; does what the clock says is due.

        That is the status, the resume point and the preview.
        """
        yield from self.writer.take_completed()
        if self.writer.status_is_due:
            self._write_status(RunState.RUNNING)
        if self.writer.resume_point_is_due:
            self._write_resume_point()
        if self._preview_seconds is not None:
            interval = max(self._preview_seconds, self._preview_cost / _PREVIEW_SHARE)
            if time.perf_counter() - self._last_preview > interval:
                yield from self._preview()

    def _progress(self, first: int, losses: Tensor) -> Progress:
        columns = losses.float().numpy()
        steps = np.arange(first, first + len(columns), dtype=np.int64)
        block = Losses(steps, columns[:, 0], columns[:, 1], columns[:, 2])
        self.writer.add(block)
        return Progress(self.step, self.config.steps, self.model_state.seconds, block)

    def _preview(self) -> Iterator[Event]:
        cost = 0.0
        images = self.model_state.images["test"]
        work = compute_preview(self.model, images, self.run.data().preview, self.step)
        while not self._is_stop_requested:
            start = time.perf_counter()
            try:
                next(work)
            except StopIteration as end:
                yield end.value
                break
            finally:
                cost += time.perf_counter() - start
            yield Working()
        self._preview_cost = cost
        self._last_preview = time.perf_counter()

    # -- ending ----------------------------------------------------------------------------------

    def _stop(self) -> Iterator[Event]:
        """Saves everything, yields `Stopped`, and then measures the checkpoint."""
        if not self._is_sound():
            yield from self._diverge(self.step)
            return
        self._save(RunState.STOPPED)
        yield self._mark_end(Stopped(self.step))
        yield from self.writer.take_completed()
        if not self.writer.has_checkpoint(self.step):
            yield from self._measure(can_be_stopped=False)

    def _finish(self) -> Iterator[Event]:
        self._write_status(RunState.FINISHED)
        self.writer.drop_resume_point()
        self.writer.wait()
        yield from self.writer.take_completed()
        yield self._mark_end(Finished(self.step))

    def _sound_prefix(self, losses: Tensor) -> Tensor:
        """Returns the (n, 3) losses before the training diverged; all of them if it has not."""
        finite = _finite_prefix(losses)
        return finite[: self._monitor.count_sound(finite[:, 0].float().numpy())]

    def _is_sound(self) -> bool:
        """Returns whether the weights are finite and the loss of some images is sound."""
        if not self.model_state.is_finite:
            return False
        loss = self.model_state.sample_loss()
        return math.isfinite(loss) and not self._monitor.is_exploded(loss)

    def _diverge(self, step: int, loss: Tensor | None = None) -> Iterator[Event]:
        """Ends the run at its last good checkpoint; the losses before the bad step stay.

        `loss` is the loss of the bad step, if a step was bad and not a checkpoint.
        """
        self.writer.wait()
        yield from self.writer.take_completed()
        checkpoints = self.run.checkpoints()
        last_good = checkpoints[-1].step if checkpoints else None
        end = (
            "the run has no checkpoint"
            if last_good is None
            else f"the run ends at its checkpoint of step {last_good:,}"
        )
        self._write_status(
            RunState.DIVERGED,
            f"{self._divergence_text(loss)} at step {step + 1:,}; {end}. "
            f"Try a learning rate below {self.config.training.learning_rate:g}.",
        )
        self.writer.wait()
        yield self._mark_end(Diverged(step + 1, last_good))

    def _divergence_text(self, loss: Tensor | None) -> str:
        is_number = self.model_state.is_finite if loss is None else bool(loss.isfinite().all())
        if not is_number or self._monitor.first is None:
            return "The loss ceased to be a number"
        size = "" if loss is None else f" to {float(loss[0]):.3g}"
        return (
            f"The loss exploded{size}, more than {FACTOR:g} times the {self._monitor.first:.3g} of "
            "the untrained model,"
        )

    def _mark_end(self, event: Event) -> Event:
        """Notes that the run has ended, after which closing the generator writes nothing."""
        self._has_ended = True
        return event

    def _fail(self, message: str) -> None:
        """Writes the failure into the status, unless that fails too: the first failure counts."""
        try:
            self._write_status(RunState.FAILED, message)
            self.writer.wait()
        except RunError:
            return

    # -- saving ----------------------------------------------------------------------------------

    def _save(self, state: RunState) -> None:
        """Writes the weights, the resume point and the status of this moment."""
        if not isinstance(self.model, ClosedForm) and self._is_sound():
            self._write_resume_point()
            if not self.writer.has_checkpoint(self.step):
                self.writer.write_weights(self.model, self.step)
        self._write_status(state)
        self.writer.wait()

    def _checkpoint(self) -> Iterator[Event]:
        self.writer.write_weights(self.model, self.step)
        is_last = self.step == self.config.steps
        yield from self._measure(can_be_stopped=not is_last)
        if not is_last:
            self._write_resume_point()
        self._write_status(RunState.RUNNING)

    def _measure(self, *, can_be_stopped: bool) -> Iterator[Event]:
        """Adds its evaluation to the checkpoint of this step, unless a stop interrupts it."""
        work = evaluate_test_set(self.model, self.run, self.step)
        while True:
            try:
                next(work)
            except StopIteration as end:
                evaluation, preview = end.value
                break
            if can_be_stopped and self._is_stop_requested:
                return
            yield Working()
        self.writer.write_evaluation(self.step, evaluation, preview)
        self._last_preview = time.perf_counter()
        if not can_be_stopped:
            self.writer.wait()
        yield from self.writer.take_completed()

    def _write_resume_point(self) -> None:
        point = self.model_state.resume_point()
        if point is not None:
            self.writer.write_resume_point(point)

    def _write_status(self, state: RunState, error: str = "") -> None:
        self.writer.write_status(state, self.step, self.model_state.seconds, error)


def _refuse_ended(run: Run) -> None:
    status = run.status()
    if status.state.is_final:
        raise RunError(
            f"The run {run.name!r} has {status.state} at step {status.step:,}. "
            "Start a new run from its config to train longer."
        )


def _finite_prefix(losses: Tensor) -> Tensor:
    """Returns the (n, 3) losses before the first row that has a number that is not finite."""
    bad = (~torch.isfinite(losses)).any(1).nonzero()
    return losses[: int(bad[0])] if len(bad) else losses
