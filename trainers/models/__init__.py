"""Autoencoders, one family a module; a module's name is its family's name.

Nothing here loads torch: `families()` looks at which modules there are, `build` imports the one
that is asked for.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from inspect import signature
from math import isqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainers.config import ModelConfig
    from trainers.models.base import Autoencoder

_FIRST = ("mlp", "conv", "pca")


@cache
def families() -> tuple[str, ...]:
    """The names that `ModelConfig.family` may take: every public module here but `base`."""
    found = {m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")}
    found -= {"base"}
    return (*_FIRST, *sorted(found - {*_FIRST}))


@cache
def added_families() -> tuple[str, ...]:
    """The families that came to those of the paper: each gets a preset, and is reported on."""
    return families()[len(_FIRST) :]


def build(config: ModelConfig, pixels: int = 784, channels: int = 1) -> Autoencoder:
    """An untrained model of `config`'s family; its weights are set by `Autoencoder.initialise`.

    A family's `build(config, pixels)` is given P, the numbers in an image; one that treats the
    colours of a pixel apart takes `channels` besides.
    """
    module = import_module(f"trainers.models.{config.family}")
    tells_colours = "channels" in signature(module.build).parameters
    more = {"channels": channels} if tells_colours else {}
    model: Autoencoder = module.build(config, pixels, **more)
    side = isqrt(pixels // channels)
    model.image_shape = (side, side) if channels == 1 else (side, side, channels)
    return model
