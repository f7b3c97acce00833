"""The model of a run in training: its weights, its engine, and how many steps it has done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from trainers.checkpointing import weights as checkpoints
from trainers.datasets.tensors import load_images, split_validation
from trainers.errors import EngineError, RunError
from trainers.models import build
from trainers.models.base import ClosedForm
from trainers.training.engines import choose_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from trainers.models.base import Autoencoder
    from trainers.runs import Run
    from trainers.runs.status import Status
    from trainers.training.engines import Engine

_FIT_CHUNK = 6_000
_SAMPLED_IMAGES = 500
_RESUME_FILE = "resume.safetensors"
_FIRST_ENGINE = "autograd"
"""The engine of runs whose status does not name one: they were written before engines had names."""


class ModelState:
    """Builds the model of a run, advances it, and exchanges it with resume points.

    Parameters
    ----------
    run
        The run whose config says what to build.
    status
        The status of the run's folder: which engine and device the run began with.
    device
        The device that trains.

    Attributes
    ----------
    model
        The model, on the device. After the constructor it has the initial weights of the seed.
    engine
        The engine that does the steps; None for a closed form.
    images
        The images of "train" and "test". They stay loaded, so that no step waits for them.
    step
        The steps done.
    seconds
        The training time so far.

    Raises
    ------
    EngineError
        When the chosen engine cannot train the model on the device.
    RunError
        When the run began with an engine that cannot continue it.
    """

    def __init__(self, run: Run, status: Status, device: torch.device) -> None:
        self.run = run
        self.device = device
        self.step, self.seconds = status.step, status.seconds
        held_out = run.dataset.held_out if run.config.training.validation else 0
        # The whole is referenced, so that the evaluation shares it.
        self._train = load_images("train", device, run.dataset)
        self.images = {
            "train": split_validation(self._train, held_out)[0],
            "test": load_images("test", device, run.dataset),
        }
        self.model = _build_model(run, device)
        self.engine: Engine | None = None
        if not isinstance(self.model, ClosedForm):
            engine = self._choose_engine(status)
            self.engine = engine(self.model, run.config.training, device, self.images["train"])

    @property
    def parameters(self) -> int:
        """The number of weights."""
        return sum(tensor.numel() for tensor in self.model.state_dict().values())

    @property
    def is_finite(self) -> bool:
        """Whether every weight is a finite number."""
        return all(bool(torch.isfinite(p).all()) for p in self.model.state_dict().values())

    @torch.inference_mode()
    def sample_loss(self) -> float:
        """Returns the mean loss of the first training images as they are, not corrupted."""
        images = self.images["train"][:_SAMPLED_IMAGES]
        generator = torch.Generator(self.device).manual_seed(self.run.config.training.seed)
        return float(self.model.loss(images, images, generator).total)

    def advance(self, count: int) -> Tensor:
        """Does `count` steps with the engine; (count, 3) losses: total, reconstruction, KL.

        The caller adds to `step`, because steps with losses that are not finite do not count.
        """
        if self.engine is None:
            raise TypeError(f"A {type(self.model).__name__} is solved in closed form.")
        return self.engine.run(self.step, count).cpu()

    def fit(self) -> Iterator[None]:
        """Solves a closed form; yields between chunks of images."""
        if not isinstance(self.model, ClosedForm):
            raise TypeError(f"A {type(self.model).__name__} is trained by gradient steps.")
        yield from self.model.fit(self.images["train"].split(_FIT_CHUNK))

    def resume_point(self) -> checkpoints.ResumePoint | None:
        """Returns everything that a later process needs to continue; None for a closed form."""
        if self.engine is None:
            return None
        return checkpoints.ResumePoint(
            step=self.step,
            seconds=self.seconds,
            model=self.model.state_dict(),
            optimiser=self.engine.optimiser.state(),
            noise=self.engine.noise.get_state(),
            engine=self.engine.name,
            device=str(self.device),
        )

    def restore(self) -> None:
        """Continues at the run's resume point, or begins at step 0 when it has none.

        Raises
        ------
        RunError
            When the resume point is missing although the run has begun, is damaged, or belongs to a
            step that the run does not have.
        """
        path = self.run.path / _RESUME_FILE
        if self.engine is None:
            # A closed form that was killed while it was measured is solved again: it is the same.
            self.step, self.seconds = 0, 0.0
        elif not path.exists():
            _refuse_to_overwrite(self.run)
            self.step, self.seconds = 0, 0.0
        else:
            point = checkpoints.ResumePoint.read(path)
            point.restore(self.model, self.engine.optimiser, self.engine.noise, path)
            if not 0 <= point.step <= self.run.config.steps:
                raise RunError(
                    f"{path} belongs to step {point.step:,}, but the run has "
                    f"{self.run.config.steps:,} steps. The file is damaged. Start a new run from "
                    "the run's config."
                )
            self.step, self.seconds = point.step, point.seconds

    def _choose_engine(self, status: Status) -> type[Engine]:
        """Returns the engine that the run began with, or the config's for a new run.

        Another engine would change the bits of the result. On another kind of device they change
        anyway, so there the config decides.
        """
        requested = self.run.config.training.engine
        has_begun = (self.run.path / _RESUME_FILE).exists()
        if not has_begun or torch.device(status.device or "cpu").type != self.device.type:
            return choose_engine(requested, self.model, self.device)
        try:
            return choose_engine(status.engine or _FIRST_ENGINE, self.model, self.device)
        except EngineError as error:
            raise RunError(
                f"The run {self.run.name!r} cannot continue as it began. {error} Its checkpoints "
                "can still be explored; start a new run from its config."
            ) from error


def _build_model(run: Run, device: torch.device) -> Autoencoder:
    """Returns the model with the initial weights of the run's seed, on the device."""
    model = build(run.config.model, run.dataset.pixels, run.dataset.channels)
    generator = torch.Generator().manual_seed(run.config.training.seed)
    model.initialise(generator, run.config.model.activation)
    return model.to(device).to(memory_format=torch.channels_last)


def _refuse_to_overwrite(run: Run) -> None:
    """Raises when the run has results: without a resume point it would begin at step 0."""
    steps = [c.step for c in run.checkpoints() if c.step > 0]
    if steps or len(run.metrics().step):
        newest = f"; its checkpoint of step {steps[-1]:,} can be explored" if steps else ""
        raise RunError(
            f"The run {run.name!r} has no resume point and cannot continue{newest}. "
            "Start a new run from its config."
        )
