"""Reads the losses of runs in the file thread; the window does not wait for a slow folder."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from aeviewer.services.compute.compute_client import ComputeClient
from aeviewer.services.runs.loss_curves import LossCurves, read_curves

if TYPE_CHECKING:
    from aeviewer.services.compute.compute_thread import ComputeThread
    from aeviewer.services.runs.session import Session
    from trainers.runs import Run


class CurveLoader(QObject):
    """Reads the curves that the session needs, and gives them to it when they are read.

    Parameters
    ----------
    session
        Requests curves; receives them, and the messages of what cannot be read.
    compute
        Its file thread reads.
    """

    def __init__(
        self, session: Session, compute: ComputeThread, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._client = ComputeClient(compute.files, "curves", session.report, self)
        session.curve_store.reader = self.load

    def load(self, key: str) -> None:
        """Requests the curves of a run."""
        work = partial(_read, self._session.run(key))
        self._client.submit(key, work, partial(self._take, key))

    def _take(self, key: str, found: tuple[LossCurves, tuple[str, ...]]) -> None:
        curves, problems = found
        for problem in problems:
            self._session.report(problem)
        if self._session.curve_store.complete(key, curves):
            self._session.metrics_changed.emit(key)


def _read(run: Run, _models: None) -> tuple[LossCurves, tuple[str, ...]]:
    problems: list[str] = []
    return read_curves(run, problems.append), tuple(problems)
