"""Acts in the latent space and the timeline; drawing; comparing runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QComboBox,
    QInputDialog,
    QWidget,
)

from aeviewer.panels.comparison.compare_window import CompareWindow
from aeviewer.panels.comparison.figure_dialog import FigureDialog
from tests.reliability.acts.person import Person, Wait, act, is_open

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLANE_KEYS = ("d", "l", "r", "p", "p", "u", "k", "m", "a", "Left", "Up", "shift+Right", "Return")
_EXCLUDED_BUTTONS = ("Compute", "Train", "Open folder")
"""Buttons that start minutes of work or another program."""
_EMBEDDINGS = ("t-SNE", "UMAP")


@act(10)
def drag_in_the_plane(person: Person) -> Iterator[Wait]:
    yield from person.open_dock("Latent space")
    plot = person.window.latent.plot
    if not person.is_reachable(plot):
        return
    modifier = "shift" if person.chance(0.2) else ""
    person.hand.drag(person.random_path(plot, person.random.randint(2, 5)), modifier=modifier)
    yield person.hand_idle()


@act(6)
def press_keys_in_the_plane(person: Person) -> Iterator[Wait]:
    yield from person.open_dock("Latent space")
    plot = person.window.latent.plot
    if not person.is_reachable(plot):
        return
    person.click(plot, person.random_point(plot), modifier="ctrl" if person.chance(0.5) else "")
    plot.setFocus()
    for _ in range(person.random.randint(1, 6)):
        person.hand.press(person.random.choice(_PLANE_KEYS))
        yield person.hand_idle()
    person.hand.press("d", "Escape")
    yield person.hand_idle()


@act(2)
def choose_every_layer(person: Person) -> Iterator[Wait]:
    """Chooses all colours of the points and all layers behind them, one after the other."""
    yield from person.open_dock("Latent space")
    layers = person.window.latent.plane_bar.layers
    if not person.is_reachable(layers):
        return
    person.click(layers)
    yield person.hand_idle()
    yield "the layers", layers.menu().isVisible
    for combo in (layers.colour, layers.layer):
        combo.setFocus()
        person.hand.press("Home")
        for _ in range(combo.count() - 1):
            person.hand.press("Down")
            yield person.hand_idle()
            yield person.pause(0.3)
        if person.chance(0.7):
            person.hand.press("Home")
            yield person.hand_idle()


@act(4)
def zoom(person: Person) -> Iterator[Wait]:
    plot = person.random.choice((person.window.latent.plot, person.window.loss.plot))
    if not person.is_reachable(plot):
        return
    place = plot.mapToGlobal(person.random_point(plot))
    person.hand.click(place, button=person.random.choice((4, 5)), times=person.random.randint(1, 6))
    yield person.hand_idle()
    if person.chance(0.4):
        plot.setFocus()
        person.hand.press("a")
        yield person.hand_idle()


@act(6)
def drag_the_timeline(person: Person) -> Iterator[Wait]:
    slider = person.window.timeline.slider
    if not person.is_reachable(slider):
        return
    person.hand.drag(person.random_path(slider, person.random.randint(2, 4)))
    yield person.hand_idle()
    person.hand.press(person.random.choice(("Home", "End", "Left", "ctrl+Left", "ctrl+Right")))
    yield person.hand_idle()


@act(3)
def play(person: Person) -> Iterator[Wait]:
    if person.chance(0.3):
        person.hand.press("ctrl+l")  # toggles the alignment
    person.hand.press("ctrl+space")
    yield person.pause(person.random.uniform(0.2, 3))
    if person.window.timeline.is_playing:
        person.hand.press("ctrl+space")
    yield person.hand_idle()


@act(4)
def draw(person: Person) -> Iterator[Wait]:
    yield from person.open_dock("Draw")
    panel = person.window.draw
    if not person.is_reachable(panel.pad):
        return
    for _ in range(person.random.randint(1, 3)):
        button = person.random.choice((1, 1, 1, 3))
        person.hand.drag(person.random_path(panel.pad, person.random.randint(2, 4)), button=button)
        yield person.hand_idle()
    button = person.random.choice((panel.undo, panel.clear, panel.mark, panel.pin, panel.eraser))
    if person.is_reachable(button) and button.isEnabled():
        person.click(button)
        yield person.hand_idle()


@act(5)
def undo(person: Person) -> Iterator[Wait]:
    for _ in range(person.random.randint(1, 5)):
        person.hand.press(person.random.choice(("ctrl+z", "ctrl+z", "ctrl+shift+z")))
        yield person.hand_idle()


@act(8)
def use_a_panel(person: Person) -> Iterator[Wait]:
    """Opens a panel and uses controls of the window."""
    panel = person.random.choice(("Decoder", "Point", "Directions", "Selection", "Path", "Samples"))
    yield from person.open_dock(panel)
    yield person.pause(0.3)
    yield from _use_controls(person, person.window)


@act(8)
def use_any_control(person: Person) -> Iterator[Wait]:
    """Uses controls anywhere in the window."""
    yield from _use_controls(person, person.window)


def _use_controls(person: Person, within: QWidget) -> Iterator[Wait]:
    kinds = QAbstractButton | QAbstractSlider | QComboBox
    controls = [
        each
        for each in within.findChildren(QWidget)
        if isinstance(each, kinds) and each.isEnabled() and person.is_reachable(each)
    ]
    for widget in person.random.sample(controls, min(len(controls), 3)):
        if not person.is_reachable(widget) or _is_excluded(widget):
            continue
        if isinstance(widget, QComboBox):
            yield from _choose_from(person, widget)
        elif isinstance(widget, QAbstractSlider):
            person.hand.drag(person.random_path(widget, 2))
            yield person.hand_idle()
        else:
            person.click(widget)
            yield person.hand_idle()
            yield from person.close_dialogs()


def _is_excluded(widget: QWidget) -> bool:
    if isinstance(widget, QAbstractButton) and widget.text() in _EXCLUDED_BUTTONS:
        return True
    return widget.accessibleName() == "Device"


def _choose_from(person: Person, combo: QComboBox) -> Iterator[Wait]:
    """Chooses a random entry by keys, except embeddings, which take minutes."""
    model = combo.model()
    rows = [row for row in range(combo.count()) if _can_be_chosen(model.index(row, 0))]
    usual = [at for at, row in enumerate(rows) if combo.itemText(row) not in _EMBEDDINGS]
    if not usual:
        return
    person.click(combo)
    yield person.hand_idle()
    person.hand.press("Home", *["Down"] * person.random.choice(usual), "Return")
    yield person.hand_idle()


def _can_be_chosen(index: QModelIndex) -> bool:
    return bool(index.flags() & Qt.ItemFlag.ItemIsEnabled)


@act(2)
def save_a_view(person: Person) -> Iterator[Wait]:
    if person.session.preview is None or not person.session.checkpoints:
        return
    person.hand.press("ctrl+shift+s")
    yield person.hand_idle()
    yield person.pause(0.3)
    if person.dialog(QInputDialog) is None:
        return
    person.hand.press("ctrl+a")
    name = person.random.choice(("view", "another", "third"))
    person.hand.write(name)
    person.hand.press("Return")
    yield "the dialog to close", lambda: person.dialog(QInputDialog) is None
    yield from person.close_dialogs()
    yield from person.choose("Views", *([name] if person.chance(0.7) else ["Delete view", name]))


@act(4)
def compare_runs(person: Person) -> Iterator[Wait]:
    yield from person.open_dock("Runs")
    view = person.window.runs.view
    if person.is_reachable(view):
        view.setFocus()
        person.hand.press("Home", *["shift+Down"] * person.random.randint(0, 3))
    person.hand.press("ctrl+shift+c")
    yield "the compare window", lambda: person.dialog(CompareWindow)
    window = person.dialog(CompareWindow)
    assert window is not None
    yield person.pause(0.3)
    for _ in range(person.random.randint(2, 6)):
        person.hand.press(f"ctrl+{person.random.randint(1, 4)}")
        yield person.hand_idle()
        if person.is_reachable(window.slider):
            person.hand.drag(person.random_path(window.slider, 2))
        page = window.tabs.currentWidget()
        if page is not None and person.is_reachable(page):
            person.hand.drag(person.random_path(page, 3))
        yield person.hand_idle()
        yield from _use_controls(person, window.centralWidget())
        if not is_open(window):
            return
    if person.chance(0.3):
        yield from _export_figure(person)
    if not is_open(window):
        return
    window.activateWindow()
    yield person.pause(0.2)
    person.hand.press("ctrl+w")
    yield person.hand_idle()


def _export_figure(person: Person) -> Iterator[Wait]:
    person.hand.press("ctrl+e")
    yield person.hand_idle()
    yield person.pause(0.5)
    dialog = person.dialog(FigureDialog)
    if dialog is not None:
        person.click(dialog.save_button)
        yield person.hand_idle()
        yield from person.answer_file_dialog(person.folder / "figure.svg")
    yield from person.close_dialogs()
