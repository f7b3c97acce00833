from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QModelIndex, QObject, QPoint, Qt, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QMenu, QMessageBox, QPushButton

from aeviewer.panels.runs.runs_model import EYE_COLUMN, NAME_COLUMN
from aeviewer.panels.runs.runs_panel import RunsPanel
from aeviewer.services.training.training_progress import TrainingProgress
from aeviewer.services.training.training_queue import Activity
from aeviewer.widgets.displays.list_delegate import Role
from trainers import runs
from trainers.errors import AEViewerError
from trainers.presets import preset
from trainers.runs import RunState
from trainers.runs.metrics import Evaluation

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from aeviewer.services.runs.session import Session

LEFT = Qt.MouseButton.LeftButton


class FakeQueue(QObject):
    activity_changed = Signal()
    progressed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.activity = Activity.IDLE
        self.active: tuple[str, ...] = ()
        self.waiting: tuple[str, ...] = ()
        self.progress = TrainingProgress()
        self.asked: list[tuple[str, str]] = []

    def progress_of(self, key: str) -> TrainingProgress | None:
        return self.progress if key in self.active else None

    def stop(self, key: str) -> None:
        self.asked.append(("stop", key))

    def continue_run(self, key: str) -> None:
        self.asked.append(("continue", key))

    def remove(self, key: str) -> None:
        self.asked.append(("remove", key))


class FolderOpener(QObject):
    """Stands for the system's file manager."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[QUrl] = []

    @Slot(QUrl)
    def open(self, url: QUrl) -> None:
        self.opened.append(url)


class Scene:
    """The panel in a dock's width, with runs "a", "b" and "c"; "c" is current."""

    def __init__(self, session: Session, qtbot: QtBot, *names: str, width: int = 280) -> None:
        self.session, self.qtbot = session, qtbot
        self.keys = {name: self.make(name) for name in names}
        session.refresh()
        self.queue = FakeQueue()
        self.messages: list[str] = []
        session.message_posted.connect(self.messages.append)
        self.trashed: list[str] = []
        self.has_trash = True
        self.panel = RunsPanel(session, self.queue, trash=self.trash)  # type: ignore[arg-type]
        self.panel.resize(width, 400)
        qtbot.addWidget(self.panel)
        self.panel.show()
        qtbot.waitExposed(self.panel)
        self.panel.activateWindow()
        qtbot.waitUntil(self.panel.isActiveWindow)
        self.view = self.panel.view
        self.view.setFocus()

    def make(
        self, name: str, state: RunState = RunState.STOPPED, step: int = 100, error: str = ""
    ) -> str:
        run = runs.create_run(preset("elu"), self.session.folder, name)
        changes = {"state": state, "step": step, "error": error}
        run.write_status(run.status().model_copy(update=changes))
        return str(run.path)

    def trash(self, path: str | Path, _name: str) -> None:
        if not self.has_trash:
            raise AEViewerError(f"There is no trash. Delete it yourself: {path}")
        self.trashed.append(str(path))

    def index(self, name: str, column: int = NAME_COLUMN) -> QModelIndex:
        model = self.view.model()
        rows = range(model.rowCount())
        return next(model.index(r, column) for r in rows if model.index(r, 0).data() == name)

    def place(self, name: str, column: int = NAME_COLUMN) -> QPoint:
        return self.view.visualRect(self.index(name, column)).center()

    def choose(self, name: str, menu: str, text: str) -> None:
        """Chooses an entry of a submenu of the run's menu."""
        self.view.customContextMenuRequested.emit(self.place(name))
        found = self.panel.findChildren(QMenu)
        entries = next(m for m in reversed(found) if m.title().replace("&", "") == menu).actions()
        next(action for action in entries if action.text() == text).trigger()

    def click(self, name: str, column: int = NAME_COLUMN) -> None:
        self.qtbot.mouseClick(self.view.viewport(), LEFT, pos=self.place(name, column))

    def press(self, key: Qt.Key) -> None:
        self.qtbot.keyClick(self.view, key)

    def type_name(self, text: str) -> None:
        editor = self.view.findChild(QLineEdit)
        assert editor is not None
        editor.selectAll()
        self.qtbot.keyClicks(editor, text)
        with self.qtbot.waitSignal(self.session.runs_changed):
            self.qtbot.keyClick(editor, Qt.Key.Key_Return)

    def names(self) -> list[str]:
        model = self.view.model()
        return [model.index(row, 0).data() for row in range(model.rowCount())]

    def answer(self, text: str) -> None:
        """Presses a button of the question that is open."""
        box = self.panel.findChild(QMessageBox)
        button = next(b for b in box.findChildren(QPushButton) if text in b.text())
        self.qtbot.mouseClick(button, LEFT)


@pytest.fixture
def scene(session: Session, qtbot: QtBot) -> Scene:
    return Scene(session, qtbot, "a", "b", "c")


class TestList:
    def test_no_runs_says_what_to_do_next(self, session: Session, qtbot: QtBot) -> None:
        empty = Scene(session, qtbot)
        texts = [x.text() for x in empty.panel.findChildren(QLabel) if x.isVisible()]
        assert "No runs yet. Choose a preset and press Train." in texts
        assert not empty.view.isVisible()
        session.add(runs.create_run(preset("elu"), session.folder, "a"), RunState.QUEUED)
        assert empty.view.isVisible()

    @pytest.mark.parametrize(
        ("state", "step", "text"),
        [
            (RunState.NEW, 0, "Not started"),
            (RunState.STOPPED, 0, "Stopped · 0 / 50,000"),
            (RunState.STOPPED, 12_300, "Stopped · 12,300 / 50,000"),
            (RunState.FINISHED, 50_000, "Finished · 50,000 steps"),
            (RunState.RUNNING, 31_000, "Interrupted · 31,000 / 50,000"),
            (RunState.DIVERGED, 120, "Diverged · 120 / 50,000"),
            (RunState.FAILED, 5, "Failed · 5 / 50,000"),
        ],
    )
    def test_every_state_is_told_in_words(
        self, scene: Scene, state: RunState, step: int, text: str
    ) -> None:
        scene.make("d", state, step)
        scene.session.refresh()
        assert scene.index("d").data(Role.DETAIL) == text

    def test_the_problem_of_a_run_stands_in_its_row_and_its_tooltip(self, scene: Scene) -> None:
        scene.make("d", RunState.DIVERGED, 120, "The loss ceased to be a number at step 121.")
        scene.session.refresh()
        why = "Diverged · 120 / 50,000 · The loss ceased to be a number at step 121."
        assert scene.index("d").data(Role.DETAIL) == why
        tip = scene.index("d").data(Qt.ItemDataRole.ToolTipRole)
        assert "ELU autoencoder, 5-dimensional code" in tip
        assert tip.endswith("at step 121.")

    def test_a_damaged_run_is_listed_with_its_problem(self, scene: Scene) -> None:
        (scene.session.folder / "a" / "status.json").write_text("{")
        scene.session.refresh()
        assert scene.index("a").data(Role.DETAIL).startswith("Damaged · ")
        assert "status.json" in scene.index("a").data(Qt.ItemDataRole.ToolTipRole)

    def test_a_figure_stands_in_every_row_and_another_can_be_chosen(self, scene: Scene) -> None:
        measured = Evaluation(
            step=100,
            images=10_000,
            squared_error=18.38,
            squared_error_per_pixel=0.02345,
            reconstruction_at_mean=18.38,
            test_reconstruction=18.38,
            kl=0,
            test_kl=0,
            loss_at_mean=18.38,
            test_loss=18.38,
            pca_ratio=0.527,
        )
        scene.session.add_checkpoint(scene.keys["a"], measured)
        assert scene.index("a").data(Role.VALUE) == "0.0234/px"
        assert scene.index("b").data(Role.VALUE) == ""
        tip = scene.index("a").data(Qt.ItemDataRole.ToolTipRole)
        assert "Error over PCA's: 0.527 ratio" in tip
        scene.choose("a", "Figure in this list", "Error over PCA's, ratio")
        assert scene.index("a").data(Role.VALUE) == "0.53× PCA"
        scene.choose("a", "Figure in this list", "None")
        assert scene.index("a").data(Role.VALUE) == ""

    def test_the_active_run_shows_how_far_it_is(self, scene: Scene) -> None:
        scene.queue.active = (scene.keys["b"],)
        scene.queue.progress = TrainingProgress(25_000, 50_000, 121.0, 200.0, "cpu")
        scene.session.set_state(scene.keys["b"], RunState.RUNNING)
        scene.queue.progressed.emit()
        assert scene.index("b").data(Role.DETAIL) == "Running · 25,000 / 50,000"
        assert scene.index("b").data(Role.FRACTION) == pytest.approx(0.5)
        assert scene.index("a").data(Role.FRACTION) is None

    def test_progress_repaints_the_row(self, scene: Scene, qtbot: QtBot) -> None:
        scene.queue.active = (scene.keys["b"],)
        with qtbot.waitSignal(scene.view.model().dataChanged) as told:
            scene.queue.progressed.emit()
        assert told.args[0].row() == told.args[1].row() == scene.index("b").row()

    def test_focus_and_scroll_stay_when_runs_change(self, session: Session, qtbot: QtBot) -> None:
        scene = Scene(session, qtbot, *(f"run {n:02}" for n in range(30)))
        session.set_current(scene.keys["run 03"])
        scene.view.setCurrentIndex(scene.index("run 05"))
        scene.view.verticalScrollBar().setValue(300)
        scene.make("new one")
        session.refresh()
        session.set_state(scene.keys["run 04"], RunState.RUNNING, 7)
        session.forget(scene.keys["run 29"])
        assert scene.names() == [i.name for i in session.items]
        assert scene.view.currentIndex().data() == "run 05"
        assert scene.view.verticalScrollBar().value() == 300

    def test_a_long_name_fits_into_a_narrow_dock(self, session: Session, qtbot: QtBot) -> None:
        scene = Scene(session, qtbot, "a rather long name of a run " * 2 + "end", width=260)
        (name,) = scene.names()
        assert scene.view.horizontalScrollBar().maximum() == 0
        eye = scene.view.visualRect(scene.index(name, EYE_COLUMN))
        assert scene.view.viewport().rect().contains(eye)


class TestCurrent:
    def test_a_click_makes_a_run_current(self, scene: Scene) -> None:
        scene.click("a")
        assert scene.session.current is not None
        assert scene.session.current.name == "a"
        assert scene.index("a").data(Role.CHOSEN)
        assert not scene.index("c").data(Role.CHOSEN)

    def test_arrows_and_enter_do_the_same(self, scene: Scene) -> None:
        scene.press(Qt.Key.Key_Up)
        assert scene.session.current is not None
        assert scene.session.current.name == "c"
        scene.press(Qt.Key.Key_Return)
        assert scene.session.current.name == "b"

    def test_the_list_goes_to_a_run_made_current_elsewhere(self, scene: Scene) -> None:
        scene.session.set_current(scene.keys["a"])
        assert scene.view.currentIndex() == scene.index("a")


class TestEye:
    def test_a_click_hides_and_shows_without_making_it_current(self, scene: Scene) -> None:
        scene.click("a", EYE_COLUMN)
        assert not scene.session.item(scene.keys["a"]).visible
        assert scene.session.current is not None
        assert scene.session.current.name == "c"
        scene.click("a", EYE_COLUMN)
        assert scene.session.item(scene.keys["a"]).visible

    def test_space_does_the_same(self, scene: Scene) -> None:
        scene.press(Qt.Key.Key_Space)
        assert not scene.session.item(scene.keys["c"]).visible
        assert scene.index("c").data(Role.FADED)
        assert scene.panel.toggle_action.text() == "&Show in plots"

    def test_a_screen_reader_can_tick_it(self, scene: Scene) -> None:
        eye = scene.index("a", EYE_COLUMN)
        role = Qt.ItemDataRole.CheckStateRole
        assert scene.view.model().setData(eye, Qt.CheckState.Unchecked.value, role)
        assert eye.data(role) == Qt.CheckState.Unchecked


class TestRename:
    def test_f2_renames_in_place(self, scene: Scene) -> None:
        scene.press(Qt.Key.Key_F2)
        scene.type_name("better")
        assert scene.names() == ["a", "b", "better"]
        assert scene.session.current is not None
        assert scene.session.current.name == "better"
        assert scene.view.currentIndex().data() == "better"

    def test_a_double_click_does_the_same(self, scene: Scene) -> None:
        scene.click("a")
        scene.qtbot.mouseDClick(scene.view.viewport(), LEFT, pos=scene.place("a"))
        scene.type_name("better")
        assert scene.names() == ["better", "b", "c"]

    def test_a_bad_name_is_refused_with_a_message(self, scene: Scene) -> None:
        scene.press(Qt.Key.Key_F2)
        scene.type_name("a")
        assert scene.names() == ["a", "b", "c"]
        assert "A run named 'a' exists already" in scene.messages[0]

    @pytest.mark.parametrize(
        ("state", "remedy"),
        [
            (RunState.RUNNING, "stop it"),
            (RunState.PAUSED, "stop it"),
            (RunState.QUEUED, "remove it from the queue"),
        ],
    )
    def test_a_run_in_hand_keeps_its_name_and_says_what_to_do(
        self, scene: Scene, state: RunState, remedy: str
    ) -> None:
        scene.session.set_state(scene.keys["c"], state)
        scene.press(Qt.Key.Key_F2)
        assert scene.view.findChild(QLineEdit) is None
        assert scene.messages == [f"The run 'c' is {state}; {remedy} before renaming it."]
        scene.qtbot.mouseDClick(scene.view.viewport(), LEFT, pos=scene.place("c"))
        assert scene.view.findChild(QLineEdit) is None


class TestTrash:
    def test_a_run_goes_to_the_trash_after_a_question(self, scene: Scene) -> None:
        scene.press(Qt.Key.Key_Delete)
        assert scene.trashed == []
        scene.answer("Move to trash")
        assert scene.trashed == [scene.keys["c"]]
        assert scene.names() == ["a", "b"]
        assert scene.session.current is not None
        assert scene.session.current.name == "b"

    def test_cancel_keeps_it(self, scene: Scene) -> None:
        scene.press(Qt.Key.Key_Delete)
        scene.answer("Cancel")
        assert scene.trashed == []
        assert scene.names() == ["a", "b", "c"]

    def test_without_a_trash_the_run_stays_and_says_where_it_is(self, scene: Scene) -> None:
        scene.has_trash = False
        scene.press(Qt.Key.Key_Delete)
        scene.answer("Move to trash")
        assert scene.names() == ["a", "b", "c"]
        assert scene.keys["c"] in scene.messages[0]

    def test_a_running_run_must_be_stopped_first(self, scene: Scene) -> None:
        scene.session.set_state(scene.keys["c"], RunState.RUNNING)
        scene.press(Qt.Key.Key_Delete)
        assert scene.panel.findChild(QMessageBox) is None
        assert scene.messages == ["The run 'c' is running; stop it before deleting it."]

    def test_a_run_that_was_started_during_the_question_stays(self, scene: Scene) -> None:
        scene.press(Qt.Key.Key_Delete)
        scene.session.set_state(scene.keys["c"], RunState.RUNNING)
        scene.answer("Move to trash")
        assert scene.trashed == []
        assert "stop it" in scene.messages[0]

    def test_the_demo_can_be_neither_deleted_nor_renamed(self, scene: Scene) -> None:
        with runs.demo_run() as demo:
            scene.session.refresh([demo])
            scene.click(demo.name)
            scene.press(Qt.Key.Key_Delete)
            scene.press(Qt.Key.Key_F2)
            assert scene.panel.findChild(QMessageBox) is None
            assert scene.view.findChild(QLineEdit) is None
            assert scene.index(demo.name).data(Role.BADGE) is not None
            assert scene.index("a").data(Role.BADGE) is None


class TestMenu:
    def offered(self, scene: Scene, name: str) -> dict[str, bool]:
        """What a right click on a run offers, and whether it can be chosen."""
        scene.view.setCurrentIndex(scene.index(name))
        scene.view.customContextMenuRequested.emit(scene.place(name))
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        found = {a.text(): a.isEnabled() for a in menu.actions() if a.isVisible() and a.text()}
        menu.close()
        return found

    @pytest.mark.parametrize("state", [RunState.FAILED, RunState.DAMAGED])
    def test_a_failed_or_readable_run_can_be_continued(self, scene: Scene, state: RunState) -> None:
        scene.session.set_state(scene.keys["a"], state)
        assert self.offered(scene, "a")["&Continue training"]

    def test_a_stopped_run_can_be_continued(self, scene: Scene) -> None:
        offered = self.offered(scene, "a")
        assert offered["&Continue training"]
        assert "Remove from &queue" not in offered
        scene.panel.continue_action.trigger()
        assert scene.queue.asked == [("continue", scene.keys["a"])]

    @pytest.mark.parametrize(
        "state", [RunState.FINISHED, RunState.RUNNING, RunState.PAUSED, RunState.DIVERGED]
    )
    def test_a_run_in_training_or_at_its_end_cannot_be_continued(
        self, scene: Scene, state: RunState
    ) -> None:
        scene.session.set_state(scene.keys["a"], state)
        assert "&Continue training" not in self.offered(scene, "a")

    def test_a_queued_run_can_be_left_out(self, scene: Scene) -> None:
        scene.session.set_state(scene.keys["a"], RunState.QUEUED)
        assert self.offered(scene, "a")["Remove from &queue"]
        scene.panel.remove_action.trigger()
        assert scene.queue.asked == [("remove", scene.keys["a"])]

    def test_its_settings_can_be_used_again(self, scene: Scene, qtbot: QtBot) -> None:
        with qtbot.waitSignal(scene.panel.settings_requested) as asked:
            scene.panel.settings_action.trigger()
        assert asked.args == [preset("elu")]

    def test_a_damaged_run_has_no_settings_to_use(self, scene: Scene) -> None:
        (scene.session.folder / "a" / "config.json").write_text("{")
        scene.session.forget(scene.keys["a"])  # what was read of it before it was damaged
        scene.session.refresh()
        offered = self.offered(scene, "a")
        assert not offered["&Use these settings"]
        assert "&Continue training" not in offered
        assert offered["Move to &trash…"]

    def test_a_run_with_a_damaged_status_can_be_continued(self, scene: Scene) -> None:
        (scene.session.folder / "a" / "status.json").write_text("{")
        scene.session.forget(scene.keys["a"])
        scene.session.refresh()
        assert scene.index("a").data(Role.DETAIL).startswith("Damaged · ")
        assert self.offered(scene, "a")["&Continue training"]

    def test_its_folder_can_be_opened(self, scene: Scene) -> None:
        opener = FolderOpener()
        QDesktopServices.setUrlHandler("file", opener, "open")
        try:
            scene.panel.folder_action.trigger()
        finally:
            QDesktopServices.unsetUrlHandler("file")
        assert [url.toLocalFile() for url in opener.opened] == [scene.keys["c"]]
