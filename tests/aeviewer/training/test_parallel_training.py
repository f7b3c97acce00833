"""Several runs at once from the window: processes tell of themselves through their folders."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import torch
from PySide6.QtCore import QObject, Signal

from aeviewer.panels.training.parallel_menu import ParallelMenu, choices
from aeviewer.services.compute.compute_thread import ComputeThread
from aeviewer.services.compute.event_queue import EventQueue
from aeviewer.services.latent.step_loader import StepLoader
from aeviewer.services.training.process_trainer import ProcessTrainer
from aeviewer.services.training.training_progress import TrainingProgress, join_progress
from aeviewer.services.training.training_queue import Activity, TrainingQueue
from tests.aeviewer.training.test_training_queue import ENDLESS, TIMEOUT, small
from trainers import runs
from trainers.parallel import Pool, Workers
from trainers.runs import RunState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from aeviewer.services.runs.session import Session
    from aeviewer.settings import Settings
    from trainers.runs import Run


class Scene:
    """The real services; threads stand for processes, or real ones do."""

    def __init__(self, session: Session, pool: Pool | None) -> None:
        self.session = session
        event_queue = EventQueue()
        self.compute = ComputeThread(event_queue)
        self.processes = ProcessTrainer(event_queue, pool)
        self.queue = TrainingQueue(session, self.compute, event_queue, self.processes)
        self.explorer = StepLoader(session, self.compute)
        self.queue.activity_changed.connect(self.explorer.show_live)
        self.messages: list[str] = []
        session.message_posted.connect(self.messages.append)
        self.compute.start()

    def state(self, name: str) -> str:
        return self.session.item(self.key(name)).state

    def key(self, name: str) -> str:
        return str(self.session.folder / name)

    def folder(self, name: str) -> Run:
        return runs.open_run(self.session.folder / name)

    def step(self, name: str) -> int:
        figures = self.queue.progress_of(self.key(name))
        return figures.step if figures else 0


@pytest.fixture
def scene(qapp: object, session: Session) -> Iterator[Scene]:
    before = torch.get_num_threads()
    made = Scene(session, Pool(Workers(lambda: ThreadPoolExecutor(3), 3)))
    made.queue.set_side_by_side(2)
    yield made
    made.queue.close()
    made.processes.deleteLater()
    torch.set_num_threads(before)


@pytest.fixture
def training(scene: Scene, qtbot: QtBot) -> Scene:
    """Runs "a" and "b" that are under way and would go on for minutes, and "c" that waits."""
    for name in "abc":
        scene.queue.train(small(steps=ENDLESS), name)
    qtbot.waitUntil(lambda: min(scene.step("a"), scene.step("b")) > 0, timeout=TIMEOUT)
    return scene


def test_two_are_trained_at_once_and_told_as_any_other(scene: Scene, qtbot: QtBot) -> None:
    queue, session = scene.queue, scene.session
    for name in "abc":
        queue.train(small(), name)
    assert (queue.active, queue.waiting) == ((scene.key("a"), scene.key("b")), (scene.key("c"),))
    assert queue.progress.runs == 2
    qtbot.waitUntil(lambda: queue.activity is Activity.IDLE, timeout=TIMEOUT)
    for name in "abc":
        status = scene.folder(name).status()
        assert (scene.state(name), status.state, status.threads) == (
            RunState.FINISHED,
            RunState.FINISHED,
            1,
        )
        assert session.curves(scene.key(name)).step.tolist() == list(range(1, 301))
        assert [e.step for e in session.curves(scene.key(name)).evaluations] == [0, 300]
    assert not scene.messages


def test_the_current_one_follows_its_newest_checkpoint(scene: Scene, qtbot: QtBot) -> None:
    scene.queue.train(small(steps=ENDLESS, checkpoints=(0, 200)), "a")
    session = scene.session
    assert session.current is not None
    assert session.current.name == "a"
    assert session.is_live
    seen: list[int] = []
    session.preview_changed.connect(
        lambda: seen.append(session.preview.step) if session.preview else None
    )
    qtbot.waitUntil(lambda: session.checkpoints == (0, 200), timeout=TIMEOUT)
    qtbot.waitUntil(lambda: 200 in seen, timeout=TIMEOUT)
    assert set(seen) <= {0, 200}
    assert session.is_live


def test_pause_saves_them_and_resume_goes_on(training: Scene, qtbot: QtBot) -> None:
    queue = training.queue
    queue.pause()
    assert queue.activity is Activity.PAUSED
    assert {training.state(name) for name in "ab"} == {RunState.PAUSED}
    folders = [training.folder(name) for name in "ab"]
    qtbot.waitUntil(
        lambda: all(f.written_status().state == RunState.STOPPED for f in folders), timeout=TIMEOUT
    )
    qtbot.waitUntil(lambda: not any(f.is_locked for f in folders), timeout=TIMEOUT)
    held = folders[0].written_status().step
    assert queue.active == (training.key("a"), training.key("b"))
    queue.resume()
    qtbot.waitUntil(lambda: training.step("a") > held, timeout=TIMEOUT)
    assert training.state("a") == RunState.RUNNING
    steps = training.session.curves(training.key("a")).step.tolist()
    assert steps == list(range(1, len(steps) + 1))


def test_pause_and_stop_may_come_before_a_process_has_begun(scene: Scene, qtbot: QtBot) -> None:
    queue = scene.queue
    for name in "ab":
        queue.train(small(), name)
    queue.pause()
    queue.stop(scene.key("b"))
    qtbot.waitUntil(lambda: scene.state("b") == RunState.STOPPED, timeout=TIMEOUT)
    queue.resume()
    queue.continue_run(scene.key("b"))
    qtbot.waitUntil(lambda: queue.activity is Activity.IDLE, timeout=TIMEOUT)
    assert {scene.folder(name).status().state for name in "ab"} == {RunState.FINISHED}
    assert not scene.messages


def test_the_run_that_is_explored_is_stopped_first_and_the_next_begins(
    training: Scene, qtbot: QtBot
) -> None:
    queue = training.queue
    assert queue.to_stop == training.key("a")
    training.session.set_current(training.key("b"))
    training.session.follow()
    assert queue.to_stop == training.key("b")
    queue.stop()
    assert queue.activity is Activity.RUNNING
    qtbot.waitUntil(lambda: training.state("b") == RunState.STOPPED, timeout=TIMEOUT)
    assert queue.active == (training.key("a"), training.key("c"))
    stopped = training.folder("b").status().step
    assert training.session.item(training.key("b")).step == stopped > 0
    assert training.folder("b").checkpoint().step == stopped
    # It was followed, and so is the one in its place.
    assert training.session.current is not None
    assert training.session.current.name == "c"
    assert training.session.is_live


def test_stop_all_stops_what_runs_and_empties_the_queue(training: Scene, qtbot: QtBot) -> None:
    training.queue.stop_all()
    assert training.queue.activity is Activity.STOPPING
    qtbot.waitUntil(lambda: training.queue.activity is Activity.IDLE, timeout=TIMEOUT)
    assert {training.state(name) for name in "abc"} == {RunState.STOPPED}


def test_a_paused_one_can_be_stopped(training: Scene, qtbot: QtBot) -> None:
    training.queue.pause()
    training.queue.stop_all()
    qtbot.waitUntil(lambda: training.queue.activity is Activity.IDLE, timeout=TIMEOUT)
    assert {training.state(name) for name in "ab"} == {RunState.STOPPED}


def test_more_room_is_used_at_once_and_less_as_they_end(training: Scene, qtbot: QtBot) -> None:
    queue = training.queue
    queue.set_side_by_side(3)
    assert len(queue.active) == 3
    queue.train(small(steps=ENDLESS), "d")
    queue.set_side_by_side(1)
    queue.stop(training.key("a"))
    qtbot.waitUntil(lambda: training.state("a") == RunState.STOPPED, timeout=TIMEOUT)
    assert queue.waiting == (training.key("d"),)
    for name in "bc":
        queue.stop(training.key(name))
    # Alone, it is trained by the compute thread.
    qtbot.waitUntil(lambda: training.step("d") > 0, timeout=TIMEOUT)
    assert training.queue.active == (training.key("d"),)
    qtbot.waitUntil(lambda: training.session.preview is not None, timeout=TIMEOUT)


def test_failure_and_divergence_are_one_message_each(scene: Scene, qtbot: QtBot) -> None:
    held = runs.create_run(small(), scene.session.folder, "held")
    scene.session.refresh()
    with runs.Run(held.path).hold_for_training():
        scene.queue.continue_run(scene.key("held"))
        qtbot.waitUntil(lambda: scene.queue.activity is Activity.IDLE, timeout=TIMEOUT)
    assert scene.state("held") == RunState.FAILED
    scene.queue.train(small("vae", learning_rate=10.0), "a")
    qtbot.waitUntil(lambda: scene.queue.activity is Activity.IDLE, timeout=TIMEOUT)
    assert scene.state("a") == RunState.DIVERGED
    held_up, diverged = scene.messages
    assert held_up == "The run 'held' is being trained by another program; wait for it."
    assert diverged.startswith("a: The loss ceased to be a number at step")


def test_closing_saves_all_of_them(qapp: object, session: Session, qtbot: QtBot) -> None:
    """In real processes, as the program has them."""
    scene = Scene(session, None)
    scene.queue.set_side_by_side(2)
    for name in "ab":
        scene.queue.train(small(steps=ENDLESS), name)
    qtbot.waitUntil(lambda: min(scene.step("a"), scene.step("b")) > 0, timeout=2 * TIMEOUT)
    scene.queue.close()
    for name in "ab":
        status = scene.folder(name).status()
        assert (scene.state(name), status.state) == (RunState.STOPPED, RunState.STOPPED)
        assert status.step == scene.folder(name).checkpoint().step > 0


def test_figures_together() -> None:
    two = [TrainingProgress(10, 100, 5.0, 18.0, "cpu"), TrainingProgress(50, 100, 7.0, 7.0, "cpu")]
    assert join_progress(two) == TrainingProgress(60, 200, 12.0, 18.0, "cpu", 2)
    assert join_progress([*two, TrainingProgress(0, 100)]).seconds_left is None
    assert join_progress(two[:1]) == two[0]


# -- the choice ------------------------------------------------------------------------------------


class FakeQueue(QObject):
    activity_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.side_by_side = 2

    def set_side_by_side(self, count: int) -> None:
        self.side_by_side = count


def test_the_menu_offers_a_process_a_core_and_remembers(
    settings: Settings, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aeviewer.panels.training.parallel_menu.cores", lambda: 4)
    queue = FakeQueue()
    menu = ParallelMenu(queue, settings)  # type: ignore[arg-type]
    qtbot.addWidget(menu)
    actions = menu.actions()
    assert [action.data() for action in actions] == [1, 2, 3, 4]
    assert [action.isChecked() for action in actions] == [False, True, False, False]
    assert "live previews" in actions[0].text()
    actions[3].trigger()
    assert queue.side_by_side == settings.side_by_side == 4
    assert [action.isChecked() for action in actions] == [False, False, False, True]


def test_choices_end_at_the_cores_there_are() -> None:
    assert choices(1) == [1]
    assert choices(20) == [*range(1, 9), 12, 16, 20]
    assert choices(8) == [*range(1, 9)]


def test_damaged_settings_mean_one_at_a_time(settings: Settings) -> None:
    assert settings.side_by_side == 1
    settings._store.setValue("training/side_by_side", "many")
    assert settings.side_by_side == 1
