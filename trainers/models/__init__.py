"""Autoencoders: one family per module, and the module's name is the family's name.

A family module has `build(config, pixels)`, which returns an untrained model. The module
`descriptions/describe_<family>.py` has `describe(config, shape)`, which describes it in words.
Nothing here loads torch until `build` imports the module of a family.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from inspect import signature
from math import isqrt
from typing import TYPE_CHECKING

from trainers.models import descriptions
from trainers.plurals import count_of

if TYPE_CHECKING:
    from trainers.config import ModelConfig
    from trainers.models.base import Autoencoder

_PAPER_FAMILIES = ("mlp", "conv", "pca")
_NO_FAMILIES = {"base", "descriptions"}


@cache
def families() -> tuple[str, ...]:
    """Returns the names that `ModelConfig.family` may take, the paper's families first."""
    found = _public_modules(__path__) - _NO_FAMILIES
    return (*_PAPER_FAMILIES, *sorted(found - {*_PAPER_FAMILIES}))


@cache
def added_families() -> tuple[str, ...]:
    """Returns the families beside the paper's; each gets a preset and a place in the report."""
    return families()[len(_PAPER_FAMILIES) :]


def build(config: ModelConfig, pixels: int = 784, channels: int = 1) -> Autoencoder:
    """Returns an untrained model of `config`'s family.

    `Autoencoder.initialise` sets its weights.

    Parameters
    ----------
    config
        The model's settings.
    pixels
        P, the numbers in an image, all colours counted.
    channels
        1 for grey images, 3 for colour. Passed only to a family whose `build` has this parameter.
    """
    module = import_module(f"trainers.models.{config.family}")
    takes_channels = "channels" in signature(module.build).parameters
    options = {"channels": channels} if takes_channels else {}
    model: Autoencoder = module.build(config, pixels, **options)
    side = isqrt(pixels // channels)
    model.image_shape = (side, side) if channels == 1 else (side, side, channels)
    return model


def describe(config: ModelConfig, shape: tuple[int, ...]) -> str:
    """Returns what a model of `config`'s family is made of, in one or two lines.

    A family without a description of its own is called by its name and the size of its code.
    Importing the family's module instead would load torch, for which a window cannot wait.

    Parameters
    ----------
    config
        The model's settings.
    shape
        The shape of an image: (side, side) or (side, side, 3).
    """
    name = f"describe_{config.family}"
    if name not in _public_modules(descriptions.__path__):
        return f"{config.family}, {count_of(config.latent_dim, 'code')}"
    module = import_module(f"{descriptions.__name__}.{name}")
    text: str = module.describe(config, shape)
    return text


def _public_modules(path: list[str]) -> set[str]:
    """Returns the names of the modules in a package that do not begin with an underscore."""
    return {m.name for m in pkgutil.iter_modules(path) if not m.name.startswith("_")}
