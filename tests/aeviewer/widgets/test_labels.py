"""Names that look like markup are shown as they are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt, QTimer
from PySide6.QtGui import QHelpEvent, QKeySequence, QTextDocument
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QLabel,
    QMessageBox,
    QToolTip,
    QWidget,
)

from aeviewer.widgets.inputs.message_boxes import ask, make_progress_dialog, show_failure
from aeviewer.widgets.inputs.save_dialog import PlainFileDialog, ask_folder
from aeviewer.widgets.labels import (
    PlainLabel,
    action_text,
    plain_label,
    plain_tip,
    problem_label,
    quiet_eliding_label,
    quiet_label,
    replace_controls,
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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("run\u202egnp.exe", "run\ufffdgnp.exe"),
        ("\u2067a\u2069", "\ufffda\ufffd"),
        ("a\x00b\x1bc\x85d", "a\ufffdb\ufffdc\ufffdd"),
        ("half \udcff", "half \ufffd"),
        ("two\r\nlines\tand a tab", "two\nlines\tand a tab"),
        ("äöü עברית 漢字 👍", "äöü עברית 漢字 👍"),
    ],
)
def test_what_reverses_a_sentence_is_replaced(qtbot: QtBot, text: str, shown: str) -> None:
    assert replace_controls(text) == shown
    for label in (plain_label(text), quiet_eliding_label(text)):
        qtbot.addWidget(label)
        assert label.text() == shown
    assert plain_tip(text) == shown


@pytest.mark.parametrize("text", ["W" * 10_000, "word " * 2_000, "line\n" * 2_000])
@pytest.mark.parametrize("wraps", [True, False])
def test_a_long_text_does_not_widen_its_window(qtbot: QtBot, text: str, wraps: bool) -> None:
    label = plain_label(text, wraps=wraps)
    qtbot.addWidget(label)
    assert label.minimumSizeHint().width() <= 240
    assert label.sizeHint().width() <= 640
    assert len(label.text()) == 1_000
    assert label.text().endswith("…")


@pytest.mark.parametrize(
    ("text", "width", "is_cut"),
    [
        ("short", 300, False),
        ("a text that is wider than its label", 40, True),
        ("a" * 2_000, 9_999, True),
    ],
)
def test_a_cut_text_is_shown_whole_on_request(
    qtbot: QtBot, text: str, width: int, is_cut: bool
) -> None:
    label = PlainLabel(text)
    qtbot.addWidget(label)
    label.resize(width, 20)
    label.show()
    QToolTip.hideText()
    event = QHelpEvent(QEvent.Type.ToolTip, QPoint(1, 1), label.mapToGlobal(QPoint(1, 1)))
    QApplication.sendEvent(label, event)
    document = QTextDocument()
    document.setHtml(QToolTip.text() if QToolTip.isVisible() else "")
    assert (document.toPlainText().replace("\u200b", "") == text) is is_cut


def test_a_long_line_is_wrapped_in_a_tool_tip() -> None:
    assert "pre-wrap" in plain_tip("word " * 100)
    assert len(plain_tip("a" * 100_000)) < 5_000


def test_a_name_in_a_menu_has_no_key(qtbot: QtBot) -> None:
    for name in ("cats & dogs", "&File", "a\tCtrl+Q", "two\nlines"):
        text = action_text(name)
        assert QKeySequence.mnemonic(text).isEmpty()
        assert "\t" not in text
        assert "\n" not in text
    assert len(action_text("a" * 10_000)) == 80


def test_a_long_message_is_shown_whole_on_request(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    box = show_failure(parent, "word " * 2_000)
    assert len(box.text()) == 600
    assert box.detailedText() == "word " * 2_000
    box.close()
    short = show_failure(parent, "It failed. Try again.")
    assert not short.detailedText()
    short.close()


def test_a_progress_dialog_does_not_read_markup(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = make_progress_dialog(parent, "Title", MARKUP)
    dialog.setLabelText(f"{MARKUP}!")
    (label,) = dialog.findChildren(QLabel)
    assert label.textFormat() == Qt.TextFormat.PlainText
    assert dialog.labelText() == f"{MARKUP}!"
    dialog.cancel()


def test_a_file_dialog_asks_with_the_name_as_it_is(tmp_path: Path, qtbot: QtBot) -> None:
    name = "<img src='file'>.png"
    (tmp_path / name).touch()
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = PlainFileDialog(parent, "Save")
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDirectory(str(tmp_path))
    dialog.selectFile(name)
    dialog.show()
    asked: list[tuple[str, Qt.TextFormat]] = []

    def answer() -> None:
        for box in dialog.findChildren(QMessageBox):
            asked.append((box.text(), box.textFormat()))
            box.reject()

    timer = QTimer(interval=10)
    timer.timeout.connect(answer)
    timer.start()
    dialog.accept()  # Qt's own question runs an event loop until it is answered.
    timer.stop()
    ((text, form),) = asked
    assert name in text
    assert form == Qt.TextFormat.PlainText
    dialog.close()


def test_a_folder_is_asked_for_without_blocking(tmp_path: Path, qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    chosen: list[str] = []
    dialog = ask_folder(parent, "Runs folder", str(tmp_path), chosen.append)
    assert Path(dialog.directory().absolutePath()) == tmp_path
    dialog.fileSelected.emit(str(tmp_path / "runs"))
    assert chosen == [str(tmp_path / "runs")]
    dialog.close()
