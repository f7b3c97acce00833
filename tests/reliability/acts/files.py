"""Acts with files: import images, export runs and films, open archives."""

from __future__ import annotations

import gzip
import shutil
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from PySide6.QtWidgets import QFileDialog, QMessageBox

from aeviewer.panels.datasets.import_dialog import ImportDialog
from aeviewer.panels.export.export_dialog import ExportDialog
from tests.reliability.acts.person import Person, Wait, act, is_open
from trainers import datasets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MAX_DATASETS = 3


def _write_small_dataset(person: Person) -> Path:
    """Writes a small data set in one of the formats that can be imported; returns its path."""
    rng = np.random.default_rng(person.random.randrange(1000))
    count, side = int(rng.integers(90, 200)), int(rng.integers(8, 24))
    images = rng.integers(0, 256, (count, side, side), dtype=np.uint8)
    labels = (np.arange(count) % 3).astype(np.uint8)
    folder = person.folder / "data"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    match person.random.choice(("npz", "npy", "idx", "folder")):
        case "npz":
            np.savez(folder / "some.npz", images=images, labels=labels)
            return folder / "some.npz"
        case "npy":
            np.save(folder / "some.npy", images)
            return folder / "some.npy"
        case "idx":
            header = b"\x00\x00\x08\x03" + np.array(images.shape, ">u4").tobytes()
            place = folder / "some-images-idx3-ubyte.gz"
            place.write_bytes(gzip.compress(header + images.tobytes()))
            return place
    pictures = folder / "pictures"
    for at, image in enumerate(images):
        place = pictures / "abc"[labels[at]] / f"{at}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place)
    (pictures / "a" / "no-picture.png").write_bytes(b"not a picture")
    return pictures


@act(2)
def import_images(person: Person) -> Iterator[Wait]:
    while len(datasets.dataset_names()) > _MAX_DATASETS:
        yield from _remove_dataset(person)
    place = _write_small_dataset(person)
    person.hand.press("ctrl+i" if place.is_dir() else "ctrl+shift+i")
    yield from person.answer_file_dialog(place)
    yield "the dialog", lambda: person.dialog(ImportDialog)
    dialog = person.dialog(ImportDialog)
    assert dialog is not None
    name = dialog.name_box
    yield (
        "the images to be read",
        lambda: not is_open(dialog) or name.isEnabled() or dialog.dataset_import.problem,
    )
    person.click(name, times=3)
    person.hand.press("ctrl+a")
    person.hand.write(f"set-{person.random.randrange(1000)}")
    yield person.hand_idle()
    if person.chance(0.2):
        return  # The user cancels.
    for _ in range(2):  # The second click leaves out the images that cannot be read.
        dialog = person.dialog(ImportDialog)
        if dialog is None or not dialog.accept_button.isEnabled():
            return  # The import is complete, or the name is already used.
        person.click(dialog.accept_button)
        yield person.hand_idle()
        yield "the import", lambda d=dialog: not is_open(d) or d.dataset_import.share is None
        yield person.pause(0.2)


def _remove_dataset(person: Person) -> Iterator[Wait]:
    name = person.random.choice(datasets.dataset_names()[1:])
    yield from person.choose("Datasets", "Remove", name)
    yield "the question", lambda: person.dialog(QMessageBox)
    box = person.dialog(QMessageBox)
    assert box is not None
    person.click(next(b for b in box.buttons() if b.text() == "Move to trash"))
    yield "the data set to be removed", lambda: name not in datasets.dataset_names()


@act(2)
def export_a_run(person: Person) -> Iterator[Wait]:
    person.hand.press("ctrl+e")
    yield person.hand_idle()
    yield person.pause(0.3)
    dialog = person.dialog(ExportDialog)
    if dialog is None:
        return  # The run has no checkpoint yet.
    boxes = [box for box in dialog.boxes.values() if box.isEnabled()]
    for box in person.random.sample(boxes, 3):
        person.click(box)
    yield person.hand_idle()
    person.click(dialog.place, times=3)
    person.hand.press("ctrl+a")
    person.hand.write(str(person.folder / "exported" / str(person.random.randrange(3))))
    yield person.hand_idle()
    if not dialog.export_button.isEnabled():
        return
    person.click(dialog.export_button)
    yield person.hand_idle()
    if person.chance(0.2):
        person.hand.press("Escape")  # cancels
        yield person.hand_idle()
        return
    yield "the export", lambda: not is_open(dialog) or dialog.export_button.isEnabled()


@act(1)
def open_an_archive(person: Person) -> Iterator[Wait]:
    archives = [*(person.folder / "exported").glob("*/*.zip")]
    if not archives:
        return
    person.hand.press("ctrl+shift+o")
    yield from person.answer_file_dialog(person.random.choice(archives))
    opening = person.window.carry_away.archive_opener
    yield person.pause(0.3)
    yield "the archive", lambda: not opening.progress_text


@act(1)
def export_a_film(person: Person) -> Iterator[Wait]:
    """Exports a film; most exports are cancelled."""
    if not person.window.film_action.isEnabled():
        return
    person.hand.press("ctrl+shift+f")
    yield person.hand_idle()
    yield person.pause(0.3)
    if person.dialog(QFileDialog) is None:
        return
    place = person.folder / "film.gif"
    place.unlink(missing_ok=True)
    yield from person.answer_file_dialog(place)
    action = person.window.film_action
    yield person.pause(person.random.uniform(0, 4))
    if person.chance(0.7):
        action.cancel()
    yield "the film", lambda: action.maker is None
