"""A person before the program's window: a real mouse, real keys, pictures.

The mouse and the keys are the X server's (xdotool), so that they go the way a person's go.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtWidgets import QScrollArea, QTabBar, QWidget

from aeviewer.app import Program

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtCore import QPoint
    from pytestqt.qtbot import QtBot

    from aeviewer.settings import Settings
    from aeviewer.widgets.plots.latent_plot import LatentPlot
    from trainers import runs


def xdotool(*words: object) -> None:
    subprocess.run(["xdotool", *map(str, words)], check=True)


class Person:
    """Sees a program's window and has a mouse and a keyboard."""

    def __init__(self, program: Program, qtbot: QtBot, settings: Settings) -> None:
        self.program, self.qtbot, self.settings = program, qtbot, settings
        self.session, self.queue = program.session, program.queue
        self.window = program.window
        self.is_closed = False

    def until(self, condition: Callable[[], object]) -> None:
        self.qtbot.waitUntil(lambda: bool(condition()))

    def settled(self, value: Callable[[], int]) -> int:
        """What `value` gives once it has stayed the same for a second."""
        seen = value()
        while True:
            self.qtbot.wait(1000)
            if value() == seen:
                return seen
            seen = value()

    def click(self, widget: QWidget, place: QPoint | None = None) -> None:
        above = widget.parentWidget()
        while above is not None:
            if isinstance(above, QScrollArea):
                above.ensureWidgetVisible(widget)  # as the wheel would
            above = above.parentWidget()
        self._point(widget, place)
        xdotool("click", 1)

    def drag(self, widget: QWidget, start: QPoint, end: QPoint) -> None:
        self._point(widget, start)
        xdotool("mousedown", 1)
        for share in np.linspace(0, 1, 9):
            place = widget.mapToGlobal(start + (end - start) * float(share))
            xdotool("mousemove", place.x(), place.y())
        xdotool("mouseup", 1)

    def trace(self, widget: QWidget, places: list[QPoint]) -> None:
        """Drags from place to place, slowly enough for each to be noticed."""
        self._point(widget, places[0])
        xdotool("mousedown", 1)
        for place in places:
            self._point(widget, place)
            self.qtbot.wait(30)
        xdotool("mouseup", 1)

    @property
    def plane(self) -> LatentPlot:
        """The plot of the latent space."""
        return self.window.latent.plot

    def open_dock(self, title: str) -> None:
        """Brings a panel that shares its place to the front, by its tab."""
        for bar in self.window.findChildren(QTabBar):
            for at in range(bar.count()):
                if bar.tabText(at) == title:
                    self.click(bar, bar.tabRect(at).center())
                    self.until(lambda found=bar, at=at: found.currentIndex() == at)
                    return
        raise AssertionError(f"there is no tab {title!r}")

    def click_with(self, key: str, widget: QWidget, place: QPoint) -> None:
        """Clicks while a key is held."""
        xdotool("keydown", key)
        self.click(widget, place)
        xdotool("keyup", key)

    def press(self, keys: str) -> None:
        xdotool("key", keys)

    def picture(self, name: str) -> None:
        folder = Path(os.environ.get("AEVIEWER_PICTURES", "."))
        self.window.grab().save(str(folder / f"{name}.png"))

    def _point(self, widget: QWidget, place: QPoint | None) -> None:
        found = widget.mapToGlobal(widget.rect().center() if place is None else place)
        xdotool("mousemove", found.x(), found.y())


def opened(folder: Path, settings: Settings, qtbot: QtBot, demo: runs.Run) -> Person:
    program = Program(folder, settings, [demo])
    program.window.resize(1500, 900)
    program.window.show()
    qtbot.waitExposed(program.window)
    program.window.activateWindow()
    person = Person(program, qtbot, settings)
    person.until(program.window.isActiveWindow)
    return person


def close(person: Person) -> None:
    if person.is_closed:
        return
    person.is_closed = True
    person.window.close()
    person.program.close()
    person.window.deleteLater()
