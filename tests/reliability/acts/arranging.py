"""What is done to the window itself: docks, sizes, themes, help, preferences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QDockWidget

from tests.reliability.acts.person import TITLE, Person, Wait, act

if TYPE_CHECKING:
    from collections.abc import Iterator

_DOCKS = (
    "Runs",
    "Experiment",
    "Latent space",
    "Decoder",
    "Point",
    "Directions",
    "Selection",
    "Path",
    "Draw",
    "Samples",
    "Loss",
    "Reconstructions",
    "Timeline",
)
_THEMES = ("As the system", "Light", "Dark", "High contrast")
_READING = ("Manual", "Mouse and keys", "Log", "About AE Viewer")


@act(4)
def close_or_open_a_dock(person: Person) -> Iterator[Wait]:
    yield from person.choose("Window", person.mind.choice(_DOCKS))


@act(3)
def turn_to_a_tab(person: Person) -> Iterator[Wait]:
    yield from person.open_dock(person.mind.choice(_DOCKS))


@act(2)
def float_a_dock(person: Person) -> Iterator[Wait]:
    """Takes one out by a double click on its title, or puts it back the same way."""
    docks = [d for d in person.window.findChildren(QDockWidget) if d.windowTitle() != "Timeline"]
    dock = person.mind.choice(docks)
    if not person.is_to_be_seen(dock, TITLE):
        return
    floated = dock.isFloating()
    person.click(dock, TITLE, times=2)
    yield person.moved()
    yield "the dock to come out, or to go back", lambda: dock.isFloating() != floated
    yield person.pause(0.3)
    if dock.isFloating() and person.chance(0.8):
        person.click(dock, TITLE, times=2)
        yield "the dock to be back", lambda: not dock.isFloating()


@act(1)
def reset_the_layout(person: Person) -> Iterator[Wait]:
    yield from person.choose("Window", "Reset layout")


@act(3)
def resize(person: Person) -> Iterator[Wait]:
    window, mind = person.window, person.mind
    if person.chance(0.2):
        window.showMaximized()
    else:
        window.showNormal()
        window.resize(mind.randint(900, 1580), mind.randint(620, 960))
        window.move(mind.randint(0, 40), mind.randint(0, 40))
    yield person.pause(0.3)


@act(2)
def drag_a_border(person: Person) -> Iterator[Wait]:
    """The line between two panels, if there is one where the hand comes down."""
    dock = person.mind.choice(person.window.findChildren(QDockWidget))
    if not dock.isVisible() or dock.isFloating():
        return
    edge = dock.mapToGlobal(QPoint(dock.width() + 1, dock.height() // 2))
    person.hand.drag([edge, edge + QPoint(person.mind.randint(-80, 80), 0)])
    yield person.moved()


@act(2)
def switch_the_theme(person: Person) -> Iterator[Wait]:
    yield from person.choose("Window", "Theme", person.mind.choice(_THEMES))


@act(2)
def read(person: Person) -> Iterator[Wait]:
    yield from person.choose("Help", person.mind.choice(_READING))
    yield person.pause(0.3)


@act(1)
def take_the_tour(person: Person) -> Iterator[Wait]:
    yield from person.choose("Help", "Tour of the window")
    yield person.pause(0.3)
    for _ in range(person.mind.randint(0, 6)):
        person.hand.press("Return")
        yield person.moved()
    person.hand.press("Escape")
    yield person.moved()


@act(1)
def look_at_the_preferences(person: Person) -> Iterator[Wait]:
    person.hand.press("ctrl+comma")
    yield person.moved()
    yield person.pause(0.3)
    person.hand.press("Tab", "Escape")
    yield person.moved()


@act(1)
def refresh(person: Person) -> Iterator[Wait]:
    person.hand.press("F5")
    yield person.moved()
