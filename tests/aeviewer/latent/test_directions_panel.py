from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import Qt

from aeviewer.panels.latent.directions_panel import DirectionsPanel
from aeviewer.panels.latent.latent_panel import LatentPanel
from aeviewer.services.latent.directions import WORTH
from trainers.exploration.local_directions import local_directions
from trainers.inference import load

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from tests.aeviewer.explored_run import ExploredServices
    from trainers.runs import Run


@pytest.fixture
def panel(explored: ExploredServices, qtbot: QtBot) -> DirectionsPanel:
    panel = DirectionsPanel(explored.latent_state, explored.directions)
    qtbot.addWidget(panel)
    panel.resize(440, 520)
    panel.show()
    qtbot.waitUntil(lambda: explored.directions.steps is not None)
    return panel


def follow(qtbot: QtBot, explored: ExploredServices) -> None:
    """Waits until the grid is around the marked code."""
    qtbot.waitUntil(
        lambda: (
            explored.directions.steps is not None
            and np.array_equal(explored.directions.steps.code, explored.session.code)
        )
    )


def test_rows_are_directions_columns_steps_and_images_their_decoded_codes(
    qtbot: QtBot, explored: ExploredServices, panel: DirectionsPanel, run: Run
) -> None:
    codes = explored.latent_state.test_codes
    assert codes is not None
    explored.latent_state.move(codes[17])
    follow(qtbot, explored)
    assert panel.grid.shape == (3, 7)
    wanted = local_directions(codes, codes[17], WORTH)
    grid = wanted.grid(codes[17])
    images = load(run).decode(grid.reshape(-1, 3)).reshape(3, 7, 28, 28)
    # Which way a direction goes is a matter of what was seen before.
    for row in range(3):
        mirrored = images[row, ::-1]
        shown = panel.grid.images[row]
        assert min(np.abs(shown - images[row]).max(), np.abs(shown - mirrored).max()) < 1e-4
    share, deviation = 100 * wanted.shares[0], wanted.deviations[0]
    assert panel.grid.titles[0] == f"1 · {share:.0f} % of the variance here · σ {deviation:.2g}"


def test_a_click_goes_there_the_grid_follows_and_undo_comes_back(
    qtbot: QtBot, explored: ExploredServices, panel: DirectionsPanel
) -> None:
    start = np.array(explored.session.code)
    follow(qtbot, explored)
    steps = explored.directions.steps
    assert steps is not None
    place = panel.grid.place(1, 5).center().toPoint()
    qtbot.mouseClick(panel.grid, Qt.MouseButton.LeftButton, pos=place)
    np.testing.assert_array_equal(explored.session.code, steps.codes[1, 5])
    follow(qtbot, explored)
    assert explored.directions.steps is not steps
    explored.latent_state.undo_stack.undo()
    np.testing.assert_array_equal(explored.session.code, start)


def test_arrows_and_return_walk_along_a_direction(
    qtbot: QtBot, explored: ExploredServices, panel: DirectionsPanel
) -> None:
    follow(qtbot, explored)
    panel.grid.setFocus(Qt.FocusReason.TabFocusReason)
    assert panel.grid.current == (0, 3)
    start = np.array(explored.session.code)
    qtbot.keyClick(panel.grid, Qt.Key.Key_Return)
    np.testing.assert_array_equal(explored.session.code, start)
    qtbot.keyClick(panel.grid, Qt.Key.Key_Right)
    for _ in range(2):
        steps = explored.directions.steps
        assert steps is not None
        qtbot.keyClick(panel.grid, Qt.Key.Key_Return)
        np.testing.assert_array_equal(explored.session.code, steps.codes[0, 4])
        follow(qtbot, explored)
    assert panel.grid.current == (0, 4)


def test_it_tells_how_far_a_step_is_and_the_plane_shows_its_row(
    qtbot: QtBot, explored: ExploredServices, panel: DirectionsPanel
) -> None:
    latent = LatentPanel(explored)
    qtbot.addWidget(latent)
    follow(qtbot, explored)
    steps = explored.directions.steps
    assert steps is not None
    assert "Click a step" in panel.note.text()
    panel.grid.setFocus(Qt.FocusReason.TabFocusReason)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Left):
        qtbot.keyClick(panel.grid, key)
    assert panel.note.text().startswith(
        f"Direction 2, −2 σ: distance {2 * steps.local.deviations[1]:.2g}, Δz = ("
    )
    plane = explored.latent_state.plane
    assert plane is not None
    np.testing.assert_allclose(latent.plot.ray, plane.project(steps.codes[1]), rtol=1e-6)
    panel.grid.clearFocus()
    assert len(latent.plot.ray) == 0


def test_a_wider_neighbourhood(
    qtbot: QtBot, explored: ExploredServices, panel: DirectionsPanel
) -> None:
    follow(qtbot, explored)
    before = explored.directions.steps
    assert before is not None
    panel.around.setFocus()
    qtbot.keyClick(panel.around, Qt.Key.Key_End)
    qtbot.waitUntil(
        lambda: (
            explored.directions.steps is not None
            and explored.directions.steps.local.width == np.inf
        )
    )
    codes = explored.latent_state.test_codes
    assert codes is not None
    variances = np.linalg.eigvalsh(np.cov(codes.T.astype(np.float64), bias=True))[::-1]
    steps = explored.directions.steps
    assert steps is not None
    np.testing.assert_allclose(np.square(steps.local.deviations), variances, rtol=1e-6)


def test_nobody_looks_nobody_computes(
    qtbot: QtBot, explored: ExploredServices, panel: DirectionsPanel
) -> None:
    follow(qtbot, explored)
    panel.hide()
    assert explored.directions.steps is None
    codes = explored.latent_state.codes
    assert codes is not None
    explored.latent_state.move(codes[3])
    # What is asked later is answered later: the code's image comes, the steps do not.
    qtbot.waitUntil(lambda: explored.session.image is not None)
    assert explored.directions.steps is None
    panel.show()
    follow(qtbot, explored)
