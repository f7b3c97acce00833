from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import Qt

from aeviewer.panels.latent.latent_panel import LatentPanel
from aeviewer.services.latent.undo_state import Pin
from tests.aeviewer.explored_run import ExploredServices
from tests.aeviewer.latent.latent_panel_hands import codes, drag, give, hover, pixel, press, show
from trainers.datasets import mnist
from trainers.inference import load
from trainers.runs import RunState

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from aeviewer.services.latent.latent_state import LatentState
    from aeviewer.services.runs.session import Session
    from tests.aeviewer.explored_run import TrainRun


def test_pressing_decodes_that_point(qtbot: QtBot, panel: LatentPanel, session: Session) -> None:
    show(qtbot, panel, session, codes(2))
    press(qtbot, panel, 1.0, -0.5)
    np.testing.assert_allclose(session.code, [1.0, -0.5], atol=0.02)
    assert panel.plot.marker == pytest.approx(session.code)


def test_arrows_move_the_code(qtbot: QtBot, panel: LatentPanel, session: Session) -> None:
    show(qtbot, panel, session, codes(2))
    before = np.array(session.code)
    qtbot.keyClick(panel.plot, Qt.Key.Key_Right)
    moved = session.code - before
    assert 0 < moved[0] < 0.2
    assert moved[1] == pytest.approx(0, abs=1e-6)


def test_other_coordinates_stay_as_in_the_marked_code(
    qtbot: QtBot, panel: LatentPanel, session: Session
) -> None:
    show(qtbot, panel, session, codes(5))
    session.set_code(np.array([0, 0, 3, 4, 5], np.float32))
    drag(panel, pixel(panel, -1.0, 0.5), pixel(panel, 1.0, -0.5))
    np.testing.assert_allclose(session.code, [1, -0.5, 3, 4, 5], atol=0.03)
    assert panel.plane_bar.note.text() == "The other 3 stay as in the marked code."


def test_hovering_shows_the_digit(qtbot: QtBot, panel: LatentPanel, session: Session) -> None:
    table = codes(2)
    table[1234] = (6, 6)
    show(qtbot, panel, session, table)
    hover(panel, pixel(panel, 6, 6))
    label = mnist.load_split("test").labels[1234]
    assert panel.plot.card.isVisible()
    assert panel.plot.card.words.text() == f"digit {label}\ntest image 1,234\nsquared error …"
    hover(panel, pixel(panel, 6, -2))
    assert not panel.plot.card.isVisible()


class TestHovering:
    """With a model that answers."""

    def test_it_tells_the_reconstruction_error_of_each_image(
        self, qtbot: QtBot, session: Session, trained_run: TrainRun
    ) -> None:
        explored = ExploredServices(session)
        panel = LatentPanel(explored)
        qtbot.addWidget(panel)
        panel.resize(700, 600)
        panel.show()
        run = trained_run("elu", 2)
        session.set_current(session.add(run, RunState.FINISHED))
        qtbot.waitUntil(lambda: len(panel.plot.raster.xy) == 10_000)
        model, test = load(run), mnist.load_split("test")
        reconstructions = model.decode(model.encode(test.images))
        errors = np.square(reconstructions - test.images / 255).sum(axis=(1, 2))
        for image in (17, 4_321):
            hover(panel, pixel(panel, *panel.plot.raster.xy[image].tolist()))
            found = explored.hover_error.image
            assert found is not None
            told = (
                f"digit {test.labels[found]}\ntest image {found:,}\n"
                f"squared error {errors[found]:.2f}"
            )
            qtbot.waitUntil(lambda told=told: panel.plot.card.words.text() == told)
            assert panel.plot.card.isVisible()
        session.set_current(None)
        assert not panel.plot.card.isVisible()
        explored.compute.close()


class TestPointing:
    """What is clicked, pinned, circled, and taken back."""

    @pytest.fixture(autouse=True)
    def _shown(self, qtbot: QtBot, panel: LatentPanel, session: Session) -> None:
        self.codes = codes(5)
        self.codes[1234, :2] = (6, 6)
        show(qtbot, panel, session, self.codes)

    def test_a_click_on_a_code_marks_that_very_code(
        self, qtbot: QtBot, panel: LatentPanel, session: Session, latent_state: LatentState
    ) -> None:
        press(qtbot, panel, 6.02, 6.0)
        np.testing.assert_array_equal(session.code, self.codes[1234])
        assert latent_state.undo_stack.count() == 1

    def test_ctrl_and_a_click_pin(
        self, qtbot: QtBot, panel: LatentPanel, session: Session, latent_state: LatentState
    ) -> None:
        control = Qt.KeyboardModifier.ControlModifier
        left, viewport = Qt.MouseButton.LeftButton, panel.plot.viewport()
        qtbot.mouseClick(viewport, left, control, pixel(panel, 6, 6))
        assert [pin.image for pin in latent_state.pins] == [1234]
        qtbot.mouseClick(viewport, left, control, pixel(panel, 6, -2))
        assert [pin.image for pin in latent_state.pins] == [1234, None]
        moved = self.codes + 1
        give(qtbot, panel, session, moved, 5000)
        np.testing.assert_array_equal(latent_state.pins[0].code, moved[1234])
        np.testing.assert_allclose(latent_state.pins[1].code[:2], [6, -2], atol=0.05)

    def test_p_pins_and_u_unpins_the_last(
        self, qtbot: QtBot, panel: LatentPanel, latent_state: LatentState
    ) -> None:
        press(qtbot, panel, 6, 6)
        qtbot.keyClick(panel.plot, Qt.Key.Key_P)
        assert [pin.image for pin in latent_state.pins] == [1234]
        qtbot.keyClick(panel.plot, Qt.Key.Key_U)
        assert latent_state.pins == ()

    def test_shift_and_a_drag_select_what_was_circled(
        self, panel: LatentPanel, session: Session, latent_state: LatentState, qtbot: QtBot
    ) -> None:
        panel.plane_bar.set_mode("rectangle")
        drag(panel, pixel(panel, 5, 5), pixel(panel, 7, 7))
        np.testing.assert_array_equal(latent_state.selection, [1234])
        assert panel.plot.raster.lit == 1
        panel.plane_bar.set_mode("point")
        before = np.array(session.code)
        drag(panel, pixel(panel, 0, 0), pixel(panel, 1, 1), Qt.KeyboardModifier.ShiftModifier)
        np.testing.assert_array_equal(session.code, before)
        qtbot.keyClick(panel.plot, Qt.Key.Key_Escape)
        assert len(latent_state.selection) == 0

    def test_the_selection_stays_through_checkpoints_and_runs(
        self, qtbot: QtBot, panel: LatentPanel, session: Session, latent_state: LatentState
    ) -> None:
        latent_state.select(np.array([5, 3, 5]))
        give(qtbot, panel, session, self.codes + 1, 5000)
        show(qtbot, panel, session, codes(2), "relu")
        np.testing.assert_array_equal(latent_state.selection, [3, 5])
        assert panel.plot.raster.lit == 2

    def test_a_rectangle_by_keys(
        self, qtbot: QtBot, panel: LatentPanel, session: Session, latent_state: LatentState
    ) -> None:
        session.set_code(np.array([5.5, 5.5, 0, 0, 0], np.float32))
        qtbot.keyClick(panel.plot, Qt.Key.Key_R)
        for key in (Qt.Key.Key_Right, Qt.Key.Key_Up):
            for _ in range(4):
                qtbot.keyClick(panel.plot, key, Qt.KeyboardModifier.ShiftModifier)
        qtbot.keyClick(panel.plot, Qt.Key.Key_R)
        np.testing.assert_array_equal(latent_state.selection, [1234])

    def test_k_selects_the_nearest_in_the_whole_space(
        self, qtbot: QtBot, panel: LatentPanel, session: Session, latent_state: LatentState
    ) -> None:
        session.set_code(self.codes[7])
        qtbot.keyClick(panel.plot, Qt.Key.Key_K)
        away = np.linalg.norm(self.codes - self.codes[7], axis=1)
        np.testing.assert_array_equal(latent_state.selection, np.sort(np.argsort(away)[:100]))

    def test_a_drag_is_undone_at_once_then_the_pin_then_the_selection(
        self, qtbot: QtBot, panel: LatentPanel, session: Session, latent_state: LatentState
    ) -> None:
        begun = np.array(session.code)
        latent_state.select(np.array([1, 2]))
        latent_state.pin(Pin(self.codes[3], 3))
        drag(panel, pixel(panel, -1, 0), pixel(panel, 1, 1))
        stack = latent_state.undo_stack
        stack.undo()
        np.testing.assert_array_equal(session.code, self.codes[3])
        stack.undo()
        assert latent_state.pins == ()
        np.testing.assert_array_equal(session.code, begun)
        stack.undo()
        assert len(latent_state.selection) == 0
        assert not stack.canUndo()
        for _ in range(3):
            stack.redo()
        assert len(latent_state.pins) == 1
        np.testing.assert_allclose(session.code[:2], [1, 1], atol=0.05)

    def test_three_pins_span_a_plane(
        self, qtbot: QtBot, panel: LatentPanel, session: Session, latent_state: LatentState
    ) -> None:
        for image in (10, 20, 30):
            latent_state.pin(Pin(self.codes[image], image))
        panel.plane_bar.kind.setCurrentIndex(2)
        corners = self.codes[[10, 20, 30]]
        places = panel.plot.raster.xy[[10, 20, 30]]
        np.testing.assert_allclose(places[0], 0, atol=1e-5)
        np.testing.assert_allclose(places[1, 1], 0, atol=1e-5)
        for one, other in ((0, 1), (0, 2), (1, 2)):
            there = np.linalg.norm(places[one] - places[other])
            assert there == pytest.approx(np.linalg.norm(corners[one] - corners[other]), rel=1e-4)
        assert panel.plot.axis("bottom").labelText == "from A towards B"
