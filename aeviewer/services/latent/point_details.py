"""The details of the marked code: neighbours, re-encoded code, and its image if it has one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from aeviewer.services.compute.latest_result import LatestResult
from aeviewer.services.latent.displayed_codes import ImageLookup
from trainers.evaluation.image_errors import squared_errors
from trainers.exploration.neighbours import nearest_codes

if TYPE_CHECKING:
    from aeviewer.services.compute.compute_thread import ComputeThread
    from aeviewer.services.compute.model_cache import ModelCache
    from aeviewer.services.latent.latent_state import LatentState
    from aeviewer.services.runs.model_source import ModelSource
    from trainers.runs import Run

NEIGHBOURS = 12


@dataclass(frozen=True, slots=True, eq=False)
class PointDetails:
    """A code, and what the model returns for it.

    Attributes
    ----------
    source
        The model that computed them.
    code
        (d,).
    image
        The image whose code it is, by its number in the cloud; None for a code between.
    decoded
        (side, side) or (side, side, 3), the code's image.
    back, returned
        (d,) and an image: encode(decode(code)), and what that decodes to.
    neighbours, distances
        (k,), the images whose codes are nearest in the whole latent space, and how far.
    log_variance
        (d,), of the image's posterior; None where there is none.
    error
        Squared error of the image's reconstruction, summed over its pixels.
    """

    source: ModelSource
    code: NDArray[np.float32]
    image: int | None
    decoded: NDArray[np.float32]
    back: NDArray[np.float32]
    returned: NDArray[np.float32]
    neighbours: NDArray[np.intp]
    distances: NDArray[np.float32]
    log_variance: NDArray[np.float32] | None = None
    error: float | None = None

    @property
    def drift(self) -> float:
        """‖encode(decode(z)) − z‖, the distance of the re-encoded code."""
        return float(np.linalg.norm(self.back - self.code))


class PointInspector(QObject):
    """Keeps the details of the marked code up to date while their panel is visible.

    Parameters
    ----------
    latent_state
        Whose session has the code.
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
            compute, "point details", latent_state.session.message_posted.emit, self
        )
        self.latest.changed.connect(self.changed)
        self._is_wanted = False
        latent_state.run_changed.connect(self._ask)
        latent_state.places_changed.connect(self._ask)
        latent_state.code_changed.connect(self._ask)

    @property
    def details(self) -> PointDetails | None:
        """The details of the marked code; None without one."""
        details: PointDetails | None = self.latest.value
        return details

    def set_enabled(self, wanted: bool) -> None:
        """Starts or stops the computation."""
        self._is_wanted = wanted
        self._ask()

    @Slot()
    def _ask(self) -> None:
        session = self._latent.session
        current, code, codes = session.current, session.code, self._latent.codes
        fits = code is not None and codes is not None and code.shape == codes.shape[1:]
        if self._is_wanted and fits and current and code is not None and codes is not None:
            run = session.run(current.key)
            work = partial(inspect_code, run=run, step=session.step, code=code, codes=codes)
            self.latest.ask((current.key, session.step, code.tobytes()), work)
        else:
            self.latest.clear()


def inspect_code(
    models: ModelCache,
    run: Run,
    step: int | None,
    code: NDArray[np.float32],
    codes: NDArray[np.float32],
) -> PointDetails:
    """Computes the details of a code by the model of a step, among (n, d) codes."""
    model = models.at(run, step)
    decoded = model.decode(code[None])
    back = model.encode(decoded.clip(0, 1))
    nearest, distances = nearest_codes(codes, code, NEIGHBOURS + 1)
    image = int(nearest[0]) if np.array_equal(codes[nearest[0]], code) else None
    others = slice(1, None) if image is not None else slice(-1)
    log_variance, error = None, None
    if image is not None:
        pixels = ImageLookup(run.data()).image(image)
        _, variances = model.posterior(pixels[None])
        log_variance = None if variances is None else variances[0]
        error = float(squared_errors(decoded, pixels[None])[0])
    return PointDetails(
        models.source(run, step),
        code,
        image,
        decoded[0],
        back[0],
        model.decode(back)[0],
        nearest[others],
        distances[others],
        log_variance,
        error,
    )
