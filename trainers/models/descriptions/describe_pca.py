"""Principal component analysis in words."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainers.config import ModelConfig


def describe(config: ModelConfig, shape: tuple[int, ...]) -> str:
    """Returns the numbers of pixels and codes, and that PCA is solved in closed form.

    Parameters
    ----------
    config
        The model's settings.
    shape
        The shape of an image: (side, side) or (side, side, 3).
    """
    pixels = prod(shape)
    return f"{pixels} – {config.latent_dim} – {pixels}, solved in closed form"
