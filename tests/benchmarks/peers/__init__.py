"""The peers that our engines are held against, each a step at a time on the same weights.

The tutorial's loop is always there; the others are found where the group `bench` is installed.
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
    """Does so many steps and returns when they are done."""


class _Peer(NamedTuple):
    """Where a peer's steps are made, what has to be installed, and whether it convolves."""

    module: str
    function: str
    wants: tuple[str, ...] = ()
    is_any_model: bool = False


_PEERS = {
    "tutorial": _Peer("tutorial", "tutorial", is_any_model=True),
    "lightning": _Peer("with_lightning", "fitted", ("greenlet", "lightning"), is_any_model=True),
    "pythae": _Peer("with_pythae", "fitted", ("greenlet", "pythae")),
    "keras jax": _Peer("with_keras", "fitted", ("greenlet", "keras", "jax")),
    "jax scan": _Peer("with_jax", "scanned", ("jax", "optax")),
}


def peers(config: RunConfig) -> list[str]:
    """Everyone else who is here and can train this."""
    return [
        name
        for name, peer in _PEERS.items()
        if (peer.is_any_model or config.model.family == "mlp") and all(map(find_spec, peer.wants))
    ]


def steps_of(name: str, config: RunConfig, model: Autoencoder) -> Steps:
    """A peer's steps of `config` from the weights of `model`."""
    peer = _PEERS[name]
    made: Steps = getattr(import_module(f"{__name__}.{peer.module}"), peer.function)(config, model)
    return made
