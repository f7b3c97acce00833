"""The reference: torch's autograd, then Adam of all weights; for every model on every device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from trainers.training.engines.engine import Engine

if TYPE_CHECKING:
    from torch import Tensor

    from trainers.models.base import Autoencoder, StepLoss


class Autograd(Engine):
    """Follows `Autoencoder.loss` backward, whatever it is made of."""

    name = "autograd"
    rank = 0

    @classmethod
    def misfit(cls, model: Autoencoder, device: torch.device) -> str:
        """Nothing: it trains them all."""
        return ""

    def run(self, first: int, count: int) -> Tensor:
        """Does steps `first` to `first + count - 1`; (count, 3) losses."""
        losses = [self._step(step) for step in range(first, first + count)]
        return torch.stack(losses)

    def _step(self, step: int) -> Tensor:
        self._begin(step)
        seen, target = self._batch(step, self._empty_batch(), self._empty_batch())
        loss = self._loss(seen, target)
        self._model.zero_grad()
        loss.total.backward()
        # Weights that the loss does not know, or that are frozen, stay as they are.
        weights = self._model.parameters()
        self.optimiser.update([torch.zeros_like(w) if w.grad is None else w.grad for w in weights])
        return torch.stack([part.detach() for part in loss])

    def _loss(self, seen: Tensor, target: Tensor) -> StepLoss:
        return self._model.loss(seen, target, self.noise)
