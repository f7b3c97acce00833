from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QVBoxLayout, QWidget

from aeviewer.widgets.displays.result_line import ResultLine
from aeviewer.widgets.labels import plain_label

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


class Panel(QWidget):
    """A result, and the line under it."""

    def __init__(self) -> None:
        super().__init__()
        self.content = plain_label("a result")
        self.line = ResultLine("Computing", self.content)
        layout = QVBoxLayout(self)
        layout.addWidget(self.content)
        layout.addWidget(self.line)
        self.resize(200, 100)


@pytest.fixture
def panel(qtbot: QtBot) -> Panel:
    panel = Panel()
    qtbot.addWidget(panel)
    panel.show()
    return panel


@pytest.fixture
def line(panel: Panel) -> ResultLine:
    return panel.line


def test_a_result_that_arrives_at_once_shows_no_bar(line: ResultLine) -> None:
    line.set_status(is_computing=True, is_stale=True)
    line.set_status(is_computing=False)
    assert line.bar.isHidden()
    assert not line.is_dimmed


def test_after_a_moment_the_bar_shows_and_the_old_result_is_dimmed(
    line: ResultLine, qtbot: QtBot
) -> None:
    line.set_status(is_computing=True, is_stale=True, progress=0.4)
    qtbot.waitUntil(line.bar.isVisible)
    assert (line.bar.minimum(), line.bar.maximum(), line.bar.value()) == (0, 100, 40)
    assert line.is_dimmed
    line.set_status(is_computing=True, is_stale=False)
    assert line.bar.maximum() == 0, "an unknown progress has no end"
    assert not line.is_dimmed
    line.set_status(is_computing=False)
    assert line.bar.isHidden()


def contrast(widget: QWidget) -> int:
    """Returns the difference between the brightest and the darkest pixel."""
    image = widget.grab().toImage()
    places = [(x, y) for x in range(image.width()) for y in range(image.height())]
    levels = [image.pixelColor(x, y).lightness() for x, y in places]
    return max(levels) - min(levels)


def test_what_is_dimmed_has_less_contrast(panel: Panel, line: ResultLine, qtbot: QtBot) -> None:
    before = contrast(panel.content)
    line.set_status(is_computing=True, is_stale=True)
    qtbot.waitUntil(lambda: line.is_dimmed)
    assert contrast(panel.content) < before
