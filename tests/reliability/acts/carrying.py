"""Images in, runs out and in again, films."""

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

_MOST_DATASETS = 3


def _small(person: Person) -> Path:
    """A small data set of one of the kinds that are read; what lay there before is replaced."""
    rng = np.random.default_rng(person.mind.randrange(1000))
    count, side = int(rng.integers(90, 200)), int(rng.integers(8, 24))
    images = rng.integers(0, 256, (count, side, side), dtype=np.uint8)
    labels = (np.arange(count) % 3).astype(np.uint8)
    folder = person.folder / "data"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    match person.mind.choice(("npz", "npy", "idx", "folder")):
        case "npz":
            np.savez(folder / "some.npz", images=images, labels=labels)
            return folder / "some.npz"
        case "npy":
            np.save(folder / "some.npy", images)
            return folder / "some.npy"
        case "idx":
            head = b"\x00\x00\x08\x03" + np.array(images.shape, ">u4").tobytes()
            place = folder / "some-images-idx3-ubyte.gz"
            place.write_bytes(gzip.compress(head + images.tobytes()))
            return place
    pictures = folder / "pictures"
    for at, image in enumerate(images):
        place = pictures / "abc"[labels[at]] / f"{at}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place)
    (pictures / "a" / "no-picture.png").write_bytes(b"what is this?")
    return pictures


@act(2)
def import_images(person: Person) -> Iterator[Wait]:
    while len(datasets.dataset_names()) > _MOST_DATASETS:
        yield from _remove_one(person)
    place = _small(person)
    person.hand.press("ctrl+i" if place.is_dir() else "ctrl+shift+i")
    yield from person.give_path(place)
    yield "the dialog", lambda: person.dialog(ImportDialog)
    dialog = person.dialog(ImportDialog)
    assert dialog is not None
    name = dialog.name
    yield (
        "the images to be looked at",
        lambda: not is_open(dialog) or name.isEnabled() or dialog.importing.problem,
    )
    person.click(name, times=3)
    person.hand.press("ctrl+a")
    person.hand.write(f"set-{person.mind.randrange(1000)}")
    yield person.moved()
    if person.chance(0.2):
        return  # changed one's mind
    for _ in range(2):  # what cannot be taken is left out at the second click
        dialog = person.dialog(ImportDialog)
        if dialog is None or not dialog.accept_button.isEnabled():
            return  # it is done, or the name is taken and the dialog says so
        person.click(dialog.accept_button)
        yield person.moved()
        yield "the import", lambda d=dialog: not is_open(d) or d.importing.share is None
        yield person.pause(0.2)


def _remove_one(person: Person) -> Iterator[Wait]:
    name = person.mind.choice(datasets.dataset_names()[1:])
    yield from person.choose("Datasets", "Remove", name)
    yield "the question", lambda: person.dialog(QMessageBox)
    box = person.dialog(QMessageBox)
    assert box is not None
    person.click(next(b for b in box.buttons() if b.text() == "Move to trash"))
    yield "the data set to go", lambda: name not in datasets.dataset_names()


@act(2)
def export(person: Person) -> Iterator[Wait]:
    person.hand.press("ctrl+e")
    yield person.moved()
    yield person.pause(0.3)
    dialog = person.dialog(ExportDialog)
    if dialog is None:
        return  # there is no checkpoint yet
    boxes = [box for box in dialog.boxes.values() if box.isEnabled()]
    for box in person.mind.sample(boxes, 3):
        person.click(box)
    yield person.moved()
    person.click(dialog.place, times=3)
    person.hand.press("ctrl+a")
    person.hand.write(str(person.folder / "exported" / str(person.mind.randrange(3))))
    yield person.moved()
    if not dialog.export_button.isEnabled():
        return
    person.click(dialog.export_button)
    yield person.moved()
    if person.chance(0.2):
        person.hand.press("Escape")  # cancels
        yield person.moved()
        return
    yield "the export", lambda: not is_open(dialog) or dialog.export_button.isEnabled()


@act(1)
def open_an_archive(person: Person) -> Iterator[Wait]:
    archives = [*(person.folder / "exported").glob("*/*.zip")]
    if not archives:
        return
    person.hand.press("ctrl+shift+o")
    yield from person.give_path(person.mind.choice(archives))
    opening = person.window.carry_away.opening
    yield person.pause(0.3)
    yield "the archive", lambda: not opening.progress_text


@act(1)
def film(person: Person) -> Iterator[Wait]:
    """Most are given up before they are done."""
    if not person.window.film_action.isEnabled():
        return
    person.hand.press("ctrl+shift+f")
    yield person.moved()
    yield person.pause(0.3)
    if person.dialog(QFileDialog) is None:
        return
    place = person.folder / "film.gif"
    place.unlink(missing_ok=True)
    yield from person.give_path(place)
    action = person.window.film_action
    yield person.pause(person.mind.uniform(0, 4))
    if person.chance(0.7):
        action.cancel()
    yield "the film", lambda: action.maker is None
