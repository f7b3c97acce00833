from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from aeviewer.panels.latent.draw_panel import DrawPanel
from aeviewer.panels.latent.latent_panel import LatentPanel
from aeviewer.widgets.images.image_view import gray_image
from tests.aeviewer.explored_run import ExploredServices, train_run
from tests.trainers.datasets.sample_images import folder, kept
from trainers.datasets.centring import centre_drawing
from trainers.datasets.mnist import load_split
from trainers.evaluation.image_errors import misfits
from trainers.inference import load
from trainers.runs import RunState

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from pytestqt.qtbot import QtBot

    from aeviewer.services.latent.drawing import DrawingResult
    from aeviewer.services.runs.session import Session
    from tests.aeviewer.explored_run import TrainRun
    from trainers.runs import Run


@pytest.fixture(scope="session")
def run(trained_run: TrainRun) -> Run:
    return trained_run("elu", 5, steps=600)


@pytest.fixture
def panel(explored: ExploredServices, qtbot: QtBot) -> DrawPanel:
    panel = DrawPanel(explored.latent_state, explored.drawing)
    qtbot.addWidget(panel)
    panel.resize(330, 520)
    panel.show()
    return panel


def drawn(
    qtbot: QtBot,
    explored: ExploredServices,
    panel: DrawPanel,
    drawing: int | NDArray[np.uint8],
) -> DrawingResult:
    """Draws a test image or another image, and returns what the model makes of it."""
    is_number = isinstance(drawing, int)
    panel.pad.set_image(load_split("test").images[drawing] if is_number else drawing)
    image = centre_drawing(panel.pad.ink)
    service = explored.drawing
    qtbot.waitUntil(
        lambda: service.result is not None and np.array_equal(service.result.image, image)
    )
    assert service.result is not None
    return service.result


def test_a_digit_is_encoded_reconstructed_and_guessed(
    qtbot: QtBot, explored: ExploredServices, panel: DrawPanel, run: Run
) -> None:
    found = drawn(qtbot, explored, panel, 1)
    model = load(run)
    code = model.encode(found.image[None])
    np.testing.assert_allclose(found.code, code[0], atol=1e-5)
    np.testing.assert_allclose(found.reconstruction, model.decode(code)[0], atol=1e-5)
    codes = explored.latent_state.codes
    assert codes is not None
    away = np.linalg.norm(codes - found.code, axis=1)
    np.testing.assert_array_equal(found.neighbours, np.argsort(away, kind="stable")[:15])
    assert found.shares.sum() == pytest.approx(1)
    likeliest = found.shares.argmax()
    assert f"a {likeliest}" in panel.guess.text()
    assert panel.neighbours.count == 15


def test_a_scribble_is_said_to_be_unlike_the_test_images(
    qtbot: QtBot, explored: ExploredServices, panel: DrawPanel, run: Run
) -> None:
    ink = np.zeros((28, 28), np.uint8)
    ink[4:24:3, 3:25] = 255
    ink[3:25, 4:24:5] = 255
    found = drawn(qtbot, explored, panel, ink)
    assert panel.guess.text().startswith("It is unlike the test images: the model reconstructs")
    images = load_split("test").images[::20] / np.float32(255)
    model = load(run)
    mean = images.mean(axis=0)
    typical = misfits(model.decode(model.encode(images)), images, mean)
    own = misfits(found.reconstruction[None], found.image[None] / np.float32(255), mean)
    assert found.strangeness == pytest.approx((typical < own).mean(axis=0).max())
    assert found.strangeness >= 0.98


def test_test_images_drawn_again_are_mostly_guessed_right(
    qtbot: QtBot, explored: ExploredServices, panel: DrawPanel
) -> None:
    right = [
        drawn(qtbot, explored, panel, index).shares.argmax() == load_split("test").labels[index]
        for index in range(20)
    ]
    assert sum(right) >= 14


def test_a_star_moves_in_the_plane_while_the_panel_is_seen(
    qtbot: QtBot, explored: ExploredServices, panel: DrawPanel
) -> None:
    latent = LatentPanel(explored)
    qtbot.addWidget(latent)
    latent.resize(600, 500)
    latent.show()
    qtbot.waitUntil(lambda: len(latent.plot.raster.xy) > 0)
    found = drawn(qtbot, explored, panel, 4)
    plane = explored.latent_state.plane
    assert plane is not None
    assert latent.plot.star == pytest.approx(tuple(plane.project(found.code)))
    panel.hide()
    assert latent.plot.star is None
    panel.show()
    qtbot.waitUntil(lambda: latent.plot.star is not None)


def test_what_is_cleared_is_no_drawing(
    qtbot: QtBot, explored: ExploredServices, panel: DrawPanel
) -> None:
    drawn(qtbot, explored, panel, 1)
    panel.clear.click()
    assert explored.drawing.result is None
    assert panel.guess.text() == "Draw, paste or drop a digit."
    panel.undo.click()
    qtbot.waitUntil(lambda: explored.drawing.result is not None)


def test_its_code_is_marked_and_pinned(
    qtbot: QtBot, explored: ExploredServices, panel: DrawPanel
) -> None:
    found = drawn(qtbot, explored, panel, 1)
    panel.mark.click()
    np.testing.assert_array_equal(explored.session.code, found.code)
    panel.pin.click()
    np.testing.assert_array_equal(explored.latent_state.pins[0].code, found.code)


def test_a_file_that_is_given_is_drawn_and_a_bad_one_told(
    qtbot: QtBot, explored: ExploredServices, panel: DrawPanel
) -> None:
    told: list[str] = []
    explored.session.message_posted.connect(told.append)
    content = io.BytesIO()
    Image.fromarray(255 - load_split("test").images[2]).save(content, "png")
    panel.pad.image_given.emit(content.getvalue())
    qtbot.waitUntil(lambda: explored.drawing.result is not None)
    assert told == []
    before = panel.pad.ink
    panel.pad.image_given.emit(b"no image")
    assert len(told) == 1
    assert "no image that can be read" in told[0]
    np.testing.assert_array_equal(panel.pad.ink, before)


def test_the_button_pastes_an_image_of_white_paper_inverted(
    qtbot: QtBot, explored: ExploredServices, panel: DrawPanel
) -> None:
    told: list[str] = []
    explored.session.message_posted.connect(told.append)
    clipboard = QGuiApplication.clipboard()
    clipboard.setText("no image")
    qtbot.mouseClick(panel.paste, Qt.MouseButton.LeftButton)
    assert told == [
        "The clipboard holds no image. Copy an image or an image file, and paste again."
    ]
    digit = load_split("test").images[2]
    clipboard.setImage(gray_image(255 - digit))
    qtbot.mouseClick(panel.paste, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: explored.drawing.result is not None)
    assert len(told) == 1
    found = explored.drawing.result
    assert found is not None
    assert np.abs(found.image.astype(float) - digit).mean() < 12
    clipboard.clear()


def test_of_another_data_set_nothing_of_the_drawing_is_left(
    qtbot: QtBot, explored: ExploredServices, panel: DrawPanel, tmp_path: Path
) -> None:
    """Its neighbours are images that the other one need not have."""
    drawn(qtbot, explored, panel, 7)
    kept(folder(tmp_path / "few", ("a", "b")))
    other = train_run(tmp_path / "runs", "elu", 5, dataset="mine")
    session, drawing = explored.session, explored.drawing
    session.set_current(session.add(other, RunState.FINISHED))
    assert drawing.result is None
    qtbot.waitUntil(lambda: drawing.result is not None)
    assert drawing.result.dataset == other.dataset
    assert drawing.result.neighbours.max() < other.dataset.test


def test_no_codes_of_the_last_run_are_seen_with_the_next(
    qtbot: QtBot,
    explored: ExploredServices,
    panel: DrawPanel,
    session: Session,
    trained_run: TrainRun,
) -> None:
    """Nor by whoever is told first that another one was chosen."""
    session.add(trained_run("elu", 2), RunState.FINISHED)
    sizes: list[tuple[int, int]] = []

    def look() -> None:
        item, codes = session.current, explored.latent_state.codes
        if item is not None and item.config is not None and codes is not None:
            sizes.append((item.config.model.latent_dim, codes.shape[1]))

    for signal in (session.current_changed, session.checkpoints_changed, session.step_changed):
        signal.connect(look)
    explored.latent_state.places_changed.connect(look)
    keys = [item.key for item in session.items]
    for key in (*keys, *keys):
        session.set_current(key)
        qtbot.waitUntil(lambda: explored.latent_state.codes is not None)
    assert set(sizes) == {(5, 5), (2, 2)}
