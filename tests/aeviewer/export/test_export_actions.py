"""Runs go out of the window by the dialog, and come in by menu, drop and command."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QMainWindow

from aeviewer.__main__ import main
from aeviewer.panels.export.export_actions import ExportActions
from aeviewer.services.compute.event_queue import EventQueue
from aeviewer.services.training.training_queue import TrainingQueue
from tests.aeviewer.explored_run import SMALL, ExploredServices
from trainers import optional_packages, runs, tensorboard
from trainers.exporting import exporters
from trainers.exporting.export import export_run
from trainers.generators import finish
from trainers.presets import preset
from trainers.runs import RunState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from aeviewer.panels.export.export_dialog import ExportDialog
    from aeviewer.services.runs.session import Session
    from aeviewer.settings import Settings
    from trainers.runs import Run

WAIT = 60_000


class Scene:
    """A window with a run, and what carries it away."""

    def __init__(self, session: Session, settings: Settings, window: QMainWindow) -> None:
        self.session, self.settings, self.window = session, settings, window
        event_queue = EventQueue()
        self.explored = ExploredServices(session, event_queue)
        self.queue = TrainingQueue(session, self.explored.compute, event_queue)
        self.messages: list[str] = []
        session.message_posted.connect(self.messages.append)
        self.carry_away = ExportActions(self.explored, self.queue, settings, window)

    def dialog(self) -> ExportDialog:
        self.carry_away.export_action.trigger()
        assert self.carry_away.dialog is not None
        return self.carry_away.dialog


@pytest.fixture
def scene(session: Session, settings: Settings, qtbot: QtBot) -> Iterator[Scene]:
    with runs.demo_run() as demo:
        shutil.copytree(demo.path, session.folder / "mine")
    session.refresh()
    window = QMainWindow()
    qtbot.addWidget(window)
    made = Scene(session, settings, window)
    yield made
    made.explored.close()
    made.queue.close()


def _archive(scene: Scene, folder: Path) -> Path:
    run = scene.session.run(scene.session.items[0].key)
    (place,) = finish(export_run(run, exporters.choose_exporters(["zip"]), folder))
    return place


# -- out -------------------------------------------------------------------------------------------


def test_what_is_ticked_is_written_at_the_step_that_is_shown(
    scene: Scene, tmp_path: Path, qtbot: QtBot
) -> None:
    scene.session.show_step(200)
    dialog = scene.dialog()
    assert dialog.windowTitle() == "Export mine"
    assert dialog.folder.name == "mine-step200"
    assert set(dialog.boxes) == set(exporters.EXPORTERS)
    for name, box in dialog.boxes.items():
        if box.isChecked() != (name in {"npy", "metrics"}):
            box.click()
    dialog.place.setText(str(tmp_path / "out" / "mine"))
    assert dialog.status_label.text() == "4 files will be written."
    qtbot.mouseClick(dialog.export_button, Qt.MouseButton.LeftButton)
    assert not dialog.place.isEnabled()
    qtbot.waitUntil(
        lambda: dialog.status_label.text().startswith("4 files written into"), timeout=WAIT
    )
    assert dialog.bar.value() == dialog.bar.maximum() == 2
    codes = scene.session.run(scene.session.items[0].key).checkpoint(200).codes()
    assert (np.load(tmp_path / "out" / "mine" / "codes.npy") == codes).all()
    assert dialog.open_button.isEnabled()
    assert scene.settings.exports == (("npy", "metrics"), str(tmp_path / "out"))
    dialog.close()
    again = scene.dialog()
    assert [e.name for e in again.chosen] == ["npy", "metrics"]
    assert again.folder == tmp_path / "out" / "mine-step200"
    again.place.setText(str(tmp_path / "out" / "mine"))
    assert again.status_label.text().startswith(
        "Existing files that will be replaced: codes.npy, labels.npy"
    )
    again.close()


def test_what_can_not_be_written_says_why_and_can_be_tried_again(
    scene: Scene, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "file").touch()
    dialog = scene.dialog()
    dialog.place.setText("relative")
    assert dialog.status_label.text() == "Enter the full path of the folder, or choose one."
    assert not dialog.export_button.isEnabled()
    dialog.place.setText(str(tmp_path / "file" / "out"))
    dialog.export_button.click()
    qtbot.waitUntil(dialog.export_button.isEnabled, timeout=WAIT)
    assert "cannot be written" in dialog.status_label.text()
    assert not dialog.open_button.isEnabled()
    for box in dialog.boxes.values():
        box.setChecked(False)
    assert dialog.status_label.text() == "Select at least one export."
    dialog.close()


def test_what_is_not_installed_is_said_and_can_not_be_ticked(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        optional_packages, "find_spec", lambda name: None if "onnx" in name else name
    )
    dialog = scene.dialog()
    assert not dialog.boxes["onnx"].isEnabled()
    assert "uv sync --extra export" in dialog.boxes["onnx"].toolTip()
    assert dialog.boxes["tensorboard"].isEnabled()
    dialog.close()


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """An export to TensorBoard that has begun its file and never comes to its end."""

    def written(_run: Run, file: tensorboard.EventFile) -> Iterator[None]:
        file.restart(0)
        while True:
            yield

    monkeypatch.setattr(tensorboard, "write_run", written)


@pytest.mark.usefixtures("endless")
def test_a_cancelled_export_leaves_nothing(scene: Scene, tmp_path: Path, qtbot: QtBot) -> None:
    dialog = scene.dialog()
    for name, box in dialog.boxes.items():
        box.setChecked(name == "tensorboard")
    dialog.place.setText(str(tmp_path / "out"))
    dialog.export_button.click()
    qtbot.waitUntil(lambda: dialog.status_label.text() == "TensorBoard…", timeout=WAIT)
    dialog.close_button.click()
    assert dialog.status_label.text() == "Cancelled. What was written whole before is kept."
    assert dialog.export_button.isEnabled()
    qtbot.waitUntil(lambda: not (tmp_path / "out").exists(), timeout=WAIT)
    dialog.close()


@pytest.mark.usefixtures("endless")
def test_a_program_that_is_closed_meanwhile_leaves_nothing_half_written(
    scene: Scene, tmp_path: Path, qtbot: QtBot
) -> None:
    dialog = scene.dialog()
    for name, box in dialog.boxes.items():
        box.setChecked(name == "tensorboard")
    dialog.place.setText(str(tmp_path / "out"))
    dialog.export_button.click()
    qtbot.waitUntil(lambda: dialog.status_label.text() == "TensorBoard…", timeout=WAIT)
    scene.explored.compute.close()
    assert not (tmp_path / "out").exists()
    dialog.close()


def test_without_checkpoints_there_is_nothing_to_export(scene: Scene, session: Session) -> None:
    assert scene.carry_away.export_action.isEnabled()
    session.set_current(
        session.add(runs.create_run(preset("elu"), session.folder, "new"), RunState.NEW)
    )
    assert not scene.carry_away.export_action.isEnabled()


# -- in --------------------------------------------------------------------------------------------


def _drop(window: QMainWindow, *files: Path) -> bool:
    dropped = QMimeData()
    dropped.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    copy, left, none = (
        Qt.DropAction.CopyAction,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    entering = QDragEnterEvent(QPointF(9, 9).toPoint(), copy, dropped, left, none)
    entering.ignore()
    QApplication.sendEvent(window, entering)
    if entering.isAccepted():
        QApplication.sendEvent(window, QDropEvent(QPointF(9, 9), copy, dropped, left, none))
    return entering.isAccepted()


def test_an_archive_that_is_dropped_becomes_the_current_run(
    scene: Scene, tmp_path: Path, qtbot: QtBot
) -> None:
    archive = _archive(scene, tmp_path)
    with qtbot.waitSignal(scene.session.current_changed, timeout=WAIT):
        assert _drop(scene.window, archive)
        assert scene.window.statusBar().currentMessage() == "Opening mine.aeviewer.zip (0%)…"
    assert scene.session.current is not None
    assert scene.session.current.name == "mine-2"
    qtbot.waitUntil(lambda: not scene.window.statusBar().currentMessage(), timeout=WAIT)
    assert not scene.messages


def test_what_is_no_archive_is_not_taken(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "photo.png").touch()
    assert not _drop(scene.window, tmp_path / "photo.png")


def test_a_damaged_archive_is_one_message(scene: Scene, tmp_path: Path, qtbot: QtBot) -> None:
    archive = _archive(scene, tmp_path)
    archive.write_bytes(archive.read_bytes()[:-1000])
    before = sorted(scene.session.folder.rglob("*"))
    with qtbot.waitSignal(scene.session.message_posted, timeout=WAIT):
        scene.carry_away.archive_opener.open(archive)
    assert len(scene.messages) == 1
    assert "mine.aeviewer.zip cannot be opened" in scene.messages[0]
    assert sorted(scene.session.folder.rglob("*")) == before


def test_the_menu_asks_for_an_archive(scene: Scene, tmp_path: Path, qtbot: QtBot) -> None:
    archive = _archive(scene, tmp_path)
    scene.carry_away.open_action.trigger()
    (dialog,) = scene.window.findChildren(QFileDialog)
    with qtbot.waitSignal(scene.session.current_changed, timeout=WAIT):
        dialog.fileSelected.emit(str(archive))
    dialog.close()


def test_the_command_opens_an_archive_with_and_without_its_name(
    scene: Scene, tmp_path: Path
) -> None:
    archive = _archive(scene, tmp_path)
    for arguments in (["open", str(archive)], [str(archive)]):
        options = [*arguments, "--no-window", "--runs", str(tmp_path / "there")]
        result = CliRunner().invoke(main, options)
        assert result.exit_code == 0, result.output
    assert [run.name for run in runs.find_runs(tmp_path / "there")] == ["mine", "mine-2"]
    archive.write_bytes(b"")
    result = CliRunner().invoke(main, [str(archive), "--no-window", "--runs", str(tmp_path)])
    assert result.exit_code == 1
    assert "no sound archive" in result.output


# -- live events -----------------------------------------------------------------------------------


def test_events_are_written_of_what_is_trained_from_now_on(scene: Scene, qtbot: QtBot) -> None:
    scene.carry_away.events_action.trigger()
    assert scene.settings.writes_events
    scene.queue.train(preset("elu").replace(latent_dim=2, **SMALL), "live")
    key = str(scene.session.folder / "live")
    qtbot.waitUntil(lambda: scene.session.item(key).state == RunState.FINISHED, timeout=WAIT)
    (written,) = (scene.session.folder / "live" / "tensorboard").iterdir()
    assert written.stat().st_size > 40 * 50  # 40 steps
    scene.carry_away.events_action.trigger()
    assert not scene.settings.writes_events


def test_events_need_their_package(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optional_packages, "find_spec", lambda _name: None)
    scene.carry_away.events_action.trigger()
    assert not scene.carry_away.events_action.isChecked()
    assert "TensorBoard needs the package tensorboard, which is not" in scene.messages[0]
