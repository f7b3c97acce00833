from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtWidgets import QComboBox, QLabel, QMainWindow, QProgressBar, QPushButton, QSpinBox
from superqt import QElidingLabel

from aeviewer.panels.training.experiment_panel import ExperimentPanel
from aeviewer.panels.training.training_toolbar import (
    TrainingToolbar,
    device_text,
    progress_text,
    time_text,
)
from aeviewer.services.training.training_progress import TrainingProgress
from aeviewer.services.training.training_queue import Activity
from trainers.presets import PRESETS

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from aeviewer.services.runs.session import Session

AT_WORK = TrainingProgress(12_300, 50_000, 121.3, 312.0, "cpu")


class FakeQueue(QObject):
    activity_changed = Signal()
    progressed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.activity = Activity.IDLE
        self.active: tuple[str, ...] = ()
        self.side_by_side, self.to_stop = 1, None
        self.waiting: tuple[str, ...] = ()
        self.progress = TrainingProgress()
        self.asked: list[str] = []

    def become(self, activity: Activity, progress: TrainingProgress, *waiting: str) -> None:
        self.activity, self.progress, self.waiting = activity, progress, waiting
        self.activity_changed.emit()

    def pause(self) -> None:
        self.asked.append("pause")
        self.become(Activity.PAUSED, self.progress)

    def resume(self) -> None:
        self.asked.append("resume")
        self.become(Activity.RUNNING, self.progress)

    def stop(self) -> None:
        self.asked.append("stop")
        self.become(Activity.STOPPING, self.progress)

    def stop_all(self) -> None:
        self.asked.append("stop all")


class Scene:
    """The bar in a window with the real form."""

    def __init__(self, session: Session, qtbot: QtBot) -> None:
        self.queue = FakeQueue()
        self.experiment = ExperimentPanel(session)
        self.bar = TrainingToolbar(self.experiment, self.queue)  # type: ignore[arg-type]
        self.window = QMainWindow()
        self.window.addToolBar(self.bar)
        self.window.setCentralWidget(self.experiment)
        self.window.resize(1280, 800)
        qtbot.addWidget(self.window)
        self.window.show()
        qtbot.waitExposed(self.window)
        self.presets = self.bar.findChild(QComboBox)
        self.dims = self.bar.findChild(QSpinBox)
        self.progress = self.bar.findChild(QProgressBar)
        self.text = self.bar.findChild(QElidingLabel)
        self.train = self.bar.findChild(QPushButton)

    def labels(self) -> list[str]:
        return [x.text() for x in self.bar.findChildren(QLabel) if x.isVisible() and x.text()]


@pytest.fixture
def scene(session: Session, qtbot: QtBot) -> Scene:
    return Scene(session, qtbot)


class TestChoices:
    def test_it_shows_what_the_form_holds(self, scene: Scene) -> None:
        assert scene.presets.currentData() == scene.experiment.preset_name
        assert scene.dims.value() == scene.experiment.latent_dim
        assert scene.presets.count() == len(PRESETS)

    def test_choosing_a_preset_changes_the_form(self, scene: Scene, qtbot: QtBot) -> None:
        scene.presets.setFocus()
        row = scene.presets.currentIndex()
        qtbot.keyClick(scene.presets, Qt.Key.Key_Up)
        assert scene.presets.currentIndex() == row - 1
        assert scene.experiment.preset_name == scene.presets.currentData()
        assert scene.dims.value() == scene.experiment.latent_dim == 5

    def test_typing_dims_changes_the_form_once(self, scene: Scene, qtbot: QtBot) -> None:
        edits: list[int] = []
        scene.experiment.config_edited.connect(lambda: edits.append(scene.experiment.latent_dim))
        scene.dims.selectAll()
        qtbot.keyClicks(scene.dims, "17")
        qtbot.keyClick(scene.dims, Qt.Key.Key_Return)
        assert edits == [17]

    def test_the_form_changes_the_bar(self, scene: Scene) -> None:
        scene.experiment.select_preset("pca")
        scene.experiment.set_latent_dim(30)
        assert scene.presets.currentText() == PRESETS["pca"].title
        assert scene.dims.value() == 30


class TestButtons:
    def test_idle_offers_train_alone(self, scene: Scene) -> None:
        assert scene.bar.train_action.isEnabled()
        assert not scene.bar.pause_action.isEnabled()
        assert not scene.bar.stop_action.isEnabled()
        assert not scene.progress.isVisible()
        assert scene.text.text() == ""

    def test_train_asks_for_what_the_form_says(self, scene: Scene, qtbot: QtBot) -> None:
        scene.experiment.set_latent_dim(3)
        with qtbot.waitSignal(scene.experiment.train_requested) as asked:
            qtbot.mouseClick(scene.train, Qt.MouseButton.LeftButton)
        assert asked.args[0].model.latent_dim == 3

    def test_pause_becomes_resume_and_back(self, scene: Scene, qtbot: QtBot) -> None:
        scene.queue.become(Activity.RUNNING, AT_WORK)
        button = scene.bar.widgetForAction(scene.bar.pause_action)
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert scene.bar.pause_action.text() == "&Resume"
        assert scene.text.text() == "12,300 / 50,000 · paused"
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert scene.bar.pause_action.text() == "&Pause"
        assert scene.queue.asked == ["pause", "resume"]

    def test_stop_can_be_asked_for_once(self, scene: Scene, qtbot: QtBot) -> None:
        scene.queue.become(Activity.RUNNING, AT_WORK)
        button = scene.bar.widgetForAction(scene.bar.stop_action)
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert scene.queue.asked == ["stop"]
        assert scene.text.text() == "12,300 / 50,000 · stopping…"

    def test_stop_names_the_run_and_stop_all_is_offered_while_any_waits(
        self, scene: Scene, qtbot: QtBot
    ) -> None:
        assert not scene.bar.stop_all_action.isEnabled()
        scene.queue.active = ("/runs/a", "/runs/b")
        scene.queue.to_stop = "/runs/b"
        scene.queue.become(Activity.RUNNING, AT_WORK)
        assert scene.bar.stop_action.toolTip() == "Stop b, keeping all that was learnt (Ctrl+.)"
        scene.bar.stop_all_action.trigger()
        assert scene.queue.asked == ["stop all"]

    def test_train_says_when_it_will_begin(self, scene: Scene) -> None:
        assert "as the form describes it" in scene.train.toolTip()
        scene.queue.active = ("/runs/a",)
        scene.queue.become(Activity.RUNNING, AT_WORK)
        assert "after what is being trained" in scene.train.toolTip()
        assert "Runs side by side" in scene.train.toolTip()
        scene.queue.side_by_side = 2
        scene.queue.become(Activity.RUNNING, AT_WORK)
        assert "as the form describes it" in scene.train.toolTip()

    def test_keys_do_the_same(self, scene: Scene, qtbot: QtBot) -> None:
        scene.window.activateWindow()
        qtbot.waitUntil(scene.window.isActiveWindow)
        scene.queue.become(Activity.RUNNING, AT_WORK)
        control = Qt.KeyboardModifier.ControlModifier
        qtbot.keyClick(scene.window, Qt.Key.Key_P, control)
        qtbot.keyClick(scene.window, Qt.Key.Key_Period, control)
        assert scene.queue.asked == ["pause", "stop"]
        with qtbot.waitSignal(scene.experiment.train_requested):
            qtbot.keyClick(scene.window, Qt.Key.Key_Return, control)


class TestProgress:
    def test_bar_and_text_follow(self, scene: Scene, qtbot: QtBot) -> None:
        scene.queue.become(Activity.RUNNING, AT_WORK)
        qtbot.waitUntil(scene.progress.isVisible)
        assert scene.progress.value() / scene.progress.maximum() == pytest.approx(0.246)
        assert scene.text.text() == "12,300 / 50,000 · 121 steps/s · 5 min 12 s left"
        scene.queue.progress = TrainingProgress(12_400, 50_000, 121.3, 311.0, "cpu")
        scene.queue.progressed.emit()
        assert scene.text.text().startswith("12,400 / 50,000")

    def test_queued_runs_and_device_are_told_while_there_are_any(
        self, scene: Scene, qtbot: QtBot
    ) -> None:
        assert "CPU" not in scene.labels()
        scene.queue.become(Activity.RUNNING, AT_WORK, "b", "c")
        qtbot.waitUntil(lambda: {"+2 queued", "CPU"} <= set(scene.labels()))
        scene.queue.become(Activity.IDLE, AT_WORK)
        qtbot.waitUntil(lambda: "+2 queued" not in scene.labels())
        assert "CPU" in scene.labels()

    def test_nothing_is_cut_in_a_window_of_1280_pixels(self, scene: Scene, qtbot: QtBot) -> None:
        longest = TrainingProgress(9_999_000, 10_000_000, 12_345.0, 359_999.0, "cuda:0")
        scene.queue.become(Activity.RUNNING, longest, *"abcdefghijkl")
        qtbot.waitUntil(lambda: {"+12 queued", "CUDA 0"} <= set(scene.labels()))
        words = scene.text.fontMetrics().horizontalAdvance(scene.text.text())
        assert words <= scene.text.width()
        right = max(
            x.mapTo(scene.bar, QPoint(x.width(), 0)).x()
            for x in scene.bar.findChildren(QLabel)
            if x.isVisible()
        )
        assert right <= scene.bar.width() <= 1280


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (TrainingProgress(0, 50_000), "starting…"),
        (TrainingProgress(0, 50_000, device="cpu"), "0 / 50,000"),
        (TrainingProgress(0, 1, device="cpu"), "solving…"),
        (
            TrainingProgress(9_000, 15_000, 480.0, 13.0, "cpu", 3),
            "3 runs · 9,000 / 15,000 · 480 steps/s · 13 s left",
        ),
        (
            TrainingProgress(100, 5_000, 3.14, 1_560.0, "cpu"),
            "100 / 5,000 · 3.1 steps/s · 26 min 00 s left",
        ),
    ],
)
def test_every_stage_has_words(progress: TrainingProgress, text: str) -> None:
    assert progress_text(Activity.RUNNING, progress) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.6, "1 min 00 s"), (312, "5 min 12 s"), (7_512, "2 h 05 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


def test_devices() -> None:
    assert [device_text(d) for d in ("cpu", "cuda:0", "mps")] == ["CPU", "CUDA 0", "MPS"]
