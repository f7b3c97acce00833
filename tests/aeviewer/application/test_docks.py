from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTabBar

from aeviewer.app import Program
from tests.aeviewer.explored_run import copy_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from aeviewer.settings import Settings
    from tests.aeviewer.explored_run import TrainRun


@pytest.fixture
def program(
    trained_run: TrainRun, tmp_path: Path, settings: Settings, qtbot: QtBot
) -> Iterator[Program]:
    run = copy_run(trained_run("vae", 2), tmp_path / "runs")
    settings.current = str(run.path)
    program = Program(tmp_path / "runs", settings)
    qtbot.addWidget(program.window)
    program.window.resize(1600, 1000)
    program.window.show()
    qtbot.waitUntil(lambda: program.session.preview is not None)
    yield program
    program.window.close()
    program.close()


def choose(qtbot: QtBot, program: Program, title: str) -> None:
    """Clicks the tab of a dock."""
    for bar in program.window.findChildren(QTabBar):
        for index in range(bar.count()):
            if bar.tabText(index) == title and bar.isVisible():
                place = bar.tabRect(index).center()
                qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=place)
                return
    raise AssertionError(f"no tab {title!r}")


def test_a_panel_behind_another_tab_is_hidden_and_does_no_work(
    program: Program, qtbot: QtBot
) -> None:
    window, latent_services = program.window, program.latent_services
    qtbot.waitUntil(lambda: not window.directions.isVisible() and window.decoder.isVisible())
    choose(qtbot, program, "Directions")
    qtbot.waitUntil(lambda: latent_services.directions.steps is not None)
    assert window.directions.isVisible()
    assert not window.decoder.isVisible()
    choose(qtbot, program, "Draw")
    assert latent_services.directions.steps is None
    window.draw.pad.set_image(np.eye(28, dtype=np.uint8) * 255)
    qtbot.waitUntil(lambda: window.latent.plot.star is not None)
    choose(qtbot, program, "Samples")
    assert window.latent.plot.star is None
    qtbot.waitUntil(lambda: window.samples.sheet.shape == (8, 6))
    assert [window.point.isVisible(), window.selection.isVisible()] == [False, False]
    choose(qtbot, program, "Decoder")
    assert window.decoder.isVisible()


def test_other_tabs_leave_the_docks_as_large_as_they_are(program: Program, qtbot: QtBot) -> None:
    window = program.window
    qtbot.waitUntil(lambda: window.decoder.isVisible() and window.latent.width() > 500)
    before = window.latent.size()
    for title in ("Point", "Directions", "Selection", "Path", "Draw", "Samples", "Decoder"):
        choose(qtbot, program, title)
        window.grab()
        assert window.latent.size() == before, title


def test_the_window_fits_a_small_screen(program: Program, qtbot: QtBot) -> None:
    """1280 x 800 less a bar of the desktop and the window's own title."""
    window = program.window
    for title in ("Draw", "Selection", "Point", "Decoder"):
        choose(qtbot, program, title)
    least = window.minimumSizeHint()
    assert least.width() <= 1280
    assert least.height() <= 720
    window.resize(1280, 720)
    choose(qtbot, program, "Draw")
    bar = window.draw.parentWidget().parentWidget().verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    bar.setValue(bar.maximum())
    foot = window.draw.neighbours
    assert not foot.visibleRegion().isEmpty()
