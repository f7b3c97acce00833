"""The paper's convolutional autoencoder: strided convolutions, a dense layer, and mirrored.

Where the paper is silent: 4x4 kernels with stride 2 and padding 1, so that each convolution halves
the image exactly and the transposed ones double it without a checkerboard (the stride divides the
kernel; Odena et al. 2016); a dense layer of 256 between the convolutions and the code.
"""

from __future__ import annotations

from itertools import pairwise
from math import isqrt, prod
from typing import TYPE_CHECKING

from torch import nn

from trainers.models.base import ACTIVATIONS, Network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainers.config import Activation, Likelihood, ModelConfig


class ConvAutoencoder(Network):
    """Strided convolutions to a dense layer to the code, and mirrored.

    Parameters
    ----------
    side
        Pixels along an image's edge; every convolution must find an even number.
    channels
        Channels after each convolution.
    dense
        Nodes of the layer between the convolutions and the code.
    activation
        What follows each convolution and dense layer.
    latent_dim, variational, likelihood, beta
        As in `Autoencoder`.
    """

    def __init__(
        self,
        *,
        side: int,
        channels: Sequence[int],
        dense: int,
        activation: Activation,
        latent_dim: int,
        variational: bool,
        likelihood: Likelihood,
        beta: float,
    ) -> None:
        super().__init__(
            latent_dim=latent_dim, variational=variational, likelihood=likelihood, beta=beta
        )
        act = ACTIVATIONS[activation]
        small = side >> len(channels)
        bottom = (channels[-1], small, small)
        down: list[nn.Module] = [nn.Unflatten(1, (1, side, side))]
        for inputs, found in pairwise([1, *channels]):
            down += [nn.Conv2d(inputs, found, 4, stride=2, padding=1), act()]
        dense_down = [nn.Flatten(), nn.Linear(prod(bottom), dense), act()]
        self.encoder = nn.Sequential(*down, *dense_down, nn.Linear(dense, self.encoder_outputs))
        up: list[nn.Module] = [nn.Linear(latent_dim, dense), act()]
        up += [nn.Linear(dense, prod(bottom)), act(), nn.Unflatten(1, bottom)]
        for inputs, found in pairwise([*reversed(channels), 1]):
            up += [nn.ConvTranspose2d(inputs, found, 4, stride=2, padding=1), act()]
        self.decoder = nn.Sequential(*up[:-1], nn.Flatten())


def build(config: ModelConfig, pixels: int) -> ConvAutoencoder:
    """The autoencoder that `config` asks for, of square images."""
    return ConvAutoencoder(
        side=isqrt(pixels),
        channels=config.channels,
        dense=config.dense,
        activation=config.activation,
        latent_dim=config.latent_dim,
        variational=config.variational,
        likelihood=config.likelihood,
        beta=config.beta,
    )
