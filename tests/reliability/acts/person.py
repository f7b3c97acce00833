"""The simulated user: finds widgets, points, types, and waits for the results."""

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
"""What an act waits for: a description, and a function that returns whether it has come."""
Act = Callable[["Person"], Iterator[Wait]]
_READ = 200
"""The number of characters of a message box that are recorded."""
TITLE = QPoint(30, 8)
"""A point on the title of a dock; a double click there floats it, or docks it again."""
W = TypeVar("W", bound=QWidget)
ACTS: dict[str, tuple[Act, float]] = {}
"""The acts by name, each with its weight."""


def act(weight: float) -> Callable[[Act], Act]:
    """Registers a function as an act of this weight."""

    def register(function: Act) -> Act:
        ACTS[function.__name__.replace("_", " ")] = function, weight
        return function

    return register


class Person:
    """A simulated user of the window.

    Parameters
    ----------
    program
        The program whose window is used.
    hand
        Mouse and keyboard.
    random
        The generator of all random decisions.
    folder
        The folder of the user's files.

    Attributes
    ----------
    boxes
        The texts of the message boxes, each with its count.
    """

    def __init__(self, program: Program, hand: Hand, random: Random, folder: Path) -> None:
        self.program, self.hand, self.random, self.folder = program, hand, random, folder
        self.window, self.session, self.queue = program.window, program.session, program.queue
        self.boxes: Counter[str] = Counter()

    # -- waiting ---------------------------------------------------------------------------------

    def hand_idle(self) -> Wait:
        """Returns a wait until all gestures are complete and the window has received them."""
        since = time.monotonic()
        return "mouse and keyboard", lambda: self.hand.is_idle and time.monotonic() - since > 0.1

    def pause(self, seconds: float) -> Wait:
        """Returns a wait of some seconds."""
        until = time.monotonic() + seconds
        return "a pause", lambda: time.monotonic() > until

    # -- seeing ----------------------------------------------------------------------------------

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def is_reachable(self, widget: QWidget, place: QPoint | None = None) -> bool:
        """Returns whether a click there would hit the widget or a child of it."""
        if not is_open(widget) or widget.width() < 4 or widget.height() < 4:
            return False
        at = widget.mapToGlobal(widget.rect().center() if place is None else place)
        found = QApplication.widgetAt(at)
        return found is not None and (found is widget or widget.isAncestorOf(found))

    def random_point(self, widget: QWidget, margin: int = 12) -> QPoint:
        """Returns a random point in a widget."""
        rect = widget.rect().adjusted(margin, margin, -margin, -margin)
        rect = rect if rect.isValid() else QRect(widget.rect().center(), widget.rect().center())
        return QPoint(
            self.random.randint(rect.left(), rect.right()),
            self.random.randint(rect.top(), rect.bottom()),
        )

    def dialog(self, kind: type[W]) -> W | None:
        """Returns the open dialog of that class, or None."""
        dialogs = (w for w in QApplication.topLevelWidgets() if isinstance(w, kind))
        return next((dialog for dialog in dialogs if dialog.isVisible()), None)

    # -- acting ----------------------------------------------------------------------------------

    def click(
        self, widget: QWidget, place: QPoint | None = None, *, times: int = 1, modifier: str = ""
    ) -> None:
        place = widget.rect().center() if place is None else place
        window = widget.window()
        if isinstance(window, QDockWidget):  # Qt may not know the position of a floating dock.
            at, known = widget.mapTo(window, place), int(window.winId())
        else:
            at, known = widget.mapToGlobal(place), 0
        self.hand.click(at, times=times, modifier=modifier, window=known)

    def random_path(self, widget: QWidget, places: int) -> list[QPoint]:
        """Returns points on the screen along a random path through a widget."""
        corners = [self.random_point(widget) for _ in range(places)]
        steps = [
            corners[at] + (corners[at + 1] - corners[at]) * (step / 8)
            for at in range(len(corners) - 1)
            for step in range(9)
        ]
        return [widget.mapToGlobal(step) for step in steps]

    def open_dock(self, title: str) -> Iterator[Wait]:
        """Brings a panel to the front, by its tab or, if it is closed, by the menu."""
        dock = self.window.findChild(QDockWidget, title, Qt.FindChildOption.FindDirectChildrenOnly)
        assert dock is not None
        if dock.isHidden():
            yield from self.choose("Window", title)
        for bar in self.window.findChildren(QTabBar):
            for at in range(bar.count()):
                if bar.tabText(at) == title and bar.isVisible():
                    self.click(bar, bar.tabRect(at).center())
                    yield self.hand_idle()
                    return

    def move_docks_back(self, widget: QWidget, place: QPoint) -> Iterator[Wait]:
        """Docks the panels that float over a point."""
        for _ in range(5):
            found = QApplication.widgetAt(widget.mapToGlobal(place))
            over = found.window() if found is not None else None
            if not isinstance(over, QDockWidget):
                return
            self.click(over, TITLE, times=2)
            yield self.hand_idle()
            yield self.pause(0.3)

    def choose(self, *titles: str) -> Iterator[Wait]:
        """Opens menus by their titles and clicks the last; presses Escape if it is disabled."""
        bar = self.window.menuBar()
        action = _find_action(bar.actions(), titles[0])
        assert action is not None, f"there is no menu {titles[0]!r}"
        menu = action.menu()
        assert isinstance(menu, QMenu)
        place = bar.actionGeometry(action).center()
        yield from self.move_docks_back(bar, place)
        for _ in range(3):  # A menu closes when another window comes to the front.
            self.click(bar, place)
            yield self.hand_idle()
            yield self.pause(0.3)
            if menu.isVisible():
                break
        for title in titles[1:]:
            yield f"the menu {menu.title()}", menu.isVisible
            yield self.hand_idle()
            action = _find_action(menu.actions(), title)
            assert action is not None, f"the menu {menu.title()!r} has no entry {title!r}"
            if not action.isEnabled() or not action.isVisible():
                self.hand.press(*["Escape"] * len(titles))
                yield self.hand_idle()
                return
            self.click(menu, menu.actionGeometry(action).center())
            yield self.hand_idle()
            menu = action.menu() or menu

    def answer_file_dialog(self, path: Path) -> Iterator[Wait]:
        """Enters a path in the file dialog."""
        yield (
            "the file dialog",
            lambda: (dialog := self.dialog(QFileDialog)) and dialog.isActiveWindow(),
        )
        yield self.pause(0.5)  # until the window manager has given it the focus
        self.hand.press("ctrl+a")
        self.hand.write(str(path))
        yield self.hand_idle()
        for _ in range(3):  # The first Return may close the list of suggested files.
            self.hand.press("Return")
            yield self.hand_idle()
            yield self.pause(0.5)
            if not isinstance(QApplication.activeModalWidget(), QFileDialog):
                break
        yield "the file dialog to close", lambda: self.dialog(QFileDialog) is None

    def close_dialogs(self) -> Iterator[Wait]:
        """Records and closes the open dialogs, menus and windows, and activates the window."""
        for _ in range(40):
            above = QApplication.activePopupWidget() or QApplication.activeModalWidget()
            if above is None:
                windows = [w for w in QApplication.topLevelWidgets() if self._is_over(w)]
                above = windows[0] if windows else None
            if above is None:
                break
            if isinstance(above, QMessageBox):
                self.boxes[above.text()[:_READ]] += 1
            if QApplication.activeWindow() is not above and not isinstance(above, QMenu):
                above.activateWindow()
                yield self.pause(0.1)
            self.hand.press("Escape")
            yield self.hand_idle()
            if is_open(above) and not isinstance(above, QDialog | QMenu):
                self.hand.press("ctrl+w")
                yield self.hand_idle()
                if is_open(above):
                    above.close()
        if not self.window.isActiveWindow():
            self.window.activateWindow()
            yield self.pause(0.2)

    def _is_over(self, widget: QWidget) -> bool:
        types = {Qt.WindowType.Window, Qt.WindowType.Dialog}
        return widget.isVisible() and widget is not self.window and widget.windowType() in types


def is_open(widget: QWidget) -> bool:
    """Returns whether the widget still exists and is visible."""
    return isValid(widget) and widget.isVisible()


def _find_action(actions: list[QAction], title: str) -> QAction | None:
    """Returns the action of that title, without its mnemonic and dots."""
    for action in actions:
        if action.text().replace("&", "").rstrip("….") == title:
            return action
    return None
