"""Computes an embedding in a child process, so that the window and the training can continue.

The child sends `Ready`, receives the codes, reports its progress, and at last sends the embedding,
which it has also written to the cache. Loads no torch.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainers.child_process import ChildFailure, ChildProcess
from trainers.embeddings import embedding_cache
from trainers.embeddings.embedding import Embedding, compute_embedding
from trainers.errors import AEViewerError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from trainers.child_process import ParentPipe
    from trainers.embeddings.embedding import Recipe

_REPORT_SECONDS = 0.3
_NICENESS = 5
"""Of at most 19. Training keeps nearly its speed, and the embedding ends in a reasonable time."""
_BELOW_NORMAL = 0x4000


@dataclass(frozen=True, slots=True)
class Ready:
    """The first message: the process has started and waits for the codes."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingProgress:
    """The progress of an embedding.

    Attributes
    ----------
    share
        The share that is done, 0..1.
    places
        (n, 2), the current places; None where the library does not report them.
    """

    share: float
    places: NDArray[np.float32] | None = None


Message = Ready | EmbeddingProgress | Embedding | ChildFailure
"""`Ready` comes first; an `Embedding` or a `ChildFailure` comes last."""


def start_embedding(recipe: Recipe, key: str, places: tuple[Path, ...]) -> ChildProcess:
    """Starts a child process that embeds the codes that it is sent after its `Ready`.

    Parameters
    ----------
    recipe
        The method and its settings.
    key, places
        The key of the embedding and the files where it may be written, as for
        `embedding_cache.write`.
    """
    return ChildProcess(_embed_received_codes, recipe, key, places)


# -- in the child process --------------------------------------------------------------------------


def _embed_received_codes(
    parent: ParentPipe, recipe: Recipe, key: str, places: tuple[Path, ...]
) -> Embedding:
    _lower_priority()
    parent.send(Ready())
    codes = parent.receive()

    def report(share: float, current: NDArray[np.float32] | None) -> None:
        parent.report(EmbeddingProgress(share, current), _REPORT_SECONDS)

    try:
        embedding = compute_embedding(codes, recipe, report)
    except (ValueError, ArithmeticError, MemoryError, ImportError) as error:
        raise AEViewerError(str(error) or type(error).__name__) from error
    embedding_cache.write(places, key, embedding)
    return embedding


def _lower_priority() -> None:
    """Lowers the priority of this process below that of all others on the machine."""
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), _BELOW_NORMAL)
    else:
        os.nice(_NICENESS)
