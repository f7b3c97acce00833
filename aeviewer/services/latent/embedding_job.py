"""The child process that computes an embedding, as the window sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from trainers.child_process import ChildFailure
from trainers.embeddings import embedding_process
from trainers.embeddings.embedding import Embedding

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from trainers.embeddings.embedding import Recipe

_LOOK_MILLISECONDS = 100


class EmbeddingJob(QObject):
    """Computes the embedding of some codes in a child process.

    Parameters
    ----------
    codes
        (n, d).
    recipe
        How.
    key, places
        As what, and where, the layout is kept.
    """

    progressed = Signal()
    """`share` has changed, and `places` may have."""
    ended = Signal()
    """`result` is available, or `problem` says why not."""

    def __init__(
        self,
        codes: NDArray[np.float32],
        recipe: Recipe,
        key: str,
        places: tuple[Path, ...],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._codes = codes
        self.share: float | None = None
        self.places: NDArray[np.float32] | None = None
        self.result: Embedding | None = None
        self.problem = ""
        self._process = embedding_process.start_embedding(recipe, key, places)
        self._look = QTimer(self, interval=_LOOK_MILLISECONDS)
        self._look.timeout.connect(self._listen)
        self._look.start()

    def stop(self) -> None:
        """Ends the process; no signal follows."""
        self._look.stop()
        self._process.end()

    @Slot()
    def _listen(self) -> None:
        """Reads the reports that have arrived."""
        try:
            for message in self._process.received_messages():
                self._take(message)
        except (EOFError, OSError):
            self._end("its process ended early; see what it wrote where the program was started")

    def _take(self, message: embedding_process.Message) -> None:
        match message:
            case embedding_process.Ready():
                self._process.send(self._codes)
            case embedding_process.EmbeddingProgress(share, places):
                self.share, self.places = share, places
                self.progressed.emit()
            case ChildFailure(problem):
                self._end(problem)
            case Embedding():
                self.result = message
                self._end("")

    def _end(self, problem: str) -> None:
        self.problem = problem
        self.stop()
        self.ended.emit()
