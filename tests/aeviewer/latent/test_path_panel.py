from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from aeviewer.panels.latent.path_panel import PathPanel
from aeviewer.services.compute.model_cache import ModelCache
from aeviewer.services.latent.path import PathEnds, find_path
from aeviewer.services.latent.undo_state import Pin
from trainers.inference import load

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from aeviewer.services.latent.path import PathResult, PathService
    from tests.aeviewer.explored_run import ExploredServices, TrainRun
    from trainers.runs import Run


@pytest.fixture(scope="session")
def run(trained_run: TrainRun) -> Run:
    return trained_run("elu", 2)


@pytest.fixture
def walk(explored: ExploredServices) -> PathService:
    return explored.path_service


@pytest.fixture
def panel(explored: ExploredServices, walk: PathService, qtbot: QtBot) -> PathPanel:
    panel = PathPanel(explored.latent_state, walk)
    qtbot.addWidget(panel)
    panel.resize(320, 520)
    panel.show()
    return panel


def pin(explored: ExploredServices, *images: int) -> None:
    codes = explored.latent_state.codes
    assert codes is not None
    for image in images:
        explored.latent_state.pin(Pin(codes[image], image))


def found(qtbot: QtBot, walk: PathService, kind: str, frames: int = 12) -> PathResult:
    def done() -> bool:
        walked = walk.result
        return walked is not None and (walked.route.kind, len(walked.film)) == (kind, frames)

    qtbot.waitUntil(done)
    assert walk.result is not None
    return walk.result


def test_two_pins_are_joined(
    qtbot: QtBot, explored: ExploredServices, walk: PathService, panel: PathPanel, run: Run
) -> None:
    assert panel.film.count == 0
    pin(explored, 3, 700)
    walked = found(qtbot, walk, "straight")
    codes = explored.latent_state.codes
    assert codes is not None
    np.testing.assert_allclose(walked.codes[[0, -1]], codes[[3, 700]], atol=1e-6)
    assert walked.code_length == pytest.approx(np.linalg.norm(codes[3] - codes[700]), rel=1e-5)
    np.testing.assert_allclose(walked.images, load(run).decode(walked.film), atol=1e-5)
    assert panel.film.count == 12
    assert panel.lengths.text().startswith(
        f"Straight path: length {walked.code_length:.3g} in the code"
    )


def test_a_geodesic_is_chosen_and_compared_with_the_straight_way(
    qtbot: QtBot, explored: ExploredServices, walk: PathService, panel: PathPanel
) -> None:
    pin(explored, 3, 700)
    panel.kind.setFocus()
    qtbot.keyClick(panel.kind, Qt.Key.Key_End)
    walked = found(qtbot, walk, "geodesic")
    assert walked.image_length <= walked.straight_length * (1 + 1e-6)
    ratio = walked.image_length / walked.straight_length
    assert f"({ratio:.3f} × the straight path)" in panel.lengths.text()


def test_the_straight_path_is_not_shown_as_the_geodesic_that_is_searched(
    qtbot: QtBot, explored: ExploredServices, walk: PathService, panel: PathPanel
) -> None:
    pin(explored, 3, 700)
    found(qtbot, walk, "straight")
    assert panel.line.label.text() == "step 40 · elu-d2"
    assert panel.gif_button.isEnabled()
    # While the compute thread is occupied, the geodesic has been asked for but is not found.
    search = Event()
    explored.idle_client.submit("occupied", lambda _models: search.wait(60), lambda _none: None)
    panel.kind.setCurrentIndex(panel.kind.findData("geodesic"))
    assert panel.lengths.text().startswith("Straight path: length")
    assert not panel.gif_button.isEnabled()
    assert not panel.strip_button.isEnabled()
    assert not panel.play_button.isEnabled()
    qtbot.waitUntil(lambda: panel.line.is_dimmed and panel.line.bar.isVisible())
    search.set()
    found(qtbot, walk, "geodesic")
    qtbot.waitUntil(lambda: panel.strip_button.isEnabled())
    assert panel.lengths.text().startswith("Geodesic path: length")
    assert not panel.line.is_dimmed
    panel.strip_button.click()
    dialog = panel.findChild(QFileDialog)
    assert "elu-d2-step40-geodesic-A-B." in dialog.selectedFiles()[0]
    dialog.close()


def test_frames_and_other_pins_are_chosen(
    qtbot: QtBot, explored: ExploredServices, walk: PathService, panel: PathPanel
) -> None:
    pin(explored, 3, 700, 42)
    panel.frames.setValue(5)
    walked = found(qtbot, walk, "straight", 5)
    codes = explored.latent_state.codes
    assert codes is not None
    # The two last pins are the ones a person means.
    np.testing.assert_allclose(walked.film[[0, -1]], codes[[700, 42]], atol=1e-6)
    panel.start.setCurrentIndex(0)
    qtbot.waitUntil(
        lambda: walk.result is not None and np.allclose(walk.result.film[0], codes[3], atol=1e-6)
    )


def test_the_film_is_played_through_the_decoder(
    qtbot: QtBot, explored: ExploredServices, walk: PathService, panel: PathPanel
) -> None:
    pin(explored, 3, 700)
    panel.frames.setValue(4)
    walked = found(qtbot, walk, "straight", 4)
    seen: list[np.ndarray] = []
    explored.session.code_changed.connect(lambda: seen.append(explored.session.code))
    qtbot.mouseClick(panel.play_button, Qt.MouseButton.LeftButton)
    assert panel.play_button.text() == "Stop"
    qtbot.waitUntil(lambda: panel.play_button.text() == "Play")
    np.testing.assert_allclose(seen, walked.film, atol=1e-6)


def test_a_frame_that_is_chosen_becomes_the_marked_code(
    qtbot: QtBot, explored: ExploredServices, walk: PathService, panel: PathPanel
) -> None:
    pin(explored, 3, 700)
    walked = found(qtbot, walk, "straight")
    panel.film.setFocus()
    panel.film.set_current(7)
    qtbot.keyClick(panel.film, Qt.Key.Key_Return)
    np.testing.assert_allclose(explored.session.code, walked.film[7], atol=1e-6)


@pytest.mark.parametrize(("button", "frames", "size"), [("gif", 22, 224), ("strip", 1, 112)])
def test_the_film_is_saved(
    qtbot: QtBot,
    explored: ExploredServices,
    walk: PathService,
    panel: PathPanel,
    tmp_path: Path,
    button: str,
    frames: int,
    size: int,
) -> None:
    pin(explored, 3, 700)
    found(qtbot, walk, "straight")
    (panel.gif_button if button == "gif" else panel.strip_button).click()
    dialog = panel.findChild(QFileDialog)
    name = dialog.selectedFiles()[0]
    assert "elu-d2-step40-straight-A-B." in name
    place = tmp_path / f"film.{name.rpartition('.')[2]}"
    dialog.fileSelected.emit(str(place))
    dialog.close()
    with Image.open(place) as kept:
        assert getattr(kept, "n_frames", 1) == frames
        assert kept.height == size


def test_without_two_pins_it_says_what_to_do(
    qtbot: QtBot, explored: ExploredServices, walk: PathService, panel: PathPanel
) -> None:
    pin(explored, 3, 700)
    found(qtbot, walk, "straight")
    explored.latent_state.unpin_all()
    assert walk.result is None
    assert panel.film.isHidden() or not panel.film.isVisible()


def test_between_codes_of_another_run_nothing_is_walked(run: Run) -> None:
    """The run may have become another one while its pins are still those of the last."""
    ends = np.zeros((2, run.config.model.latent_dim + 1), np.float32)
    found = find_path(ModelCache(), run, None, ends, (ends[0], ends[1]), PathEnds())
    assert list(found) == []
