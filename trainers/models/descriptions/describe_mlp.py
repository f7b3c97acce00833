"""The fully connected autoencoder in words."""

from __future__ import annotations

from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainers.config import ModelConfig


def describe(config: ModelConfig, shape: tuple[int, ...]) -> str:
    """Returns the widths of all layers, the activation and the number of weights.

    Parameters
    ----------
    config
        The model's settings.
    shape
        The shape of an image: (side, side) or (side, side, 3).
    """
    pixels, latent_dim = prod(shape), config.latent_dim
    encoder_outputs = 2 * latent_dim if config.variational else latent_dim
    encoder = [pixels, *config.hidden, encoder_outputs]
    decoder = [latent_dim, *reversed(config.hidden), pixels]
    weights = sum(
        inputs * outputs + outputs for inputs, outputs in [*pairwise(encoder), *pairwise(decoder)]
    )
    layers = " – ".join(str(width) for width in (*encoder[:-1], *decoder))
    return f"{layers}, {config.activation}\n{weights:,} weights"
