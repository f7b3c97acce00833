from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QMessageBox, QPushButton, QSpinBox

from aeviewer.panels.training.experiment_panel import ExperimentPanel
from aeviewer.services.runs.architecture import describe_architecture
from trainers import runs
from trainers.config import fields
from trainers.models import build
from trainers.presets import PRESETS, preset
from trainers.runs import RunState

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from aeviewer.services.runs.session import Session


@pytest.fixture
def panel(qtbot: QtBot, session: Session) -> ExperimentPanel:
    panel = ExperimentPanel(session)
    qtbot.addWidget(panel)
    panel.resize(320, 900)
    panel.show()
    return panel


def _editor(panel: ExperimentPanel, name: str) -> QLineEdit:
    found = panel.findChild(QLineEdit, name)
    assert found is not None
    return found


def _train_button(panel: ExperimentPanel) -> QPushButton:
    return next(b for b in panel.findChildren(QPushButton) if b.text() == "Train")


def test_it_opens_with_a_latent_space_that_can_be_seen_whole(panel: ExperimentPanel) -> None:
    assert panel.preset_name == "vae"
    assert panel.latent_dim == 2


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_fills_the_form(panel: ExperimentPanel, name: str) -> None:
    panel.select_preset(name)
    assert panel.config() == preset(name)


@pytest.mark.parametrize("name", PRESETS)
def test_only_what_applies_is_shown(panel: ExperimentPanel, name: str) -> None:
    panel.select_preset(name)
    for leaf in fields():
        if leaf.term.advanced or leaf.name == "dataset":
            continue
        editor = panel.findChild(object, leaf.name)
        assert editor.isVisible() == leaf.term.applies(preset(name)), leaf.name


def test_choosing_a_preset_from_the_menu(qtbot: QtBot, panel: ExperimentPanel) -> None:
    menu = next(m for m in panel.findChildren(QComboBox) if m.accessibleName() == "Preset")
    menu.setFocus()
    with qtbot.waitSignal(panel.config_edited):
        qtbot.keyClick(menu, Qt.Key.Key_Home)
        menu.activated.emit(menu.currentIndex())
    assert panel.config() == preset("pca")


def test_train_asks_for_what_the_form_says(qtbot: QtBot, panel: ExperimentPanel) -> None:
    steps = panel.findChild(QSpinBox, "steps")
    steps.selectAll()
    qtbot.keyClicks(steps, "1234")
    qtbot.keyClick(steps, Qt.Key.Key_Return)
    name = next(e for e in panel.findChildren(QLineEdit) if "Name" in e.accessibleName())
    qtbot.keyClicks(name, "mine")
    with qtbot.waitSignal(panel.train_requested) as asked:
        qtbot.mouseClick(_train_button(panel), Qt.MouseButton.LeftButton)
    config, called = asked.args
    assert called == "mine"
    assert config == preset("vae").replace(latent_dim=2, steps=1234)


def test_a_second_equal_run_is_asked_about(
    qtbot: QtBot, panel: ExperimentPanel, session: Session
) -> None:
    panel.train_requested.connect(
        lambda config, name: session.add(
            runs.create_run(config, session.folder, name), RunState.QUEUED
        )
    )
    button = _train_button(panel)
    for _click in range(2):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert len(session.items) == 1
    box = panel.findChild(QMessageBox)
    assert box.text().startswith(f"The run “{session.items[0].name}” with the same settings")
    with qtbot.waitSignal(panel.train_requested):
        next(b for b in box.buttons() if b.text() == "Train a second one").click()
    assert len(session.items) == 2
    session.set_state(session.items[0].key, RunState.FINISHED)
    session.set_state(session.items[1].key, RunState.FINISHED)
    with qtbot.waitSignal(panel.train_requested):  # An ended run may be repeated unasked.
        button.click()


def test_a_fault_is_told_at_its_field_and_nothing_is_trained(
    qtbot: QtBot, panel: ExperimentPanel
) -> None:
    hidden = _editor(panel, "hidden")
    hidden.selectAll()
    qtbot.keyClicks(hidden, "500, 9000")
    assert panel.config() is None
    assert not _train_button(panel).isEnabled()
    shown = [label for label in panel.findChildren(object) if hasattr(label, "text")]
    assert any("9000" in str(s.text()) and "4096" in str(s.text()) for s in shown)
    with qtbot.assertNotEmitted(panel.train_requested):
        panel.train()
    hidden.selectAll()
    qtbot.keyClicks(hidden, "500, 900")
    assert _train_button(panel).isEnabled()


@pytest.mark.parametrize(("typed", "told"), [("a/b", "cannot name a run"), ("old", "already")])
def test_an_impossible_name_is_told(
    qtbot: QtBot, panel: ExperimentPanel, session: Session, typed: str, told: str
) -> None:
    runs.create_run(preset("elu"), session.folder, "old")
    name = next(e for e in panel.findChildren(QLineEdit) if "Name" in e.accessibleName())
    qtbot.keyClicks(name, typed)
    with qtbot.assertNotEmitted(panel.train_requested):
        panel.train()
    assert any(told in str(s.text()) for s in panel.findChildren(object) if hasattr(s, "text"))


def test_an_impossible_name_in_a_closed_panel_is_told_in_a_message(
    qtbot: QtBot, panel: ExperimentPanel, session: Session
) -> None:
    name = next(e for e in panel.findChildren(QLineEdit) if "Name" in e.accessibleName())
    qtbot.keyClicks(name, "a/b")
    panel.hide()
    with qtbot.waitSignal(session.message_posted) as told:
        panel.train()
    assert "'a/b' cannot name a run" in told.args[0]


def test_the_name_it_will_get_is_shown(panel: ExperimentPanel, session: Session) -> None:
    name = next(e for e in panel.findChildren(QLineEdit) if "Name" in e.accessibleName())
    assert name.placeholderText() == "vae-d2"
    runs.create_run(preset("vae"), session.folder, "vae-d2")
    session.refresh()
    assert name.placeholderText() == "vae-d2-2"
    panel.set_latent_dim(7)
    assert name.placeholderText() == "vae-d7"


@pytest.mark.parametrize("name", ["elu", "vae"])
def test_the_weights_it_tells_are_those_there_are(name: str) -> None:
    config = preset(name)
    with torch.no_grad():
        count = sum(weight.numel() for weight in build(config.model).parameters())
    assert f"{count:,} weights" in describe_architecture(config)


def test_a_collapse_that_the_loss_makes_certain_is_told_before_training(
    panel: ExperimentPanel,
) -> None:
    linear = preset("linear").replace(variational=True, latent_dim=3)
    panel.set_config(linear.replace(beta=7.0))
    told = [label.text() for label in panel.findChildren(QLabel) if label.isVisibleTo(panel)]
    # Of 5.12, 3.74 and 3.25 two exceed 7/2.
    assert any("β = 7 leaves 2 of 3 dimensions" in text for text in told)
    panel.set_config(linear.replace(beta=6.0))
    told = [label.text() for label in panel.findChildren(QLabel) if label.isVisibleTo(panel)]
    assert not any("dimensions of the code alive" in text for text in told)
