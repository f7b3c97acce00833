from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import delete, isValid

from aeviewer.widgets.refresh import Refresh

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


class _Panel(QWidget):
    """Counts how often it is drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.refresh = Refresh(self, self.draw)

    def draw(self) -> None:
        self.count += 1


@pytest.fixture
def panel(qtbot: QtBot) -> _Panel:
    panel = _Panel()
    qtbot.addWidget(panel)
    return panel


def test_many_requests_are_joined_into_one_call(panel: _Panel) -> None:
    panel.show()
    for _ in range(5):
        panel.refresh.request()
    assert (panel.count, panel.refresh.is_pending) == (0, True)
    QApplication.processEvents()
    assert (panel.count, panel.refresh.is_pending) == (1, False)


def test_a_hidden_widget_is_drawn_when_it_is_shown(panel: _Panel) -> None:
    panel.refresh.request()
    QApplication.processEvents()
    assert panel.count == 0
    panel.show()
    assert panel.count == 1
    QApplication.processEvents()
    assert panel.count == 1


def test_a_widget_that_is_hidden_before_it_was_drawn_waits(panel: _Panel) -> None:
    panel.show()
    panel.refresh.request()
    panel.hide()
    QApplication.processEvents()
    assert (panel.count, panel.refresh.is_pending) == (0, True)
    panel.show()
    assert panel.count == 1


def test_without_a_request_nothing_is_drawn_when_the_widget_is_shown(panel: _Panel) -> None:
    panel.show()
    panel.hide()
    panel.show()
    QApplication.processEvents()
    assert panel.count == 0


def test_a_child_is_drawn_when_its_window_is_shown(qtbot: QtBot) -> None:
    window, panel = QWidget(), _Panel()
    qtbot.addWidget(window)
    panel.setParent(window)
    panel.show()
    panel.refresh.request()
    QApplication.processEvents()
    assert panel.count == 0
    window.show()
    assert panel.count == 1


def test_it_ends_with_its_widget(qapp: QApplication) -> None:
    widget, drawings = QWidget(), list[int]()
    refresh = Refresh(widget, lambda: drawings.append(1))
    widget.show()
    refresh.request()
    delete(widget)
    qapp.processEvents()
    assert not isValid(refresh)
    assert drawings == []


def test_it_does_not_keep_the_object_of_its_method_alive(panel: _Panel) -> None:
    class Drawing(QObject):
        def draw(self) -> None:
            raise AssertionError

    drawing = Drawing()
    gone = weakref.ref(drawing)
    refresh = Refresh(panel, drawing.draw)
    del drawing
    assert gone() is None
    panel.show()
    refresh.request()
    QApplication.processEvents()
    assert not refresh.is_pending
