"""Acts of training: start, pause, stop, continue; and the acts on runs in their list."""

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
from trainers.runs import RunState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtCore import QPoint

    from aeviewer.services.runs.run_item import RunItem

_PRESETS = ("vae", "vae", "elu", "relu", "sigmoid", "linear", "denoising", "pca", "conv-vae")
_RETRY_SECONDS = 20.0
"""The seconds after which the user presses the keys again."""
_MAX_RUNS = 9
"""Above this number runs are deleted, so that the program's memory can be constant."""


def own_runs(person: Person) -> list[RunItem]:
    """Returns the runs in the runs folder."""
    return [item for item in person.session.items if not item.read_only]


@act(6)
def start_training(person: Person) -> Iterator[Wait]:
    """Fills in the form and presses Train."""
    if len(own_runs(person)) >= _MAX_RUNS:
        yield from delete_runs(person)
    random = person.random
    config = preset(random.choice(_PRESETS)).replace(
        latent_dim=random.choice((1, 2, 2, 3, 8)),
        steps=random.randint(20, 4000),
        dataset=random.choice(datasets.dataset_names()),
        hidden=(random.choice((8, 32)),),
        channels=(4,),
        dense=8,
        batch_size=random.choice((10, 50)),
        seed=random.randrange(1000),
    )
    yield from person.open_dock("Experiment")
    person.window.experiment.set_config(config)
    for line in person.window.experiment.findChildren(QLineEdit):
        if line.accessibleName() == "Name of the run":
            line.clear()
    if not person.window.experiment.is_valid:
        return  # Not every model fits every data set.
    config = person.window.experiment.config()
    if config is not None and person.window.experiment.find_equal_run(config):
        return  # The program would ask whether the same training is wanted twice.
    known = {item.key for item in person.session.items}

    def new_runs() -> set[str]:
        return {item.key for item in person.session.items} - known

    person.hand.press("ctrl+Return")
    since = time.monotonic()
    yield "the run", lambda: new_runs() or time.monotonic() - since > _RETRY_SECONDS
    if not new_runs():  # A key may be lost between two windows; this is counted.
        bar = person.window.bar
        state = f"Train is {'enabled' if bar.train_action.isEnabled() else 'disabled'}"
        person.boxes[
            f"A second Ctrl+Return: {state}, {person.window.statusBar().currentMessage()}"
        ] += 1
        person.window.activateWindow()
        yield person.pause(0.5)
        person.hand.press("ctrl+Return")
    yield "the run", new_runs


@act(4)
def pause_and_resume(person: Person) -> Iterator[Wait]:
    queue = person.queue
    if queue.activity is not Activity.RUNNING:
        return
    person.hand.press("ctrl+p")
    yield "the pause", lambda: queue.activity is not Activity.RUNNING
    yield person.pause(person.random.uniform(0, 2))
    if queue.activity is Activity.PAUSED:
        person.hand.press("ctrl+p")
        yield "the training to continue", lambda: queue.activity is not Activity.PAUSED


@act(4)
def stop_training(person: Person) -> Iterator[Wait]:
    active = person.queue.active
    person.hand.press("ctrl+shift+period" if person.chance(0.2) else "ctrl+period")
    if active:
        yield "the run to stop", lambda: person.queue.active != active


def _row_centre(person: Person, item: RunItem) -> QPoint | None:
    """Returns the centre of a run's row, or None if it is hidden."""
    view = person.window.runs.view
    model = view.model()
    keys = [each.key for each in person.session.items]
    index = model.index(keys.index(item.key), 0)
    view.scrollTo(index)
    place = view.visualRect(index).center()
    return place if person.is_reachable(view.viewport(), place) else None


def _click_row(person: Person, item: RunItem, modifier: str = "") -> Iterator[Wait]:
    place = _row_centre(person, item)
    if place is not None:
        person.click(person.window.runs.view.viewport(), place, modifier=modifier)
        yield person.hand_idle()


@act(5)
def choose_a_run(person: Person) -> Iterator[Wait]:
    yield from person.open_dock("Runs")
    yield from _click_row(person, person.random.choice(person.session.items))
    if person.chance(0.2):
        person.hand.press("space")  # hides the run in the plots, or shows it
        yield person.hand_idle()


@act(3)
def continue_a_run(person: Person) -> Iterator[Wait]:
    left = [
        i
        for i in own_runs(person)
        if i.state in {RunState.STOPPED, RunState.INTERRUPTED, RunState.FAILED}
    ]
    if not left:
        return
    yield from choose_a_run(person)
    item = person.random.choice(left)
    yield from _click_row(person, item)
    yield from person.choose("Run", "Continue training")


@act(2)
def rename_a_run(person: Person) -> Iterator[Wait]:
    free = [i for i in own_runs(person) if i.state in {RunState.STOPPED, RunState.FINISHED}]
    if not free:
        return
    yield from person.open_dock("Runs")
    yield from _click_row(person, person.random.choice(free))
    person.hand.press("F2")
    yield person.hand_idle()
    person.hand.write(person.random.choice(("a run", "run", "x.y", "again", "the other")))
    person.hand.press("Return" if person.chance(0.8) else "Escape")
    yield person.hand_idle()


@act(1)
def delete_runs(person: Person) -> Iterator[Wait]:
    """Moves runs to the trash, or cancels the question."""
    free = [i for i in own_runs(person) if not i.state.is_active]
    if len(own_runs(person)) < 4 or not free:
        return
    yield from person.open_dock("Runs")
    for item in person.random.sample(free, min(len(free), 2)):
        yield from _click_row(person, item)
        person.hand.press("Delete")
        yield person.hand_idle()
        yield person.pause(0.2)
        box = person.dialog(QMessageBox)
        if box is None or box.windowTitle() != "Move to trash":
            return
        button = next(b for b in box.buttons() if b.text() == "Move to trash")
        if person.chance(0.1):
            person.hand.press("Escape")
        else:
            person.click(button)
        yield "the question to close", lambda box=box: person.dialog(QMessageBox) is not box
    for trashed in Path.home().glob(".local/share/Trash/files/*"):
        if trashed.is_dir():
            shutil.rmtree(trashed)  # so that the disk does not become full
    yield from person.close_dialogs()
    yield person.pause(0.5)  # until the window manager has returned the focus


@act(1)
def train_in_parallel(person: Person) -> Iterator[Wait]:
    yield from person.choose("Run", "Runs side by side", person.random.choice(_PARALLEL_MODES))


_PARALLEL_MODES = ("1, with every core and live previews", "2, each in a process of its own")


@act(2)
def reuse_settings(person: Person) -> Iterator[Wait]:
    yield from choose_a_run(person)
    yield from person.choose("Run", "Use these settings")
