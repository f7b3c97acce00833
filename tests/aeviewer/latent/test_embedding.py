"""t-SNE and UMAP in the place of a plane, as a person meets them in the latent panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import platformdirs
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt

from aeviewer.panels.latent.views_menu import ViewsMenu
from aeviewer.services.latent.embedding_job import EmbeddingJob
from aeviewer.services.latent.undo_state import Pin
from tests.aeviewer.explored_run import ExploredServices, copy_run, show_latent_panel
from tests.aeviewer.latent.latent_panel_hands import drag, hover
from trainers import runs
from trainers.datasets import mnist
from trainers.embeddings import embedding, embedding_cache
from trainers.embeddings.embedding import TSNE, Embedding
from trainers.events import Preview
from trainers.runs import RunState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from pytestqt.qtbot import QtBot

    from aeviewer.panels.latent.latent_panel import LatentPanel
    from aeviewer.services.runs.session import Session
    from tests.aeviewer.explored_run import TrainRun

SHORT = TSNE(early_steps=10, steps=20)
LONG = TSNE(steps=10**6)


@pytest.fixture
def run(trained_run: TrainRun, tmp_path: Path) -> runs.Run:
    """Returns a small run with codes of four numbers and some checkpoints, without embeddings."""
    return copy_run(trained_run("elu", 4), tmp_path / "mine")


@pytest.fixture
def explored(
    run: runs.Run, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> Iterator[ExploredServices]:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_: tmp_path / "cache")
    explored = ExploredServices(session)
    session.set_current(session.add(run, RunState.FINISHED))
    qtbot.waitUntil(lambda: session.preview is not None)
    yield explored
    explored.close()


@pytest.fixture
def panel(explored: ExploredServices, qtbot: QtBot) -> LatentPanel:
    return show_latent_panel(qtbot, explored)


def scattered(seed: int) -> NDArray[np.float32]:
    """(10000, 2), a layout to be found in a run's folder; image 77 lies far from all others."""
    places = np.random.default_rng(seed).uniform(-10, 10, (10_000, 2)).astype(np.float32)
    places[77] = (14, 14)
    return places


def keep(run: runs.Run, step: int, recipe: embedding.Recipe, seed: int = 0) -> NDArray[np.float32]:
    """Puts a layout where one that was computed is kept."""
    checkpoint, places = run.checkpoint(step), scattered(seed)
    key = embedding_cache.compute_key(checkpoint.preview().codes, recipe)
    embedding_cache.write(
        embedding_cache.cache_files(checkpoint, recipe, key), key, Embedding(places, 0.875)
    )
    return places


def choose(qtbot: QtBot, panel: LatentPanel, kind: str) -> None:
    """Goes to a kind by the keyboard, from the first one down."""
    combo = panel.plane_bar.kind
    qtbot.keyClick(combo, Qt.Key.Key_Home)
    for _ in range(combo.count()):
        if panel.plane_bar.chosen_kind != kind:
            qtbot.keyClick(combo, Qt.Key.Key_Down)
    assert panel.plane_bar.chosen_kind == kind


def pixel(panel: LatentPanel, x: float, y: float) -> QPoint:
    return panel.plot.mapFromScene(panel.plot.box.mapViewToScene(QPointF(x, y)))


def places(panel: LatentPanel) -> NDArray[np.floating]:
    return panel.plot.raster.xy[panel.plot.raster.shown]


def test_tsne_is_computed_with_progress_kept_and_found_again(
    explored: ExploredServices, panel: LatentPanel, qtbot: QtBot, run: runs.Run
) -> None:
    explored.embeddings.recipes["t-sne"] = SHORT
    strip, last = panel.embedding_bar, run.checkpoints()[-1]
    assert not strip.isVisible()
    choose(qtbot, panel, "t-sne")
    assert strip.bar.isVisible()
    assert strip.text.text() == f"t-SNE of the codes of step {last.step:,}…"
    assert len(places(panel)) == 0
    qtbot.waitUntil(lambda: explored.embeddings.status.phase == "shown")
    assert f"the codes of step {last.step:,}" in strip.text.text()
    assert "Trustworthiness 0." in strip.text.toolTip()
    assert not strip.bar.isVisible()
    assert not strip.button.isVisible()
    shown = explored.latent_state.places
    qtbot.waitUntil(lambda: np.array_equal(panel.plot.raster.xy, shown))
    assert (last.path / "layout-tsne.safetensors").is_file()

    choose(qtbot, panel, "coordinates")
    assert not strip.isVisible()
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(EmbeddingJob, "__init__")  # it is not computed again
        choose(qtbot, panel, "t-sne")
        qtbot.waitUntil(lambda: len(places(panel)) == 10_000)
    np.testing.assert_array_equal(panel.plot.raster.xy, shown)


def test_what_is_computed_can_be_stopped_and_begun_again(
    explored: ExploredServices, panel: LatentPanel, qtbot: QtBot
) -> None:
    explored.embeddings.recipes["t-sne"] = LONG
    choose(qtbot, panel, "t-sne")
    qtbot.waitUntil(lambda: (explored.embeddings.status.share or 0) > 0)
    # The map is seen while it forms.
    qtbot.waitUntil(lambda: len(places(panel)) == 10_000)
    button = panel.embedding_bar.button
    assert button.text() == "Stop"
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert panel.embedding_bar.text.text().endswith("was stopped.")
    # What is half done is no map.
    qtbot.waitUntil(lambda: len(places(panel)) == 0)
    assert button.text() == "Compute"
    assert not panel.embedding_bar.bar.isVisible()
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert explored.embeddings.status.phase == "computing"
    assert panel.embedding_bar.bar.isVisible()


def test_another_layout_that_is_wanted_takes_its_place(
    explored: ExploredServices, panel: LatentPanel, qtbot: QtBot, run: runs.Run
) -> None:
    session = explored.session
    explored.embeddings.recipes["t-sne"] = LONG
    choose(qtbot, panel, "t-sne")
    qtbot.waitUntil(lambda: (explored.embeddings.status.share or 0) > 0)
    choose(qtbot, panel, "coordinates")
    choose(qtbot, panel, "t-sne")
    # It went on meanwhile.
    assert explored.embeddings.status.share is not None
    before = keep(run, session.checkpoints[1], LONG)
    session.show_step(session.checkpoints[1])
    qtbot.waitUntil(lambda: len(places(panel)) == 10_000 and before[3, 0] in panel.plot.raster.xy)
    explored.embeddings.recipes["t-sne"] = SHORT
    session.show_step(session.checkpoints[2])
    assert explored.embeddings.status.share is None
    newest = session.checkpoints[2]
    qtbot.waitUntil(lambda: explored.embeddings.status.step == newest)


def test_codes_that_can_not_be_laid_out_are_told_once(
    explored: ExploredServices, panel: LatentPanel, qtbot: QtBot
) -> None:
    told: list[str] = []
    explored.session.message_posted.connect(told.append)
    explored.embeddings.recipes["t-sne"] = TSNE(perplexity=-1.0)
    choose(qtbot, panel, "t-sne")
    qtbot.waitUntil(lambda: len(told) > 0)
    assert "could not be embedded: " in told[0]
    assert explored.embeddings.status.phase == "stopped"
    assert len(told) == 1


class TestMap:
    """What can be done in a map that lies in the run's folder."""

    @pytest.fixture(autouse=True)
    def _shown(
        self, explored: ExploredServices, panel: LatentPanel, qtbot: QtBot, run: runs.Run
    ) -> None:
        self.codes = run.checkpoints()[-1].preview().codes
        self.places = keep(run, run.checkpoints()[-1].step, TSNE())
        choose(qtbot, panel, "t-sne")
        qtbot.waitUntil(lambda: len(places(panel)) == 10_000)
        panel.grab()

    def test_points_are_where_they_were_laid_out_and_axes_say_nothing(
        self, explored: ExploredServices, panel: LatentPanel
    ) -> None:
        np.testing.assert_array_equal(panel.plot.raster.xy, self.places)
        for side in ("bottom", "left"):
            assert not panel.plot.axis(side).isVisible()
        assert "Trustworthiness 0.875 of 1" in panel.embedding_bar.text.toolTip()
        assert not explored.mosaic.is_on
        assert not panel.plane_bar.layers.mosaic.isEnabled()
        assert not panel.plane_bar.x_axis.isVisible()
        assert panel.plane_bar.note.text() == ""

    def test_press_and_drag_go_to_the_nearest_code(
        self, explored: ExploredServices, panel: LatentPanel
    ) -> None:
        session, stack = explored.session, explored.latent_state.undo_stack
        before = session.code
        drag(panel, pixel(panel, 0, 0), pixel(panel, 14, 12))
        np.testing.assert_array_equal(session.code, self.codes[77])
        assert panel.plot.marker == (14, 14)
        stack.undo()
        np.testing.assert_array_equal(session.code, before)

    def test_a_click_far_from_all_marks_and_with_ctrl_pins_the_nearest(
        self, explored: ExploredServices, panel: LatentPanel, qtbot: QtBot
    ) -> None:
        left, viewport, place = Qt.MouseButton.LeftButton, panel.plot.viewport(), (13.6, 13.2)
        qtbot.mouseClick(viewport, left, pos=pixel(panel, *place))
        np.testing.assert_array_equal(explored.session.code, self.codes[77])
        control = Qt.KeyboardModifier.ControlModifier
        qtbot.mouseClick(viewport, left, control, pixel(panel, *place))
        assert [pin.image for pin in explored.latent_state.pins] == [77]
        assert panel.plot._pinned == [(14, 14)]

    def test_arrows_go_from_code_to_code(
        self, explored: ExploredServices, panel: LatentPanel, qtbot: QtBot
    ) -> None:
        explored.session.set_code(self.codes[77])
        qtbot.keyClick(panel.plot, Qt.Key.Key_Down)
        code = explored.session.code
        point = int(np.flatnonzero((self.codes == code).all(axis=1))[0])
        x, y = self.places[point] - self.places[77]
        assert y < -abs(x)
        assert panel.plot.marker == tuple(self.places[point].tolist())
        explored.session.set_code(self.codes[77])
        qtbot.keyClick(panel.plot, Qt.Key.Key_Up)
        np.testing.assert_array_equal(explored.session.code, self.codes[77])

    def test_hover_selection_and_classes_work_as_in_a_plane(
        self, explored: ExploredServices, panel: LatentPanel, qtbot: QtBot
    ) -> None:
        hover(panel, pixel(panel, 14, 14))
        assert "test image 77" in panel.plot.card.words.text()
        panel.plane_bar.set_mode("rectangle")
        drag(panel, pixel(panel, 13, 13), pixel(panel, 14.5, 14.5))
        np.testing.assert_array_equal(explored.latent_state.selection, [77])
        label = int(mnist.load_split("test").labels[77])
        qtbot.mouseClick(panel.legend.chips[label], Qt.MouseButton.LeftButton)
        assert 77 not in panel.plot.raster.shown
        assert len(panel.plot.raster.shown) < 10_000

    def test_what_is_no_images_code_is_at_the_nearest(
        self, explored: ExploredServices, panel: LatentPanel
    ) -> None:
        free = self.codes[5] + 0.25 * np.abs(self.codes[5] - self.codes[6]).min()
        nearest = int(np.linalg.norm(self.codes - free, axis=1).argmin())
        explored.latent_state.pin(Pin(free))
        assert panel.plot._pinned == [tuple(self.places[nearest].tolist())]
        assert panel.plot.marker == tuple(self.places[nearest].tolist())
        assert explored.latent_state.lift(np.zeros(2)) is None

    def test_a_checkpoint_has_a_map_of_its_own(
        self, explored: ExploredServices, panel: LatentPanel, qtbot: QtBot, run: runs.Run
    ) -> None:
        session = explored.session
        other = keep(run, session.checkpoints[1], TSNE(), seed=1)
        session.show_step(session.checkpoints[1])
        qtbot.waitUntil(lambda: np.array_equal(panel.plot.raster.xy, other))
        assert f"codes of step {session.checkpoints[1]:,}." in panel.embedding_bar.text.text()
        # One that has none shows none.
        session.show_step(session.checkpoints[2])
        qtbot.waitUntil(lambda: len(places(panel)) == 0)
        assert explored.embeddings.status.phase == "computing"

    def test_while_it_is_trained_the_newest_checkpoints_map_stays(
        self, explored: ExploredServices, panel: LatentPanel, qtbot: QtBot, run: runs.Run
    ) -> None:
        session = explored.session
        current = session.current
        assert current is not None
        session.set_state(current.key, RunState.RUNNING)
        session.follow()
        assert session.is_live
        live = self.codes + 1
        session.set_preview(Preview(123_456, live, np.zeros((32, 28, 28), np.uint8)))
        qtbot.waitUntil(lambda: "step 123,456 ·" in panel.note.text())
        np.testing.assert_array_equal(panel.plot.raster.xy, self.places)
        step = run.checkpoints()[-1].step
        assert f"codes of step {step:,}." in panel.embedding_bar.text.text()
        # A click shows the image's code as it is by now.
        left = Qt.MouseButton.LeftButton
        qtbot.mouseClick(panel.plot.viewport(), left, pos=pixel(panel, 14, 14))
        np.testing.assert_array_equal(session.code, live[77])

    def test_training_images_have_no_place(
        self, explored: ExploredServices, panel: LatentPanel, qtbot: QtBot
    ) -> None:
        panel.plane_bar.layers.choose(training=True)
        qtbot.waitUntil(lambda: "embedding is of the test images only" in panel.note.text())
        assert len(places(panel)) == 10_000
        np.testing.assert_array_equal(panel.plot.raster.xy[:10_000], self.places)

    def test_a_view_brings_the_map_back(
        self, explored: ExploredServices, panel: LatentPanel, qtbot: QtBot
    ) -> None:
        menu = ViewsMenu(explored.latent_state, panel, panel)
        menu.save_view("map")
        choose(qtbot, panel, "coordinates")
        qtbot.waitUntil(lambda: panel.plot.axis("bottom").isVisible())
        menu.open_view("map")
        qtbot.waitUntil(lambda: np.array_equal(panel.plot.raster.xy, self.places))
        assert panel.plane_bar.chosen_kind == "t-sne"


def test_codes_of_two_numbers_have_maps_too_and_no_other_planes(
    explored: ExploredServices, panel: LatentPanel, qtbot: QtBot
) -> None:
    session, choice = explored.session, panel.plane_bar
    choice.kind.setCurrentIndex(1)
    assert choice.chosen_kind == "principal"
    flat = runs.create_run(explored.session.items[0].config.replace(latent_dim=2), session.folder)
    session.set_current(session.add(flat, RunState.RUNNING))
    table = np.random.default_rng(0).normal(size=(10_000, 2)).astype(np.float32)
    session.set_preview(Preview(3, table, np.zeros((32, 28, 28), np.uint8)))
    qtbot.waitUntil(lambda: "step 3 ·" in panel.note.text())
    assert choice.kind.isVisible()
    assert choice.chosen_kind == "coordinates"
    hidden = [choice.kind.view().isRowHidden(row) for row in range(choice.kind.count())]
    assert hidden == [False, True, True, False, False]
    choose(qtbot, panel, "t-sne")
    assert explored.embeddings.status.phase == "waiting"
    session.set_current(session.items[0].key)
    qtbot.waitUntil(lambda: choice.x_axis.count() == 4)
    assert choice.chosen_kind == "t-sne"


def test_without_its_package_umap_is_shown_and_says_what_to_do(
    explored: ExploredServices, panel: LatentPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "find_spec", lambda name: None if name == "umap" else object())
    panel.plane_bar.set_pins(0)
    item = panel.plane_bar.kind.model().item(panel.plane_bar.kind.findData("umap"))
    assert not item.isEnabled()
    assert "uv sync --extra umap" in item.toolTip()
    # A view of somebody who has it may ask for it nevertheless.
    panel.plane_bar.kind.setCurrentIndex(panel.plane_bar.kind.findData("umap"))
    assert panel.embedding_bar.text.text() == item.toolTip()
    assert len(places(panel)) == 0 or explored.embeddings.status.phase == "missing"
