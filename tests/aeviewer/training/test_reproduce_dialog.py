"""Reproducing the paper from the window: the queue trains, a command writes."""

from __future__ import annotations

import stat
import sys
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QLabel, QPushButton, QRadioButton

from aeviewer.panels.training.reproduce_dialog import ReproduceDialog
from aeviewer.services.training.reproduction import ReproductionService, Stage
from trainers import runs
from trainers.presets import preset
from trainers.runs import RunState

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from aeviewer.services.runs.session import Session
    from trainers.config import RunConfig


class FakeQueue(QObject):
    """Takes runs in, and trains none of them."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.trained: list[str] = []
        self.continued: list[str] = []

    def train(self, config: RunConfig, name: str = "") -> None:
        self.trained.append(name)
        self.session.add(runs.create_run(config, self.session.folder, name), RunState.QUEUED)

    def continue_run(self, key: str) -> None:
        self.continued.append(key)
        self.session.set_state(key, RunState.QUEUED)

    def remove(self, key: str) -> None:
        self.session.set_state(key, RunState.STOPPED)


class Scene:
    def __init__(self, session: Session) -> None:
        self.session, self.queue = session, FakeQueue(session)
        self.reproduction = ReproductionService(session, self.queue)  # type: ignore[arg-type]
        self.names = [entry.name for entry in self.reproduction.plan(quick=True)]
        self.messages: list[str] = []
        session.message_posted.connect(self.messages.append)

    def key(self, name: str) -> str:
        return str(self.session.folder / name)

    def finish(self, *names: str) -> None:
        for name in names:
            self.session.set_state(self.key(name), RunState.FINISHED)


@pytest.fixture
def scene(session: Session) -> Scene:
    return Scene(session)


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, session: Session) -> Path:
    """Stands for the program's own command: says what it was asked, and writes a page."""
    page = session.folder / "reproduction-quick" / "report.html"
    program = tmp_path / "aeviewer"
    program.write_text(
        f'#!/bin/sh\nmkdir -p "{page.parent}"\necho "$@" > "{tmp_path}/asked"\n'
        f'if [ -e "{tmp_path}/broken" ]; then echo "no room left"; exit 1; fi\n'
        f'echo page > "{page}"\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(program))
    return tmp_path


def test_what_is_missing_goes_into_the_queue_and_what_was_begun_goes_on(scene: Scene) -> None:
    begun, done, *rest = scene.names
    for name, state in ((begun, RunState.STOPPED), (done, RunState.FINISHED)):
        config = {e.name: e.config for e in scene.reproduction.plan(quick=True)}[name]
        scene.session.add(runs.create_run(config, scene.session.folder, name), state)
    scene.reproduction.start(quick=True)
    assert scene.queue.continued == [scene.key(begun)]
    assert scene.queue.trained == rest
    assert scene.reproduction.stage is Stage.TRAINING
    assert scene.reproduction.finished_count(quick=True) == 1


def test_a_run_in_the_way_is_named_and_nothing_begins(scene: Scene) -> None:
    other = preset("elu").replace(seed=77)
    scene.session.add(
        runs.create_run(other, scene.session.folder, scene.names[3]), RunState.STOPPED
    )
    scene.reproduction.start(quick=True)
    assert scene.names[3] in scene.messages[0]
    assert "other settings" in scene.messages[0]
    assert not scene.queue.trained
    assert scene.reproduction.stage is Stage.IDLE


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")
def test_when_all_is_trained_the_command_writes_the_report(
    scene: Scene, command: Path, qtbot: QtBot
) -> None:
    scene.reproduction.start(quick=True)
    with qtbot.waitSignal(scene.reproduction.report_written) as written:
        scene.finish(*scene.names)
    assert written.args == [str(scene.reproduction.report(quick=True))]
    asked = (command / "asked").read_text().split()
    assert asked[:3] == ["-m", "aeviewer", "reproduce"]
    assert "--quick" in asked
    assert str(scene.session.folder) in asked
    assert scene.reproduction.stage is Stage.IDLE
    assert not scene.messages


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")
def test_what_kept_the_command_from_writing_is_told(
    scene: Scene, command: Path, qtbot: QtBot
) -> None:
    (command / "broken").touch()
    scene.reproduction.start(quick=True)
    scene.finish(*scene.names)
    qtbot.waitUntil(lambda: bool(scene.messages))
    assert "no room left" in scene.messages[0]
    assert scene.reproduction.stage is Stage.IDLE


def test_a_run_that_gave_up_ends_it_and_it_can_go_on(scene: Scene) -> None:
    scene.reproduction.start(quick=True)
    first, *rest = scene.names
    scene.finish(*rest)
    scene.session.set_state(scene.key(first), RunState.FAILED)
    assert scene.reproduction.stage is Stage.IDLE
    assert "1 run to go" in scene.messages[0]
    scene.reproduction.start(quick=True)
    assert scene.queue.continued == [scene.key(first)]


def test_the_dialog_starts_stops_and_tells_how_far_it_is(scene: Scene, qtbot: QtBot) -> None:
    dialog = ReproduceDialog(scene.reproduction)
    qtbot.addWidget(dialog)
    dialog.show()
    buttons = {button.text(): button for button in dialog.findChildren(QPushButton)}
    full, quick = dialog.findChildren(QRadioButton)
    assert full.isChecked()
    assert "50,000 steps" in full.text()
    quick.click()
    assert not buttons["Open the report"].isEnabled()
    buttons["Start"].click()
    assert len(scene.queue.trained) == len(scene.names)
    assert not quick.isEnabled()
    scene.finish(*scene.names[:4])
    told = [label.text() for label in dialog.findChildren(QLabel)]
    assert f"4 of {len(scene.names)} runs trained." in told
    buttons["Stop"].click()
    assert scene.reproduction.stage is Stage.IDLE
    assert scene.session.item(scene.key(scene.names[-1])).state == "stopped"
    assert buttons["Start"].text() == "Continue"
