"""The base class of engines: data on the device, one source of noise, Adam's state, and `run`."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

import torch

from trainers.datasets.corruption import corrupt
from trainers.datasets.tensors import BatchOrder, gather, load_images
from trainers.training.adam import Adam

if TYPE_CHECKING:
    from torch import Tensor

    from trainers.config import TrainingConfig
    from trainers.datasets.tensors import Images
    from trainers.models.base import Autoencoder

_NOISE_SEED = 0x5EED

ENGINES: dict[str, type[Engine]] = {}
"""The engines of loaded modules by name; `engines.registered_engines` loads every module."""


class Engine(ABC):
    """Does training steps: batch, corruption, loss, gradients, Adam (Kingma & Ba 2015).

    The steps of a slice run without synchronisation between them. Every engine draws from `noise`
    in the same order (pixels, corruption, codes) and keeps Adam's moments in `optimiser`, so that
    the engines differ only in rounding.

    Parameters
    ----------
    model
        The model, already on `device` and initialised.
    config
        Batch size, learning rate and its schedule, binarisation, corruption, seed.
    device
        The device that does the work.
    images
        (n, P), the training images; MNIST's if omitted.

    Attributes
    ----------
    optimiser
        Adam; its moments are part of a resume point.
    noise
        The generator that draws pixels, corruptions and codes; its state is part of a resume
        point, too.
    """

    name: ClassVar[str]
    """The name in `--engine` and `status.json`."""

    rank: ClassVar[int]
    """"auto" takes the fitting engine of highest rank, the reference of rank 0 included.

    An engine of a lower rank is used only when the user names it.
    """

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
        self.model = model
        self._config = config
        is_bernoulli = model.likelihood == "bernoulli"
        self._is_binarised = is_bernoulli and config.binarisation == "dynamic"
        self._images = load_images("train", device) if images is None else images
        self._order = BatchOrder(len(self._images), config.batch_size, config.seed, device)
        self.optimiser = Adam(model.parameters(), config.learning_rate)
        self.noise = torch.Generator(device).manual_seed(config.seed ^ _NOISE_SEED)

    @classmethod
    @abstractmethod
    def misfit(cls, model: Autoencoder, device: torch.device) -> str:
        """Returns why this engine cannot train `model` on `device`; empty if it can."""

    @abstractmethod
    def run(self, first: int, count: int) -> Tensor:
        """Does steps `first` to `first + count - 1`, counted from 0.

        Returns (count, 3) losses on the device: total, reconstruction and KL.
        """

    def _begin_step(self, step: int) -> None:
        """Begins the step after `step` steps; its learning rate depends only on that number."""
        self.optimiser.rate = self._config.learning_rate * self._rate_factor(
            1 - step / self._config.steps
        )
        self.optimiser.begin()

    def _rate_factor(self, left: float) -> float:
        """Returns the schedule's factor for the share of the steps that is left."""
        if self._config.schedule == "constant":
            return 1.0
        return left if self._config.schedule == "linear" else 0.5 - 0.5 * math.cos(math.pi * left)

    def _batch(self, step: int, target: Tensor, buffer: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the input and the target of a step, both (B, P).

        Overwrites `target`, and `buffer` if the input is corrupted.
        """
        gather(self._images, self._order.indices(step), target)
        if self._is_binarised:
            target.bernoulli_(target, generator=self.noise)
        kind, amount = self._config.corruption, self._config.corruption_amount
        return corrupt(target, kind, amount, self.noise, buffer), target

    def _empty_batch(self) -> Tensor:
        """Returns an uninitialised (B, P) tensor for a batch."""
        return self._images.new_empty(self._config.batch_size, self._images.shape[1])
