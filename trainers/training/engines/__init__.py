"""Engines: implementations of a training step. Each registers itself where it is defined.

`autograd` is the reference and trains every model on every device. A faster engine gives the same
result except for rounding, says which models it can train, and uses the same resume points.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

from trainers.errors import EngineError
from trainers.training.engines.engine import ENGINES, Engine

if TYPE_CHECKING:
    import torch

    from trainers.config_types import EngineName
    from trainers.models.base import Autoencoder

__all__ = ["Engine", "choose_engine", "registered_engines"]


def registered_engines() -> tuple[type[Engine], ...]:
    """Returns every engine, the fastest first."""
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return tuple(sorted(ENGINES.values(), key=lambda engine: -engine.rank))


def choose_engine(name: EngineName | str, model: Autoencoder, device: torch.device) -> type[Engine]:
    """Returns the engine called `name`; "auto" is the fastest that fits model and device.

    Raises
    ------
    EngineError
        When the engine cannot train the model on the device; the message says why, and lists the
        engines that can.
    """
    fitting = [other for other in registered_engines() if not other.misfit(model, device)]
    if name == "auto":
        return fitting[0]
    engine = ENGINES.get(name)
    reason = engine.misfit(model, device) if engine else "there is no engine of that name"
    if engine is None or reason:
        others = ", ".join(other.name for other in fitting)
        raise EngineError(
            f"The engine {name!r} cannot train this: {reason}. Choose auto or one of {others}."
        )
    return engine
