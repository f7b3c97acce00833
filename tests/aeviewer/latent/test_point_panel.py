from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import Qt

from aeviewer.panels.latent.point_panel import PointPanel
from aeviewer.services.latent.point_details import NEIGHBOURS, PointDetails, PointInspector
from trainers.datasets.mnist import load_split
from trainers.inference import load

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from tests.aeviewer.explored_run import ExploredServices
    from trainers.runs import Run


@pytest.fixture
def inspection(explored: ExploredServices) -> PointInspector:
    return PointInspector(explored.latent_state, explored.compute)


@pytest.fixture
def panel(explored: ExploredServices, inspection: PointInspector, qtbot: QtBot) -> PointPanel:
    panel = PointPanel(explored.latent_state, inspection)
    qtbot.addWidget(panel)
    panel.resize(320, 500)
    panel.show()
    return panel


def found(
    qtbot: QtBot, explored: ExploredServices, inspection: PointInspector, code: np.ndarray
) -> PointDetails:
    explored.latent_state.move(code)
    qtbot.waitUntil(
        lambda: inspection.details is not None and np.array_equal(inspection.details.code, code)
    )
    assert inspection.details is not None
    return inspection.details


def test_the_code_of_an_image(
    qtbot: QtBot,
    explored: ExploredServices,
    inspection: PointInspector,
    panel: PointPanel,
    run: Run,
) -> None:
    codes = explored.latent_state.codes
    assert codes is not None
    told = found(qtbot, explored, inspection, codes[17])
    assert told.image == 17
    away = np.linalg.norm(codes - codes[17], axis=1)
    nearest = np.argsort(away, kind="stable")[1 : NEIGHBOURS + 1]
    np.testing.assert_array_equal(told.neighbours, nearest)
    np.testing.assert_allclose(told.distances, away[nearest], rtol=1e-4)
    model = load(run)
    image = load_split("test").images[17]
    decoded = model.decode(codes[17][None])
    assert told.error == pytest.approx(np.square(decoded[0] - image / 255).sum(), rel=1e-4)
    back = model.encode(decoded.clip(0, 1))[0]
    assert told.drift == pytest.approx(np.linalg.norm(back - codes[17]), rel=1e-4)
    _, variances = model.posterior(image[None])
    assert variances is not None
    assert told.log_variance is not None
    np.testing.assert_allclose(told.log_variance, variances[0], rtol=1e-4)
    assert panel.headline.text() == f"Test image 17, digit {load_split('test').labels[17]}"
    assert panel.captions[1].text() == f"reconstruction, error {told.error:.2f}"


def test_a_code_between_the_images(
    qtbot: QtBot, explored: ExploredServices, inspection: PointInspector, panel: PointPanel
) -> None:
    told = found(qtbot, explored, inspection, np.array([9, 9, 9], np.float32))
    assert told.image is None
    assert told.error is None
    assert len(told.neighbours) == NEIGHBOURS
    assert panel.headline.text() == "A code of no image"
    assert not panel.views[0].isVisible()


def test_a_neighbour_that_is_chosen_becomes_the_marked_code(
    qtbot: QtBot, explored: ExploredServices, inspection: PointInspector, panel: PointPanel
) -> None:
    codes = explored.latent_state.codes
    assert codes is not None
    told = found(qtbot, explored, inspection, codes[17])
    qtbot.waitUntil(lambda: panel.neighbours.count == NEIGHBOURS)
    panel.neighbours.setFocus()
    panel.neighbours.set_current(2)
    qtbot.keyClick(panel.neighbours, Qt.Key.Key_Return)
    np.testing.assert_array_equal(explored.session.code, codes[told.neighbours[2]])


def test_the_button_pins_the_image(
    qtbot: QtBot, explored: ExploredServices, inspection: PointInspector, panel: PointPanel
) -> None:
    codes = explored.latent_state.codes
    assert codes is not None
    found(qtbot, explored, inspection, codes[17])
    qtbot.mouseClick(panel.pin_button, Qt.MouseButton.LeftButton)
    assert [pin.image for pin in explored.latent_state.pins] == [17]
    assert panel.pins.text() == "Pins: A"
    qtbot.mouseClick(panel.unpin_button, Qt.MouseButton.LeftButton)
    assert explored.latent_state.pins == ()


def test_nobody_looks_nobody_computes(
    qtbot: QtBot, explored: ExploredServices, inspection: PointInspector, panel: PointPanel
) -> None:
    qtbot.waitUntil(lambda: inspection.details is not None)
    panel.hide()
    assert inspection.details is None
    codes = explored.latent_state.codes
    assert codes is not None
    explored.latent_state.move(codes[3])
    # What is asked later is answered later: the code's image comes, the inspection stays.
    qtbot.waitUntil(lambda: explored.session.image is not None)
    assert inspection.details is None
    panel.show()
    qtbot.waitUntil(lambda: inspection.details is not None)
