"""Walking through latent space and time, drawing, comparing."""

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
_LEFT_ALONE = ("Lay out", "Train", "Open folder")
"""Buttons that begin what takes minutes, or ask other programs for something."""
_LAYOUTS = ("t-SNE", "UMAP")


@act(10)
def drag_in_the_plane(person: Person) -> Iterator[Wait]:
    yield from person.open_dock("Latent space")
    plot = person.window.latent.plot
    if not person.is_to_be_seen(plot):
        return
    held = "shift" if person.chance(0.2) else ""
    person.hand.drag(person.path(plot, person.mind.randint(2, 5)), held=held)
    yield person.moved()


@act(6)
def press_keys_in_the_plane(person: Person) -> Iterator[Wait]:
    yield from person.open_dock("Latent space")
    plot = person.window.latent.plot
    if not person.is_to_be_seen(plot):
        return
    person.click(plot, person.somewhere(plot), held="ctrl" if person.chance(0.5) else "")
    plot.setFocus()
    for _ in range(person.mind.randint(1, 6)):
        person.hand.press(person.mind.choice(_PLANE_KEYS))
        yield person.moved()
    person.hand.press("d", "Escape")
    yield person.moved()


@act(2)
def go_through_the_layers(person: Person) -> Iterator[Wait]:
    """All colours of the points, and all that can lie behind them, one after another."""
    yield from person.open_dock("Latent space")
    layers = person.window.latent.plane_bar.layers
    if not person.is_to_be_seen(layers):
        return
    person.click(layers)
    yield person.moved()
    yield "the layers", layers.menu().isVisible
    for combo in (layers.colour, layers.layer):
        combo.setFocus()
        person.hand.press("Home")
        for _ in range(combo.count() - 1):
            person.hand.press("Down")
            yield person.moved()
            yield person.pause(0.3)
        if person.chance(0.7):
            person.hand.press("Home")
            yield person.moved()


@act(4)
def zoom(person: Person) -> Iterator[Wait]:
    plot = person.mind.choice((person.window.latent.plot, person.window.loss.plot))
    if not person.is_to_be_seen(plot):
        return
    place = plot.mapToGlobal(person.somewhere(plot))
    person.hand.click(place, button=person.mind.choice((4, 5)), times=person.mind.randint(1, 6))
    yield person.moved()
    if person.chance(0.4):
        plot.setFocus()
        person.hand.press("a")
        yield person.moved()


@act(6)
def scrub(person: Person) -> Iterator[Wait]:
    slider = person.window.timeline.slider
    if not person.is_to_be_seen(slider):
        return
    person.hand.drag(person.path(slider, person.mind.randint(2, 4)))
    yield person.moved()
    person.hand.press(person.mind.choice(("Home", "End", "Left", "ctrl+Left", "ctrl+Right")))
    yield person.moved()


@act(3)
def play(person: Person) -> Iterator[Wait]:
    if person.chance(0.3):
        person.hand.press("ctrl+l")  # align, or not
    person.hand.press("ctrl+space")
    yield person.pause(person.mind.uniform(0.2, 3))
    if person.window.timeline.is_playing:
        person.hand.press("ctrl+space")
    yield person.moved()


@act(4)
def draw(person: Person) -> Iterator[Wait]:
    yield from person.open_dock("Draw")
    panel = person.window.draw
    if not person.is_to_be_seen(panel.pad):
        return
    for _ in range(person.mind.randint(1, 3)):
        button = person.mind.choice((1, 1, 1, 3))
        person.hand.drag(person.path(panel.pad, person.mind.randint(2, 4)), button=button)
        yield person.moved()
    button = person.mind.choice((panel.undo, panel.clear, panel.mark, panel.pin, panel.eraser))
    if person.is_to_be_seen(button) and button.isEnabled():
        person.click(button)
        yield person.moved()


@act(5)
def undo(person: Person) -> Iterator[Wait]:
    for _ in range(person.mind.randint(1, 5)):
        person.hand.press(person.mind.choice(("ctrl+z", "ctrl+z", "ctrl+shift+z")))
        yield person.moved()


@act(8)
def look_at_a_panel(person: Person) -> Iterator[Wait]:
    """Opens one of the panels and uses something in it."""
    panel = person.mind.choice(("Decoder", "Point", "Directions", "Selection", "Path", "Samples"))
    yield from person.open_dock(panel)
    yield person.pause(0.3)
    yield from _meddle(person, person.window)


@act(8)
def meddle(person: Person) -> Iterator[Wait]:
    """Uses something, wherever it is in the window."""
    yield from _meddle(person, person.window)


def _meddle(person: Person, within: QWidget) -> Iterator[Wait]:
    kinds = QAbstractButton | QAbstractSlider | QComboBox
    found = [
        each
        for each in within.findChildren(QWidget)
        if isinstance(each, kinds) and each.isEnabled() and person.is_to_be_seen(each)
    ]
    for widget in person.mind.sample(found, min(len(found), 3)):
        if not person.is_to_be_seen(widget) or _is_left_alone(widget):
            continue
        if isinstance(widget, QComboBox):
            yield from _choose_from(person, widget)
        elif isinstance(widget, QAbstractSlider):
            person.hand.drag(person.path(widget, 2))
            yield person.moved()
        else:
            person.click(widget)
            yield person.moved()
            yield from person.tidy_up()


def _is_left_alone(widget: QWidget) -> bool:
    if isinstance(widget, QAbstractButton) and widget.text() in _LEFT_ALONE:
        return True
    return widget.accessibleName() == "Device"


def _choose_from(person: Person, combo: QComboBox) -> Iterator[Wait]:
    """Another entry, by keys; layouts take minutes of a core and are left out."""
    model = combo.model()
    rows = [row for row in range(combo.count()) if _can_be_chosen(model.index(row, 0))]
    usual = [at for at, row in enumerate(rows) if combo.itemText(row) not in _LAYOUTS]
    if not usual:
        return
    person.click(combo)
    yield person.moved()
    person.hand.press("Home", *["Down"] * person.mind.choice(usual), "Return")
    yield person.moved()


def _can_be_chosen(index: QModelIndex) -> bool:
    return bool(index.flags() & Qt.ItemFlag.ItemIsEnabled)


@act(2)
def keep_a_view(person: Person) -> Iterator[Wait]:
    if person.session.preview is None or not person.session.checkpoints:
        return
    person.hand.press("ctrl+shift+s")
    yield person.moved()
    yield person.pause(0.3)
    if person.dialog(QInputDialog) is None:
        return
    person.hand.press("ctrl+a")
    name = person.mind.choice(("view", "another", "third"))
    person.hand.write(name)
    person.hand.press("Return")
    yield "the name to be taken", lambda: person.dialog(QInputDialog) is None
    yield from person.tidy_up()
    yield from person.choose("Views", *([name] if person.chance(0.7) else ["Delete view", name]))


@act(4)
def compare(person: Person) -> Iterator[Wait]:
    yield from person.open_dock("Runs")
    view = person.window.runs.view
    if person.is_to_be_seen(view):
        view.setFocus()
        person.hand.press("Home", *["shift+Down"] * person.mind.randint(0, 3))
    person.hand.press("ctrl+shift+c")
    yield "the window that compares", lambda: person.dialog(CompareWindow)
    window = person.dialog(CompareWindow)
    assert window is not None
    yield person.pause(0.3)
    for _ in range(person.mind.randint(2, 6)):
        person.hand.press(f"ctrl+{person.mind.randint(1, 4)}")
        yield person.moved()
        if person.is_to_be_seen(window.slider):
            person.hand.drag(person.path(window.slider, 2))
        page = window.tabs.currentWidget()
        if page is not None and person.is_to_be_seen(page):
            person.hand.drag(person.path(page, 3))
        yield person.moved()
        yield from _meddle(person, window.centralWidget())
        if not is_open(window):
            return
    if person.chance(0.3):
        yield from _export_figure(person)
    if not is_open(window):
        return
    window.activateWindow()
    yield person.pause(0.2)
    person.hand.press("ctrl+w")
    yield person.moved()


def _export_figure(person: Person) -> Iterator[Wait]:
    person.hand.press("ctrl+e")
    yield person.moved()
    yield person.pause(0.5)
    dialog = person.dialog(FigureDialog)
    if dialog is not None:
        person.click(dialog.save_button)
        yield person.moved()
        yield from person.give_path(person.folder / "figure.svg")
    yield from person.tidy_up()
