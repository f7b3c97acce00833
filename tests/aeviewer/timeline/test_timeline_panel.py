from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QToolButton

from aeviewer.panels.timeline.timeline_panel import TimelinePanel
from aeviewer.services.compute.compute_thread import ComputeThread
from aeviewer.services.compute.event_queue import EventQueue
from aeviewer.services.latent_services import LatentServices
from trainers import runs
from trainers.presets import preset
from trainers.runs import RunState
from trainers.runs.metrics import Evaluation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from aeviewer.services.runs.session import Session

STEPS = (0, 10, 1_000, 3_000)


def add(
    session: Session, name: str, steps: tuple[int, ...], state: RunState = RunState.STOPPED
) -> str:
    run = runs.create_run(preset("vae"), session.folder, name)
    for step in steps:
        run.write_checkpoint(step, b"")
    return session.add(run, state)


def evaluated(step: int) -> Evaluation:
    return Evaluation(
        step=step,
        images=10_000,
        squared_error=1,
        squared_error_per_pixel=1,
        reconstruction_at_mean=1,
        test_reconstruction=1,
        kl=0,
        test_kl=0,
        loss_at_mean=1,
        test_loss=1,
    )


@pytest.fixture
def latent_services(session: Session) -> Iterator[LatentServices]:
    """Services over runs whose checkpoints hold nothing that could be shown."""
    made = LatentServices(session, ComputeThread(EventQueue()))
    made.compute.start()
    yield made
    made.compute.close()


@pytest.fixture
def panel(session: Session, latent_services: LatentServices, qtbot: QtBot) -> TimelinePanel:
    session.set_current(add(session, "a", STEPS))
    shown = TimelinePanel(latent_services)
    qtbot.addWidget(shown)
    shown.resize(1000, 52)
    shown.show()
    return shown


def words(panel: TimelinePanel) -> str:
    return " ".join(label.text() for label in panel.findChildren(QLabel) if label.isVisible())


def button(panel: TimelinePanel, text: str) -> QToolButton:
    return next(b for b in panel.findChildren(QToolButton) if b.text() == text)


def place(panel: TimelinePanel, number: int) -> QPoint:
    return QPoint(round(panel.slider.position(number)), 14)


def test_it_is_one_slim_row(panel: TimelinePanel) -> None:
    assert 48 <= panel.height() <= 56
    assert panel.minimumSizeHint().width() < 700


def test_without_checkpoints_it_says_when_there_will_be(
    panel: TimelinePanel, session: Session
) -> None:
    session.set_current(add(session, "b", ()))
    assert "Checkpoints appear here" in words(panel)
    assert not panel.play_action.isEnabled()


def test_step_and_run_are_told(panel: TimelinePanel, session: Session) -> None:
    assert "step 3,000 of 50,000" in words(panel)
    assert "a" in words(panel).split()
    session.show_step(10)
    assert "step 10 of 50,000" in words(panel)
    assert panel.slider.step == 10


def test_dragging_moves_the_session_at_once(
    panel: TimelinePanel, session: Session, qtbot: QtBot
) -> None:
    seen: list[int | None] = []
    session.step_changed.connect(lambda: seen.append(session.step))
    qtbot.mousePress(panel.slider, Qt.MouseButton.LeftButton, pos=place(panel, 2))
    qtbot.mouseMove(panel.slider, place(panel, 1))
    qtbot.mouseMove(panel.slider, place(panel, 0))
    qtbot.mouseRelease(panel.slider, Qt.MouseButton.LeftButton, pos=place(panel, 0))
    assert seen == [1_000, 10, 0]


def test_buttons_step_back_and_forward(
    panel: TimelinePanel, session: Session, qtbot: QtBot
) -> None:
    back, forward = button(panel, "Checkpoint before"), button(panel, "Checkpoint after")
    assert not forward.isEnabled()
    qtbot.mouseClick(back, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(back, Qt.MouseButton.LeftButton)
    assert session.step == 10
    qtbot.mouseClick(forward, Qt.MouseButton.LeftButton)
    assert session.step == 1_000
    session.show_step(0)
    assert not back.isEnabled()


def test_home_and_end_work_wherever_the_focus_is(
    panel: TimelinePanel, session: Session, qtbot: QtBot
) -> None:
    qtbot.keyClick(button(panel, "Checkpoint before"), Qt.Key.Key_Home)
    assert session.step == 0
    qtbot.keyClick(panel.slider, Qt.Key.Key_End)
    assert session.step == 3_000


def test_play_goes_from_the_start_to_the_end(
    panel: TimelinePanel, session: Session, qtbot: QtBot
) -> None:
    seen: list[int | None] = []
    session.step_changed.connect(lambda: seen.append(session.step))
    play = button(panel, "Play checkpoints")
    qtbot.mouseClick(play, Qt.MouseButton.LeftButton)
    assert panel.is_playing
    assert play.text() == "Pause"
    qtbot.waitUntil(lambda: not panel.is_playing)
    assert seen == list(STEPS)
    assert play.text() == "Play checkpoints"


def test_play_goes_on_from_the_middle_and_pauses(
    panel: TimelinePanel, session: Session, qtbot: QtBot
) -> None:
    session.show_step(10)
    panel.play_action.trigger()
    assert session.step == 10
    qtbot.waitUntil(lambda: session.step == 1_000)
    panel.play_action.trigger()
    assert not panel.is_playing
    assert session.step == 1_000


def test_a_person_or_another_run_ends_the_playing(
    panel: TimelinePanel, session: Session, qtbot: QtBot
) -> None:
    panel.play_action.trigger()
    qtbot.mouseClick(panel.slider, Qt.MouseButton.LeftButton, pos=place(panel, 2))
    assert not panel.is_playing
    panel.play_action.trigger()
    session.set_current(add(session, "b", STEPS))
    assert not panel.is_playing


def test_new_checkpoints_leave_the_handle_where_it_is(
    panel: TimelinePanel, session: Session, qtbot: QtBot
) -> None:
    key = session.items[0].key
    session.set_state(key, RunState.RUNNING)
    qtbot.mousePress(panel.slider, Qt.MouseButton.LeftButton, pos=place(panel, 1))
    for step in (5, 4_000):
        session.add_checkpoint(key, evaluated(step))
    assert session.step == 10
    assert panel.slider.step == 10
    assert panel.slider.steps == (0, 5, 10, 1_000, 3_000, 4_000)
    qtbot.mouseRelease(panel.slider, Qt.MouseButton.LeftButton, pos=place(panel, 2))


def test_live_is_offered_only_while_it_trains(
    panel: TimelinePanel, session: Session, qtbot: QtBot
) -> None:
    key = session.items[0].key
    assert not panel.live_button.isVisible()
    session.set_state(key, RunState.RUNNING)
    assert panel.live_button.isVisible()
    assert not panel.live_button.isChecked()
    qtbot.mouseClick(panel.live_button, Qt.MouseButton.LeftButton)
    assert session.is_live
    assert panel.live_button.isChecked()
    assert panel.slider.step is None
    qtbot.mouseClick(panel.live_button, Qt.MouseButton.LeftButton)
    assert session.step == 3_000
    assert not panel.live_button.isChecked()
    session.set_state(key, RunState.FINISHED)
    assert not panel.live_button.isVisible()


def test_the_end_of_the_slider_is_live(
    panel: TimelinePanel, session: Session, qtbot: QtBot
) -> None:
    session.set_state(session.items[0].key, RunState.RUNNING, step=3_500)
    qtbot.keyClick(panel.slider, Qt.Key.Key_End)
    assert session.is_live
    assert "step 3,500 of 50,000" in words(panel)
    qtbot.keyClick(panel.slider, Qt.Key.Key_Left)
    assert session.step == 3_000


def test_setting_the_step_elsewhere_does_not_come_back(
    panel: TimelinePanel, session: Session
) -> None:
    told: list[int] = []
    panel.slider.step_chosen.connect(told.append)
    for step in STEPS:
        session.show_step(step)
    assert told == []
    assert panel.slider.value() == 3


def test_every_control_has_a_name(panel: TimelinePanel) -> None:
    named = [panel.slider.accessibleName(), panel.live_button.accessibleName()]
    buttons = [b for b in panel.findChildren(QToolButton) if b.defaultAction()]
    assert all(named)
    assert all(b.text() and b.toolTip() for b in buttons)
    assert len(buttons) == 4
