"""The paper's convolutional autoencoder: strided convolutions, a dense layer, and mirrored.

Details that the paper does not give: 4x4 kernels with stride 2 and padding 1, so that each
convolution halves the image exactly and each transposed one doubles it without a checkerboard (the
stride divides the kernel; Odena et al. 2016); a dense layer of 256 between convolutions and code.
"""

from __future__ import annotations

from itertools import pairwise
from math import isqrt, prod
from typing import TYPE_CHECKING

from torch import Tensor, nn

from trainers.models.base import ACTIVATIONS, Network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainers.config import ModelConfig
    from trainers.config_types import Activation, Likelihood


class _Planes(nn.Module):
    """(B, side·side·C), the C colours of a pixel adjacent → (B, C, side, side)."""

    def __init__(self, side: int, channels: int) -> None:
        super().__init__()
        self._shape = (side, side, channels)

    def forward(self, images: Tensor) -> Tensor:
        planes: Tensor = images.unflatten(1, self._shape).permute(0, 3, 1, 2)
        return planes


class _Interleaved(nn.Module):
    """(B, C, side, side) → (B, side·side·C), the C colours of a pixel adjacent."""

    def forward(self, planes: Tensor) -> Tensor:
        return planes.permute(0, 2, 3, 1).flatten(1)


class ConvAutoencoder(Network):
    """Strided convolutions, a dense layer and the code, and the same mirrored.

    Parameters
    ----------
    side
        The pixels along an image's edge; each convolution halves it, so it must be even each time.
    colours
        The numbers in a pixel: 1 or 3.
    channels
        The channels after each convolution.
    dense
        The nodes of the layer between the convolutions and the code.
    activation
        The activation after each convolution and dense layer.
    latent_dim, variational, likelihood, beta
        As in `Autoencoder`.
    """

    def __init__(
        self,
        *,
        side: int,
        colours: int = 1,
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
        down: list[nn.Module] = [
            nn.Unflatten(1, (1, side, side)) if colours == 1 else _Planes(side, colours)
        ]
        for inputs, outputs in pairwise([colours, *channels]):
            down += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), act()]
        dense_down = [nn.Flatten(), nn.Linear(prod(bottom), dense), act()]
        self.encoder = nn.Sequential(*down, *dense_down, nn.Linear(dense, self.encoder_outputs))
        up: list[nn.Module] = [nn.Linear(latent_dim, dense), act()]
        up += [nn.Linear(dense, prod(bottom)), act(), nn.Unflatten(1, bottom)]
        for inputs, outputs in pairwise([*reversed(channels), colours]):
            up += [nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1), act()]
        flat = nn.Flatten() if colours == 1 else _Interleaved()
        self.decoder = nn.Sequential(*up[:-1], flat)


def build(config: ModelConfig, pixels: int, channels: int = 1) -> ConvAutoencoder:
    """Returns an untrained autoencoder of square images with the settings of `config`."""
    return ConvAutoencoder(
        side=isqrt(pixels // channels),
        colours=channels,
        channels=config.channels,
        dense=config.dense,
        activation=config.activation,
        latent_dim=config.latent_dim,
        variational=config.variational,
        likelihood=config.likelihood,
        beta=config.beta,
    )
