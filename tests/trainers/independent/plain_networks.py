"""The trained networks in plain NumPy, from the arrays of a weights file. No torch.

Shape legend: B images, P pixels, D numbers in a code, C channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load
from scipy.special import erf, expit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from trainers.config import ModelConfig

    Array = np.ndarray

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "linear": lambda x: x,
    "sigmoid": expit,
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "gelu": lambda x: x * 0.5 * (1 + erf(x / np.sqrt(2))),
    "silu": lambda x: x * expit(x),
}


def _convolve(x: Array, weight: Array) -> Array:
    """Correlates (B, C, h, w) with 4 x 4 kernels, stride 2, padding 1: (B, O, h/2, w/2)."""
    high, wide = (n // 2 for n in x.shape[2:])
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    return sum(
        np.einsum(
            "bchw,oc->bohw",
            padded[:, :, i : i + 2 * high : 2, j : j + 2 * wide : 2],
            weight[:, :, i, j],
        )
        for i in range(4)
        for j in range(4)
    )


def _convolve_transposed(x: Array, weight: Array) -> Array:
    """The adjoint of `_convolve`: (B, C, h, w) to (B, O, 2h, 2w)."""
    high, wide = x.shape[2:]
    full = np.zeros((len(x), weight.shape[1], 2 * high + 2, 2 * wide + 2))
    for i in range(4):
        for j in range(4):
            full[:, :, i : i + 2 * high : 2, j : j + 2 * wide : 2] += np.einsum(
                "bchw,co->bohw", x, weight[:, :, i, j]
            )
    return full[:, :, 1:-1, 1:-1]


def _square(x: Array, channels: int) -> Array:
    """(B, n) as (B, channels, s, s); what has planes already stays."""
    if x.ndim == 4:
        return x
    side = isqrt(x.shape[1] // channels)
    return x.reshape(len(x), channels, side, side)


def _run(weights: dict[str, Array], stack: str, x: Array, activation: str) -> Array:
    """Applies the layers of a stack, with the activation after each but the last."""
    numbers = sorted({int(name.split(".")[1]) for name in weights if name.startswith(stack)})
    for number in numbers:
        weight, bias = (weights[f"{stack}.{number}.{part}"] for part in ("weight", "bias"))
        if weight.ndim == 2:
            x = x.reshape(len(x), -1) @ weight.T + bias
        elif stack == "encoder":
            x = _convolve(_square(x, weight.shape[1]), weight) + bias[:, None, None]
        else:
            x = _convolve_transposed(_square(x, weight.shape[0]), weight) + bias[:, None, None]
        if number != numbers[-1]:
            x = ACTIVATIONS[activation](x)
    return x.reshape(len(x), -1)


@dataclass(frozen=True)
class PlainModel:
    """Encoder, decoder and loss terms of a run, computed from its weights file."""

    weights: dict[str, Array]
    config: ModelConfig

    @classmethod
    def read(cls, place: Path, config: ModelConfig) -> PlainModel:
        arrays = load(place.read_bytes())
        return cls({name: array.astype(np.float64) for name, array in arrays.items()}, config)

    @property
    def is_bernoulli(self) -> bool:
        return self.config.likelihood == "bernoulli" and self.config.family != "pca"

    def posterior(self, images: Array) -> tuple[Array, Array | None]:
        """(B, P) to means (B, D), and log-variances or None."""
        if self.config.family == "pca":
            return (images - self.weights["mean"]) @ self.weights["components"].T, None
        out = _run(self.weights, "encoder", images, self.config.activation)
        if not self.config.variational:
            return out, None
        return out[:, : self.config.latent_dim], out[:, self.config.latent_dim :]

    def output(self, codes: Array) -> Array:
        """(B, D) to pixels or logits, (B, P)."""
        if self.config.family == "pca":
            return codes @ self.weights["components"] + self.weights["mean"]
        return _run(self.weights, "decoder", codes, self.config.activation)

    def decode(self, codes: Array) -> Array:
        return expit(self.output(codes)) if self.is_bernoulli else self.output(codes)

    def reconstruction(self, codes: Array, target: Array) -> Array:
        """(B,), the likelihood's own error."""
        output = self.output(codes)
        if not self.is_bernoulli:
            return np.square(output - target).sum(1)
        # -log of p^t (1 - p)^(1 - t) for p = 1 / (1 + exp(-output))
        return (np.logaddexp(0, output) - target * output).sum(1)

    def kl(self, images: Array) -> Array:
        """(B, D), the KL of each dimension."""
        mean, log_variance = self.posterior(images)
        if log_variance is None:
            return np.zeros_like(mean)
        return 0.5 * (np.square(mean) + np.exp(log_variance) - log_variance - 1)
