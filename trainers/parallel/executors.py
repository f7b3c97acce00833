"""The workers that train runs: processes of this machine, or the workers of a Dask cluster."""

from __future__ import annotations

import logging
import multiprocessing
import uuid
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trainers.errors import ClusterError
from trainers.optional_packages import install_hint
from trainers.parallel.worker import prepare_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

_CONNECT_SECONDS = 10
_BRIEF_SECONDS, _PATIENCE_SECONDS = 5.0, 120.0
"""A file server releases the locks of a machine that died after a minute and a half."""


@dataclass(frozen=True)
class Workers:
    """A description of the workers of a `Pool`.

    Attributes
    ----------
    make
        Creates an executor; it is called again after an executor broke.
    slots
        The largest number of runs submitted at once; None for an executor with its own queue.
    lost
        The exceptions that a future raises when its worker was killed.
    patience
        The seconds that a worker waits until the previous worker of a run releases its lock.
    name
        The name of the cluster, for messages.
    """

    make: Callable[[], Executor]
    slots: int | None = None
    lost: tuple[type[BaseException], ...] = (BrokenExecutor,)
    patience: float = 0.0
    name: str = ""


def process_workers(count: int) -> Workers:
    """Returns `count` processes of this machine as workers.

    The processes are spawned, because a fork of a process that has run torch hangs at its first
    parallel operation.
    """

    def make() -> Executor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(count, context, prepare_process)

    return Workers(make, count, patience=_BRIEF_SECONDS)


@contextmanager
def cluster_workers(address: str, folders: Sequence[Path]) -> Iterator[Workers]:
    """Connects to a Dask scheduler for the time of the `with`, and yields its workers.

    Parameters
    ----------
    address
        The address of the scheduler, such as tcp://192.168.0.1:8786.
    folders
        Folders that every worker must see under the same path. Missing folders are created.

    Raises
    ------
    ClusterError
        When Dask is not installed, the scheduler cannot be reached, it has no workers, or a worker
        does not see the folders.
    """
    try:
        import distributed
        from distributed.scheduler import KilledWorker
    except ImportError as error:
        raise ClusterError(
            f"A cluster needs Dask, which is not installed. {install_hint('cluster')} Every worker "
            'needs aeviewer with its extra "cluster" too.'
        ) from error
    with ExitStack() as stack:
        stack.enter_context(_silence_logger("distributed.client"))
        try:
            connect: Any = distributed.Client
            client = stack.enter_context(connect(address, timeout=_CONNECT_SECONDS))
        except (OSError, ValueError) as error:
            raise ClusterError(
                f"No scheduler answers at {address}. Start one with `dask scheduler --host HOST`, "
                "where HOST is this machine's address in a network that you trust, then workers "
                "with `dask worker ADDRESS --nthreads 1`, and give the address that it prints, "
                "such as tcp://192.168.0.1:8786."
            ) from error
        for folder in folders:
            _refuse_unshared(client, address, folder)
        lost = (KilledWorker, BrokenExecutor)
        yield Workers(
            lambda: client.get_executor(pure=False), None, lost, _PATIENCE_SECONDS, address
        )


@contextmanager
def _silence_logger(name: str) -> Iterator[None]:
    """Silences a logger that reports a lost scheduler in fifty lines; our message has one."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


def _refuse_unshared(client: Any, address: str, folder: Path) -> None:
    """Raises a `ClusterError` when a worker does not see a token file in the folder."""
    token = folder / f".seen-{uuid.uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        token.touch()
        seen = _ask_workers(client, address, token)
    except OSError as error:
        raise ClusterError(
            f"The folder {folder} cannot be written ({error.strerror or error}). Choose a runs "
            "folder that you may write to."
        ) from error
    finally:
        token.unlink(missing_ok=True)
    blind = [worker for worker, sees in seen.items() if not sees]
    if blind:
        raise ClusterError(
            f"{len(blind)} of {len(seen)} workers do not see {folder} ({', '.join(blind[:3])}). "
            "Choose a runs folder on storage that all workers share under the same path."
        )
    if not seen:
        raise ClusterError(
            f"The scheduler at {address} has no workers. Start some with "
            f"`dask worker {address} --nthreads 1`."
        )


def _ask_workers(client: Any, address: str, token: Path) -> dict[str, bool]:
    """Returns for the address of each worker whether the worker sees the file."""
    try:
        answers: dict[str, bool] = client.run(is_visible, token)
    except ImportError as error:
        raise ClusterError(
            f"A worker of the cluster at {address} cannot import {error.name or 'aeviewer'}. "
            "Install this release of aeviewer on every worker."
        ) from error
    return answers


def is_visible(place: Path) -> bool:
    """Returns whether this process sees the file. Every worker calls it."""
    return place.is_file()
