"""Starting, holding, stopping, continuing; and what is done to runs in their list."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLineEdit, QMessageBox

from aeviewer.services.training.training_queue import Activity
from tests.reliability.acts.person import Person, Wait, act
from trainers import datasets
from trainers.presets import preset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtCore import QPoint

    from aeviewer.services.runs.run_item import RunItem

_PRESETS = ("vae", "vae", "elu", "relu", "sigmoid", "linear", "denoising", "pca", "conv-vae")
_SOON = 20.0
"""Seconds after which a person presses again."""
_MOST_RUNS = 9
"""More than these are deleted again, so that the program's memory has something to be level at."""


def own(person: Person) -> list[RunItem]:
    """The runs that are in the folder."""
    return [item for item in person.session.items if not item.read_only]


@act(6)
def start(person: Person) -> Iterator[Wait]:
    """Fills in the form and presses Train."""
    if len(own(person)) >= _MOST_RUNS:
        yield from delete(person)
    mind = person.mind
    config = preset(mind.choice(_PRESETS)).replace(
        latent_dim=mind.choice((1, 2, 2, 3, 8)),
        steps=mind.randint(20, 4000),
        dataset=mind.choice(datasets.dataset_names()),
        hidden=(mind.choice((8, 32)),),
        channels=(4,),
        dense=8,
        batch_size=mind.choice((10, 50)),
        seed=mind.randrange(1000),
    )
    yield from person.open_dock("Experiment")
    person.window.experiment.set_config(config)
    for line in person.window.experiment.findChildren(QLineEdit):
        if line.accessibleName() == "Name of the run":
            line.clear()
    if not person.window.experiment.is_valid:
        return  # not every model is for every data set: the form says so
    known = {item.key for item in person.session.items}

    def new() -> set[str]:
        return {item.key for item in person.session.items} - known

    person.hand.press("ctrl+Return")
    since = time.monotonic()
    yield "the run", lambda: new() or time.monotonic() - since > _SOON
    if not new():  # a key may be lost between two windows, as a person's is; it is counted
        bar = person.window.bar
        able = f"Train is {'enabled' if bar.train_action.isEnabled() else 'grey'}"
        person.read[
            f"A second Ctrl+Return: {able}, {person.window.statusBar().currentMessage()}"
        ] += 1
        person.window.activateWindow()
        yield person.pause(0.5)
        person.hand.press("ctrl+Return")
    yield "the run", new


@act(4)
def pause_and_resume(person: Person) -> Iterator[Wait]:
    queue = person.queue
    if queue.activity is not Activity.RUNNING:
        return
    person.hand.press("ctrl+p")
    yield "the pause", lambda: queue.activity is not Activity.RUNNING
    yield person.pause(person.mind.uniform(0, 2))
    if queue.activity is Activity.PAUSED:
        person.hand.press("ctrl+p")
        yield "training to go on", lambda: queue.activity is not Activity.PAUSED


@act(4)
def stop(person: Person) -> Iterator[Wait]:
    active = person.queue.active
    person.hand.press("ctrl+shift+period" if person.chance(0.2) else "ctrl+period")
    if active:
        yield "the run to stop", lambda: person.queue.active != active


def _row(person: Person, item: RunItem) -> QPoint | None:
    """Where its row is on the screen."""
    view = person.window.runs.view
    model = view.model()
    keys = [each.key for each in person.session.items]
    index = model.index(keys.index(item.key), 0)
    view.scrollTo(index)
    place = view.visualRect(index).center()
    return place if person.is_to_be_seen(view.viewport(), place) else None


def _pointed_at(person: Person, item: RunItem, held: str = "") -> Iterator[Wait]:
    place = _row(person, item)
    if place is not None:
        person.click(person.window.runs.view.viewport(), place, held=held)
        yield person.moved()


@act(5)
def choose_a_run(person: Person) -> Iterator[Wait]:
    yield from person.open_dock("Runs")
    yield from _pointed_at(person, person.mind.choice(person.session.items))
    if person.chance(0.2):
        person.hand.press("space")  # hides it in the plots, or shows it
        yield person.moved()


@act(3)
def continue_a_run(person: Person) -> Iterator[Wait]:
    left = [i for i in own(person) if i.state in {"stopped", "interrupted", "failed"}]
    if not left:
        return
    yield from choose_a_run(person)
    item = person.mind.choice(left)
    yield from _pointed_at(person, item)
    yield from person.choose("Run", "Continue training")


@act(2)
def rename(person: Person) -> Iterator[Wait]:
    free = [i for i in own(person) if i.state in {"stopped", "finished"}]
    if not free:
        return
    yield from person.open_dock("Runs")
    yield from _pointed_at(person, person.mind.choice(free))
    person.hand.press("F2")
    yield person.moved()
    person.hand.write(person.mind.choice(("a run", "run", "x.y", "again", "the other")))
    person.hand.press("Return" if person.chance(0.8) else "Escape")
    yield person.moved()


@act(1)
def delete(person: Person) -> Iterator[Wait]:
    """To the trash, or not, when asked."""
    free = [i for i in own(person) if i.state not in {"running", "paused", "queued"}]
    if len(own(person)) < 4 or not free:
        return
    yield from person.open_dock("Runs")
    for item in person.mind.sample(free, min(len(free), 2)):
        yield from _pointed_at(person, item)
        person.hand.press("Delete")
        yield person.moved()
        yield person.pause(0.2)
        box = person.dialog(QMessageBox)
        if box is None or box.windowTitle() != "Move to trash":
            return
        button = next(b for b in box.buttons() if b.text() == "Move to trash")
        if person.chance(0.1):
            person.hand.press("Escape")
        else:
            person.click(button)
        yield "the answer to be taken", lambda box=box: person.dialog(QMessageBox) is not box
    for trashed in Path.home().glob(".local/share/Trash/files/*"):
        if trashed.is_dir():
            shutil.rmtree(trashed)  # so that the disk is not filled
    yield from person.tidy_up()
    yield person.pause(0.5)  # until the window manager has given the keyboard back


@act(1)
def train_side_by_side(person: Person) -> Iterator[Wait]:
    yield from person.choose("Run", "Runs side by side", person.mind.choice(_SIDE_BY_SIDE))


_SIDE_BY_SIDE = ("1, with every core and live previews", "2, each in a process of its own")


@act(2)
def reuse_settings(person: Person) -> Iterator[Wait]:
    yield from choose_a_run(person)
    yield from person.choose("Run", "Use these settings")
