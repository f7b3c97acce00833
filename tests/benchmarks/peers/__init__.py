"""The peers that our engines are held against, each a step at a time on the same weights.

The tutorial's loop is always there; the others are found where the group `bench` is installed.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING

from tests.benchmarks.peers.tutorial import tutorial

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainers.config import RunConfig
    from trainers.models.base import Autoencoder

    Steps = Callable[[int], object]
    """Does so many steps and returns when they are done."""


def peers(config: RunConfig, model: Callable[[], Autoencoder]) -> dict[str, Steps]:
    """Everyone else who can train this, by name.

    Parameters
    ----------
    config
        What is trained.
    model
        Makes it, the same at every call.
    """
    # Both are read when the packages are loaded.
    os.environ |= {"KERAS_BACKEND": "jax", "TQDM_DISABLE": "1"}
    found = {"tutorial": tutorial(config, model())}
    is_dense = config.model.family == "mlp"
    if find_spec("greenlet") and find_spec("lightning"):
        from tests.benchmarks.peers.with_lightning import fitted as by_lightning

        found["lightning"] = by_lightning(config, model())
    if find_spec("greenlet") and find_spec("pythae") and is_dense:
        from tests.benchmarks.peers.with_pythae import fitted as by_pythae

        found["pythae"] = by_pythae(config, model())
    if find_spec("greenlet") and find_spec("keras") and find_spec("jax") and is_dense:
        from tests.benchmarks.peers.with_keras import fitted as by_keras

        found["keras jax"] = by_keras(config, model())
    if find_spec("jax") and find_spec("optax") and is_dense:
        from tests.benchmarks.peers.with_jax import scanned

        found["jax scan"] = scanned(config, model())
    return found
