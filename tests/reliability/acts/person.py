"""Somebody who sits before the window: finds things, points, types, and waits for what comes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDockWidget,
    QFileDialog,
    QMenu,
    QMessageBox,
    QTabBar,
    QWidget,
)
from shiboken6 import isValid

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from PySide6.QtGui import QAction

    from aeviewer.app import Program
    from tests.reliability.acts.hand import Hand

Wait = tuple[str, Callable[[], object]]
"""What is waited for, in words and as a question."""
Act = Callable[["Person"], Iterator[Wait]]
_READ = 200
"""Characters of a box that are kept."""
TITLE = QPoint(30, 8)
"""A place on the title of a panel: a double click takes it out, or puts it back."""
W = TypeVar("W", bound=QWidget)
ACTS: dict[str, tuple[Act, float]] = {}
"""What a person does, and how often beside the rest."""


def act(weight: float) -> Callable[[Act], Act]:
    """Makes a function one of the things that are done."""

    def kept(function: Act) -> Act:
        ACTS[function.__name__.replace("_", " ")] = function, weight
        return function

    return kept


class Person:
    """Has a hand, eyes, and a mind of its own.

    Parameters
    ----------
    program
        Whose window is used.
    hand
        Mouse and keyboard.
    mind
        Decides everything that is by chance.
    folder
        Where files of this person's lie.

    Attributes
    ----------
    read
        What the program said in boxes, and how often.
    """

    def __init__(self, program: Program, hand: Hand, mind: Random, folder: Path) -> None:
        self.program, self.hand, self.mind, self.folder = program, hand, mind, folder
        self.window, self.session, self.queue = program.window, program.session, program.queue
        self.read: Counter[str] = Counter()

    # -- waiting ---------------------------------------------------------------------------------

    def moved(self) -> Wait:
        """The hand has done what it was told, and the window has heard of it."""
        since = time.monotonic()
        return "the hand", lambda: self.hand.is_idle and time.monotonic() - since > 0.1

    def pause(self, seconds: float) -> Wait:
        """Some time goes by."""
        until = time.monotonic() + seconds
        return "time to go by", lambda: time.monotonic() > until

    # -- seeing ----------------------------------------------------------------------------------

    def chance(self, share: float) -> bool:
        return self.mind.random() < share

    def is_to_be_seen(self, widget: QWidget, place: QPoint | None = None) -> bool:
        """Whether a click there would meet the widget, or what is in it."""
        if not is_open(widget) or widget.width() < 4 or widget.height() < 4:
            return False
        at = widget.mapToGlobal(widget.rect().center() if place is None else place)
        found = QApplication.widgetAt(at)
        return found is not None and (found is widget or widget.isAncestorOf(found))

    def somewhere(self, widget: QWidget, margin: int = 12) -> QPoint:
        """A place within a widget."""
        rect = widget.rect().adjusted(margin, margin, -margin, -margin)
        rect = rect if rect.isValid() else QRect(widget.rect().center(), widget.rect().center())
        return QPoint(
            self.mind.randint(rect.left(), rect.right()),
            self.mind.randint(rect.top(), rect.bottom()),
        )

    def dialog(self, kind: type[W]) -> W | None:
        """A dialog of that kind that is open."""
        found = [w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible()]
        return found[0] if found else None

    # -- acting ----------------------------------------------------------------------------------

    def click(
        self, widget: QWidget, place: QPoint | None = None, *, times: int = 1, held: str = ""
    ) -> None:
        place = widget.rect().center() if place is None else place
        window = widget.window()
        if isinstance(window, QDockWidget):  # of which Qt may not know where it came out
            at, known = widget.mapTo(window, place), int(window.winId())
        else:
            at, known = widget.mapToGlobal(place), 0
        self.hand.click(at, times=times, held=held, window=known)

    def path(self, widget: QWidget, places: int) -> list[QPoint]:
        """Places on the screen that lie on a way through a widget."""
        corners = [self.somewhere(widget) for _ in range(places)]
        steps = [
            corners[at] + (corners[at + 1] - corners[at]) * (step / 8)
            for at in range(len(corners) - 1)
            for step in range(9)
        ]
        return [widget.mapToGlobal(step) for step in steps]

    def open_dock(self, title: str) -> Iterator[Wait]:
        """Brings a panel to the front, by its tab, or by the menu where it is closed."""
        dock = self.window.findChild(QDockWidget, title, Qt.FindChildOption.FindDirectChildrenOnly)
        assert dock is not None
        if dock.isHidden():
            yield from self.choose("Window", title)
        for bar in self.window.findChildren(QTabBar):
            for at in range(bar.count()):
                if bar.tabText(at) == title and bar.isVisible():
                    self.click(bar, bar.tabRect(at).center())
                    yield self.moved()
                    return

    def uncover(self, widget: QWidget, place: QPoint) -> Iterator[Wait]:
        """Puts panels back that float over a place, as those do that were dragged there."""
        for _ in range(5):
            found = QApplication.widgetAt(widget.mapToGlobal(place))
            over = found.window() if found is not None else None
            if not isinstance(over, QDockWidget):
                return
            self.click(over, TITLE, times=2)
            yield self.moved()
            yield self.pause(0.3)

    def choose(self, *titles: str) -> Iterator[Wait]:
        """Goes through the menus by their titles and clicks the last; Escape where it is grey."""
        bar = self.window.menuBar()
        action = _called(bar.actions(), titles[0])
        assert action is not None, f"there is no menu {titles[0]!r}"
        menu = action.menu()
        assert isinstance(menu, QMenu)
        place = bar.actionGeometry(action).center()
        yield from self.uncover(bar, place)
        for _ in range(3):  # a menu closes when another window comes to the front meanwhile
            self.click(bar, place)
            yield self.moved()
            yield self.pause(0.3)
            if menu.isVisible():
                break
        for title in titles[1:]:
            yield f"the menu {menu.title()}", menu.isVisible
            yield self.moved()
            action = _called(menu.actions(), title)
            if action is None or not action.isEnabled() or not action.isVisible():
                self.hand.press(*["Escape"] * len(titles))
                yield self.moved()
                return
            self.click(menu, menu.actionGeometry(action).center())
            yield self.moved()
            menu = action.menu() or menu

    def give_path(self, path: Path) -> Iterator[Wait]:
        """Answers the system's question for a file."""
        yield (
            "the question for a file",
            lambda: (dialog := self.dialog(QFileDialog)) and dialog.isActiveWindow(),
        )
        yield self.pause(0.5)  # until the window manager has given it the keyboard
        self.hand.press("ctrl+a")
        self.hand.write(str(path))
        yield self.moved()
        for _ in range(3):  # the first may close the list of files that was offered
            self.hand.press("Return")
            yield self.moved()
            yield self.pause(0.5)
            if not isinstance(QApplication.activeModalWidget(), QFileDialog):
                break
        yield "the file to be taken", lambda: self.dialog(QFileDialog) is None

    def tidy_up(self) -> Iterator[Wait]:
        """Closes what is open over the window, having read it, and turns to the window again."""
        for _ in range(40):
            above = QApplication.activePopupWidget() or QApplication.activeModalWidget()
            if above is None:
                windows = [w for w in QApplication.topLevelWidgets() if self._is_over(w)]
                above = windows[0] if windows else None
            if above is None:
                break
            if isinstance(above, QMessageBox):
                self.read[above.text()[:_READ]] += 1
            if QApplication.activeWindow() is not above and not isinstance(above, QMenu):
                above.activateWindow()
                yield self.pause(0.1)
            self.hand.press("Escape")
            yield self.moved()
            if is_open(above) and not isinstance(above, QDialog | QMenu):
                self.hand.press("ctrl+w")
                yield self.moved()
                if is_open(above):
                    above.close()
        if not self.window.isActiveWindow():
            self.window.activateWindow()
            yield self.pause(0.2)

    def _is_over(self, widget: QWidget) -> bool:
        types = {Qt.WindowType.Window, Qt.WindowType.Dialog}
        return widget.isVisible() and widget is not self.window and widget.windowType() in types


def is_open(widget: QWidget) -> bool:
    """Whether it is still there, and shown."""
    return isValid(widget) and widget.isVisible()


def _called(actions: list[QAction], title: str) -> QAction | None:
    """The action of that title, its mnemonic and dots aside."""
    for action in actions:
        if action.text().replace("&", "").rstrip("….") == title:
            return action
    return None
