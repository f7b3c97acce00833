"""A slow folder keeps nobody waiting: losses and pictures of a run are read by the file thread."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QTimer

from aeviewer.services.compute.compute_thread import ComputeThread
from aeviewer.services.compute.curve_loader import CurveLoader
from aeviewer.services.compute.event_queue import EventQueue
from aeviewer.services.training.event_dispatch import EventDispatcher
from trainers import runs
from trainers.events import Losses, Preview
from trainers.parallel import CheckpointFound
from trainers.presets import preset
from trainers.runs import RunState, losses_csv
from trainers.runs.checkpoint import Checkpoint
from trainers.runs.metrics import Evaluation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from aeviewer.services.runs.session import Session


class SlowFolder:
    """Reading waits until the test lets it go on, and never happens in the GUI thread."""

    def __init__(self) -> None:
        self.goes_on = threading.Event()
        self.has_begun = threading.Event()

    def slow_down(self, read: Callable[..., object]) -> Callable[..., object]:
        def read_slowly(*given: object) -> object:
            assert threading.current_thread() is not threading.main_thread()
            self.has_begun.set()
            assert self.goes_on.wait(60)
            return read(*given)

        return read_slowly


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowFolder]:
    folder = SlowFolder()
    monkeypatch.setattr(losses_csv, "read", folder.slow_down(losses_csv.read))
    monkeypatch.setattr(Checkpoint, "preview", folder.slow_down(Checkpoint.preview))
    yield folder
    folder.goes_on.set()


@pytest.fixture
def compute(qtbot: QtBot, slow: SlowFolder) -> Iterator[ComputeThread]:
    thread = ComputeThread(EventQueue())
    yield thread
    slow.goes_on.set()
    thread.files.close()
    thread.deleteLater()


def losses(*steps: int) -> Losses:
    column = np.ones(len(steps), np.float32)
    return Losses(np.array(steps), column, column, column)


def make_run(session: Session) -> str:
    run = runs.create_run(preset("elu").replace(hidden=(8,), steps=100), session.folder, "mine")
    run.append_metrics(losses(1, 2, 3))
    session.refresh()
    return str(run.path)


def assert_window_lives(qtbot: QtBot) -> None:
    """Waits for a timer of the GUI thread, which fires although the folder has not answered."""
    timer = QTimer(singleShot=True, interval=0)
    with qtbot.waitSignal(timer.timeout):
        timer.start()


def test_the_window_lives_while_losses_are_read(
    session: Session, compute: ComputeThread, slow: SlowFolder, qtbot: QtBot
) -> None:
    loader = CurveLoader(session, compute)
    key = make_run(session)
    assert len(session.curves(key)) == 0
    assert slow.has_begun.wait(60)
    assert_window_lives(qtbot)
    session.append_losses(key, losses(3, 4))  # The training goes on meanwhile.
    assert session.curves(key).step.tolist() == [3, 4]
    with qtbot.waitSignal(session.metrics_changed) as changed:
        slow.goes_on.set()
    assert changed.args == [key]
    assert session.curves(key).step.tolist() == [1, 2, 3, 4]
    session.append_losses(key, losses(5))
    assert session.curves(key).step.tolist() == [1, 2, 3, 4, 5]
    loader.deleteLater()


def test_losses_of_a_run_that_is_gone_or_begun_again_do_not_arrive(
    session: Session, compute: ComputeThread, slow: SlowFolder, qtbot: QtBot
) -> None:
    loader = CurveLoader(session, compute)
    key = make_run(session)
    session.curves(key)
    assert slow.has_begun.wait(60)
    session.forget_curves(key)
    session.append_losses(key, losses(1))
    runs.Run(session.run(key).path).append_metrics(losses(4))
    with qtbot.waitSignal(session.metrics_changed):
        slow.goes_on.set()
    assert session.curves(key).step.tolist() == [1, 2, 3, 4]
    loader.deleteLater()


def test_losses_that_cannot_be_read_are_one_message(
    session: Session, compute: ComputeThread, slow: SlowFolder, qtbot: QtBot, tmp_path: Path
) -> None:
    loader = CurveLoader(session, compute)
    key = make_run(session)
    (session.run(key).path / "metrics.csv").unlink()
    (session.run(key).path / "metrics.csv").mkdir()
    slow.goes_on.set()
    with qtbot.waitSignal(session.message_posted) as posted:
        session.curves(key)
    assert "metrics.csv" in posted.args[0]
    loader.deleteLater()


def test_a_checkpoint_of_another_process_is_read_by_the_file_thread(
    session: Session,
    compute: ComputeThread,
    slow: SlowFolder,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = Preview(7, np.zeros((1, 2), np.float32), np.zeros((32, 28, 28), np.uint8))
    monkeypatch.setattr(
        runs.Run,
        "checkpoint",
        lambda run, step: Checkpoint(run.path / "checkpoints" / f"{step:08d}", run),
    )
    monkeypatch.setattr(Checkpoint, "preview", slow.slow_down(lambda _checkpoint: expected))
    CurveLoader(session, compute, session)
    key = make_run(session)
    session.set_state(key, RunState.RUNNING, 7)
    session.set_current(key)
    dispatcher = EventDispatcher(session, compute, EventQueue(), session)
    found = Evaluation.model_construct(step=7)
    dispatcher._handle(CheckpointFound(found), key)
    assert slow.has_begun.wait(60)
    assert_window_lives(qtbot)
    assert session.preview is None
    with qtbot.waitSignal(session.preview_changed):
        slow.goes_on.set()
    assert session.preview is expected


def test_curves_of_a_renamed_run_are_read_again_where_they_had_not_arrived(
    session: Session, compute: ComputeThread, slow: SlowFolder, qtbot: QtBot
) -> None:
    CurveLoader(session, compute, session)
    key = make_run(session)
    session.curves(key)
    assert slow.has_begun.wait(60)
    session.rename(key, "other")
    new_key = session.items[0].key
    session.curves(new_key)
    slow.goes_on.set()
    qtbot.waitUntil(lambda: len(session.curves(new_key)) == 3)
