"""A run small enough to be interrupted a hundred times; its images are spots on 16 × 16 pixels."""

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
"""Together they have every engine, noise in codes and images, convolutions, and a closed form."""


def import_spots(folder: Path) -> None:
    """Creates the images in `folder` and imports them as the data set "spots"."""
    np.save(folder / "spots.npy", shapes(240))
    import_images(folder / "spots.npy")


def import_images(file: Path) -> None:
    """Imports the images of a file as the data set "spots"."""
    drafted(file, "spots").keep()


def config(name: str, **changes: object) -> RunConfig:
    """Returns the config of a small run of a preset."""
    layers = _LAYERS.get(name, {"hidden": (24,)})
    return preset(name).replace(**{**_SMALL, **layers, **changes})


def contents(run: Path) -> dict[str, bytes]:
    """Returns the files that must be equal, by name: losses, and all files of checkpoints."""
    files = [run / "metrics.csv", *sorted(run.glob("checkpoints/*/*"))]
    return {str(file.relative_to(run)): file.read_bytes() for file in files if file.is_file()}
