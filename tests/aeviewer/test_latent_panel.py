from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import Mock

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from aeviewer.panels.latent import LatentPanel
from aeviewer.services.compute import ComputeThread
from aeviewer.services.exploring import Exploring
from aeviewer.services.held import Pin
from aeviewer.services.mailbox import Mailbox
from aeviewer.services.track import Between
from tests.aeviewer.exploring import services, trained
from trainers import runs
from trainers.datasets import mnist
from trainers.errors import DataError
from trainers.events import Preview
from trainers.exploration.planes import axes_plane
from trainers.inference import load
from trainers.presets import preset

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from aeviewer.services.exploration import Exploration
    from aeviewer.services.session import Session


@pytest.fixture
def exploring(session: Session) -> Exploring:
    """Services whose questions nobody answers: the thread does not run."""
    return Exploring(session, ComputeThread(Mailbox()))


@pytest.fixture
def exploration(exploring: Exploring) -> Exploration:
    return exploring.exploration


@pytest.fixture
def panel(qtbot: QtBot, exploring: Exploring) -> LatentPanel:
    panel = LatentPanel(exploring)
    qtbot.addWidget(panel)
    panel.resize(700, 600)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def codes(latent_dim: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(10_000, latent_dim)) + 0.5).astype(np.float32)


def show(
    qtbot: QtBot, panel: LatentPanel, session: Session, table: np.ndarray, name: str = "elu"
) -> None:
    config = preset(name).replace(latent_dim=table.shape[1])
    session.set_current(session.add(runs.create(config, session.folder), "running"))
    give(qtbot, panel, session, table, 1000 * len(session.items))


def give(qtbot: QtBot, panel: LatentPanel, session: Session, table: np.ndarray, step: int) -> None:
    session.set_preview(Preview(step, table, np.zeros((32, 28, 28), np.uint8)))
    qtbot.waitUntil(lambda: panel.note.text() == f"step {step:,} · 10,000 test images")


def pixel(panel: LatentPanel, x: float, y: float) -> QPoint:
    plot = panel.plot
    return plot.mapFromScene(plot.box.mapViewToScene(QPointF(x, y)))


def press(qtbot: QtBot, panel: LatentPanel, x: float, y: float) -> None:
    qtbot.mouseClick(panel.plot.viewport(), Qt.MouseButton.LeftButton, pos=pixel(panel, x, y))


def drag(
    panel: LatentPanel,
    start: QPoint,
    end: QPoint,
    keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    viewport, left = panel.plot.viewport(), Qt.MouseButton.LeftButton
    QTest.mousePress(viewport, left, keys, start)
    for place in (start + (end - start) * share / 4 for share in range(1, 5)):
        where, held = place.toPointF(), Qt.MouseButton.LeftButton
        event = QMouseEvent(
            QEvent.Type.MouseMove, where, viewport.mapToGlobal(where), held, held, keys
        )
        QApplication.sendEvent(viewport, event)
    QTest.mouseRelease(viewport, left, keys, end)


def hover(panel: LatentPanel, place: QPoint) -> None:
    none, free = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.NoButton
    where = place.toPointF()
    event = QMouseEvent(QEvent.Type.MouseMove, where, where, free, free, none)
    QApplication.sendEvent(panel.plot.viewport(), event)


def test_without_codes_it_says_what_to_do(panel: LatentPanel) -> None:
    assert panel.empty.isVisible()
    assert panel.empty.label.text() == "Press Train, or choose a run: its codes appear here."


def test_first_codes_give_the_decoder_their_mean(
    qtbot: QtBot, panel: LatentPanel, session: Session
) -> None:
    table = codes(2)
    show(qtbot, panel, session, table)
    np.testing.assert_allclose(session.code, table.mean(axis=0), atol=1e-5)
    assert panel.plot.marker == pytest.approx(table.mean(axis=0), abs=1e-5)


def test_all_test_codes_are_shown_by_class(
    qtbot: QtBot, panel: LatentPanel, session: Session
) -> None:
    table = codes(2)
    show(qtbot, panel, session, table)
    np.testing.assert_allclose(panel.plot.raster.xy, table)
    assert len(panel.plot.raster.shown) == 10_000


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
    assert panel.choice.note.text() == "The other 3 stay as in the marked code."


def test_axes_are_chosen_and_never_the_same(
    qtbot: QtBot, panel: LatentPanel, session: Session
) -> None:
    table = codes(5)
    show(qtbot, panel, session, table)
    qtbot.keyClick(panel.choice.x_axis, Qt.Key.Key_End)
    np.testing.assert_allclose(panel.plot.raster.xy, table[:, [4, 1]])
    qtbot.keyClick(panel.choice.y_axis, Qt.Key.Key_End)
    np.testing.assert_allclose(panel.plot.raster.xy, table[:, [0, 4]])
    assert panel.plot.axis("bottom").labelText == "z₁"
    assert panel.plot.axis("left").labelText == "z₅"


def test_runs_with_fewer_or_more_coordinates_follow_each_other(
    qtbot: QtBot, panel: LatentPanel, session: Session
) -> None:
    show(qtbot, panel, session, codes(1))
    table = codes(5)
    show(qtbot, panel, session, table, "relu")
    np.testing.assert_allclose(panel.plot.raster.xy, table[:, [0, 1]])
    panel.choice.x_axis.setCurrentIndex(1)
    qtbot.keyClick(panel.choice.y_axis, Qt.Key.Key_End)
    show(qtbot, panel, session, codes(2), "sigmoid")
    np.testing.assert_allclose(panel.plot.raster.xy, codes(2))


def test_fewer_coordinates_keep_what_can_be_kept(
    qtbot: QtBot, panel: LatentPanel, session: Session
) -> None:
    show(qtbot, panel, session, codes(5))
    qtbot.keyClick(panel.choice.y_axis, Qt.Key.Key_End)
    panel.choice.x_axis.setCurrentIndex(1)
    table = codes(3)
    show(qtbot, panel, session, table, "relu")
    np.testing.assert_allclose(panel.plot.raster.xy, table[:, [1, 2]])


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("running", "Starting: the first codes appear in a moment"),
        ("queued", "It waits for its turn"),
        ("new", "Not started: choose Continue training in the runs list"),
        ("stopped", "Not started: choose Continue training in the runs list"),
        ("interrupted", "Not started: choose Continue training in the runs list"),
        ("failed", "Press Train, or choose a run: its codes appear here."),
    ],
)
def test_without_codes_it_says_what_is_the_case(
    qtbot: QtBot, panel: LatentPanel, session: Session, state: str, words: str
) -> None:
    key = session.add(runs.create(preset("elu"), session.folder), "paused")
    session.set_current(key)
    session.set_state(key, state)
    qtbot.waitUntil(lambda: panel.empty.label.text() == words)
    assert panel.empty.isVisible()


@pytest.mark.parametrize("latent_dim", [2, 5])
def test_panel_can_be_narrow(
    qtbot: QtBot, panel: LatentPanel, session: Session, latent_dim: int
) -> None:
    show(qtbot, panel, session, codes(latent_dim), "vae")
    assert panel.minimumSizeHint().width() <= 440


def test_principal_plane_is_named_and_does_not_flip(
    qtbot: QtBot, panel: LatentPanel, session: Session
) -> None:
    table = codes(5) * np.array([1, 5, 1, 3, 1], np.float32)
    show(qtbot, panel, session, table)
    qtbot.keyClick(panel.choice.kind, Qt.Key.Key_Down)
    before = panel.plot.raster.xy
    label = panel.plot.axis("bottom").labelText
    assert label.startswith("PC 1 of the codes (6")
    assert label.endswith("% of variance)")
    give(qtbot, panel, session, table + 0.05 * codes(5, seed=1), 4000)
    after = panel.plot.raster.xy
    assert (np.sum(before * after, axis=0) > 0).all()


def test_one_number_is_shown_by_class_and_decoded_by_x(
    qtbot: QtBot, panel: LatentPanel, session: Session
) -> None:
    table = codes(1)
    show(qtbot, panel, session, table)
    xy, labels = panel.plot.raster.xy, mnist.split("test").labels
    np.testing.assert_allclose(xy[:, 0], table[:, 0])
    np.testing.assert_array_equal(np.rint(xy[:, 1]), labels)
    press(qtbot, panel, 1.0, 7.0)
    np.testing.assert_allclose(session.code, [1.0], atol=0.03)
    marker = panel.plot.marker
    assert marker is not None
    assert np.isnan(marker[1])
    qtbot.keyClick(panel.plot, Qt.Key.Key_Return)  # it is at no one's height: nothing is near
    np.testing.assert_allclose(session.code, [marker[0]])


def test_a_code_of_another_run_than_the_one_that_is_played_has_no_mark(
    qtbot: QtBot, panel: LatentPanel, session: Session, exploring: Exploring
) -> None:
    flat = axes_plane(2, 0, 1)
    show(qtbot, panel, session, codes(3))
    exploring.playback.between = Between((0, 1), (flat, flat), codes(2).astype(np.float64), 0.5)
    session.set_code(np.ones(3, np.float32))
    assert panel.plot.marker is None
    exploring.playback.between = None


def test_codes_that_glide_without_their_data_set_give_way_to_what_is_wrong(
    qtbot: QtBot,
    panel: LatentPanel,
    session: Session,
    exploring: Exploring,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    show(qtbot, panel, session, codes(2))
    flat, playback = axes_plane(2, 0, 1), exploring.playback
    playback.between = Between((0, 1), (flat, flat), codes(2).astype(np.float64), 0.5)
    playback.track = object()  # type: ignore[assignment]
    exploring.exploration.cloud._gallery = None
    gone = DataError("There is no data set 'spots' here.")
    monkeypatch.setattr(session, "data", Mock(side_effect=gone))
    panel._glide()
    assert panel.empty.isVisible()
    assert panel.empty.label.text() == "There is no data set 'spots' here."
    playback.between = playback.track = None


def test_hovering_shows_the_digit(qtbot: QtBot, panel: LatentPanel, session: Session) -> None:
    table = codes(2)
    table[1234] = (6, 6)
    show(qtbot, panel, session, table)
    hover(panel, pixel(panel, 6, 6))
    label = mnist.split("test").labels[1234]
    assert panel.plot.card.isVisible()
    assert panel.plot.card.words.text() == f"digit {label}\ntest image 1,234\nsquared error …"
    hover(panel, pixel(panel, 6, -2))
    assert not panel.plot.card.isVisible()


def test_chips_show_and_hide_classes(qtbot: QtBot, panel: LatentPanel, session: Session) -> None:
    show(qtbot, panel, session, codes(2))
    labels, view = mnist.split("test").labels, panel.plot.view()
    chips, left = panel.legend.chips, Qt.MouseButton.LeftButton

    def seen() -> set[int]:
        return set(labels[panel.plot.raster.shown].tolist())

    qtbot.mouseClick(chips[3], left)
    assert seen() == set(range(10)) - {3}
    qtbot.keyClick(chips[3], Qt.Key.Key_Space)
    assert seen() == set(range(10))
    qtbot.mouseClick(chips[7], left)
    qtbot.mouseDClick(chips[7], left)
    assert seen() == {7}
    qtbot.mouseClick(chips[7], left, Qt.KeyboardModifier.ControlModifier)
    assert seen() == set(range(10))
    qtbot.keyClick(chips[2], Qt.Key.Key_Space, Qt.KeyboardModifier.ControlModifier)
    assert seen() == {2}
    assert panel.plot.view() == view


def test_view_rests_while_codes_wander_and_fits_another_run(
    qtbot: QtBot, panel: LatentPanel, session: Session
) -> None:
    show(qtbot, panel, session, codes(2))
    # The axes have names now: the plot between them is laid out anew, and fitted.
    QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
    view = panel.plot.view()
    give(qtbot, panel, session, codes(2) * 0.95, 4000)
    assert panel.plot.view() == view
    panel.plot.box.sigRangeChangedManually.emit([True, True])
    show(qtbot, panel, session, codes(2) * 100, "relu")
    assert panel.plot.view().width() > 10 * view.width()


def test_prior_is_offered_for_variational_runs(
    qtbot: QtBot, panel: LatentPanel, session: Session
) -> None:
    show(qtbot, panel, session, codes(2), "vae")
    layers = panel.choice.layers
    assert layers.prior.isEnabled()
    image = panel.plot.grab().toImage()
    layers.prior.click()
    assert panel.plot.grab().toImage() != image
    show(qtbot, panel, session, codes(2), "elu")
    assert not layers.prior.isEnabled()


def test_codes_that_belong_to_no_test_image_are_refused(
    qtbot: QtBot, panel: LatentPanel, session: Session
) -> None:
    session.set_preview(Preview(1, codes(2)[:50], np.zeros((32, 28, 28), np.uint8)))
    qtbot.waitUntil(lambda: "50 codes for 10,000 test images" in panel.empty.label.text())
    assert panel.empty.isVisible()


def test_hidden_panel_catches_up(qtbot: QtBot, session: Session, exploring: Exploring) -> None:
    panel = LatentPanel(exploring)
    qtbot.addWidget(panel)
    config = preset("elu").replace(latent_dim=2)
    session.set_current(session.add(runs.create(config, session.folder), "running"))
    session.set_preview(Preview(7, codes(2), np.zeros((32, 28, 28), np.uint8)))
    assert session.code is not None
    assert panel.note.text() == ""
    panel.show()
    assert panel.note.text() == "step 7 · 10,000 test images"


class TestHovering:
    """With a model that answers."""

    def test_it_tells_the_reconstruction_error_of_each_image(
        self, qtbot: QtBot, session: Session, tmp_path: Path
    ) -> None:
        explored = services(session)
        panel = LatentPanel(explored)
        qtbot.addWidget(panel)
        panel.resize(700, 600)
        panel.show()
        run = trained(tmp_path / "trained", "elu", 2)
        session.set_current(session.add(run, "finished"))
        qtbot.waitUntil(lambda: len(panel.plot.raster.xy) == 10_000)
        model, test = load(run), mnist.split("test")
        reconstructions = model.decode(model.encode(test.images))
        errors = np.square(reconstructions - test.images / 255).sum(axis=(1, 2))
        for image in (17, 4_321):
            hover(panel, pixel(panel, *panel.plot.raster.xy[image].tolist()))
            found = explored.hovering.image
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
        self, qtbot: QtBot, panel: LatentPanel, session: Session, exploration: Exploration
    ) -> None:
        press(qtbot, panel, 6.02, 6.0)
        np.testing.assert_array_equal(session.code, self.codes[1234])
        assert exploration.undo_stack.count() == 1

    def test_ctrl_and_a_click_pin(
        self, qtbot: QtBot, panel: LatentPanel, session: Session, exploration: Exploration
    ) -> None:
        control = Qt.KeyboardModifier.ControlModifier
        left, viewport = Qt.MouseButton.LeftButton, panel.plot.viewport()
        qtbot.mouseClick(viewport, left, control, pixel(panel, 6, 6))
        assert [pin.image for pin in exploration.pins] == [1234]
        qtbot.mouseClick(viewport, left, control, pixel(panel, 6, -2))
        assert [pin.image for pin in exploration.pins] == [1234, None]
        moved = self.codes + 1
        give(qtbot, panel, session, moved, 5000)
        np.testing.assert_array_equal(exploration.pins[0].code, moved[1234])
        np.testing.assert_allclose(exploration.pins[1].code[:2], [6, -2], atol=0.05)

    def test_p_pins_and_u_unpins_the_last(
        self, qtbot: QtBot, panel: LatentPanel, exploration: Exploration
    ) -> None:
        press(qtbot, panel, 6, 6)
        qtbot.keyClick(panel.plot, Qt.Key.Key_P)
        assert [pin.image for pin in exploration.pins] == [1234]
        qtbot.keyClick(panel.plot, Qt.Key.Key_U)
        assert exploration.pins == ()

    def test_shift_and_a_drag_select_what_was_circled(
        self, panel: LatentPanel, session: Session, exploration: Exploration, qtbot: QtBot
    ) -> None:
        panel.choice.set_mode("rectangle")
        drag(panel, pixel(panel, 5, 5), pixel(panel, 7, 7))
        np.testing.assert_array_equal(exploration.selection, [1234])
        assert panel.plot.raster.lit == 1
        panel.choice.set_mode("point")
        before = np.array(session.code)
        drag(panel, pixel(panel, 0, 0), pixel(panel, 1, 1), Qt.KeyboardModifier.ShiftModifier)
        np.testing.assert_array_equal(session.code, before)
        qtbot.keyClick(panel.plot, Qt.Key.Key_Escape)
        assert len(exploration.selection) == 0

    def test_the_selection_stays_through_checkpoints_and_runs(
        self, qtbot: QtBot, panel: LatentPanel, session: Session, exploration: Exploration
    ) -> None:
        exploration.select(np.array([5, 3, 5]))
        give(qtbot, panel, session, self.codes + 1, 5000)
        show(qtbot, panel, session, codes(2), "relu")
        np.testing.assert_array_equal(exploration.selection, [3, 5])
        assert panel.plot.raster.lit == 2

    def test_a_rectangle_by_keys(
        self, qtbot: QtBot, panel: LatentPanel, session: Session, exploration: Exploration
    ) -> None:
        session.set_code(np.array([5.5, 5.5, 0, 0, 0], np.float32))
        qtbot.keyClick(panel.plot, Qt.Key.Key_R)
        for key in (Qt.Key.Key_Right, Qt.Key.Key_Up):
            for _ in range(4):
                qtbot.keyClick(panel.plot, key, Qt.KeyboardModifier.ShiftModifier)
        qtbot.keyClick(panel.plot, Qt.Key.Key_R)
        np.testing.assert_array_equal(exploration.selection, [1234])

    def test_k_selects_the_nearest_in_the_whole_space(
        self, qtbot: QtBot, panel: LatentPanel, session: Session, exploration: Exploration
    ) -> None:
        session.set_code(self.codes[7])
        qtbot.keyClick(panel.plot, Qt.Key.Key_K)
        away = np.linalg.norm(self.codes - self.codes[7], axis=1)
        np.testing.assert_array_equal(exploration.selection, np.sort(np.argsort(away)[:100]))

    def test_a_drag_is_undone_at_once_then_the_pin_then_the_selection(
        self, qtbot: QtBot, panel: LatentPanel, session: Session, exploration: Exploration
    ) -> None:
        begun = np.array(session.code)
        exploration.select(np.array([1, 2]))
        exploration.pin(Pin(self.codes[3], 3))
        drag(panel, pixel(panel, -1, 0), pixel(panel, 1, 1))
        stack = exploration.undo_stack
        stack.undo()
        np.testing.assert_array_equal(session.code, self.codes[3])
        stack.undo()
        assert exploration.pins == ()
        np.testing.assert_array_equal(session.code, begun)
        stack.undo()
        assert len(exploration.selection) == 0
        assert not stack.canUndo()
        for _ in range(3):
            stack.redo()
        assert len(exploration.pins) == 1
        np.testing.assert_allclose(session.code[:2], [1, 1], atol=0.05)

    def test_three_pins_span_a_plane(
        self, qtbot: QtBot, panel: LatentPanel, session: Session, exploration: Exploration
    ) -> None:
        for image in (10, 20, 30):
            exploration.pin(Pin(self.codes[image], image))
        panel.choice.kind.setCurrentIndex(2)
        corners = self.codes[[10, 20, 30]]
        places = panel.plot.raster.xy[[10, 20, 30]]
        np.testing.assert_allclose(places[0], 0, atol=1e-5)
        np.testing.assert_allclose(places[1, 1], 0, atol=1e-5)
        for one, other in ((0, 1), (0, 2), (1, 2)):
            there = np.linalg.norm(places[one] - places[other])
            assert there == pytest.approx(np.linalg.norm(corners[one] - corners[other]), rel=1e-4)
        assert panel.plot.axis("bottom").labelText == "from A towards B"


def test_ten_classes_stand_in_one_row(qtbot: QtBot, panel: LatentPanel, session: Session) -> None:
    show(qtbot, panel, session, codes(2))
    panel.resize(520, 400)
    qtbot.waitUntil(lambda: len({chip.y() for chip in panel.legend.chips}) == 1)
    assert panel.note.text()
