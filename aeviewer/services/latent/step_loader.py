"""Loads what the session shows: the preview of its step, and the decoded image of its code."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from aeviewer.services.compute.compute_client import ComputeClient
from aeviewer.services.runs.missing_runs import drop_if_missing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from aeviewer.services.compute.compute_thread import ComputeThread
    from aeviewer.services.compute.model_cache import ModelCache
    from aeviewer.services.runs.model_source import ModelSource
    from aeviewer.services.runs.session import Session
    from trainers.events import Preview
    from trainers.runs import Run


class StepLoader(QObject):
    """Answers the session's `step_changed` with a preview and its `code_changed` with an image.

    What a checkpoint keeps is read by the file thread; the rest is computed.

    Parameters
    ----------
    session
        Watched; receives the preview and the image.
    compute
        Reads and computes; a newer request replaces one that is waiting.
    """

    def __init__(
        self, session: Session, compute: ComputeThread, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._compute = ComputeClient(compute, "step", session.report, self)
        self._files = ComputeClient(compute.files, "step", session.report, self)
        self._decoded: tuple[Preview, NDArray[np.float32]] | None = None
        session.step_changed.connect(self._load_step)
        session.preview_changed.connect(self._decode)
        session.code_changed.connect(self._decode)

    @Slot()
    def _load_step(self) -> None:
        """Requests the preview of the step: kept by its checkpoint, or else computed."""
        self._compute.cancel("preview")
        self._files.cancel("preview")
        shown = self._session.shown
        if shown is None or (shown.step is None and not self._session.checkpoints):
            return
        if shown.step is None:
            self._compute_preview(shown.run, None)
            return
        self._files.submit(
            "preview",
            partial(_read_preview, shown.run, shown.step),
            partial(self._take_kept_preview, shown.run, shown.step),
            on_problem=self._report_problem,
        )

    def _take_kept_preview(self, run: Run, step: int, kept: tuple[Preview | None]) -> None:
        (preview,) = kept
        if preview is None:
            self._compute_preview(run, step)
        else:
            self._session.set_preview(preview)

    def _compute_preview(self, run: Run, step: int | None) -> None:
        self._compute.submit(
            "preview",
            lambda models: models.preview(run, step),
            self._take_preview,
            on_problem=self._report_problem,
        )

    def _report_problem(self, problem: str) -> None:
        shown = self._session.shown
        if shown is not None and drop_if_missing(self._session, str(shown.run.path)):
            return
        self._session.set_preview(None)
        self._session.report(problem)

    @Slot()
    def show_live(self) -> None:
        """Requests the preview of the live model, if it is shown: a paused run sends none."""
        if self._session.is_live:
            self._load_step()

    def _take_preview(self, preview: Preview) -> None:
        """Shows a computed preview, unless the training has sent one of a later step meanwhile."""
        shown = self._session.preview
        if not self._session.is_live or shown is None or preview.step >= shown.step:
            self._session.set_preview(preview)

    @Slot()
    def _decode(self) -> None:
        """Requests the image of the code, decoded by the model of the step that is shown."""
        shown, preview, code = self._session.shown, self._session.preview, self._session.code
        if shown is None or preview is None or code is None:
            self._decoded = None
            self._compute.cancel("image")
            return
        # A preview may bring the code with it: then both signals ask for the same image.
        known = self._decoded
        if known is None or known[0] is not preview or known[1] is not code:
            self._decoded = preview, code
            work = partial(_decode_code, run=shown.run, step=shown.step, code=code)
            self._compute.submit("image", work, self._show_image)

    def _show_image(self, decoded: tuple[NDArray[np.float32], ModelSource]) -> None:
        self._session.set_image(*decoded)


def _read_preview(run: Run, step: int, _models: None) -> tuple[Preview | None]:
    """Reads the preview that a checkpoint keeps; None where it was not evaluated."""
    checkpoint = run.checkpoint(step)
    return (checkpoint.preview() if checkpoint.is_evaluated else None,)


def _decode_code(
    models: ModelCache, run: Run, step: int | None, code: NDArray[np.float32]
) -> tuple[NDArray[np.float32], ModelSource]:
    return models.at(run, step).decode(code[None])[0], models.source(run, step)
