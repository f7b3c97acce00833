"""A run in a comparison: its reconstructions and codes, and PCA as a reference.

Loads no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aeviewer.palette import RUN_COLOURS
from trainers.datasets.spectrum import load_spectrum
from trainers.errors import DataError
from trainers.evaluation.image_errors import squared_errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from aeviewer.services.compute.model_cache import ModelCache
    from aeviewer.services.runs.run_item import RunItem
    from trainers.config import RunConfig
    from trainers.datasets import Data, Dataset
    from trainers.runs import Run

_SPARE = ("#7b5cc4", "#8a9199", *RUN_COLOURS)
"""Spare colours, for runs whose own colour is taken."""


@dataclass(frozen=True, slots=True, eq=False)
class ReconstructedImages:
    """Reconstructed test images.

    Attributes
    ----------
    step
        Of the checkpoint that did it; 0 for a PCA.
    digits
        (n) their numbers.
    images
        (n, side, side) or (n, side, side, 3) uint8, clipped to 0..255.
    errors
        (n,) float64, squared error of each, summed over pixels, before clipping; full ink is 1.
    """

    step: int
    indices: tuple[int, ...]
    images: NDArray[np.uint8]
    errors: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ComparedCodes:
    """(n, D) float32 codes of all test images at a step."""

    step: int
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class ComparedRun:
    """A run in the comparison.

    Attributes
    ----------
    item
        The run as the session knows it.
    colour
        Its own, or a free one where another compared run has the same.
    steps
        Of its checkpoints, ascending.
    step
        That of its checkpoint nearest to the comparison's; None where it has none.
    reconstructions, codes
        The latest that is known; of an earlier step while an answer is awaited.
    problem
        Why there is nothing to show.
    """

    item: RunItem
    colour: str
    steps: tuple[int, ...] = ()
    step: int | None = None
    reconstructions: ReconstructedImages | None = None
    codes: ComparedCodes | None = None
    problem: str = ""

    @property
    def latent_dim(self) -> int:
        """The latent dimension; 0 where the config cannot be read."""
        return self.item.config.model.latent_dim if self.item.config else 0


def nearest_step(steps: Sequence[int], step: int | None) -> int | None:
    """Returns the nearest of ascending `steps`; the earlier of two equally near ones."""
    if step is None or not steps:
        return None
    return min(steps, key=lambda kept: (abs(kept - step), kept))


def distinct_colours(colours: Sequence[str]) -> list[str]:
    """Returns a colour for each run; a run whose colour is taken gets a spare one."""
    free = [colour for colour in _SPARE if colour not in colours]
    found: list[str] = []
    for colour in colours:
        found.append(free.pop(0) if colour in found and free else colour)
    return found


def group_by_latent_dim(runs: Sequence[ComparedRun]) -> list[tuple[int, list[ComparedRun]]]:
    """Groups the runs by latent dimension, ascending; unreadable runs have dimension 0."""
    dims = sorted({run.latent_dim for run in runs})
    return [(dim, [run for run in runs if run.latent_dim == dim]) for dim in dims]


def reconstruct_images(
    models: ModelCache, run: Run, step: int, digits: tuple[int, ...]
) -> ReconstructedImages:
    """Encodes and decodes test images by a checkpoint of a run, in the compute thread.

    Raises
    ------
    RunError
        When there is no such checkpoint, or it is damaged.
    """
    inputs = run.data().test.images[list(digits)]
    model = models.at(run, step)
    return _with_errors(step, digits, inputs, model.decode(model.encode(inputs)))


def reconstruct_by_pca(digits: tuple[int, ...], latent_dim: int, data: Data) -> ReconstructedImages:
    """Returns the reconstructions of test images by a PCA of the same dimension."""
    spectrum = load_spectrum(data.dataset)
    if spectrum is None:
        raise ValueError(f"The principal components of {data.dataset.name!r} are not known.")
    inputs = data.test.images[list(digits)]
    flat = inputs.reshape(len(inputs), -1).astype(np.float32) / np.float32(255)
    return _with_errors(
        0, digits, inputs, spectrum.reconstruct(flat, latent_dim).reshape(inputs.shape)
    )


def pca_error(latent_dim: int, dataset: Dataset) -> float | None:
    """Returns the squared error per test image of a PCA; None where it is not known."""
    try:
        spectrum = load_spectrum(dataset)
    except DataError:  # The data set is gone or damaged; reading its images reports that.
        return None
    if spectrum is None or not 0 < latent_dim <= len(spectrum.components):
        return None
    return spectrum.floor(latent_dim)


def _with_errors(
    step: int, digits: tuple[int, ...], inputs: NDArray[np.uint8], outputs: NDArray[np.float32]
) -> ReconstructedImages:
    errors = squared_errors(outputs, inputs).astype(np.float64)
    images = np.rint(np.nan_to_num(outputs).clip(0, 1) * 255).astype(np.uint8)
    return ReconstructedImages(step, digits, images, errors)


def read_codes(models: ModelCache, run: Run, step: int) -> ComparedCodes:
    """Returns the codes that a checkpoint keeps, or computes them, in the compute thread.

    Raises
    ------
    RunError
        When there is no such checkpoint, or it is damaged.
    """
    checkpoint = run.checkpoint(step)
    found = checkpoint.preview() if checkpoint.is_evaluated else models.preview(run, step)
    return ComparedCodes(step, found.codes)


def loss_unit(config: RunConfig | None) -> str:
    """Returns the unit of a run's training loss in short; equal units can be compared."""
    return {"bernoulli": "nats"}.get(config.model.likelihood, "squared error") if config else ""
