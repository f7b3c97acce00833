from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QLabel, QSlider

from aeviewer.panels.latent.decoder_panel import DecoderPanel
from aeviewer.services.compute.compute_thread import ComputeThread
from aeviewer.services.compute.event_queue import EventQueue
from aeviewer.services.latent_services import LatentServices
from aeviewer.services.runs.model_source import ModelSource
from trainers import runs
from trainers.events import Preview
from trainers.presets import preset
from trainers.runs import RunState

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from pytestqt.qtbot import QtBot

    from aeviewer.services.runs.session import Session

CODES = np.random.default_rng(0).standard_normal((10_000, 3)).astype(np.float32) + 1


@pytest.fixture
def panel(session: Session, qtbot: QtBot) -> DecoderPanel:
    run = runs.create_run(preset("vae"), session.folder, "a")
    for step in (0, 3_000):
        run.write_checkpoint(step, b"")
    session.add(run, RunState.STOPPED)
    session.set_current(session.items[0].key)
    shown = DecoderPanel(LatentServices(session, ComputeThread(EventQueue())).latent_state)
    qtbot.addWidget(shown)
    shown.resize(330, 480)
    shown.show()
    return shown


def know(session: Session) -> None:
    session.set_preview(Preview(3_000, CODES, np.zeros((32, 28, 28), np.uint8)))


def ramp() -> NDArray[np.float32]:
    """An image that goes beyond no ink and full ink, as a linear output does."""
    return np.linspace(-0.5, 1.5, 28 * 28, dtype=np.float32).reshape(28, 28)


def words(panel: DecoderPanel) -> str:
    return " ".join(label.text() for label in panel.findChildren(QLabel) if label.isVisible())


def first_slider(panel: DecoderPanel) -> QSlider:
    found = panel.sliders.findChildren(QSlider)
    return next(s for s in found if s.accessibleName() == "Dimension 1 of the code")


def test_before_a_point_is_chosen_it_says_what_to_do(panel: DecoderPanel) -> None:
    assert "Press in the latent space" in words(panel)
    assert not panel.empty.button.isVisible()


def test_the_mean_can_be_chosen_by_key(panel: DecoderPanel, session: Session, qtbot: QtBot) -> None:
    know(session)
    qtbot.keyClick(panel.empty.button, Qt.Key.Key_Space)
    assert session.code == pytest.approx(CODES.mean(axis=0), abs=1e-5)
    assert panel.sliders.isVisible()


def test_code_and_image_are_shown(panel: DecoderPanel, session: Session) -> None:
    know(session)
    session.set_code(np.array([0.5, -1, 2], np.float32))
    session.set_image(ramp(), ModelSource("a", 3_000))
    assert panel.sliders.code.tolist() == [0.5, -1, 2]
    image = panel.view.image
    assert image is not None
    assert (image.pixelColor(0, 0).red(), image.pixelColor(27, 27).red()) == (0, 255)
    assert "step 3,000 · a" in words(panel)
    session.show_step(0)
    assert "step 3,000 · a" in words(panel), "this image is still of that step"
    assert panel.picture.file_name == "a-step3000-decoded"
    session.set_image(ramp(), ModelSource("a", 0))
    assert "step 0 · a" in words(panel)


def test_live_is_told(panel: DecoderPanel, session: Session) -> None:
    know(session)
    session.set_code(CODES[0])
    session.set_state(session.items[0].key, RunState.RUNNING)
    session.follow()
    assert "when the model is loaded" in words(panel)
    session.set_image(np.zeros((28, 28), np.float32), ModelSource("a", 120, is_live=True))
    assert "step 120 · live · a" in words(panel)
    session.set_state(session.items[0].key, RunState.PAUSED)
    assert "step 120 · paused · a" in words(panel)


def test_a_slider_chooses_a_code_once(panel: DecoderPanel, session: Session, qtbot: QtBot) -> None:
    know(session)
    session.set_code(np.zeros(3, np.float32))
    told: list[float] = []
    session.code_changed.connect(lambda: told.append(float(session.code[0])))
    qtbot.keyClick(first_slider(panel), Qt.Key.Key_Right)
    assert len(told) == 1
    assert told[0] > 0
    assert session.code[1:].tolist() == [0, 0]


def test_a_code_from_elsewhere_moves_the_sliders_and_tells_nobody(
    panel: DecoderPanel, session: Session, qtbot: QtBot
) -> None:
    know(session)
    told: list[None] = []
    session.code_changed.connect(lambda: told.append(None))
    session.set_code(CODES[5])
    place = first_slider(panel).value()
    session.set_code(CODES[5] + 1)
    assert first_slider(panel).value() > place
    assert len(told) == 2


def test_reset_goes_to_the_mean(panel: DecoderPanel, session: Session, qtbot: QtBot) -> None:
    know(session)
    session.set_code(CODES[0])
    qtbot.mouseClick(panel.reset_button, Qt.MouseButton.LeftButton)
    assert session.code == pytest.approx(CODES.mean(axis=0), abs=1e-5)


def test_another_run_empties_it(panel: DecoderPanel, session: Session) -> None:
    know(session)
    session.set_code(CODES[0])
    session.set_image(ramp())
    session.set_current(None)
    assert "Press in the latent space" in words(panel)
    assert panel.view.image is None


def test_the_sliders_stand_beside_the_image_where_it_is_wide(
    panel: DecoderPanel, session: Session, qtbot: QtBot
) -> None:
    know(session)
    session.set_code(CODES[0])
    qtbot.waitUntil(lambda: panel.sliders.y() > panel.view.geometry().bottom())
    panel.resize(700, 300)
    qtbot.waitUntil(lambda: panel.sliders.x() > panel.view.geometry().right())


def test_image_and_code_are_copied(panel: DecoderPanel, session: Session) -> None:
    know(session)
    session.set_code(np.array([0.5, -1.25, 2], np.float32))
    session.set_image(ramp())
    panel.copy_action.trigger()
    assert QGuiApplication.clipboard().image().width() == 280
    panel.copy_code_action.trigger()
    assert QGuiApplication.clipboard().text() == "0.5, -1.25, 2"


def test_the_image_is_saved_ten_times_enlarged(
    panel: DecoderPanel, session: Session, tmp_path: Path, qtbot: QtBot
) -> None:
    know(session)
    session.set_code(CODES[0])
    assert not panel.save_action.isEnabled()
    session.set_image(ramp())
    panel.save_action.trigger()
    [dialog] = panel.findChildren(QFileDialog)
    assert dialog.selectedFiles()[0].endswith("a-step3000-decoded.png")
    dialog.setDirectory(str(tmp_path))
    dialog.selectFile("image.png")
    dialog.accept()
    qtbot.waitUntil(lambda: not panel.findChildren(QFileDialog))
    with Image.open(tmp_path / "image.png") as saved:
        small = np.asarray(saved.convert("L"))[5::10, 5::10]
    assert small.shape == (28, 28)
    assert abs(small / 255 - ramp().clip(0, 1)).max() < 1 / 255


def test_a_place_that_can_not_be_written_is_told(
    panel: DecoderPanel, session: Session, tmp_path: Path, qtbot: QtBot
) -> None:
    know(session)
    session.set_code(CODES[0])
    session.set_image(ramp())
    panel.save_action.trigger()
    [dialog] = panel.findChildren(QFileDialog)
    place = tmp_path / "gone" / "image.png"
    with qtbot.waitSignal(session.message_posted) as told:
        dialog.fileSelected.emit(str(place))
    assert str(place) in told.args[0]
    dialog.reject()
    qtbot.waitUntil(lambda: not panel.findChildren(QFileDialog))


def test_a_code_is_pasted_as_it_was_copied(panel: DecoderPanel, session: Session) -> None:
    know(session)
    session.set_code(np.array([0.5, -1.25, 3.0], np.float32))
    panel.copy_code()
    session.set_code(np.zeros(3, np.float32))
    panel.paste_code()
    np.testing.assert_array_equal(session.code, [0.5, -1.25, 3.0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1, 2", "The text holds 2 numbers; a code of this run is 3 finite ones."),
        ("1, 2, nan", "The text holds 3 numbers; a code of this run is 3 finite ones."),
        (
            "1, two, 3",
            "The text is no code: could not convert string to float: 'two'. Copy 3 numbers.",
        ),
    ],
)
def test_what_is_no_code_is_refused_with_a_reason(
    panel: DecoderPanel, session: Session, text: str, message: str
) -> None:
    know(session)
    before, told = session.code, []
    session.message_posted.connect(told.append)
    QGuiApplication.clipboard().setText(text)
    panel.paste_code()
    assert told == [message]
    assert session.code is before


def test_turning_a_slider_is_undone(panel: DecoderPanel, session: Session, qtbot: QtBot) -> None:
    know(session)
    begun = np.array(session.code)
    qtbot.keyClick(first_slider(panel), Qt.Key.Key_PageUp)
    assert session.code[0] != begun[0]
    panel.latent_state.undo_stack.undo()
    np.testing.assert_array_equal(session.code, begun)
