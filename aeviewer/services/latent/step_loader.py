"""Keeps what is shown in step with what is chosen: the preview of the step, the image of the code.

Watches the session; reads what checkpoints keep, and asks the compute thread for the rest.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from aeviewer.services.compute.compute_client import ComputeClient
from trainers.errors import AEViewerError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from aeviewer.services.compute.compute_thread import ComputeThread
    from aeviewer.services.compute.model_cache import ModelCache
    from aeviewer.services.runs.session import Session
    from trainers.events import Preview
    from trainers.runs import Run


class StepLoader(QObject):
    """Answers the session's `step_changed` with a preview and its `code_changed` with an image.

    Parameters
    ----------
    session
        Watched, and told.
    compute
        Asked; an answer that a newer question has overtaken is dropped.
    """

    def __init__(
        self, session: Session, compute: ComputeThread, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._client = ComputeClient(compute, "step", session.report, self)
        session.current_changed.connect(self._show_step)
        session.step_changed.connect(self._show_step)
        session.preview_changed.connect(self._decode)
        session.code_changed.connect(self._decode)

    @Slot()
    def _show_step(self) -> None:
        """Has the preview of the step: from its checkpoint, or computed where that has none."""
        self._client.cancel("preview")
        current, step = self._session.current, self._session.step
        if current is None or (step is None and not self._session.checkpoints):
            return
        run = self._session.run(current.key)
        if step is None:
            self._client.submit(
                "preview", lambda models: models.preview(run, None), self._take_preview
            )
            return
        try:
            checkpoint = run.checkpoint(step)
            if checkpoint.is_evaluated:
                self._session.set_preview(checkpoint.preview())
            else:
                self._client.submit(
                    "preview", lambda models: models.preview(run, step), self._take_preview
                )
        except AEViewerError as error:
            self._session.set_preview(None)
            self._session.message_posted.emit(str(error))

    def _request_preview(self, run: Run, step: int | None) -> None:
        self._client.submit("preview", lambda models: models.preview(run, step), self._take_preview)

    @Slot()
    def show_live(self) -> None:
        """Has the live model's preview, if it is shown: while paused, no event brings one."""
        if self._session.is_live:
            self._show_step()

    def _take_preview(self, preview: Preview) -> None:
        """Shows an answer, unless the training has told of a later step meanwhile."""
        shown = self._session.preview
        if not self._session.is_live or shown is None or preview.step >= shown.step:
            self._session.set_preview(preview)

    @Slot()
    def _decode(self) -> None:
        """The image of the code, by the model of the step that is shown."""
        current, code, step = self._session.current, self._session.code, self._session.step
        if current is None or code is None or self._session.preview is None:
            return
        run = self._session.run(current.key)
        work = partial(_decoded, run=run, step=step, code=code)
        self._client.submit("image", work, self._session.set_image)


def _decoded(
    models: ModelCache, run: Run, step: int | None, code: NDArray[np.float32]
) -> NDArray[np.float32]:
    image: NDArray[np.float32] = models.at(run, step).decode(code[None])[0]
    return image
