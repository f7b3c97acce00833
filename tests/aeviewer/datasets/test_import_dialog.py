from __future__ import annotations

from threading import Event, current_thread, main_thread
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import Qt

from aeviewer.panels.datasets.import_dialog import ImportDialog
from tests.trainers.datasets.sample_images import shapes
from trainers.datasets import dataset_named, dataset_names, open_dataset
from trainers.datasets.sources.arrays import ArraySource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from aeviewer.services.compute.compute_thread import ComputeThread


@pytest.fixture
def opened(qtbot: QtBot, compute: ComputeThread) -> Callable[[Path], ImportDialog]:
    def open_dialog(path: Path) -> ImportDialog:
        dialog = ImportDialog(compute, path)
        qtbot.addWidget(dialog)
        dialog.show()
        qtbot.waitUntil(lambda: bool(dialog.report.toPlainText() or dialog.problem.text()))
        return dialog

    return open_dialog


def _accept(qtbot: QtBot, dialog: ImportDialog) -> None:
    qtbot.mouseClick(dialog.accept_button, Qt.MouseButton.LeftButton)


def test_the_dialog_says_what_will_be_imported(
    opened: Callable[[Path], ImportDialog], tmp_path: Path, qtbot: QtBot
) -> None:
    arrays = {}
    for split, count in (("train", 120), ("val", 40), ("test", 50)):
        arrays |= {f"{split}_images": shapes(count) // 16}
        arrays |= {f"{split}_labels": np.arange(count)[:, None] % 3 + 1}
    np.savez(tmp_path / "medical.npz", extra=np.zeros(7), **arrays)
    dialog = opened(tmp_path / "medical.npz")
    text = dialog.report.toPlainText()
    for part in (
        "210 images: 120 for training, 40 kept apart for validation, 50 for testing.",
        "3 classes: 1, 2, 3.",
        "The values go from 0 to 15 (uint8); 0 becomes black and 15 white, because",
        "Neither images nor their labels: extra (7).",
    ):
        assert part in text
    assert dataset_names() == ("mnist",)
    dialog.reading.join_box.setChecked(True)
    qtbot.waitUntil(lambda: "160 for training, 50 for testing" in dialog.report.toPlainText())
    dialog.reading.range_box.setCurrentIndex(0)
    qtbot.waitUntil(lambda: "0 becomes black and 255 white" in dialog.report.toPlainText())
    with qtbot.waitSignal(dialog.imported):
        _accept(qtbot, dialog)
    assert dataset_named("medical").train == 160
    assert open_dataset(dataset_named("medical")).train.images.max() == 15


def test_no_image_is_read_in_the_thread_of_the_window(
    compute: ComputeThread, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "x.npy", shapes(120))
    read, go_on, threads = ArraySource.image, Event(), set()

    def read_slowly(source: ArraySource, index: int) -> object:
        threads.add(current_thread())
        go_on.wait(60)
        return read(source, index)

    monkeypatch.setattr(ArraySource, "image", read_slowly)
    dialog = ImportDialog(compute, tmp_path / "x.npy")
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitUntil(lambda: bool(threads))  # The folder does not answer, and the window lives.
    assert dialog.head.text().startswith("Reading")
    go_on.set()
    qtbot.waitUntil(lambda: dialog.views[0][1].image is not None)
    dialog.invert_box.setChecked(True)
    qtbot.waitUntil(lambda: "nverted" in dialog.note.text())
    with qtbot.waitSignal(dialog.imported):
        _accept(qtbot, dialog)
    assert main_thread() not in threads


def test_an_unknown_range_is_asked_for_in_the_dialog(
    opened: Callable[[Path], ImportDialog], tmp_path: Path, qtbot: QtBot
) -> None:
    np.save(tmp_path / "z.npy", (shapes(120) / 255 * 3.2 - 0.4).astype(np.float32))
    dialog = opened(tmp_path / "z.npy")
    qtbot.waitUntil(lambda: "go from -0.4 to 2.8" in dialog.problem.text())
    assert not dialog.accept_button.isEnabled()
    box = dialog.reading.range_box
    assert box.currentIndex() == -1
    box.setCurrentIndex(box.findData("other"))
    dialog.reading.low_box.setValue(0)
    dialog.reading.high_box.setValue(2)
    qtbot.waitUntil(lambda: "0 becomes black and 2 white" in dialog.report.toPlainText())
    assert dialog.accept_button.isEnabled()
    with qtbot.waitSignal(dialog.imported):
        _accept(qtbot, dialog)
    assert "0 becomes black and 2 white" in dataset_named("z").history


def test_images_that_are_all_the_same_are_imported_only_on_agreement(
    opened: Callable[[Path], ImportDialog], tmp_path: Path, qtbot: QtBot
) -> None:
    np.save(tmp_path / "blank.npy", np.zeros((120, 12, 12), np.uint8))
    dialog = opened(tmp_path / "blank.npy")
    _accept(qtbot, dialog)
    qtbot.waitUntil(lambda: "All images are the same" in dialog.flaws.toPlainText())
    assert dataset_names() == ("mnist",)
    with qtbot.waitSignal(dialog.imported):
        _accept(qtbot, dialog)
    assert dataset_names() == ("mnist", "blank")


def test_labels_that_do_not_fit_are_named_and_the_images_imported_without(
    opened: Callable[[Path], ImportDialog], tmp_path: Path, qtbot: QtBot
) -> None:
    np.savez(tmp_path / "a.npz", images=shapes(120), labels=np.zeros(119, int))
    dialog = opened(tmp_path / "a.npz")
    assert "labels has 119 labels: they do not belong together" in dialog.report.toPlainText()
    with qtbot.waitSignal(dialog.imported):
        _accept(qtbot, dialog)
    assert dataset_named("a").classes == ()


def test_a_class_is_left_out_on_request(
    opened: Callable[[Path], ImportDialog], tmp_path: Path, qtbot: QtBot
) -> None:
    labels = np.where(np.arange(220) % 11 == 10, 255, np.arange(220) % 11)
    np.savez(tmp_path / "a.npz", images=shapes(220), labels=labels)
    dialog = opened(tmp_path / "a.npz")
    assert "11 classes: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 255." in dialog.report.toPlainText()
    qtbot.keyClicks(dialog.reading.without_box, "255")
    qtbot.waitUntil(lambda: "Left out on request: 255" in dialog.report.toPlainText())
    with qtbot.waitSignal(dialog.imported):
        _accept(qtbot, dialog)
    dataset = dataset_named("a")
    assert dataset.classes == tuple("0123456789")
    assert dataset.train + dataset.test == 200
