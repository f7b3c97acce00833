"""The convolutional autoencoder in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainers.config import ModelConfig


def describe(config: ModelConfig, shape: tuple[int, ...]) -> str:
    """Returns the channels after each convolution, the dense layer and the code.

    Parameters
    ----------
    config
        The model's settings.
    shape
        The shape of an image: (side, side) or (side, side, 3).
    """
    image_channels = 1 if len(shape) == 2 else shape[2]
    channels = " → ".join(str(count) for count in (image_channels, *config.channels))
    return f"{channels} channels – {config.dense} – {config.latent_dim}, mirrored"
