"""The same MLP in JAX, with many steps in one `lax.scan`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
import optax
from torch import nn

from trainers.datasets.mnist import load_split

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainers.config import RunConfig
    from trainers.models.base import Autoencoder

_ACTIVATIONS = {
    "linear": lambda x: x,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "elu": jax.nn.elu,
    "gelu": lambda x: jax.nn.gelu(x, approximate=False),
    "silu": jax.nn.silu,
}


def start(config: RunConfig, model: Autoencoder) -> Callable[[int], object]:
    """Trains with images in memory and donated weights."""
    images = jnp.asarray(load_split("train").images.reshape(-1, 784), jnp.float32) / 255
    activation = _ACTIVATIONS[config.model.activation]
    stacks = [_dense_weights(model.encoder), _dense_weights(model.decoder)]  # type: ignore[arg-type]
    optimiser = optax.adam(config.training.learning_rate)

    def through(stack, values):  # type: ignore[no-untyped-def]
        for weight, bias in stack[:-1]:
            values = activation(values @ weight + bias)
        return values @ stack[-1][0] + stack[-1][1]

    def loss(stacks, batch, key):  # type: ignore[no-untyped-def]
        code, kl = through(stacks[0], batch), 0.0
        if config.model.variational:
            mean, log_variance = jnp.split(code, 2, 1)
            code = mean + jnp.exp(0.5 * log_variance) * jax.random.normal(key, mean.shape)
            kl = 0.5 * (mean**2 + jnp.exp(log_variance) - log_variance - 1).sum(1).mean()
        output = through(stacks[1], code)
        if config.model.likelihood == "bernoulli":
            cost = optax.sigmoid_binary_cross_entropy(output, batch)
        else:
            cost = (output - batch) ** 2
        return cost.sum(1).mean() + config.model.beta * kl

    def step(state, drawn):  # type: ignore[no-untyped-def]
        stacks, moments = state
        indices, key = drawn
        value, gradient = jax.value_and_grad(loss)(stacks, images[indices], key)
        updates, moments = optimiser.update(gradient, moments, stacks)
        return (optax.apply_updates(stacks, updates), moments), value

    run = jax.jit(lambda state, drawn: jax.lax.scan(step, state, drawn), donate_argnums=0)
    state = (stacks, optimiser.init(stacks))
    generator = np.random.default_rng(0)

    def steps(count: int) -> None:
        nonlocal state
        chosen = generator.integers(0, len(images), (count, config.training.batch_size))
        keys = jax.random.split(jax.random.key(int(generator.integers(2**31))), count)
        state, losses = run(state, (jnp.asarray(chosen), keys))
        losses.block_until_ready()

    return steps


def _dense_weights(stack: nn.Sequential) -> list[tuple[jax.Array, jax.Array]]:
    """Returns weights (I, O) and biases (O,) of the dense layers."""
    return [
        (jnp.asarray(part.weight.detach().numpy().T), jnp.asarray(part.bias.detach().numpy()))
        for part in stack
        if isinstance(part, nn.Linear)
    ]
