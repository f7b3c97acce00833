"""How a step is done: gather, corrupt, forward, backward, Adam; no synchronisation in between."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from trainers.training.data import BatchOrder, resident

if TYPE_CHECKING:
    from torch import Tensor

    from trainers.config import TrainingConfig
    from trainers.models.base import Autoencoder

_NOISE_SEED = 0x5EED


class Engine:
    """Autograd and fused Adam (Kingma & Ba 2015), on data that lies on the device.

    Parameters
    ----------
    model
        On `device` already, its weights set.
    config
        Batch size, learning rate and its schedule, binarisation, corruption, seed.
    device
        Where the work is done.

    Attributes
    ----------
    optimiser
        Adam, its moments part of a resume point.
    noise
        The generator that pixels, corruptions and codes are drawn from, its state part of one too.
    """

    def __init__(self, model: Autoencoder, config: TrainingConfig, device: torch.device) -> None:
        self._model = model
        self._config = config
        is_bernoulli = model.likelihood == "bernoulli"
        self._is_binarised = is_bernoulli and config.binarisation == "dynamic"
        self._images = resident("train", device)
        self._order = BatchOrder(len(self._images), config.batch_size, config.seed, device)
        self.optimiser = torch.optim.Adam(model.parameters(), config.learning_rate, fused=True)
        self.noise = torch.Generator(device).manual_seed(config.seed ^ _NOISE_SEED)

    def run(self, first: int, count: int) -> Tensor:
        """Does steps `first` to `first + count - 1` (from 0); (count, 3) losses on the device.

        Columns: total, reconstruction, KL.
        """
        losses = [self._step(step) for step in range(first, first + count)]
        return torch.stack(losses)

    def _step(self, step: int) -> Tensor:
        self._set_learning_rate(step)
        target = self._images.index_select(0, self._order.indices(step))
        if self._is_binarised:
            target = torch.bernoulli(target, generator=self.noise)
        loss = self._model.loss(self._corrupted(target), target, self.noise)
        self.optimiser.zero_grad()
        loss.total.backward()
        self.optimiser.step()
        return torch.stack([part.detach() for part in loss])

    def _set_learning_rate(self, step: int) -> None:
        """For the step after `step` steps, and of that number alone: exact on resuming."""
        if self._config.schedule == "constant":
            return
        left = 1 - step / self._config.steps
        factor = left if self._config.schedule == "linear" else 0.5 - 0.5 * math.cos(math.pi * left)
        for group in self.optimiser.param_groups:
            group["lr"] = self._config.learning_rate * factor

    def _corrupted(self, images: Tensor) -> Tensor:
        """The input that the model sees (Vincent et al. 2008); the target stays as it is."""
        amount = self._config.corruption_amount
        if self._config.corruption == "gaussian":
            noise = torch.empty_like(images).normal_(0, amount, generator=self.noise)
            return images + noise
        if self._config.corruption == "masking":
            kept = torch.empty_like(images).uniform_(generator=self.noise) >= amount
            return images * kept
        return images
