"""The places of the test images' codes at each checkpoint, and between two checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from aeviewer.services.latent.alignment import codes_at
from trainers.exploration.alignment import between, ease
from trainers.exploration.planes import principal_plane

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from aeviewer.services.compute.model_cache import ModelCache
    from trainers.exploration.planes import Plane
    from trainers.runs import Run

_SHORTEST, _LONGEST, _ALL = 0.25, 0.8, 9.0
"""The seconds from one checkpoint to the next, and for all of them if there are many."""


def seconds_per_step(steps: int) -> float:
    """Returns the seconds from one of so many checkpoints to the next."""
    return min(_LONGEST, max(_SHORTEST, _ALL / max(1, steps - 1)))


@dataclass(frozen=True, slots=True, eq=False)
class Interpolation:
    """A moment between two checkpoints.

    Attributes
    ----------
    steps, planes
        Of the two.
    places
        (n, 2), where the codes of the test images are.
    share
        Of the way that is behind, 0..1.
    """

    steps: tuple[int, int]
    planes: tuple[Plane, Plane]
    places: NDArray[np.floating]
    share: float

    @property
    def nearer(self) -> int:
        """The nearer step."""
        return self.steps[self.share >= 0.5]

    def place(self, code: NDArray[np.floating]) -> tuple[float, float]:
        """Returns the place of a code that is the same at both checkpoints."""
        first, second = (plane.project(code) for plane in self.planes)
        x, y = between(first, second, self.share).tolist()
        return x, y


@dataclass(frozen=True, slots=True, eq=False)
class Trajectory:
    """The places of the test images' codes at some checkpoints.

    Attributes
    ----------
    steps
        Ascending.
    planes
        What each is seen in.
    places
        (n, 2) float32 each: it is as large for a code of a hundred numbers as for one of two.
    """

    steps: tuple[int, ...]
    planes: tuple[Plane, ...]
    places: tuple[NDArray[np.float32], ...]

    def at(self, number: int, time: float) -> Interpolation:
        """Returns the moment at a share of the time, 0..1, from the step `number` to the next."""
        share = ease(time)
        places = between(self.places[number], self.places[number + 1], share)
        steps = self.steps[number], self.steps[number + 1]
        return Interpolation(steps, (self.planes[number], self.planes[number + 1]), places, share)

    def extent(self) -> tuple[float, float, float, float]:
        """Returns left, bottom, width and height of all places."""
        low = np.min([places.min(axis=0) for places in self.places], axis=0)
        high = np.max([places.max(axis=0) for places in self.places], axis=0)
        (left, bottom), (width, height) = low.tolist(), (high - low).tolist()
        return left, bottom, width, height


def compute_trajectory(
    models: ModelCache,
    run: Run,
    steps: tuple[int, ...],
    planes: Mapping[int, Plane] | None,
    previous: Plane | None,
) -> Generator[Trajectory | None]:
    """Computes the places of the codes at the steps of a run, one step at a time.

    Parameters
    ----------
    planes
        What each is seen in; None where it is the principal plane of its own codes.
    previous
        The plane whose orientation the first of those takes.
    """
    seen, places = [], []
    for step in steps:
        codes = codes_at(models, run, step)
        plane = principal_plane(codes, previous) if planes is None else planes[step]
        seen.append(plane)
        places.append(plane.project(codes).astype(np.float32))
        previous = plane
        yield None
    yield Trajectory(steps, tuple(seen), tuple(places))
