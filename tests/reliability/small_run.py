"""A run so small that it can be broken a hundred times: soft spots on 16 × 16 pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.trainers.datasets.sample_images import drafted, shapes
from trainers.presets import preset

if TYPE_CHECKING:
    from pathlib import Path

    from trainers.config import RunConfig

_SMALL: dict[str, object] = {
    "dataset": "spots",
    "latent_dim": 2,
    "batch_size": 20,
    "steps": 240,
    "checkpoints": (0, 60, 120, 180),
}
_LAYERS: dict[str, dict[str, object]] = {"conv-vae": {"channels": (4, 8), "dense": 16}}
PRESETS = ("elu", "vae", "denoising", "burda50", "conv-vae", "pca")
"""Every engine, noise in the codes and in the images, convolutions, a closed form."""


def import_spots(folder: Path) -> None:
    """Puts the data set into the store; its images are made in `folder`."""
    np.save(folder / "spots.npy", shapes(240))
    drafted(folder / "spots.npy", "spots").keep()


def config(name: str, **changes: object) -> RunConfig:
    """What a small run of a preset is asked to do."""
    layers = _LAYERS.get(name, {"hidden": (24,)})
    return preset(name).replace(**{**_SMALL, **layers, **changes})


def contents(run: Path) -> dict[str, bytes]:
    """What has to be equal, by name: losses, and all of the checkpoints."""
    kept = [run / "metrics.csv", *sorted(run.glob("checkpoints/*/*"))]
    return {str(file.relative_to(run)): file.read_bytes() for file in kept if file.is_file()}
