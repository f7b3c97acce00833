from __future__ import annotations

import errno
import shutil
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from aeviewer.app import Program
from aeviewer.panels.comparison.reconstructions_page import DigitsPage
from aeviewer.panels.datasets.datasets_menu import DownloadDialog
from aeviewer.panels.datasets.import_dialog import ImportDialog
from tests.aeviewer.datasets.offline import start_offline_download
from tests.aeviewer.explored_run import train_run
from tests.trainers.datasets.sample_images import folder, kept, shapes
from trainers.datasets import dataset_named, dataset_names, download, spectrum, store
from trainers.runs import RunState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from aeviewer.settings import Settings

_LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def program(tmp_path: Path, settings: Settings, qtbot: QtBot) -> Iterator[Program]:
    program = Program(tmp_path / "runs", settings)
    qtbot.addWidget(program.window)
    program.window.show()
    yield program
    program.close()


def _drop(program: Program, path: Path) -> bool:
    """Drops a path on the window, as a file manager does; whether it was taken."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    buttons = _LEFT, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, data, *buttons)
    QApplication.sendEvent(program.window, enter)
    if not enter.isAccepted():
        return False
    drop = QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, data, *buttons)
    QApplication.sendEvent(program.window, drop)
    return drop.isAccepted()


def _dialog(program: Program, qtbot: QtBot) -> ImportDialog:
    dialog = program.window.findChildren(ImportDialog)[-1]
    qtbot.waitUntil(lambda: dialog.dataset_import.summary is not None)
    qtbot.waitUntil(lambda: dialog.views[0][1].image is not None)
    return dialog


def _press(qtbot: QtBot, dialog: ImportDialog) -> None:
    qtbot.mouseClick(dialog.accept_button, _LEFT)


@pytest.mark.parametrize("name", ["folder_action", "file_action"])
def test_a_menu_that_was_opened_before_still_asks_for_a_place(program: Program, name: str) -> None:
    menu = program.window.datasets
    menu.aboutToShow.emit()
    menu.aboutToShow.emit()
    getattr(menu, name).trigger()
    (asked,) = program.window.findChildren(QFileDialog)
    assert asked.isVisible()
    asked.close()


def test_a_folder_dropped_on_the_window_becomes_what_is_trained_on(
    program: Program, tmp_path: Path, qtbot: QtBot
) -> None:
    place = folder(tmp_path / "My pets", ("cat", "dog"))
    assert _drop(program, place)
    dialog = _dialog(program, qtbot)
    assert "120 images, 20 to 28 × 20 to 28, with colours, 2 classes" in dialog.head.text()
    assert dialog.name_box.text() == "my-pets"
    assert dialog.labels_box.text() == "With 2 classes"
    dialog.size_box.setValue(16)
    dialog.fit_box.setCurrentIndex(dialog.fit_box.findData("pad"))
    qtbot.waitUntil(lambda: "Padded" in dialog.note.text() and "16 × 16" in dialog.note.text())
    image = dialog.views[0][1].image
    assert image is not None
    assert (image.width(), image.height()) == (16, 16)
    with qtbot.waitSignal(dialog.imported):
        _press(qtbot, dialog)
    dataset = dataset_named("my-pets")
    assert (dataset.shape, dataset.classes) == ((16, 16, 3), ("cat", "dog"))
    config = program.window.experiment.config()
    # 100 images a step are what the preset has.
    assert config is None or config.dataset == "my-pets"
    program.window.experiment._form.set_values({"batch_size": 20})
    config = program.window.experiment.config()
    assert config is not None
    assert config.dataset == "my-pets"
    titles = [action.text() for action in program.window.datasets.actions()]
    assert "my-pets: 120 of 16 × 16 RGB" in titles


def test_what_is_wrong_is_shown_and_left_out_only_on_agreement(
    program: Program, tmp_path: Path, qtbot: QtBot
) -> None:
    place = folder(tmp_path / "a", ("x", "y"))
    (place / "x" / "none.png").write_text("no image")
    for agrees in (False, True):
        program.window.datasets.import_from(place)
        dialog = _dialog(program, qtbot)
        _press(qtbot, dialog)
        qtbot.waitUntil(lambda d=dialog: d.flaws.isVisible())
        assert "x/none.png: no image" in dialog.flaws.toPlainText()
        assert "1 images cannot be taken" in dialog.head.text()
        assert dialog.accept_button.text() == "Leave them out, and import the others"
        assert dataset_names() == ("mnist",)
        if agrees:
            with qtbot.waitSignal(dialog.imported):
                _press(qtbot, dialog)
        else:
            qtbot.mouseClick(dialog.cancel_button, _LEFT)
            assert list(store.folder().iterdir()) == []
    assert dataset_names() == ("mnist", "a")


def test_a_name_that_is_taken_is_told_at_once(
    program: Program, tmp_path: Path, qtbot: QtBot
) -> None:
    np.save(tmp_path / "spots.npy", shapes(120))
    kept(tmp_path / "spots.npy", "spots")
    assert _drop(program, tmp_path / "spots.npy")
    dialog = _dialog(program, qtbot)
    assert dialog.problem.text() == "There is a data set 'spots' already."
    assert not dialog.accept_button.isEnabled()
    places = [view.geometry() for view, _ in dialog.views]
    assert not any(a.intersects(b) for a, b in pairwise(places))
    dialog.name_box.setFocus()
    qtbot.keyClicks(dialog.name_box, "2")
    assert dialog.accept_button.isEnabled()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert dataset_names() == ("mnist", "spots")


def test_what_can_not_be_read_is_told_in_the_dialog(
    program: Program, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "cut.npy").write_bytes(b"\x93NUMPY\x01")
    assert _drop(program, tmp_path / "cut.npy")
    dialog = program.window.findChildren(ImportDialog)[-1]
    qtbot.waitUntil(lambda: bool(dialog.dataset_import.problem))
    assert "cut.npy is truncated" in dialog.problem.text()
    assert not dialog.accept_button.isEnabled()
    dialog.close()


def test_what_is_no_data_is_not_taken(program: Program, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    assert not _drop(program, tmp_path / "a.txt")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text("{}")
    assert not _drop(program, tmp_path / "run")


def test_being_offline_is_told_in_the_dialog_of_a_download(
    program: Program, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child process is real, but no server listens at the only address that it has."""
    monkeypatch.setattr(download, "start_download", start_offline_download)
    program.window.datasets.download("fashion-mnist")
    dialog = program.window.findChildren(DownloadDialog)[-1]
    qtbot.waitUntil(lambda: bool(dialog.work.problem))
    assert "cannot be reached" in dialog.state.text()
    assert "connected to the network" in dialog.state.text()
    assert dialog.button.text() == "Close"
    qtbot.mouseClick(dialog.button, _LEFT)


def test_colours_and_no_labels_are_explored(program: Program, tmp_path: Path, qtbot: QtBot) -> None:
    np.save(tmp_path / "spots.npy", shapes(300, 16, 3))
    kept(tmp_path / "spots.npy", "spots")
    run = train_run(tmp_path / "runs", "vae", 2, dataset="spots", steps=5)
    session, window = program.session, program.window
    session.refresh()
    session.set_current(str(run.path))
    qtbot.waitUntil(lambda: len(window.latent.plot.raster.xy) == 32)
    assert window.latent.legend.chips == ()
    rows = window.reconstructions.grid._rows
    assert rows[0].pixels.shape == (32, 16, 16, 3)
    session.set_code(np.zeros(2))
    qtbot.waitUntil(lambda: session.image is not None)
    assert session.image is not None
    assert session.image.shape == (16, 16, 3)
    qtbot.waitUntil(lambda: window.decoder.view.image is not None)
    for dock in ("Point", "Draw"):
        window.docks[dock.lower()].raise_()
        qtbot.waitUntil(window.docks[dock.lower()].widget().isVisible)
    picture = tmp_path / "given.png"
    Image.fromarray(shapes(1, 40, 3, 5)[0]).save(picture)
    window.draw.pad.image_given.emit(picture.read_bytes())
    qtbot.waitUntil(lambda: program.latent_services.drawing.result is not None)
    drawn = program.latent_services.drawing.result
    assert drawn is not None
    # Its colours come to the model, and come back.
    assert drawn.image.shape == (16, 16, 3)
    assert len({drawn.image[..., n].tobytes() for n in range(3)}) == 3
    assert drawn.reconstruction.shape == (16, 16, 3)
    assert window.draw.guess.text() == ""
    assert not window.draw.bars.isVisible()


@pytest.mark.parametrize(("answer", "is_kept"), [("Move to trash", False), ("Cancel", True)])
def test_a_data_set_goes_to_the_trash_after_a_question(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, is_kept: bool
) -> None:
    np.save(tmp_path / "spots.npy", shapes(300))
    kept(tmp_path / "spots.npy", "spots")
    menu, trash = program.window.datasets, tmp_path / "trash"
    trash.mkdir()
    monkeypatch.setattr(store, "move_to_trash", lambda path, _name: shutil.move(path, trash))
    menu.fill()
    next(a for a in menu._remove.actions() if a.text() == "spots…").trigger()
    box = program.window.findChild(QMessageBox)
    assert box is not None
    next(b for b in box.buttons() if b.text().replace("&", "") == answer).click()
    assert ("spots" in dataset_names()) is is_kept
    assert len([*trash.iterdir()]) == (0 if is_kept else 1)


def test_without_a_trash_a_data_set_stays(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: object) -> None:
        raise OSError(errno.EACCES, "Permission denied")

    np.save(tmp_path / "spots.npy", shapes(300))
    kept(tmp_path / "spots.npy", "spots")
    menu, told = program.window.datasets, []
    monkeypatch.setattr("trainers.storage.trash.send2trash", refuse)
    menu.failed.connect(told.append)
    program.session.message_posted.disconnect(program.window.show_message)
    menu._remove_now("spots")
    assert "spots" in dataset_names()
    assert len(told) == 1
    assert told[0].startswith("The system has no trash for 'spots' (Permission denied)")


def test_a_data_set_that_is_gone_is_told_and_the_others_stay(
    program: Program, tmp_path: Path, qtbot: QtBot
) -> None:
    np.save(tmp_path / "spots.npy", shapes(300))
    kept(tmp_path / "spots.npy", "spots")
    run = train_run(tmp_path / "runs", "vae", 2, dataset="spots", steps=5)
    store.remove("spots")
    program.session.message_posted.disconnect(program.window.show_message)
    program.session.refresh()
    program.session.set_current(str(run.path))
    empty = program.window.latent.empty.label
    qtbot.waitUntil(lambda: "There is no data set 'spots' here" in empty.text())


def test_what_is_shown_stays_known_when_its_data_set_is_removed(
    program: Program, tmp_path: Path, qtbot: QtBot
) -> None:
    kept(folder(tmp_path / "pets", ("cat", "dog")))
    session, cloud = program.session, program.latent_services.latent_state.displayed_codes
    run = train_run(tmp_path / "runs", "elu", 2, dataset="mine")
    session.set_current(session.add(run, RunState.FINISHED))
    qtbot.waitUntil(lambda: cloud.codes is not None)
    labels, image = cloud.labels, cloud.images.image(3)
    store.remove("mine")
    np.testing.assert_array_equal(cloud.labels, labels)
    np.testing.assert_array_equal(cloud.images.image(3), image)


def test_what_is_compared_stays_known_when_its_data_set_is_removed(
    program: Program, tmp_path: Path, qtbot: QtBot
) -> None:
    np.save(tmp_path / "spots.npy", shapes(300))
    kept(tmp_path / "spots.npy", "spots")
    key = program.session.add(
        train_run(tmp_path / "runs", "elu", 2, dataset="spots"), RunState.FINISHED
    )
    program.window.compare([key])
    window = program.window.compare_window
    assert window is not None
    digits = window.findChild(DigitsPage)
    digits.pca.setChecked(True)
    qtbot.waitUntil(lambda: len(digits.table._rows) == 3)
    titles = [row.title for row in digits.table._rows]
    assert titles[2] == "PCA, d = 2"
    store.remove("spots")
    digits._show()
    assert [row.title for row in digits.table._rows] == titles
    spectrum._read_spectrum.cache_clear()
    digits._show()
    assert [row.title for row in digits.table._rows] == titles[:2]
    assert "PCA" not in digits.caption
