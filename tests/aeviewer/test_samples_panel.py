from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from aeviewer.panels.samples import SamplesPanel
from tests.aeviewer.exploring import Explored, services, trained
from trainers.exploration.density import mixture_sample, prior_sample
from trainers.inference import load
from trainers.work import finish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from aeviewer.services.session import Session
    from trainers.runs import Run


@pytest.fixture(scope="module", params=["vae", "elu"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return trained(tmp_path_factory.mktemp("runs"), request.param, 2)


@pytest.fixture
def explored(session: Session, run: Run, qtbot: QtBot) -> Iterator[Explored]:
    made = services(session)
    session.set_current(session.add(run, "finished"))
    qtbot.waitUntil(lambda: session.preview is not None)
    yield made
    made.compute.close()


@pytest.fixture
def panel(explored: Explored, qtbot: QtBot) -> SamplesPanel:
    panel = SamplesPanel(explored.exploration, explored.compute)
    qtbot.addWidget(panel)
    panel.resize(320, 520)
    panel.show()
    qtbot.waitUntil(lambda: panel.sheet.count > 0, timeout=30_000)
    return panel


def marked(qtbot: QtBot, explored: Explored, panel: SamplesPanel, number: int) -> np.ndarray:
    """The code of a sample, as choosing it shows."""
    panel.sheet.setFocus()
    panel.sheet.set_current(number)
    qtbot.keyClick(panel.sheet, Qt.Key.Key_Return)
    assert explored.session.code is not None
    return explored.session.code


def test_the_prior_where_there_is_one_and_a_density_elsewhere(
    qtbot: QtBot, explored: Explored, panel: SamplesPanel, run: Run
) -> None:
    codes = explored.exploration.test_codes
    assert codes is not None
    if run.config.model.variational:
        assert panel.source.currentData() == "prior"
        wanted = prior_sample(2, 48, 0)
    else:
        assert panel.source.currentData() == "mixture"
        wanted = finish(mixture_sample(codes, 48, 0))
    assert panel.sheet.count == 48
    np.testing.assert_allclose(marked(qtbot, explored, panel, 5), wanted[5], rtol=1e-6)
    image = panel.sheet.model().index(5, 0).data(Qt.ItemDataRole.DecorationRole)
    pixel = image.pixmap(56, 56).toImage().pixelColor(28, 28).red()
    decoded = load(run).decode(wanted[5][None])[0].clip(0, 1)[14, 14] * 255
    assert pixel == pytest.approx(decoded, abs=2)


def test_another_seed_draws_others(qtbot: QtBot, explored: Explored, panel: SamplesPanel) -> None:
    first = np.array(marked(qtbot, explored, panel, 0))
    qtbot.mouseClick(panel.again, Qt.MouseButton.LeftButton)
    assert panel.seed.value() == 1
    qtbot.waitUntil(lambda: not np.array_equal(marked(qtbot, explored, panel, 0), first))
    panel.seed.setValue(0)
    qtbot.waitUntil(lambda: np.array_equal(marked(qtbot, explored, panel, 0), first))


def test_the_sheet_is_saved(panel: SamplesPanel, tmp_path: Path) -> None:
    panel.save_button.click()
    dialog = panel.findChild(QFileDialog)
    place = tmp_path / "sheet.png"
    dialog.fileSelected.emit(str(place))
    dialog.close()
    with Image.open(place) as kept:
        assert kept.size == (48 * 112 + 47 * 2, 112)
