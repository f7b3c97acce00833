"""Whether a config can be trained on a data set, before anything is made. Loads no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.errors import ConfigError
from trainers.plurals import count_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainers.config import RunConfig
    from trainers.datasets.description import Dataset

_MOST_FOR_PCA = 4_096


def find_misfits(config: RunConfig, dataset: Dataset) -> dict[str, str]:
    """What does not fit, by the name of the field; empty where all does."""
    return dict(_yield_misfits(config, dataset))


def check_compatible(config: RunConfig, dataset: Dataset) -> None:
    """Refuses a config that cannot be trained on the data set.

    Raises
    ------
    ConfigError
        Naming each field, its value and its bound.
    """
    found = find_misfits(config, dataset)
    if found:
        raise ConfigError("; ".join(f"{name}: {text}" for name, text in found.items()))


def _yield_misfits(config: RunConfig, dataset: Dataset) -> Iterator[tuple[str, str]]:
    model, batch = config.model, config.training.batch_size
    held_out = dataset.held_out if config.training.validation else 0
    if config.training.validation and not (dataset.validation or held_out):
        yield (
            "validation",
            f"A twelfth of the {dataset.train:,} training images of {dataset.name!r} is less than "
            "one image. Train without validation.",
        )
    if model.family == "pca":
        if dataset.pixels > _MOST_FOR_PCA:
            yield (
                "family",
                f"PCA of {dataset.size} images would be a matrix of {dataset.pixels:,}² numbers; "
                f"{_MOST_FOR_PCA:,}² are the most. Import the images smaller, or grey.",
            )
        if model.latent_dim > dataset.pixels:
            yield (
                "latent_dim",
                f"{model.latent_dim}: an image has {dataset.pixels} numbers, and no more "
                "components.",
            )
        return
    if batch > dataset.train - held_out:
        yield (
            "batch_size",
            f"{batch:,}: it is more than the {dataset.train - held_out:,} training images of "
            f"{dataset.name!r}; choose a smaller one.",
        )
    times = len(model.channels)
    if model.family == "conv" and dataset.side % 2**times:
        yield (
            "channels",
            f"{count_of(times, 'convolution')}: {dataset.side} pixels can be halved "
            f"{count_of(_count_halvings(dataset.side), 'time')}. Choose that many, or import the "
            "images at another size.",
        )


def _count_halvings(side: int) -> int:
    return (side & -side).bit_length() - 1
