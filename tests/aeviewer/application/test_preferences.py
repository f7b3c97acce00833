"""What a person chooses once, and the folder that is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QApplication,
    QComboBox,
    QDialogButtonBox,
    QLabel,
    QMenu,
    QScrollBar,
    QTabBar,
    QWidget,
)

from aeviewer.app import Program
from aeviewer.panels.application.file_menu import FileMenu, choose_theme
from aeviewer.panels.application.preferences_dialog import PreferencesDialog
from aeviewer.panels.training.experiment_panel import ExperimentPanel
from aeviewer.theme import CONTRAST, apply_theme
from trainers.errors import RunError
from trainers.presets import preset
from trainers.runs import runs_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from aeviewer.services.runs.session import Session
    from aeviewer.settings import Settings


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AEVIEWER_RUNS", raising=False)
    for name in ("user_config_path", "user_data_path"):
        monkeypatch.setattr(f"platformdirs.{name}", lambda *_, n=name: tmp_path / n)


@pytest.fixture
def dialog(settings: Settings, qtbot: QtBot) -> PreferencesDialog:
    dialog = PreferencesDialog(settings)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def _accept(dialog: PreferencesDialog, qtbot: QtBot) -> None:
    button = dialog.buttons.button(QDialogButtonBox.StandardButton.Ok)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_choices_are_kept(
    dialog: PreferencesDialog, settings: Settings, tmp_path: Path, qtbot: QtBot
) -> None:
    dialog.device.setCurrentIndex(dialog.device.findData("cpu"))
    dialog.threads.setValue(2)
    dialog.numbers.setCurrentIndex(dialog.numbers.findText("1.234.567,5"))
    dialog.spacing.setCurrentIndex(dialog.spacing.findText("Every 2,500 steps"))
    dialog.folder.setText(str(tmp_path / "elsewhere"))
    _accept(dialog, qtbot)
    assert (settings.device, settings.threads) == ("cpu", 2)
    assert (settings.numbers, settings.checkpoint_spacing) == ("de_DE", 2_500)
    assert runs_folder.default_folder() == tmp_path / "elsewhere"
    assert not dialog.isVisible()


def test_cancel_keeps_nothing(
    dialog: PreferencesDialog, settings: Settings, tmp_path: Path
) -> None:
    dialog.threads.setValue(2)
    dialog.folder.setText(str(tmp_path / "elsewhere"))
    dialog.reject()
    assert settings.threads == 0
    assert runs_folder.default_folder() == tmp_path / "user_data_path" / "runs"


def test_a_folder_that_can_not_be_is_told_and_nothing_is_lost(
    dialog: PreferencesDialog, settings: Settings, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "file").touch()
    dialog.folder.setText(str(tmp_path / "file" / "runs"))
    _accept(dialog, qtbot)
    assert dialog.isVisible()
    assert "choose a folder that you may write to" in dialog.problem.text()
    dialog.folder.setText("runs")
    _accept(dialog, qtbot)
    assert dialog.problem.text() == "'runs' is no whole path; give one from the root, or choose it."
    dialog.folder.setText("")
    _accept(dialog, qtbot)
    assert not dialog.isVisible()
    assert runs_folder.default_folder() == tmp_path / "user_data_path" / "runs"


def test_the_environment_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs_folder.choose_folder(tmp_path / "chosen")
    monkeypatch.setenv("AEVIEWER_RUNS", str(tmp_path / "said"))
    assert runs_folder.default_folder() == tmp_path / "said"
    with pytest.raises(RunError, match="no whole path"):
        runs_folder.choose_folder(tmp_path.relative_to(tmp_path.anchor))


def test_new_runs_begin_on_the_chosen_device(
    session: Session, settings: Settings, qtbot: QtBot
) -> None:
    settings.device = "cpu"
    panel = ExperimentPanel(session)
    qtbot.addWidget(panel)
    panel.select_preset("elu")
    assert panel.config().training.device == "cpu"


def test_checkpoints_of_new_runs_are_as_far_apart_as_was_chosen(
    session: Session, settings: Settings, qtbot: QtBot
) -> None:
    panel = ExperimentPanel(session)
    qtbot.addWidget(panel)
    panel.set_config(preset("elu").replace(steps=2_600))
    assert panel.config().training.checkpoints is None
    settings.checkpoint_spacing = 1_000
    assert panel.config().checkpoint_steps == (0, 1_000, 2_000, 2_600)
    panel.set_config(preset("elu").replace(steps=2_600, checkpoints=(5, 7)))
    assert panel.config().checkpoint_steps == (5, 7, 2_600)
    panel.set_config(preset("pca"))
    assert panel.config().training.checkpoints is None


def test_recent_folders_are_offered_without_this_one(
    session: Session, settings: Settings, tmp_path: Path, qtbot: QtBot
) -> None:
    for name in ("one", "two", "runs"):
        settings.remember_folder(str(tmp_path / name))
    window = QWidget()
    qtbot.addWidget(window)
    menu = FileMenu(session, settings, QAction("Open run…", window), QMenu(window), window)
    offered = [action.text() for action in menu.recent.actions()]
    assert offered == [str(tmp_path / "two"), str(tmp_path / "one")]
    with qtbot.waitSignal(menu.folder_requested) as wanted:
        menu.recent.actions()[1].trigger()
    assert wanted.args == [str(tmp_path / "one")]


@pytest.fixture
def dark_again(qapp: QApplication) -> Iterator[None]:
    yield
    apply_theme(qapp, "dark")


@pytest.mark.usefixtures("dark_again")
def test_high_contrast_reaches_every_palette(settings: Settings, qapp: QApplication) -> None:
    choose_theme(settings, "contrast")
    assert settings.theme == "contrast"
    assert qapp.palette().base().color().name() == CONTRAST.panel
    assert qapp.palette().text().color().name() == CONTRAST.text


def test_whatever_takes_the_keyboard_has_a_name(
    settings: Settings, tmp_path: Path, qtbot: QtBot
) -> None:
    """A screen reader says what has the focus: a name, a text, or the label beside it."""
    program = Program(tmp_path / "runs", settings)
    qtbot.addWidget(program.window)
    program.window.show()
    labelled = {label.buddy() for label in program.window.findChildren(QLabel)}
    nameless = [
        f"{type(widget).__name__} in {_owner(widget)}"
        for widget in program.window.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not isinstance(widget, (QScrollBar, QTabBar))
        and not _is_part(widget)
        and not widget.accessibleName()
        and not (isinstance(widget, QAbstractButton) and widget.text())
        and widget not in labelled
    ]
    program.close()
    assert not nameless, "\n".join(sorted(set(nameless)))


def _is_part(widget: QWidget) -> bool:
    """Of a combo, a spin box, a scroll area or a library's menu, which speak for themselves; or
    a button that has nothing to offer now.
    """
    parent = widget.parentWidget()
    above = []
    while parent is not None:
        above.append(parent)
        parent = parent.parentWidget()
    return (
        widget.objectName().startswith("qt_")
        or isinstance(above[0], QAbstractScrollArea)
        or any(isinstance(a, QComboBox) for a in above)
        or any(type(a).__name__ == "ViewBoxMenu" or type(a) is QMenu for a in above)
        or (isinstance(widget, QAbstractButton) and widget.isHidden())
    )


def _owner(widget: QWidget) -> str:
    names = []
    while widget is not None:
        names.append(type(widget).__name__)
        widget = widget.parentWidget()
    return " < ".join(names[1:5])
