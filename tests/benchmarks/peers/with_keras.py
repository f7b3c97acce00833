"""Keras' `fit` on JAX: the same MLP with the same weights; the images are in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np
from torch import nn

from tests.benchmarks.peers.stepping import step_through
from trainers.datasets.mnist import load_split

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainers.config import RunConfig
    from trainers.models.base import Autoencoder


class Sample(keras.layers.Layer):
    """Samples a code from mean and log-variance; adds the KL divergence to the loss."""

    def __init__(self, beta: float) -> None:
        super().__init__()
        self._beta, self._noise = beta, keras.random.SeedGenerator(0)

    def call(self, values):  # type: ignore[no-untyped-def]
        mean, log_variance = keras.ops.split(values, 2, 1)
        kl = 0.5 * (mean**2 + keras.ops.exp(log_variance) - log_variance - 1)
        self.add_loss(self._beta * keras.ops.mean(keras.ops.sum(kl, 1)))
        noise = keras.random.normal(keras.ops.shape(mean), seed=self._noise)
        return mean + keras.ops.exp(0.5 * log_variance) * noise


class StepCallback(keras.callbacks.Callback):
    """Calls a function after each step."""

    def __init__(self, on_step: Callable[[], None]) -> None:
        super().__init__()
        self._on_step = on_step

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        self._on_step()


def start(config: RunConfig, model: Autoencoder) -> Callable[[int], None]:
    """Trains with `Model.fit`."""
    images = load_split("train").images.reshape(-1, 784).astype(np.float32) / 255
    copy = _copy_model(config, model)

    def loss(target, output):  # type: ignore[no-untyped-def]
        if config.model.likelihood == "bernoulli":
            cost = keras.ops.binary_crossentropy(target, output, from_logits=True)
        else:
            cost = (target - output) ** 2
        return keras.ops.sum(cost, 1)

    copy.compile(keras.optimizers.Adam(config.training.learning_rate), loss)

    def fit(on_step: Callable[[], None]) -> None:
        size, epochs = config.training.batch_size, 1_000_000
        copy.fit(images, images, size, epochs, verbose=0, callbacks=[StepCallback(on_step)])

    return step_through(fit)


def _copy_model(config: RunConfig, model: Autoencoder) -> keras.Model:
    """Returns a Keras model with the dense layers and the weights of `model`."""
    parts: list[keras.layers.Layer] = [keras.Input((784,))]
    weights: list[np.ndarray] = []
    activation = config.model.activation
    for stack in (model.encoder, model.decoder):
        dense = [part for part in stack if isinstance(part, nn.Linear)]  # type: ignore[union-attr]
        for part in dense:
            kind = "linear" if part is dense[-1] else activation
            parts.append(keras.layers.Dense(part.out_features, kind))
            weights += [part.weight.detach().numpy().T, part.bias.detach().numpy()]
        if stack is model.encoder and config.model.variational:
            parts.append(Sample(config.model.beta))
    copy = keras.Sequential(parts)
    for variable, value in zip(copy.trainable_variables, weights, strict=True):
        variable.assign(value)
    return copy
