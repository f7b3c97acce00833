"""Hand-written gradients for stacks of dense layers, with Adam for each layer at once.

On the CPU this engine does 1.23 to 1.30 times as many steps per second as autograd
(docs/performance.md): all buffers are allocated once, and each layer is updated while its weights
and gradients are still in the cache. The price is a derivative by hand for every activation and
loss; the tests compare each of them with autograd.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn

from trainers.models.mlp import MLPAutoencoder
from trainers.training.engines.dense import SLOPES, Dense
from trainers.training.engines.engine import Engine
from trainers.training.engines.objective import RECONSTRUCTIONS, GaussianCode, PointCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from trainers.config import TrainingConfig
    from trainers.datasets.tensors import Images
    from trainers.models.base import Autoencoder
    from trainers.training.engines.dense import Slope

    MakeLayer = Callable[[nn.Linear, Slope, int], Dense]


class Layerwise(Engine):
    """Computes forward and backward without autograd, into buffers that are allocated once.

    A layer is updated right after its gradient is computed, while both are in the cache. The
    gradient for the layer below no longer needs its weights then.
    """

    name = "layerwise"
    rank = 1
    _layer: MakeLayer = staticmethod(Dense)

    def __init__(
        self,
        model: Autoencoder,
        config: TrainingConfig,
        device: torch.device,
        images: Images | None = None,
    ) -> None:
        super().__init__(model, config, device, images)
        assert isinstance(model, MLPAutoencoder)
        self._passes = Passes(model, config.batch_size, self._layer)
        self._target, self._buffer = self._empty_batch(), self._empty_batch()

    @classmethod
    def misfit(cls, model: Autoencoder, device: torch.device) -> str:
        """Returns a reason unless the model is of the family `mlp` and on the CPU."""
        if not isinstance(model, MLPAutoencoder):
            return "it knows models of dense layers alone (the family mlp)"
        if device.type != "cpu":
            return f"it trains on the cpu, not on {device.type}"
        parts = [*model.encoder, *model.decoder]
        unknown = {type(part) for part in parts} - {nn.Linear, *SLOPES}
        dense = sum(isinstance(part, nn.Linear) for part in parts)
        if not unknown and len([*model.parameters()]) != 2 * dense:
            return "it knows no weights beside those of dense layers, each with a bias"
        if unknown:
            return f"it has no gradient of {', '.join(sorted(kind.__name__ for kind in unknown))}"
        return ""

    def run(self, first: int, count: int) -> Tensor:
        """Does steps `first` to `first + count - 1` and returns (count, 3) losses."""
        losses = self._images.new_zeros(count, 3)
        # A layer's weights and biases are two parameters, one after the other.
        first_parameters = {layer: 2 * number for number, layer in enumerate(self._passes.layers)}
        with torch.inference_mode():
            for step, row in enumerate(losses.unbind(), first):
                self._begin_step(step)
                inputs, target = self._batch(step, self._target, self._buffer)
                for layer in self._passes.backward(inputs, target, row, self.noise):
                    self.optimiser.update(layer.gradients, first_parameters[layer])
            losses.div_(self._config.batch_size)
            torch.add(losses[:, 1], losses[:, 2], alpha=self.model.beta, out=losses[:, 0])
        return losses


class Passes:
    """The forward and backward pass through encoder, code, decoder and loss.

    Parameters
    ----------
    model
        Its weights are used in place and never replaced.
    batch_size
        B, images in every batch.
    make_layer
        Returns a layer for a linear layer, the activation after it, and B.

    Attributes
    ----------
    layers
        All layers, in the order of the model's parameters.
    """

    def __init__(
        self, model: MLPAutoencoder, batch_size: int, make_layer: MakeLayer = Dense
    ) -> None:
        encoder, decoder = (
            _layers(stack, batch_size, make_layer) for stack in (model.encoder, model.decoder)
        )
        encoder[0].is_lowest = True
        self.layers = (*encoder, *decoder)
        self._encoder, self._decoder = encoder, decoder
        parameters, output = encoder[-1].output, decoder[-1].output
        self._code = GaussianCode(parameters, model.beta) if model.variational else PointCode()
        self._reconstruction = RECONSTRUCTIONS[model.likelihood](output)

    def backward(
        self, inputs: Tensor, target: Tensor, losses: Tensor, noise: torch.Generator
    ) -> Iterator[Dense]:
        """Computes the gradients of the mean loss; yields each layer when its own are ready.

        The last layer comes first. The caller may change the weights of the layer that is yielded.
        The last two of the three `losses` receive reconstruction and KL, summed over the (B, P)
        batch.
        """
        _, reconstruction, kl = losses.unbind()
        values = inputs
        for layer in self._encoder:
            values = layer.forward(values)
        values = self._code.forward(values, kl, noise)
        for layer in self._decoder:
            values = layer.forward(values)
        gradient = self._reconstruction(values, target, reconstruction)
        for layer in reversed(self._decoder):
            gradient = layer.backward(gradient)
            yield layer
        gradient = self._code.backward(gradient)
        for layer in reversed(self._encoder):
            gradient = layer.backward(gradient)
            yield layer


def _layers(stack: nn.Sequential, batch_size: int, make_layer: MakeLayer) -> list[Dense]:
    """Returns the layers of a stack, each with the activation after it."""
    parts = [*stack, nn.Identity()]
    return [
        make_layer(part, SLOPES.get(type(after), SLOPES[nn.Identity]), batch_size)
        for part, after in pairwise(parts)
        if isinstance(part, nn.Linear)
    ]
