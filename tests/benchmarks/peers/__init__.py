"""The peers that our engines are compared with; each trains the same weights step by step.

The tutorial's loop is always available; the others need the dependency group `bench`.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainers.config import RunConfig
    from trainers.models.base import Autoencoder

    Steps = Callable[[int], object]
    """A function that does a number of steps and returns when they are done."""


class _Peer(NamedTuple):
    """A peer: its module, the packages it needs, and whether it trains any model."""

    module: str
    packages: tuple[str, ...] = ()
    is_any_model: bool = False


_PEERS = {
    "tutorial": _Peer("tutorial", is_any_model=True),
    "lightning": _Peer("with_lightning", ("greenlet", "lightning"), is_any_model=True),
    "pythae": _Peer("with_pythae", ("greenlet", "pythae")),
    "keras jax": _Peer("with_keras", ("greenlet", "keras", "jax")),
    "jax scan": _Peer("with_jax", ("jax", "optax")),
}


def available_peers(config: RunConfig) -> list[str]:
    """Returns the names of the installed peers that can train this model."""
    return [
        name
        for name, peer in _PEERS.items()
        if (peer.is_any_model or config.model.family == "mlp")
        and all(map(find_spec, peer.packages))
    ]


def load_peer(name: str, config: RunConfig, model: Autoencoder) -> Steps:
    """Returns the function that does a peer's steps of `config`, from the weights of `model`."""
    module = import_module(f"{__name__}.{_PEERS[name].module}")
    steps: Steps = module.start(config, model)
    return steps
