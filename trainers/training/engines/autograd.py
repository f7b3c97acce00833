"""The reference engine: torch's autograd, then Adam; for every model on every device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from trainers.training.engines.engine import Engine

if TYPE_CHECKING:
    from torch import Tensor

    from trainers.models.base import Autoencoder, StepLoss


class Autograd(Engine):
    """Computes the gradients of `Autoencoder.loss` by torch's autograd."""

    name = "autograd"
    rank = 0

    @classmethod
    def misfit(cls, model: Autoencoder, device: torch.device) -> str:
        """Returns an empty reason: this engine trains every model."""
        return ""

    def run(self, first: int, count: int) -> Tensor:
        """Does steps `first` to `first + count - 1` and returns (count, 3) losses."""
        losses = [self._step(step) for step in range(first, first + count)]
        return torch.stack(losses)

    def _step(self, step: int) -> Tensor:
        self._begin_step(step)
        inputs, target = self._batch(step, self._empty_batch(), self._empty_batch())
        loss = self._loss(inputs, target)
        self.model.zero_grad()
        loss.total.backward()
        # Weights without a gradient are frozen or not part of the loss; zeros keep them unchanged.
        weights = self.model.parameters()
        self.optimiser.update([torch.zeros_like(w) if w.grad is None else w.grad for w in weights])
        return torch.stack([part.detach() for part in loss])

    def _loss(self, inputs: Tensor, target: Tensor) -> StepLoss:
        return self.model.loss(inputs, target, self.noise)
