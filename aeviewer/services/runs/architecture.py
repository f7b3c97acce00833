"""The architecture of a run's model in words, as the form and the list of runs show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeviewer.numbers import localise
from trainers import datasets
from trainers.errors import AEViewerError
from trainers.models import describe

if TYPE_CHECKING:
    from trainers.config import RunConfig


def describe_architecture(config: RunConfig) -> str:
    """Returns the layers of a run's model, its numbers in the user's language.

    The size of the input is that of the run's data set; without it, the text says so.
    """
    try:
        dataset = datasets.dataset_named(config.dataset)
    except AEViewerError:
        return f"The data set {config.dataset!r} is not here."
    return localise(describe(config.model, dataset.shape))
