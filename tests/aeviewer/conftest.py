from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeviewer.services.compute.compute_thread import ComputeThread
from aeviewer.services.compute.event_queue import EventQueue
from tests.aeviewer.explored_run import ExploredServices, train_run
from trainers.runs import RunState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from aeviewer.services.runs.session import Session
    from tests.aeviewer.explored_run import TrainRun
    from trainers.runs import Run


@pytest.fixture
def compute(qapp: object) -> Iterator[ComputeThread]:
    """Yields a compute thread that runs."""
    thread = ComputeThread(EventQueue())
    thread.start()
    yield thread
    thread.close()


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory: pytest.TempPathFactory) -> TrainRun:
    """Returns a function that gives the run of a preset, a latent dimension and changes.

    Each is trained once a session, when a test first needs it. No test may change it: a test that
    does takes a copy (`copy_run`).
    """
    known: dict[tuple[object, ...], Run] = {}

    def find_or_train(name: str, latent_dim: int, **changes: object) -> Run:
        key = (name, latent_dim, *sorted(changes.items()))
        if key not in known:
            folder = tmp_path_factory.mktemp("trained")
            known[key] = train_run(folder, name, latent_dim, **changes)
        return known[key]

    return find_or_train


@pytest.fixture(scope="session")
def run(trained_run: TrainRun) -> Run:
    """Returns a variational autoencoder with a code of three numbers."""
    return trained_run("vae", 3)


@pytest.fixture
def explored(session: Session, run: Run, qtbot: QtBot) -> Iterator[ExploredServices]:
    """Yields the latent services of a session that shows `run`."""
    explored = ExploredServices(session)
    session.set_current(session.add(run, RunState.FINISHED))
    qtbot.waitUntil(lambda: session.preview is not None)
    yield explored
    explored.close()
