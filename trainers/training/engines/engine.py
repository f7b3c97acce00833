"""What every engine is: data on the device, one source of noise, Adam's state, and `run`."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

import torch

from trainers.datasets.tensors import BatchOrder, gather, resident
from trainers.training.adam import Adam

if TYPE_CHECKING:
    from torch import Tensor

    from trainers.config import TrainingConfig
    from trainers.datasets.tensors import Images
    from trainers.models.base import Autoencoder

_NOISE_SEED = 0x5EED

ENGINES: dict[str, type[Engine]] = {}
"""By name, those whose module is loaded; `engines.registered` loads them all."""


class Engine(ABC):
    """Gathers, corrupts, goes forward and backward, applies Adam (Kingma & Ba 2015).

    Steps of a slice follow each other without synchronisation. Every engine draws from `noise` in
    the same order (pixels, corruption, codes) and keeps Adam's moments in `optimiser`, so that the
    engines differ in rounding alone.

    Parameters
    ----------
    model
        On `device` already, its weights set.
    config
        Batch size, learning rate and its schedule, binarisation, corruption, seed.
    device
        Where the work is done.
    images
        (n, P), what is learnt from; MNIST's where left out.

    Attributes
    ----------
    optimiser
        Adam, its moments part of a resume point.
    noise
        The generator that pixels, corruptions and codes are drawn from, its state part of one too.
    """

    name: ClassVar[str]
    """What `--engine` and `status.json` call it."""

    rank: ClassVar[int]
    """"auto" takes the highest of those that fit; below the reference's 0 it has to be named."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        ENGINES[cls.name] = cls

    def __init__(
        self,
        model: Autoencoder,
        config: TrainingConfig,
        device: torch.device,
        images: Images | None = None,
    ) -> None:
        self._model = model
        self._config = config
        is_bernoulli = model.likelihood == "bernoulli"
        self._is_binarised = is_bernoulli and config.binarisation == "dynamic"
        self._images = resident("train", device) if images is None else images
        self._order = BatchOrder(len(self._images), config.batch_size, config.seed, device)
        self.optimiser = Adam(model.parameters(), config.learning_rate)
        self.noise = torch.Generator(device).manual_seed(config.seed ^ _NOISE_SEED)

    @classmethod
    @abstractmethod
    def misfit(cls, model: Autoencoder, device: torch.device) -> str:
        """Why it can not train `model` on `device`; empty where it can."""

    @abstractmethod
    def run(self, first: int, count: int) -> Tensor:
        """Does steps `first` to `first + count - 1` (from 0); (count, 3) losses on the device.

        Columns: total, reconstruction, KL.
        """

    def _begin(self, step: int) -> None:
        """Begins the step after `step` steps; its learning rate is of that number alone."""
        self.optimiser.rate = self._config.learning_rate * self._share(
            1 - step / self._config.steps
        )
        self.optimiser.begin()

    def _share(self, left: float) -> float:
        """Of the learning rate, with that share of the steps still to do."""
        if self._config.schedule == "constant":
            return 1.0
        return left if self._config.schedule == "linear" else 0.5 - 0.5 * math.cos(math.pi * left)

    def _batch(self, step: int, target: Tensor, room: Tensor) -> tuple[Tensor, Tensor]:
        """What the model sees at that step, and the target, both (B, P).

        `target` is written over; so is `room`, if what is seen is corrupted (Vincent et al. 2008).
        """
        gather(self._images, self._order.indices(step), target)
        if self._is_binarised:
            target.bernoulli_(target, generator=self.noise)
        amount = self._config.corruption_amount
        if self._config.corruption == "gaussian":
            return room.normal_(0, amount, generator=self.noise).add_(target), target
        if self._config.corruption == "masking":
            return room.uniform_(generator=self.noise).ge_(amount).mul_(target), target
        return target, target

    def _empty_batch(self) -> Tensor:
        """(B, P), room for a batch."""
        return self._images.new_empty(self._config.batch_size, self._images.shape[1])
