"""A scalar field over the plane in view: density, magnification, cycle error or class regions."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from aeviewer.services.compute.latest_result import LatestResult

if TYPE_CHECKING:
    from aeviewer.services.compute.compute_thread import ComputeThread
    from aeviewer.services.compute.model_cache import ModelCache
    from aeviewer.services.latent.latent_state import LatentState
    from trainers.exploration.planes import Plane
    from trainers.inference import TrainedModel
    from trainers.runs import Run

Layer = Literal["none", "density", "prior", "magnification", "cycle", "classes"]
View = tuple[float, float, float, float]
"""Left, bottom, width, height in the plane."""

_CHUNK = 256
_CELLS = (40, 100)
"""The number of cells across the view: coarse first, then fine."""
_MARGIN = 0.15
_CLASS_NEIGHBOURS = 15
_FLOOR = -12.0
"""Smaller log densities are shown as this one: there are no codes."""


@dataclass(frozen=True, slots=True)
class OverlayMeaning:
    """The meaning of an overlay's values; `centred` where zero is their middle."""

    name: str
    centred: bool = False


MEANINGS: dict[Layer, OverlayMeaning] = {
    "density": OverlayMeaning("log density of the codes, nats per unit²"),
    "prior": OverlayMeaning("log density of codes − of prior, nats", centred=True),
    "magnification": OverlayMeaning("log₁₀ √det(JᵀJ), pixels² per unit²"),
    "cycle": OverlayMeaning("‖encode(decode(z)) − z‖"),
    "classes": OverlayMeaning("share of the class among the 15 nearest codes"),
}


@dataclass(frozen=True, slots=True, eq=False)
class ScalarField:
    """The values of an overlay over a part of the plane.

    Attributes
    ----------
    values
        (rows, columns), the first row uppermost; NaN where there is none.
    classes
        (rows, columns), the likeliest class, for class regions alone.
    """

    layer: Layer
    view: View
    values: NDArray[np.float64]
    classes: NDArray[np.intp] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class OverlayRequest:
    """The plane, the anchor, the codes and the labels that an overlay is computed from."""

    plane: Plane
    anchor: NDArray[np.floating]
    codes: NDArray[np.float32]
    labels: NDArray[np.uint8]


class PlaneOverlay(QObject):
    """Keeps the chosen overlay of the view up to date.

    Parameters
    ----------
    latent_state
        Its plane, anchor and codes.
    compute
        Asked; coarse first, then fine, the newest view first.
    """

    changed = Signal()

    def __init__(
        self, latent_state: LatentState, compute: ComputeThread, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._latent = latent_state
        self.latest = LatestResult(
            compute, "overlay", latent_state.session.message_posted.emit, self
        )
        self.latest.changed.connect(self.changed)
        self._layer: Layer = "none"
        self._view: View | None = None
        latent_state.plane_changed.connect(self._start_anew)
        latent_state.run_changed.connect(self._start_anew)
        latent_state.places_changed.connect(self._ask)
        latent_state.code_changed.connect(self._follow_anchor)

    @property
    def field(self) -> ScalarField | None:
        """The values that were computed last; `latest.is_stale` says whether others are wanted."""
        field: ScalarField | None = self.latest.value
        return field

    @property
    def layer(self) -> Layer:
        """The overlay that is shown."""
        return self._layer

    def choose(self, layer: Layer) -> None:
        """Chooses another overlay."""
        if layer != self._layer:
            self._layer = layer
            self._start_anew()

    def set_view(self, view: View) -> None:
        """Sets the view.

        A slightly larger part is computed, so that a small move needs nothing new.
        """
        known = self._view
        if known is not None and _covers(known, view) and view[2] > 0.5 * known[2]:
            return
        left, bottom, width, height = view
        across, up = _MARGIN * width, _MARGIN * height
        self._view = left - across, bottom - up, width + 2 * across, height + 2 * up
        self._ask()

    @Slot()
    def _start_anew(self) -> None:
        self.latest.clear()
        self._ask()

    @Slot()
    def _follow_anchor(self) -> None:
        """Computes again when the code leaves the plane; a two-dimensional code cannot."""
        plane = self._latent.plane
        if plane is not None and len(plane.origin) > 2 and self._layer not in {"density", "prior"}:
            self._ask()

    @Slot()
    def _ask(self) -> None:
        latent_state, session = self._latent, self._latent.session
        plane, anchor, codes = latent_state.plane, latent_state.anchor, latent_state.codes
        current, view = session.current, self._view
        has_no_classes = self._layer == "classes" and not session.dataset.is_labelled
        if self._layer == "none" or has_no_classes or view is None or current is None:
            self.latest.clear()
            return
        if plane is None or anchor is None or codes is None or plane.is_line:
            self.latest.clear()
            return
        situation = OverlayRequest(plane, anchor, codes, latent_state.displayed_codes.labels)
        work = partial(
            compute_field,
            run=session.run(current.key),
            step=session.step,
            layer=self._layer,
            view=view,
            situation=situation,
        )
        self.latest.ask((current.key, session.step, self._layer), work)


def _covers(outer: View, inner: View) -> bool:
    return (
        outer[0] <= inner[0]
        and outer[1] <= inner[1]
        and outer[0] + outer[2] >= inner[0] + inner[2]
        and outer[1] + outer[3] >= inner[1] + inner[3]
    )


# -- in the compute thread -----------------------------------------------------------------------


def compute_field(
    models: ModelCache,
    run: Run,
    step: int | None,
    layer: Layer,
    view: View,
    situation: OverlayRequest,
) -> Generator[ScalarField | None]:
    """Computes an overlay by the model of a step: coarse, then fine, a part at a time."""
    model = models.at(run, step)
    for cells in _CELLS:
        grid = places(view, cells)
        yield from _LAYERS[layer](model, grid, view, situation)


def places(view: View, cells: int) -> NDArray[np.float64]:
    """Returns (rows, columns, 2), the centres of square cells across a view, from the top."""
    left, bottom, width, height = view
    rows = max(1, round(cells * height / width))
    x = left + (np.arange(cells) + 0.5) * width / cells
    y = bottom + height - (np.arange(rows) + 0.5) * height / rows
    return np.stack(np.meshgrid(x, y), axis=-1)


Work = Generator["ScalarField | None"]


def _density(
    _model: TrainedModel, grid: NDArray[np.float64], view: View, at: OverlayRequest
) -> Work:
    yield ScalarField("density", view, _log_density(grid, at))


def _against_prior(
    _model: TrainedModel, grid: NDArray[np.float64], view: View, at: OverlayRequest
) -> Work:
    from trainers.exploration.density import log_prior

    density, prior = _log_density(grid, at), log_prior(at.plane, grid)
    # Where there are neither codes nor prior, there is nothing to compare.
    density[(density <= _FLOOR) & (prior <= _FLOOR)] = np.nan
    yield ScalarField("prior", view, density - np.maximum(prior, _FLOOR))


def _log_density(grid: NDArray[np.float64], at: OverlayRequest) -> NDArray[np.float64]:
    from trainers.exploration.density import log_density

    found = log_density(at.plane.project(at.codes), grid)
    return np.maximum(found, _FLOOR)


def _magnification(
    model: TrainedModel, grid: NDArray[np.float64], view: View, at: OverlayRequest
) -> Work:
    def values(codes: NDArray[np.float64]) -> NDArray[np.float64]:
        found = model.magnification(codes, at.plane.basis).astype(np.float64)
        return np.log10(np.maximum(found, 1e-12))

    yield from _evaluate_plane("magnification", values, grid, view, at)


def _cycle(model: TrainedModel, grid: NDArray[np.float64], view: View, at: OverlayRequest) -> Work:
    def values(codes: NDArray[np.float64]) -> NDArray[np.float64]:
        back = model.encode(model.decode(codes).clip(0, 1))
        distances: NDArray[np.float64] = np.linalg.norm(back - codes, axis=1)
        return distances

    yield from _evaluate_plane("cycle", values, grid, view, at)


def _evaluate_plane(
    layer: Layer,
    values: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    grid: NDArray[np.float64],
    view: View,
    at: OverlayRequest,
) -> Work:
    """Evaluates a quantity for each code of the plane, a chunk at a time."""
    codes = at.plane.lift(grid.reshape(-1, 2), at.anchor)
    parts = []
    for start in range(0, len(codes), _CHUNK):
        parts.append(values(codes[start : start + _CHUNK]))
        yield None
    yield ScalarField(layer, view, np.concatenate(parts).reshape(grid.shape[:2]))


def _classes(
    _model: TrainedModel, grid: NDArray[np.float64], view: View, at: OverlayRequest
) -> Work:
    from sklearn.neighbors import KNeighborsClassifier

    classifier = KNeighborsClassifier(_CLASS_NEIGHBOURS).fit(at.codes, at.labels)
    yield None
    codes = at.plane.lift(grid.reshape(-1, 2), at.anchor)
    parts = []
    for start in range(0, len(codes), _CHUNK):
        parts.append(classifier.predict_proba(codes[start : start + _CHUNK]))
        yield None
    shares = np.concatenate(parts)
    shape = grid.shape[:2]
    likeliest = classifier.classes_[shares.argmax(axis=1)].astype(np.intp)
    yield ScalarField("classes", view, shares.max(axis=1).reshape(shape), likeliest.reshape(shape))


_LAYERS = {
    "density": _density,
    "prior": _against_prior,
    "magnification": _magnification,
    "cycle": _cycle,
    "classes": _classes,
}
