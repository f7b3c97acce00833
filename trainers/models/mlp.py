"""The paper's fully connected autoencoder: P-500-500-D and mirrored.

Details that the paper does not give: the activation follows each hidden layer, code and output are
linear, the decoder has its own weights (not the encoder's transposed), and a variational encoder
returns mean and log-variance from one last layer of 2·D.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from torch import nn

from trainers.models.base import ACTIVATIONS, Network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainers.config import ModelConfig
    from trainers.config_types import Activation, Likelihood


class MLPAutoencoder(Network):
    """Linear layers with one activation between them.

    Parameters
    ----------
    pixels
        P, the numbers in an image.
    hidden
        The nodes in each hidden layer of the encoder; the decoder has them in reverse order.
    activation
        The activation after each hidden layer.
    latent_dim, variational, likelihood, beta
        As in `Autoencoder`.
    """

    def __init__(
        self,
        *,
        pixels: int,
        hidden: Sequence[int],
        activation: Activation,
        latent_dim: int,
        variational: bool,
        likelihood: Likelihood,
        beta: float,
    ) -> None:
        super().__init__(
            latent_dim=latent_dim, variational=variational, likelihood=likelihood, beta=beta
        )
        self.encoder = _stack([pixels, *hidden, self.encoder_outputs], activation)
        self.decoder = _stack([latent_dim, *reversed(hidden), pixels], activation)


def _stack(widths: Sequence[int], activation: Activation) -> nn.Sequential:
    """Returns linear layers of these widths, with the activation after each but the last."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers[:-1])


def build(config: ModelConfig, pixels: int) -> MLPAutoencoder:
    """Returns an untrained autoencoder with the settings of `config`."""
    return MLPAutoencoder(
        pixels=pixels,
        hidden=config.hidden,
        activation=config.activation,
        latent_dim=config.latent_dim,
        variational=config.variational,
        likelihood=config.likelihood,
        beta=config.beta,
    )
