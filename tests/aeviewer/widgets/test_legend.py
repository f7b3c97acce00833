from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from aeviewer.palette import MOST_COLOURS, class_colours
from aeviewer.widgets.plots.class_list import ClassList
from aeviewer.widgets.plots.latent_plot import LatentPlot
from aeviewer.widgets.plots.legend import ChipLegend

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def _panel(qtbot: QtBot, count: int, width: int = 500, height: int = 400) -> ChipLegend:
    panel = QWidget()
    legend = ChipLegend([f"class {at}" for at in range(count)], class_colours(count))
    layout = QVBoxLayout(panel)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(QWidget(), 1)
    layout.addWidget(legend)
    qtbot.addWidget(panel)
    panel.resize(width, height)
    panel.show()
    qtbot.waitExposed(panel)
    return legend


@pytest.mark.parametrize("count", [2, 10, 26, 60, 65, 1_000, 10_000])
@pytest.mark.parametrize("size", [(300, 200), (500, 400), (1_400, 900)])
def test_a_legend_takes_at_most_a_fifth_of_its_panel(
    qtbot: QtBot, count: int, size: tuple[int, int]
) -> None:
    legend = _panel(qtbot, count, *size)
    panel = legend.parentWidget()
    qtbot.waitUntil(lambda: 0 < legend.height() <= max(24, panel.height() / 5))
    assert panel.size().toTuple() == size
    assert len(legend.visible) == count


def test_a_list_takes_the_place_of_chips_and_gives_it_back(qtbot: QtBot) -> None:
    legend = _panel(qtbot, 40, 300, 200)
    assert legend.is_list
    legend.parentWidget().resize(1_400, 900)
    qtbot.waitUntil(lambda: not legend.is_list)
    assert all(chip.isVisible() for chip in legend.chips)


def test_classes_are_searched_and_hidden_in_the_list(qtbot: QtBot) -> None:
    legend = _panel(qtbot, 1_000)
    assert legend.more.text() == "1,000 classes…"
    assert f"After {MOST_COLOURS} classes the colours repeat" in legend.more.toolTip()
    qtbot.mouseClick(legend.more, Qt.MouseButton.LeftButton)
    popup = legend.findChild(ClassList)
    assert popup is not None
    qtbot.mouseClick(popup.hide_button, Qt.MouseButton.LeftButton)
    assert not legend.visible.any()
    qtbot.keyClicks(popup.search, "class 77")
    assert popup.found.rowCount() == 11
    with qtbot.waitSignal(legend.visibility_changed):
        qtbot.mouseClick(popup.show_button, Qt.MouseButton.LeftButton)
    assert np.flatnonzero(legend.visible).tolist() == [77, *range(770, 780)]
    first = popup.found.index(0, 0)
    popup.found.setData(first, Qt.CheckState.Unchecked, Qt.ItemDataRole.CheckStateRole)
    assert np.flatnonzero(legend.visible).tolist() == [*range(770, 780)]
    popup.close()
    legend.set_names(["a", "b"], class_colours(2))
    assert legend.visible.tolist() == [True, True]
    assert not legend.is_list


def test_few_classes_in_a_small_panel_keep_their_state(qtbot: QtBot) -> None:
    legend = _panel(qtbot, 40, 300, 200)
    legend.chips[3].setChecked(False)
    qtbot.mouseClick(legend.more, Qt.MouseButton.LeftButton)
    popup = legend.findChild(ClassList)
    assert popup is not None
    assert not popup.model.visible[3]
    popup.search.setText("class 39")
    popup.hide_button.click()
    popup.close()
    assert np.flatnonzero(~legend.visible).tolist() == [3, 39]
    assert not legend.chips[39].isChecked()


def test_colours_repeat_only_after_those_that_can_be_told_apart() -> None:
    colours = class_colours(10_000)
    assert len(set(colours)) == len(set(colours[:MOST_COLOURS])) == MOST_COLOURS
    assert colours[MOST_COLOURS] == colours[0]


@pytest.mark.parametrize(("count", "shown"), [(10, 10), (40, 40), (41, 21), (10_000, 40)])
def test_an_axis_names_few_of_many_classes(qtbot: QtBot, count: int, shown: int) -> None:
    plot = LatentPlot("Classes")
    qtbot.addWidget(plot)
    axis = plot.axis("left")
    axis.set_words([(float(at), f"class {at}") for at in range(count)])
    (named,) = axis._tickLevels
    assert len(named) == shown
    assert named[0] == (0.0, "class 0")
