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

from trainers.checkpointing import weights as checkpoints
from trainers.datasets.tensors import PARTS, resident
from trainers.errors import AEViewerError, EngineError, RunError
from trainers.evaluation.reconstruction import evaluate_test_set, preview
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
from trainers.models import build
from trainers.training.device import choose, guard
from trainers.training.engines import Engine
from trainers.training.engines import choose as choose_engine
from trainers.training.run_writer import RunWriter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from trainers.models.base import Autoencoder
    from trainers.models.pca import PCA
    from trainers.runs import Run, State

_SLICE_SECONDS = 0.02
_PREVIEW_SHARE = 0.03
_FIT_CHUNK = 6_000
RESUME_SECONDS = 30.0


class Trainer:
    """Trains one run, from its start or from its resume point.

    Iterate it to train; see `trainers.events` for what it yields.

    Parameters
    ----------
    run
        The folder: its config says what to do, everything learnt is kept there.
    preview_seconds
        How often codes and reconstructions are wanted while training; None for at checkpoints
        only. They take 3 % of the time at most.
    resume_seconds
        How much training a crash may cost: so often a resume point is written.

    Attributes
    ----------
    slice_seconds
        How long the steps of a slice take, as nearly as whole steps go, and one at least; may be
        changed at any time. It has no say in the result.

    Raises
    ------
    DataError
        When the data set is not here, or another one than the run's.
    DeviceError
        When the chosen device is not there.
    EngineError
        When the chosen engine can not train the model there.
    RunError
        When the run is finished or has diverged, or has begun with an engine that is no more.
        Iterating raises it too: when another program trains the run, when its resume point is
        missing or damaged, when it can not be written.
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
        self._device = choose(self.config.training.device)
        self._journal = RunWriter(run, self._device, resume_seconds)
        self._preview_seconds = preview_seconds
        self.slice_seconds = _SLICE_SECONDS
        self._stop_requested = False
        self._has_ended = False
        self._step = self._journal.status.step
        self._seconds = self._journal.status.seconds
        self._previewed_at = time.perf_counter()
        self._preview_cost = 0.0
        with guard(self._device):
            self.model = self._built()

    @property
    def step(self) -> int:
        """Steps done."""
        return self._step

    def stop(self) -> None:
        """Asks to end: `Stopped` is the next event but one at the latest, its checkpoint follows.

        A run that has done its last step finishes instead.
        """
        self._stop_requested = True

    def __iter__(self) -> Iterator[Event]:
        with self.run.training():
            try:
                with guard(self._device):
                    yield from self._events()
            except GeneratorExit:
                if not self._has_ended:
                    self._keep("stopped")
                raise
            except AEViewerError as error:
                self._fail(str(error))
                raise
            except Exception as error:
                self._fail(f"{type(error).__name__}: {error}")
                raise
            finally:
                self._journal.close()

    # -- the loop --------------------------------------------------------------------------------

    def _events(self) -> Iterator[Event]:
        _refuse_ended(self.run)
        self._restore()
        self._tell("running")
        self._journal.wait()
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
        images = self._images["train"]
        for _ in model.fit(images.split(_FIT_CHUNK)):
            if self._stop_requested:
                self._tell("stopped")
                yield self._ended(Stopped(0))
                return
            yield Working()
        self._step = 1
        self._seconds = time.perf_counter() - began
        left = float(model.total_variance - model.variances.sum())
        yield self._progress(1, torch.tensor([[left, left, 0.0]]))
        yield from self._checkpoint()
        yield from self._finish()

    def _descend(self) -> Iterator[Event]:
        """Gradient steps, in slices that end at checkpoints."""
        targets, steps, count = self.config.checkpoint_steps, self.config.steps, 1
        if self._step == 0 and self._step not in targets:
            # Losses are kept before the first checkpoint: whoever is killed then can go on, too.
            self._save_resume_point()
        is_due = self._step in targets and not self._journal.is_kept(self._step)
        while is_due or self._step < steps:
            if self._stop_requested and self._step < steps:
                yield from self._stop()
                return
            if is_due:
                if not self._is_sound():
                    yield from self._diverge(self._step)
                    return
                yield from self._checkpoint()
                is_due = False
                continue
            next_target = next(t for t in targets if t > self._step)
            first, began = self._step, time.perf_counter()
            losses = self._engine.run(first, min(count, next_target - first)).cpu()
            taken = time.perf_counter() - began
            self._seconds += taken
            count = max(1, min(2 * count, int(self.slice_seconds * len(losses) / taken)))
            sound = _sound(losses)
            self._step += len(sound)
            if len(sound):
                yield self._progress(first + 1, sound)
            if len(sound) < len(losses):
                yield from self._diverge(self._step)
                return
            is_due = self._step in targets
            yield from self._between()
        yield from self._finish()

    def _between(self) -> Iterator[Event]:
        """What is written by now, and what is due by the clock: status, resume point, preview."""
        yield from self._journal.completed()
        if self._journal.status_is_due:
            self._tell("running")
        if self._journal.resume_point_is_due:
            self._save_resume_point()
        if self._preview_seconds is not None:
            wait = max(self._preview_seconds, self._preview_cost / _PREVIEW_SHARE)
            if time.perf_counter() - self._previewed_at > wait:
                yield from self._preview()

    def _progress(self, first: int, losses: Tensor) -> Progress:
        columns = losses.float().numpy()
        steps = np.arange(first, first + len(columns), dtype=np.int64)
        block = Losses(steps, columns[:, 0], columns[:, 1], columns[:, 2])
        self._journal.add(block)
        return Progress(self._step, self.config.steps, self._seconds, block)

    def _preview(self) -> Iterator[Event]:
        cost = 0.0
        work = preview(self.model, self._images["test"], self.run.data().preview, self._step)
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
        if not self._is_sound():
            yield from self._diverge(self._step)
            return
        self._keep("stopped")
        yield self._ended(Stopped(self._step))
        yield from self._journal.completed()
        if not self._journal.is_kept(self._step):
            yield from self._measure(heeds_stop=False)

    def _finish(self) -> Iterator[Event]:
        self._tell("finished")
        self._journal.drop_resume_point()
        self._journal.wait()
        yield from self._journal.completed()
        yield self._ended(Finished(self._step))

    def _diverge(self, step: int) -> Iterator[Event]:
        """Ends at the last good checkpoint; the losses before the bad step are kept."""
        self._journal.wait()
        yield from self._journal.completed()
        kept = self.run.checkpoints()
        ends = (
            f"the run ends at its checkpoint of step {kept[-1].step:,}" if kept else "none is kept"
        )
        self._tell(
            "diverged",
            f"The loss ceased to be a number at step {step + 1:,}; {ends}. "
            f"Try a learning rate below {self.config.training.learning_rate:g}.",
        )
        self._journal.wait()
        yield self._ended(Diverged(step + 1, kept[-1].step if kept else None))

    def _ended(self, event: Event) -> Event:
        """Marks that the run's end is told: closing the generator changes nothing any more."""
        self._has_ended = True
        return event

    def _fail(self, message: str) -> None:
        """Tells the folder, if it can still be told; the first failure is the one that counts."""
        try:
            self._tell("failed", message)
            self._journal.wait()
        except RunError:
            return

    # -- keeping ---------------------------------------------------------------------------------

    def _keep(self, state: State) -> None:
        """Weights, resume point and status of this moment."""
        if not self.model.closed_form and self._is_sound():
            self._save_resume_point()
            if not self._journal.is_kept(self._step):
                self._journal.write_weights(self.model, self._step)
        self._tell(state)
        self._journal.wait()

    def _checkpoint(self) -> Iterator[Event]:
        self._journal.write_weights(self.model, self._step)
        is_last = self._step == self.config.steps
        yield from self._measure(heeds_stop=not is_last)
        if not is_last:
            self._save_resume_point()
        self._tell("running")

    def _measure(self, *, heeds_stop: bool) -> Iterator[Event]:
        """Adds its figures to the checkpoint; given up where a stop is asked for and heeded."""
        work = evaluate_test_set(self.model, self.run, self._step)
        while True:
            try:
                next(work)
            except StopIteration as done:
                evaluation, seen = done.value
                break
            if heeds_stop and self._stop_requested:
                return
            yield Working()
        self._journal.write_figures(self._step, evaluation, seen)
        self._previewed_at = time.perf_counter()
        if not heeds_stop:
            self._journal.wait()
        yield from self._journal.completed()

    def _save_resume_point(self) -> None:
        point = checkpoints.ResumePoint(
            step=self._step,
            seconds=self._seconds,
            model=self.model.state_dict(),
            optimiser=self._engine.optimiser.state(),
            noise=self._engine.noise.get_state(),
            engine=self._engine.name,
            device=str(self._device),
        )
        self._journal.write_resume_point(point)

    def _tell(self, state: State, error: str = "") -> None:
        self._journal.tell(state, self._step, self._seconds, error)

    # -- beginning -------------------------------------------------------------------------------

    def _built(self) -> Autoencoder:
        """The model at its start: weights from the seed, on the device, with its engine."""
        model = build(self.config.model, self.run.dataset.pixels, self.run.dataset.channels)
        generator = torch.Generator().manual_seed(self.config.training.seed)
        model.initialise(generator, self.config.model.activation)
        model = model.to(self._device).to(memory_format=torch.channels_last)
        # Now, so that no slice waits for them, and until the trainer is gone.
        self._images = {part: resident(part, self._device, self.run.dataset) for part in PARTS}
        if not model.closed_form:
            engine = self._chosen_engine(model)
            self._engine = engine(model, self.config.training, self._device, self._images["train"])
            self._journal.engine = engine.name
        return model

    def _chosen_engine(self, model: Autoencoder) -> type[Engine]:
        """The one that the run began with, so that its bits stay the same; else the config's.

        On another kind of device than it began on the bits differ anyway, and the choice is free.
        """
        status, asked = self._journal.status, self.config.training.engine
        begun = (self.run.path / "resume.safetensors").exists()
        if not begun or torch.device(status.device or "cpu").type != self._device.type:
            return choose_engine(asked, model, self._device)
        try:
            # Runs of before engines had names were trained by the reference.
            return choose_engine(status.engine or "autograd", model, self._device)
        except EngineError as error:
            raise RunError(
                f"The run {self.run.name!r} can not go on as it began. {error} Its checkpoints can "
                "still be explored; start a new run from its config."
            ) from error

    def _restore(self) -> None:
        """Goes to the resume point, if there is one, and drops the metrics that lie beyond it."""
        path = self.run.path / "resume.safetensors"
        if self.model.closed_form or not path.exists():
            self._refuse_to_overwrite()
            self._step, self._seconds = 0, 0.0
        else:
            point = checkpoints.ResumePoint.read(path)
            point.restore(self.model, self._engine.optimiser, self._engine.noise, path)
            if not 0 <= point.step <= self.config.steps:
                raise RunError(f"{path} is of step {point.step:,} of {self.config.steps:,}.")
            self._step, self._seconds = point.step, point.seconds
        lost = self.run.cut_metrics(self._step)
        if lost:
            self._journal.note = f"metrics.csv was damaged: the losses of steps {lost} are lost."

    def _is_sound(self) -> bool:
        """Whether every weight is a finite number."""
        return all(bool(torch.isfinite(p).all()) for p in self.model.state_dict().values())

    def _refuse_to_overwrite(self) -> None:
        """Without a resume point a run begins anew, and so may not have come anywhere yet.

        A closed form that was killed while it was measured is solved again: it is the same.
        """
        if self.model.closed_form:
            return
        kept = [c.step for c in self.run.checkpoints() if c.step > 0]
        if kept or len(self.run.metrics().step):
            newest = f"; its checkpoint of step {kept[-1]:,} can be explored" if kept else ""
            raise RunError(
                f"The run {self.run.name!r} has no resume point and can not go on{newest}. "
                "Start a new run from its config."
            )


def _refuse_ended(run: Run) -> None:
    status = run.status()
    if status.state in {"finished", "diverged"}:
        raise RunError(
            f"The run {run.name!r} has {status.state} at step {status.step:,}; "
            "start a new one from its config to train longer."
        )


def _sound(losses: Tensor) -> Tensor:
    """(n, 3) losses up to the first that is no finite number."""
    bad = (~torch.isfinite(losses)).any(1).nonzero()
    return losses[: int(bad[0])] if len(bad) else losses
