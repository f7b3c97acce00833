"""The child process that computes an embedding, as the window sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeviewer.services.system.child_task import ChildTask
from trainers.embeddings import embedding_process
from trainers.embeddings.embedding import Embedding

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from PySide6.QtCore import QObject

    from trainers.embeddings.embedding import Recipe


class EmbeddingJob(ChildTask):
    """Computes the embedding of some codes in a child process.

    Parameters
    ----------
    codes
        (n, d).
    recipe
        The method and its settings.
    key, files
        The key of the embedding in the cache, and the files where it may be written.

    Attributes
    ----------
    places
        (n, 2), the current places; None before the first report.
    result
        The embedding; None before the end.
    """

    def __init__(
        self,
        codes: NDArray[np.float32],
        recipe: Recipe,
        key: str,
        files: tuple[Path, ...],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(
            embedding_process.start_embedding(recipe, key, files),
            "its process ended early; see what it wrote where the program was started",
            parent,
        )
        self._codes = codes
        self.places: NDArray[np.float32] | None = None
        self.result: Embedding | None = None

    def _take(self, message: object) -> bool:
        match message:
            case embedding_process.Ready():
                self._process.send(self._codes)
            case embedding_process.EmbeddingProgress(share, places):
                self.share, self.places = share, places
            case Embedding():
                self.result = message
        return self.result is not None
