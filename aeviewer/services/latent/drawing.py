"""The code, the reconstruction, the neighbours and the likely class of a drawing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from aeviewer.services.compute.latest_result import LatestResult
from trainers.evaluation.image_errors import misfits
from trainers.exploration.neighbours import nearest_codes

if TYPE_CHECKING:
    from aeviewer.services.compute.compute_thread import ComputeThread
    from aeviewer.services.compute.model_cache import ModelCache
    from aeviewer.services.latent.latent_state import LatentState
    from aeviewer.services.runs.model_source import ModelSource
    from trainers.datasets import Dataset
    from trainers.runs import Run

NEIGHBOURS = 15


@dataclass(frozen=True, slots=True, eq=False)
class DrawingResult:
    """A drawing, encoded and reconstructed by the model.

    Attributes
    ----------
    source
        The model that encoded it.
    dataset
        What the neighbours are images of.
    image
        (side, side) or (side, side, 3) uint8, the drawing as the data set has its images.
    code, reconstruction
        (d,) and (side, side) or (side, side, 3).
    neighbours, distances
        (k,), the images whose codes are nearest in the whole latent space, and how far.
    shares
        (k,), the guess: how many of the neighbours are of each class, nearer ones counting more;
        one number where there are no labels.
    strangeness
        The share of test images that the model reconstructs better, 0..1; see `misfits`.
    """

    source: ModelSource
    dataset: Dataset
    image: NDArray[np.uint8]
    code: NDArray[np.float32]
    reconstruction: NDArray[np.float32]
    neighbours: NDArray[np.intp]
    distances: NDArray[np.float32]
    shares: NDArray[np.float64]
    strangeness: float


class DrawingService(QObject):
    """Keeps the result for a drawing up to date.

    Parameters
    ----------
    latent_state
        Its codes are the neighbours.
    compute
        Computes.
    """

    changed = Signal()

    def __init__(
        self, latent_state: LatentState, compute: ComputeThread, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._latent = latent_state
        self.latest = LatestResult(
            compute, "drawing", latent_state.session.message_posted.emit, self
        )
        self.latest.changed.connect(self.changed)
        self._image: NDArray[np.uint8] | None = None
        latent_state.places_changed.connect(self._ask)
        latent_state.run_changed.connect(self._start_anew)

    @property
    def result(self) -> DrawingResult | None:
        """The result for the drawing; None without one."""
        result: DrawingResult | None = self.latest.value
        return result

    def set_image(self, image: NDArray[np.uint8] | None) -> None:
        """Sets another drawing, or none."""
        self._image = image
        self._ask()

    @Slot()
    def _start_anew(self) -> None:
        """Drops the result: it is of another run."""
        self.latest.clear()
        self._ask()

    @Slot()
    def _ask(self) -> None:
        session, codes = self._latent.session, self._latent.codes
        if self._image is None or codes is None or session.current is None:
            self.latest.clear()
            return
        work = partial(
            encode_drawing,
            run=session.run(session.current.key),
            step=session.step,
            image=self._image,
            codes=codes,
            labels=self._latent.displayed_codes.labels,
            classes=len(session.dataset.classes),
        )
        question = session.current.key, session.step, self._image.tobytes()
        self.latest.ask(question, work)


def encode_drawing(
    models: ModelCache,
    run: Run,
    step: int | None,
    image: NDArray[np.uint8],
    codes: NDArray[np.float32],
    labels: NDArray[np.uint8],
    classes: int,
) -> DrawingResult | None:
    """Encodes a drawing by the model of a step and finds its neighbours among (n, d) codes."""
    if image.shape != run.dataset.shape:
        return None  # The drawing is of another data set; a newer request follows.
    model = models.at(run, step)
    code = model.encode(image[None])[0]
    near, distances = nearest_codes(codes, code, NEIGHBOURS)
    weights = 1 / np.maximum(distances, 1e-9 * max(1.0, float(distances.max())))
    shares = np.bincount(labels[near], weights, max(1, classes)) / weights.sum()
    reconstruction = model.decode(code[None])
    typical, mean = models.typical_errors(run, step, codes)
    misfit = misfits(reconstruction, image[None] / np.float32(255), mean)
    return DrawingResult(
        models.source(run, step),
        run.dataset,
        image,
        code,
        reconstruction[0],
        near,
        distances,
        shares,
        float((typical < misfit).mean(axis=0).max()),
    )
