from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from aeviewer.panels.latent.selection_panel import SelectionPanel
from trainers import runs
from trainers.datasets.mnist import load_split
from trainers.inference import load
from trainers.presets import preset
from trainers.runs import RunState

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from tests.aeviewer.explored_run import ExploredServices, TrainRun
    from trainers.runs import Run

CHOSEN = np.array([3, 8, 21, 400, 9_999])


@pytest.fixture(scope="session")
def run(trained_run: TrainRun) -> Run:
    return trained_run("elu", 3)


@pytest.fixture
def panel(explored: ExploredServices, qtbot: QtBot) -> SelectionPanel:
    panel = SelectionPanel(explored.latent_state, explored.compute)
    qtbot.addWidget(panel)
    panel.resize(320, 560)
    panel.show()
    return panel


def select(qtbot: QtBot, explored: ExploredServices, panel: SelectionPanel) -> None:
    explored.latent_state.select(CHOSEN)
    qtbot.waitUntil(lambda: panel.headline.text() == "5 images selected")


def test_it_tells_what_they_have_in_common(
    qtbot: QtBot, explored: ExploredServices, panel: SelectionPanel, run: Run
) -> None:
    select(qtbot, explored, panel)
    codes = explored.latent_state.codes
    assert codes is not None
    mean = codes[CHOSEN].mean(axis=0)
    counts = np.bincount(load_split("test").labels[CHOSEN], minlength=10)
    told = ", ".join(f"{digit}: {count}" for digit, count in enumerate(counts.tolist()))
    assert panel.bars.accessibleName() == f"By class {told}"
    qtbot.waitUntil(lambda: panel.views[1].image is not None)
    decoded = load(run).decode(mean[None])[0].clip(0, 1) * 255
    shown = panel.views[1].image
    assert shown is not None
    seen = [[shown.pixelColor(x, y).red() for x in range(28)] for y in range(28)]
    np.testing.assert_allclose(seen, decoded, atol=1)
    nearest = CHOSEN[np.linalg.norm(codes[CHOSEN] - mean, axis=1).argmin()]
    assert f"Test image {nearest:,}, digit" in panel.views[2].toolTip()
    assert panel.images.count == 5


def test_an_image_that_is_chosen_becomes_the_marked_code(
    qtbot: QtBot, explored: ExploredServices, panel: SelectionPanel
) -> None:
    select(qtbot, explored, panel)
    panel.images.setFocus()
    panel.images.set_current(3)
    qtbot.keyClick(panel.images, Qt.Key.Key_Return)
    codes = explored.latent_state.codes
    assert codes is not None
    np.testing.assert_array_equal(explored.session.code, codes[400])


def test_it_is_saved_as_a_table(
    qtbot: QtBot, explored: ExploredServices, panel: SelectionPanel, tmp_path: Path
) -> None:
    select(qtbot, explored, panel)
    qtbot.mouseClick(panel.csv_button, Qt.MouseButton.LeftButton)
    place = tmp_path / "chosen.csv"
    dialog = panel.findChild(QFileDialog)
    assert dialog.selectedFiles()[0].endswith("elu-d3-selection.csv")
    dialog.fileSelected.emit(str(place))
    dialog.close()
    with place.open(newline="") as file:
        rows = list(csv.DictReader(file))
    codes = explored.latent_state.codes
    assert codes is not None
    assert [row["image"] for row in rows][-1] == "test image 9,999"
    assert [int(row["class"]) for row in rows] == load_split("test").labels[CHOSEN].tolist()
    read = np.array([[float(row[f"z{n}"]) for n in (1, 2, 3)] for row in rows])
    np.testing.assert_allclose(read, codes[CHOSEN], rtol=1e-6)


def test_a_folder_that_can_not_be_written_is_one_message(
    qtbot: QtBot, explored: ExploredServices, panel: SelectionPanel, tmp_path: Path
) -> None:
    told: list[str] = []
    explored.session.message_posted.connect(told.append)
    select(qtbot, explored, panel)
    qtbot.mouseClick(panel.csv_button, Qt.MouseButton.LeftButton)
    dialog = panel.findChild(QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "missing" / "chosen.csv"))
    dialog.close()
    assert len(told) == 1
    assert "chosen.csv cannot be written (No such file or directory)" in told[0]


def test_clear_selects_none(
    qtbot: QtBot, explored: ExploredServices, panel: SelectionPanel
) -> None:
    select(qtbot, explored, panel)
    qtbot.mouseClick(panel.clear_button, Qt.MouseButton.LeftButton)
    assert len(explored.latent_state.selection) == 0
    explored.latent_state.undo_stack.undo()
    np.testing.assert_array_equal(explored.latent_state.selection, CHOSEN)


def test_a_run_without_codes_shows_no_selection_of_the_run_before(
    qtbot: QtBot, explored: ExploredServices, panel: SelectionPanel
) -> None:
    session = explored.session
    select(qtbot, explored, panel)
    untrained = runs.create_run(preset("elu"), session.folder, "untrained")
    session.set_current(session.add(untrained, RunState.NEW))
    qtbot.waitUntil(lambda: not panel.headline.isVisible())
    assert session.preview is None
