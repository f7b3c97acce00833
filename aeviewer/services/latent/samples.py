"""Sheets of decoded codes: sampled ones, or quantiles of a distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Generator

    from aeviewer.services.compute.model_cache import ModelCache
    from aeviewer.services.runs.model_source import ModelSource
    from trainers.exploration.planes import Plane
    from trainers.runs import Run

Source = Literal["prior", "mixture", "quantiles"]

ROWS, COLUMNS = 8, 6
"""The columns of a sheet of sampled codes."""
_CHUNK = 64


@dataclass(frozen=True, slots=True, eq=False)
class SampleRequest:
    """What a sheet shows.

    Attributes
    ----------
    codes
        (n, d), those of the test images.
    seed
        Of what is drawn.
    side
        Rows and columns of a grid of quantiles.
    plane, anchor
        Where that grid lies, and the (d,) code that decides what the plane does not.
    has_prior
        Whether its quantiles are the prior's, or those of the codes.
    """

    source: Source
    codes: NDArray[np.float32]
    seed: int
    side: int
    plane: Plane
    anchor: NDArray[np.floating]
    has_prior: bool

    @property
    def question(self) -> tuple[object, ...]:
        """What the sheet is drawn from, whatever the codes at this step are."""
        if self.source == "quantiles":
            return self.source, self.side, self.has_prior, self.plane.is_line
        return self.source, self.seed


@dataclass(frozen=True, slots=True, eq=False)
class SampleSheet:
    """(rows, columns, d) codes, and (rows, columns, ...) images that a model decoded."""

    source: ModelSource
    wanted: SampleRequest
    codes: NDArray[np.float32]
    images: NDArray[np.float32]


def sheet(
    models: ModelCache, run: Run, step: int | None, wanted: SampleRequest
) -> Generator[SampleSheet | None]:
    """Computes the codes of a sheet and decodes them by the model of a step, a part at a time."""
    codes = yield from _codes(wanted)
    model = models.at(run, step)
    rows = codes.reshape(-1, codes.shape[-1])
    parts = []
    for start in range(0, len(rows), _CHUNK):
        parts.append(model.decode(rows[start : start + _CHUNK]))
        yield None
    images = np.concatenate(parts)
    images = images.reshape(*codes.shape[:2], *images.shape[1:])
    yield SampleSheet(models.source(run, step), wanted, codes, images)


def _codes(wanted: SampleRequest) -> Generator[None, None, NDArray[np.float32]]:
    """Returns (rows, columns, d) codes."""
    from trainers.exploration import density

    latent_dim = wanted.codes.shape[1]
    if wanted.source == "quantiles":
        return _quantiles(wanted)
    if wanted.source == "prior":
        found = density.prior_sample(latent_dim, ROWS * COLUMNS, wanted.seed)
    else:
        fitting = density.mixture_sample(wanted.codes, ROWS * COLUMNS, wanted.seed)
        while True:
            try:
                next(fitting)
            except StopIteration as end:
                found = end.value
                break
            yield None
    return found.reshape(ROWS, COLUMNS, latent_dim)


def _quantiles(wanted: SampleRequest) -> NDArray[np.float32]:
    """Returns (side, side, d), codes at equal quantiles along the axes of a plane."""
    from trainers.exploration.density import (
        code_quantiles,
        normal_quantiles,
        prior_quantiles,
        quantiles,
    )

    plane, side = wanted.plane, wanted.side
    places = plane.project(wanted.codes)
    if plane.is_line:
        # A one-dimensional code has one axis: its quantiles run row by row.
        count = side**2
        along = normal_quantiles(count) if wanted.has_prior else quantiles(places[:, 0], count)
        return along.reshape(side, side, 1).astype(np.float32)
    if wanted.has_prior:
        grid = plane.project(np.zeros(len(plane.origin))) + prior_quantiles(side)
    else:
        grid = code_quantiles(places, side)
    return plane.lift(grid, wanted.anchor).astype(np.float32)
