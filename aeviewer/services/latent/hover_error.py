"""The reconstruction error of the image under the mouse."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from aeviewer.services.compute.compute_client import ComputeClient
from aeviewer.services.latent.displayed_codes import ImageLookup
from trainers.evaluation.image_errors import squared_errors

if TYPE_CHECKING:
    from aeviewer.services.compute.compute_thread import ComputeThread
    from aeviewer.services.compute.model_cache import ModelCache
    from aeviewer.services.latent.latent_state import LatentState
    from trainers.runs import Run


class HoverError(QObject):
    """Computes the reconstruction error of one image; a new image replaces the one before.

    Parameters
    ----------
    latent_state
        Whose session says which model.
    compute
        Asked, for one image at a time.
    """

    changed = Signal()

    def __init__(
        self, latent_state: LatentState, compute: ComputeThread, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._latent = latent_state
        self._client = ComputeClient(compute, "hover error", self._clear_error, self)
        self._image: int | None = None
        self.error: float | None = None
        latent_state.run_changed.connect(self._start_anew)
        latent_state.places_changed.connect(self._follow_step)

    def look_at(self, image: int | None) -> None:
        """Sets the image under the mouse by its number, or None."""
        if image != self._image:
            self._image, self.error = image, None
            self._ask()

    @property
    def image(self) -> int | None:
        """The number of the image under the mouse."""
        return self._image

    @Slot()
    def _start_anew(self) -> None:
        """Drops the image: another run has other codes under the mouse."""
        if self._image is not None:
            self.look_at(None)
            self.changed.emit()

    @Slot()
    def _follow_step(self) -> None:
        """Computes the error of another step; only beside a live model the older one stays."""
        if self.error is not None and not self._latent.session.is_live:
            self.error = None
            self.changed.emit()
        self._ask()

    def _ask(self) -> None:
        """Requests the error by the model of this step."""
        session = self._latent.session
        if self._image is None or session.current is None or session.preview is None:
            self._client.cancel("error")
            return
        run = session.run(session.current.key)
        work = partial(reconstruction_error, run=run, step=session.step, image=self._image)
        self._client.submit("error", work, self._show_result)

    def _show_result(self, error: float) -> None:
        self.error = error
        self.changed.emit()

    def _clear_error(self, _problem: str) -> None:
        """Shows no number; the panel that shows the step reports the failure."""
        self.error = None
        self.changed.emit()


def reconstruction_error(models: ModelCache, run: Run, step: int | None, image: int) -> float:
    """Returns the squared error of an image's reconstruction, summed over its pixels."""
    model, pixels = models.at(run, step), ImageLookup(run.data()).image(image)
    decoded = model.decode(model.encode(pixels[None]))
    return float(squared_errors(decoded, pixels[None])[0])
