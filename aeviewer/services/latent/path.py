"""A path from one pin to another: its codes, its film and its lengths."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from aeviewer.services.compute.latest_result import LatestResult

if TYPE_CHECKING:
    from collections.abc import Generator

    from aeviewer.services.compute.compute_thread import ComputeThread
    from aeviewer.services.compute.model_cache import ModelCache
    from aeviewer.services.latent.latent_state import LatentState
    from aeviewer.services.runs.model_source import ModelSource
    from trainers.exploration.paths import Path
    from trainers.runs import Run

Kind = Literal["straight", "spherical", "geodesic"]
Steps = Literal["image", "code"]
_POINTS = 64


@dataclass(frozen=True, slots=True)
class PathEnds:
    """The ends of a path, its kind, and how its film is made.

    Attributes
    ----------
    start, end
        Numbers of pins.
    kind
        Straight in the code, along the sphere, or the shortest way through the decoded images.
    steps
        Whether the film's frames are equally far apart as images or as codes.
    frames
        Of the film.
    """

    start: int = 0
    end: int = 1
    kind: Kind = "straight"
    steps: Steps = "image"
    frames: int = 12


@dataclass(frozen=True, slots=True, eq=False)
class PathResult:
    """A path that was found.

    Attributes
    ----------
    source
        The model that it was found with.
    route
        The ends and the kind of the path.
    codes
        (m, d), the way.
    film
        (frames, d) codes, and (frames, ...) images, what they decode to.
    code_length, image_length
        Of the way, as the sum of its steps in code and in pixels.
    straight_length
        The image length of the straight way between the same ends.
    """

    source: ModelSource
    route: PathEnds
    codes: NDArray[np.float64]
    film: NDArray[np.float64]
    images: NDArray[np.float32]
    code_length: float
    image_length: float
    straight_length: float


class PathService(QObject):
    """Keeps the path between two pins up to date while its panel is visible.

    Parameters
    ----------
    latent_state
        Has the pins.
    compute
        Computes.
    """

    changed = Signal()

    def __init__(
        self, latent_state: LatentState, compute: ComputeThread, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._latent = latent_state
        self.latest = LatestResult(compute, "path", latent_state.session.message_posted.emit, self)
        self.latest.changed.connect(self.changed)
        self._is_wanted = False
        self.route = PathEnds()
        latent_state.pins_changed.connect(self._ask)
        latent_state.run_changed.connect(self._ask)
        latent_state.places_changed.connect(self._ask)

    @property
    def result(self) -> PathResult | None:
        """The path that was found last; `latest.is_stale` says whether another one is wanted."""
        found: PathResult | None = self.latest.value
        return found

    def set_enabled(self, wanted: bool) -> None:
        """Starts or stops the computation."""
        self._is_wanted = wanted
        self._ask()

    def choose(self, route: PathEnds) -> None:
        """Requests another path."""
        self.route = route
        self._ask()

    @property
    def ends(self) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        """The codes at both ends; None where the pins do not exist."""
        pins, codes = self._latent.pins, self._latent.test_codes
        start, end = self.route.start, self.route.end
        if codes is None or start == end or not 0 <= min(start, end) <= max(start, end) < len(pins):
            return None
        return pins[start].code, pins[end].code

    @Slot()
    def _ask(self) -> None:
        session, ends = self._latent.session, self.ends
        current, codes = session.current, self._latent.test_codes
        if not self._is_wanted or ends is None or codes is None or current is None:
            self.latest.clear()
            return
        work = partial(
            find_path,
            run=session.run(current.key),
            step=session.step,
            codes=codes,
            ends=ends,
            route=self.route,
        )
        question = current.key, session.step, self.route, *(end.tobytes() for end in ends)
        self.latest.ask(question, work, finishes_first=session.is_live)


def find_path(
    models: ModelCache,
    run: Run,
    step: int | None,
    codes: NDArray[np.float32],
    ends: tuple[NDArray[np.float32], NDArray[np.float32]],
    route: PathEnds,
) -> Generator[float | PathResult | None]:
    """Finds a path by the model of a step, a part at a time."""
    from trainers.exploration import paths

    if any(len(end) != run.config.model.latent_dim for end in ends):
        return  # The ends are codes of another run; a newer request follows.
    model = models.at(run, step)
    way: Path | None = None
    if route.kind == "geodesic":
        way = yield from paths.geodesic(
            model.decode, codes, *ends, points=_POINTS, pull_back=model.pull_back
        )
    # One model measures both, without a slice of training in between.
    straight = paths.straight(model.decode, *ends, points=_POINTS)
    if route.kind == "spherical":
        way = paths.spherical(model.decode, *ends, points=_POINTS)
    way = way or straight
    film = paths.resample(way, model.decode, route.frames, by=route.steps)
    yield PathResult(
        models.source(run, step),
        route,
        way.codes,
        film.codes,
        film.images,
        way.latent_length,
        way.decoded_length,
        straight.decoded_length,
    )
