"""What explains: tour, manual, log, about, the report of an error."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QGuiApplication, QPaintEvent
from PySide6.QtWidgets import QApplication, QLabel, QVBoxLayout, QWidget

from aeviewer.app import open_program
from aeviewer.panels.application.help_menu import HelpMenu
from aeviewer.panels.application.text_windows import (
    AboutWindow,
    CrashWindow,
    LogWindow,
    ManualWindow,
)
from aeviewer.services.system.log import SessionLog
from aeviewer.widgets.displays.tour import Stop
from trainers.config import fields
from trainers.glossary import GLOSSARY
from trainers.runs.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from aeviewer.settings import Settings


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SessionLog]:
    journal = SessionLog(tmp_path / "log")
    journal.begin()
    yield journal
    journal.end()


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    window = QWidget()
    layout = QVBoxLayout(window)
    for name in ("first", "second"):
        label = QLabel(name, objectName=name)
        layout.addWidget(label)
    window.resize(QSize(800, 500))
    qtbot.addWidget(window)
    window.show()
    return window


@pytest.fixture
def menu(window: QWidget, journal: SessionLog, settings: Settings) -> HelpMenu:
    stops = [
        Stop(lambda n=name: window.findChild(QLabel, n), f"The {name}", f"It is the {name}.")
        for name in ("first", "second")
    ]
    return HelpMenu(journal, settings, stops, window)


class TestTour:
    def test_it_comes_once(self, menu: HelpMenu, qtbot: QtBot, settings: Settings) -> None:
        menu.offer_tour()
        qtbot.waitUntil(lambda: menu.tour is not None)
        assert menu.tour.title.text() == "The first"
        qtbot.mouseClick(menu.tour.next_button, Qt.MouseButton.LeftButton)
        assert menu.tour.title.text() == "The second"
        assert menu.tour.next_button.text() == "Done"
        qtbot.mouseClick(menu.tour.next_button, Qt.MouseButton.LeftButton)
        assert menu.tour is None
        assert settings.tour_seen
        menu.offer_tour()
        QApplication.processEvents()
        assert menu.tour is None

    def test_keys_go_on_back_and_out(self, menu: HelpMenu, qtbot: QtBot) -> None:
        menu.begin_tour()
        tour = menu.tour
        qtbot.keyClick(tour.next_button, Qt.Key.Key_Right)
        assert tour.count.text() == "2 of 2"
        qtbot.keyClick(tour.next_button, Qt.Key.Key_Left)
        assert tour.count.text() == "1 of 2"
        qtbot.keyClick(tour.next_button, Qt.Key.Key_Tab)
        assert tour.isAncestorOf(QApplication.focusWidget() or tour.next_button)
        qtbot.keyClick(tour.next_button, Qt.Key.Key_Escape)
        assert menu.tour is None

    def test_the_bubble_stays_in_the_window(self, menu: HelpMenu, window: QWidget) -> None:
        menu.begin_tour()
        for size in (QSize(800, 500), QSize(420, 300)):
            window.resize(size)
            QApplication.processEvents()
            assert window.rect().contains(menu.tour.bubble.geometry())
        menu.tour.close()


class TestManual:
    def test_every_chapter_is_found_and_opened(self, qtbot: QtBot) -> None:
        manual = ManualWindow()
        qtbot.addWidget(manual)
        manual.show()
        assert manual.chapters.count() > 10
        row = manual.chapters.count() - 1
        manual.chapters.setCurrentRow(row)
        block = manual.browser.textCursor().block()
        assert block.text() == manual.chapters.item(row).text() == "Terms and formulas"

    def test_words_are_looked_for(self, qtbot: QtBot) -> None:
        manual = ManualWindow()
        qtbot.addWidget(manual)
        qtbot.keyClicks(manual.search, "geodesic")
        first = manual.browser.textCursor().position()
        assert manual.browser.textCursor().selectedText().casefold() == "geodesic"
        qtbot.keyClick(manual.search, Qt.Key.Key_Return)
        assert manual.browser.textCursor().position() != first
        qtbot.keyClicks(manual.search, " and so on")
        assert manual.missing.text() == "Not in the manual"

    def test_the_glossary_is_in_it(self, qtbot: QtBot) -> None:
        manual = ManualWindow()
        qtbot.addWidget(manual)
        text = manual.browser.toPlainText()
        assert all(entry.formula in text for entry in GLOSSARY.values())


def test_every_metric_is_explained() -> None:
    assert METRICS.keys() <= GLOSSARY.keys()
    config = {leaf.name for leaf in fields()}
    assert {"latent_dim", "variational", "likelihood", "beta"} <= config & GLOSSARY.keys()


class TestLog:
    def test_it_tells_what_is_noted_and_goes_on(self, journal: SessionLog, qtbot: QtBot) -> None:
        logging.getLogger("here").warning("something %d", 1)
        window = LogWindow(journal)
        qtbot.addWidget(window)
        assert "something 1" in window.lines.toPlainText()
        logging.getLogger("here").info("something %d", 2)
        assert "something 2" in window.lines.toPlainText()
        assert "something 2" in journal.file.read_text(encoding="utf-8")

    def test_a_folder_that_can_not_be_written_costs_the_file_alone(self, tmp_path: Path) -> None:
        (tmp_path / "taken").touch()
        journal = SessionLog(tmp_path / "taken")
        journal.begin()
        logging.getLogger("here").warning("kept")
        journal.end()
        assert journal.file is None
        assert "kept" in journal.text


class TestCrash:
    def test_one_window_with_all_the_reports(
        self, menu: HelpMenu, window: QWidget, journal: SessionLog, qtbot: QtBot
    ) -> None:
        logging.getLogger("here").warning("before it")
        for number in (1, 2):
            try:
                raise ZeroDivisionError(f"number {number}")
            except ZeroDivisionError as error:
                report = journal.report(*sys.exc_info())
                menu.report_crash(f"ZeroDivisionError: {error}", report)
        (shown,) = window.findChildren(CrashWindow)
        qtbot.mouseClick(shown.copy_button, Qt.MouseButton.LeftButton)
        copied = QGuiApplication.clipboard().text()
        for part in ("number 1", "number 2", "before it", "aeviewer", "Traceback"):
            assert part in copied
        shown.close()


class _Broken(QWidget):
    """A panel whose painting fails."""

    painted = 0

    def paintEvent(self, _event: QPaintEvent) -> None:
        self.painted += 1
        raise ZeroDivisionError("while painting")


def test_an_error_in_a_panels_painting_is_told_and_the_window_goes_on(
    tmp_path: Path, settings: Settings, qtbot: QtBot
) -> None:
    with open_program(tmp_path / "runs", settings) as program:
        window = program.window
        qtbot.addWidget(window)
        broken = _Broken(window)
        broken.show()
        qtbot.waitUntil(lambda: broken.painted > 0)
        qtbot.waitUntil(lambda: bool(window.findChildren(CrashWindow)))
        (shown,) = window.findChildren(CrashWindow)
        assert "ZeroDivisionError: while painting" in shown.report.toPlainText()
        broken.hide()
        shown.close()
        assert window.isVisible()
        assert program.session.current is not None  # the demo


def test_about_tells_versions_and_licences(qtbot: QtBot) -> None:
    about = AboutWindow()
    qtbot.addWidget(about)
    text = about.findChildren(QWidget)[0].toPlainText()
    for part in ("AE Viewer", "PySide6", "torch", "LGPL", "MNIST"):
        assert part in text
