"""How a step is done, apart from what a step means: one engine a module, registered where defined.

`autograd` is the reference and trains every model on every device. A faster engine agrees with it
in all but rounding, and says which models it can train. Its resume points are the same.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

from trainers.errors import EngineError
from trainers.training.engines.engine import ENGINES, Engine

if TYPE_CHECKING:
    import torch

    from trainers.config import EngineName
    from trainers.models.base import Autoencoder

__all__ = ["Engine", "choose", "registered"]


def registered() -> tuple[type[Engine], ...]:
    """Every engine there is, the fastest first."""
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return tuple(sorted(ENGINES.values(), key=lambda engine: -engine.rank))


def choose(name: EngineName | str, model: Autoencoder, device: torch.device) -> type[Engine]:
    """The engine called `name`; "auto" is the fastest that can train the model there.

    Raises
    ------
    EngineError
        When it can not train the model there; the message says why, and what can.
    """
    fitting = [engine for engine in registered() if not engine.misfit(model, device)]
    if name == "auto":
        return fitting[0]
    named = ENGINES.get(name)
    why = named.misfit(model, device) if named else "there is none of that name"
    if named is None or why:
        others = ", ".join(engine.name for engine in fitting)
        raise EngineError(
            f"The engine {name!r} can not train this: {why}. Choose auto or one of {others}."
        )
    return named
