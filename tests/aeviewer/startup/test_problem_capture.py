from __future__ import annotations

import logging
import threading
import warnings
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, qInfo, qWarning

from aeviewer.startup.problem_capture import capture_problems

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def test_nothing_wrong_is_nothing_found() -> None:
    with capture_problems() as found:
        qInfo("Qt tells something")
        logging.getLogger("any").info("so does the program")
    assert found == []


def test_a_warning_of_qt_is_found() -> None:
    with capture_problems() as found:
        qWarning("a widget of no size")
    assert found == ["Qt: a widget of no size"]


def test_a_warning_of_python_is_found() -> None:
    with capture_problems() as found, warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("all is NaN", RuntimeWarning, stacklevel=1)
    assert len(found) == 1
    assert "RuntimeWarning: all is NaN" in found[0]


def test_what_qt_says_where_there_is_no_screen_is_none_of_the_programs() -> None:
    with capture_problems() as found:
        qWarning("This plugin does not support propagateSizeHints()")
    assert found == []


def test_an_exception_in_a_slot_is_found_with_its_traceback(qtbot: QtBot) -> None:
    def fail() -> None:
        raise ZeroDivisionError("in a slot")

    with capture_problems() as found:
        QTimer.singleShot(0, fail)
        qtbot.waitUntil(lambda: bool(found))
    assert "Traceback" in found[0] and "ZeroDivisionError: in a slot" in found[0]


def test_an_exception_in_a_thread_is_found() -> None:
    with capture_problems() as found:
        thread = threading.Thread(target=lambda: 1 // 0)
        thread.start()
        thread.join()
    assert "ZeroDivisionError" in found[0]


def test_an_exception_that_can_not_be_raised_is_found() -> None:
    class Fragile:
        def __del__(self) -> None:
            raise ValueError("while it was taken away")

    with capture_problems() as found:
        fragile = Fragile()
        del fragile
    assert "while it was taken away" in found[0]


def test_a_logged_warning_is_found_and_afterwards_all_is_as_before() -> None:
    hooks = threading.excepthook
    with capture_problems() as found:
        logging.getLogger("the.training").warning("%s is odd", "this")
    assert found == ["warning of the.training: this is odd"]
    assert threading.excepthook is hooks
    logging.getLogger("the.training").warning("nobody listens any more")
    assert len(found) == 1
