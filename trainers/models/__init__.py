"""Autoencoders, one family a module; a module's name is its family's name.

Nothing here loads torch: `families()` looks at which modules there are, `build` imports the one
that is asked for.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING

from trainers.datasets.description import MNIST

if TYPE_CHECKING:
    from trainers.config import ModelConfig
    from trainers.datasets.description import Dataset
    from trainers.models.base import Autoencoder

_FIRST = ("mlp", "conv", "pca")


@cache
def families() -> tuple[str, ...]:
    """The names that `ModelConfig.family` may take: every public module here but `base`."""
    found = {m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")}
    found -= {"base"}
    return (*_FIRST, *sorted(found - {*_FIRST}))


def build(config: ModelConfig, dataset: Dataset = MNIST) -> Autoencoder:
    """An untrained model of `config`'s family; its weights are set by `Autoencoder.initialise`.

    A family's `build(config, pixels)` is given P, the numbers in an image; one that treats the
    colours of a pixel apart takes `channels` besides.
    """
    module = import_module(f"trainers.models.{config.family}")
    tells_colours = "channels" in signature(module.build).parameters
    more = {"channels": dataset.channels} if tells_colours else {}
    model: Autoencoder = module.build(config, dataset.pixels, **more)
    model.image_shape = dataset.shape
    return model
