"""Laying codes out in a process of its own, which holds up neither the window nor the training.

The process and who started it speak through a pipe: it says that it is there, is sent the codes,
tells how far it is, and at last sends the layout, which it has also kept. Loads no torch.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainers.embeddings import embedding_cache
from trainers.embeddings.embedding import compute_embedding
from trainers.errors import AEViewerError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from trainers.embeddings.embedding import Embedding, Recipe

_TELL_SECONDS = 0.3
_NICENESS = 5
"""Of 19: training goes on at nearly its speed, and who asked for a map still lives to see it."""
_BELOW_NORMAL = 0x4000


@dataclass(frozen=True, slots=True)
class Ready:
    """The process is there and waits for the codes."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingProgress:
    """How far it is: the share done, 0..1, and the (n, 2) places so far where they are known."""

    share: float
    places: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class EmbeddingFailed:
    """Why there is no layout."""

    problem: str


Message = Ready | EmbeddingProgress | EmbeddingFailed
"""What comes before the `Layout`."""


def start_process(
    recipe: Recipe, key: str, places: tuple[Path, ...]
) -> tuple[BaseProcess, Connection]:
    """A process that lays out the codes it will be sent, and the pipe to it.

    It ends when the pipe is closed, or the process that started it ends.

    Parameters
    ----------
    recipe
        How.
    key, places
        As what, and where, the layout is kept.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    # The codes are sent by the pipe: as an argument they would delay the caller.
    process = context.Process(target=_live, args=(there, recipe, key, places), daemon=True)
    process.start()
    there.close()
    return process, here


# -- in the process --------------------------------------------------------------------------------


def _live(pipe: Connection, recipe: Recipe, key: str, places: tuple[Path, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started it to handle
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _give_way()
    try:
        pipe.send(Ready())
        pipe.send(_outcome(pipe, recipe, key, places))
    except (EOFError, OSError):
        return  # nobody listens any more


def _outcome(
    pipe: Connection, recipe: Recipe, key: str, places: tuple[Path, ...]
) -> Embedding | EmbeddingFailed:
    last = 0.0

    def tell(share: float, so_far: NDArray[np.float32] | None) -> None:
        nonlocal last
        if time.monotonic() - last >= _TELL_SECONDS:
            pipe.send(EmbeddingProgress(share, so_far))
            last = time.monotonic()

    codes = pipe.recv()
    try:
        layout = compute_embedding(codes, recipe, tell)
    except (AEViewerError, ValueError, ArithmeticError, MemoryError, ImportError) as error:
        return EmbeddingFailed(str(error) or type(error).__name__)
    embedding_cache.write(places, key, layout)
    return layout


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)


def _give_way() -> None:
    """Lets everything else on the machine come first."""
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), _BELOW_NORMAL)
    else:
        os.nice(_NICENESS)
