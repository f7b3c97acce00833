from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QLabel

from aeviewer.panels.latent.reconstructions_panel import ReconstructionsPanel
from trainers import runs
from trainers.datasets import PREVIEW_DIGITS
from trainers.datasets.mnist import load_split
from trainers.errors import DataError
from trainers.events import Preview
from trainers.presets import preset
from trainers.runs import RunState

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from aeviewer.services.runs.session import Session


def inputs() -> np.ndarray:
    return load_split("test").images[list(PREVIEW_DIGITS)]


def made(reconstructions: np.ndarray, step: int = 3_000) -> Preview:
    return Preview(step, np.zeros((10_000, 2), np.float32), reconstructions)


@pytest.fixture
def panel(session: Session, qtbot: QtBot) -> ReconstructionsPanel:
    session.add(runs.create_run(preset("vae"), session.folder, "a"), RunState.NEW)
    session.set_current(session.items[0].key)
    shown = ReconstructionsPanel(session)
    qtbot.addWidget(shown)
    shown.resize(760, 400)
    shown.show()
    return shown


def words(panel: ReconstructionsPanel) -> str:
    return " ".join(label.text() for label in panel.findChildren(QLabel) if label.isVisible())


def test_before_there_is_a_preview_it_says_what_to_do(panel: ReconstructionsPanel) -> None:
    assert "train a run" in words(panel)
    assert not panel.grid.isVisible()


def test_a_preview_is_shown_with_its_error(panel: ReconstructionsPanel, session: Session) -> None:
    session.set_preview(made(np.zeros((32, 28, 28), np.uint8)))
    error = np.square(inputs() / 255).sum(axis=(1, 2)).mean()
    assert panel.grid.shown == 32
    assert f"squared error {error:.1f} (mean of 32) · step 3,000 · a" in words(panel)
    session.set_preview(made(inputs(), step=5_000))
    assert "squared error 0.0 (mean of 32) · step 5,000 · a" in words(panel)


def test_without_a_preview_it_is_empty_again(panel: ReconstructionsPanel, session: Session) -> None:
    session.set_preview(made(inputs()))
    session.set_preview(None)
    assert not panel.grid.isVisible()
    assert "train a run" in words(panel)


def test_pointing_tells_the_digit(
    panel: ReconstructionsPanel, session: Session, qtbot: QtBot
) -> None:
    output = inputs()
    output[31] = 0
    session.set_preview(made(output))
    qtbot.mouseMove(panel.grid, panel.grid.place(31).center())
    error = np.square(inputs()[31] / 255).sum()
    assert panel.card.isVisible()
    assert panel.card.words.text() == f"test 61 · 8\nsquared error\n{error:.1f} per image"
    assert panel.rect().contains(panel.card.geometry())
    qtbot.mouseMove(panel.grid, panel.grid.rect().bottomLeft())
    assert not panel.card.isVisible()


def test_the_card_follows_what_is_shown(
    panel: ReconstructionsPanel, session: Session, qtbot: QtBot
) -> None:
    session.set_preview(made(np.zeros((32, 28, 28), np.uint8)))
    qtbot.mouseMove(panel.grid, panel.grid.place(3).center())
    session.set_preview(made(inputs()))
    assert panel.card.words.text().endswith("\n0.0 per image")
    session.set_preview(None)
    assert not panel.card.isVisible()


def test_the_picture_is_copied(panel: ReconstructionsPanel, session: Session) -> None:
    session.set_preview(made(inputs()))
    panel.picture.copy_action.trigger()
    assert QGuiApplication.clipboard().image().size() == panel.grid.picture().size()


def test_the_picture_is_saved(
    panel: ReconstructionsPanel, session: Session, tmp_path: Path, qtbot: QtBot
) -> None:
    session.set_preview(made(inputs()))
    panel.picture.png_action.trigger()
    [dialog] = panel.findChildren(QFileDialog)
    assert dialog.selectedFiles()[0].endswith("a-step3000-reconstructions.png")
    dialog.setDirectory(str(tmp_path))
    dialog.selectFile("picture")
    dialog.accept()
    qtbot.waitUntil(lambda: not panel.findChildren(QFileDialog))
    with Image.open(tmp_path / "picture.png") as picture:
        assert picture.width == panel.grid.picture().width()


def test_missing_data_is_told(
    panel: ReconstructionsPanel,
    session: Session,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def damaged() -> None:
        raise DataError("The images are damaged.")

    monkeypatch.setattr(session, "data", damaged)
    with qtbot.waitSignal(session.message_posted) as told:
        session.set_preview(made(np.zeros((32, 28, 28), np.uint8)))
    assert told.args == ["The images are damaged."]
    assert not panel.grid.isVisible()


def test_a_digit_that_is_shown_is_told_of_though_its_data_set_has_gone(
    panel: ReconstructionsPanel, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.set_preview(made(inputs()))

    gone = DataError("There is no data set 'spots' here.")
    monkeypatch.setattr(session, "data", Mock(side_effect=gone))
    panel.grid.hovered.emit(3)
    assert panel.card.words.text().startswith("test 3 · ")
