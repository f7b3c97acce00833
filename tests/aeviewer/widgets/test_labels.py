"""Names that look like markup are shown as they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QLabel, QMessageBox, QWidget

from aeviewer.widgets.inputs.message_boxes import ask, show_failure
from aeviewer.widgets.labels import (
    plain_label,
    plain_tip,
    problem_label,
    quiet_eliding_label,
    quiet_label,
)

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

MARKUP = "<b>one</b>\ntwo & three"


def test_labels_do_not_read_markup(qtbot: QtBot) -> None:
    for label in (plain_label(), quiet_label(), quiet_eliding_label(), problem_label()):
        qtbot.addWidget(label)
        assert label.textFormat() == Qt.TextFormat.PlainText


def test_a_tool_tip_shows_markup_as_it_is() -> None:
    document = QTextDocument()
    document.setHtml(plain_tip(MARKUP))
    shown = document.toPlainText()
    assert re.sub(r"[\n\u2028\u2029]", "\n", shown) == MARKUP


@pytest.mark.parametrize("text", ["", "mine: finished", "cats & dogs", "two\nlines"])
def test_a_tool_tip_without_markup_stays_as_it_is(text: str) -> None:
    assert plain_tip(text) == text


def test_message_boxes_do_not_read_markup(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    ask(parent, "Title", MARKUP, MARKUP, "Yes", lambda: None)
    show_failure(parent, MARKUP)
    boxes = parent.findChildren(QMessageBox)
    assert len(boxes) == 2
    for box in boxes:
        texts = [label for label in box.findChildren(QLabel) if label.text() == MARKUP]
        assert texts
        assert {label.textFormat() for label in texts} == {Qt.TextFormat.PlainText}
        box.close()
