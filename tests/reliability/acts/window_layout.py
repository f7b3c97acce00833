"""Acts on the window itself: docks, sizes, themes, help, preferences."""

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
    yield from person.choose("Window", person.random.choice(_DOCKS))


@act(3)
def open_a_tab(person: Person) -> Iterator[Wait]:
    yield from person.open_dock(person.random.choice(_DOCKS))


@act(2)
def float_a_dock(person: Person) -> Iterator[Wait]:
    """Floats a dock by a double click on its title, or docks it again."""
    docks = [d for d in person.window.findChildren(QDockWidget) if d.windowTitle() != "Timeline"]
    dock = person.random.choice(docks)
    if not person.is_reachable(dock, TITLE):
        return
    was_floating = dock.isFloating()
    person.click(dock, TITLE, times=2)
    yield person.hand_idle()
    yield "the dock to float, or to be docked", lambda: dock.isFloating() != was_floating
    yield person.pause(0.3)
    if dock.isFloating() and person.chance(0.8):
        person.click(dock, TITLE, times=2)
        yield "the dock to be docked", lambda: not dock.isFloating()


@act(1)
def reset_the_layout(person: Person) -> Iterator[Wait]:
    yield from person.choose("Window", "Reset layout")


@act(3)
def resize_the_window(person: Person) -> Iterator[Wait]:
    window, random = person.window, person.random
    if person.chance(0.2):
        window.showMaximized()
    else:
        window.showNormal()
        window.resize(random.randint(900, 1580), random.randint(620, 960))
        window.move(random.randint(0, 40), random.randint(0, 40))
    yield person.pause(0.3)


@act(2)
def drag_a_border(person: Person) -> Iterator[Wait]:
    """Drags the right edge of a dock, which may be a border between two panels."""
    dock = person.random.choice(person.window.findChildren(QDockWidget))
    if not dock.isVisible() or dock.isFloating():
        return
    edge = dock.mapToGlobal(QPoint(dock.width() + 1, dock.height() // 2))
    person.hand.drag([edge, edge + QPoint(person.random.randint(-80, 80), 0)])
    yield person.hand_idle()


@act(2)
def switch_the_theme(person: Person) -> Iterator[Wait]:
    yield from person.choose("Window", "Theme", person.random.choice(_THEMES))


@act(2)
def open_help(person: Person) -> Iterator[Wait]:
    yield from person.choose("Help", person.random.choice(_READING))
    yield person.pause(0.3)


@act(1)
def take_the_tour(person: Person) -> Iterator[Wait]:
    yield from person.choose("Help", "Tour of the window")
    yield person.pause(0.3)
    for _ in range(person.random.randint(0, 6)):
        person.hand.press("Return")
        yield person.hand_idle()
    person.hand.press("Escape")
    yield person.hand_idle()


@act(1)
def open_the_preferences(person: Person) -> Iterator[Wait]:
    person.hand.press("ctrl+comma")
    yield person.hand_idle()
    yield person.pause(0.3)
    person.hand.press("Tab", "Escape")
    yield person.hand_idle()


@act(1)
def refresh(person: Person) -> Iterator[Wait]:
    person.hand.press("F5")
    yield person.hand_idle()
