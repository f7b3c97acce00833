"""Numbers as the person's language writes them: in the window, and never in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtGui import QFont, QTextLayout
from PySide6.QtTest import QTest

from aeviewer.numbers import join_numbers, local, localise
from aeviewer.panels.losses.loss_table import loss_text
from aeviewer.widgets.inputs.code_sliders import CodeSliders
from aeviewer.widgets.inputs.decimal_box import DecimalBox
from aeviewer.widgets.inputs.form import FieldSpec, Form
from aeviewer.widgets.inputs.step_slider import short
from aeviewer.widgets.plots.styled_plot import NumberAxis

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot


@pytest.fixture
def german(speak: Callable[[str], None]) -> None:
    speak("de_DE")


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en_US", "1,234,567.5 of 50,000"),
        ("de_DE", "1.234.567,5 of 50.000"),
        ("fr_FR", "1\u202f234\u202f567,5 of 50\u202f000"),
        ("de_CH", "1’234’567.5 of 50’000"),
        ("en_IN", "12,34,567.5 of 50,000"),
        ("mr_IN", "१२,३४,५६७.५ of ५०,०००"),
        ("he_IL", "1,234,567.5 of 50,000"),
        ("ar_EG", "1,234,567.5 of 50,000"),
        ("fa_IR", "1,234,567.5 of 50,000"),
        ("ckb_IQ", "1,234,567.5 of 50,000"),
        ("C", "1,234,567.5 of 50,000"),
    ],
)
def test_numbers_are_written_as_the_language_has_them(
    speak: Callable[[str], None], language: str, written: str
) -> None:
    speak(language)
    told = f"{local(1_234_567.5):,.1f} of {local(50_000):,}"
    assert told.replace("'", "’") == written


@pytest.mark.parametrize(
    "language", ["en_US", "de_CH", "mr_IN", "he_IL", "ar_EG", "ar_MA", "fa_IR", "ur_PK", "ckb_IQ"]
)
def test_numbers_stay_in_their_order_in_a_sentence(
    speak: Callable[[str], None], language: str, qtbot: QtBot
) -> None:
    """As Qt draws the sentence, each number is left of the next one."""
    speak(language)
    first, second = f"{local(1_200.5):,.1f}", f"{local(50_000):,}"
    for text in (f"{first} / {second}", f"{first}, {second}", f"step {first} of {second}"):
        layout = QTextLayout(text, QFont())
        layout.beginLayout()
        line = layout.createLine()
        line.setLineWidth(10_000)
        layout.endLayout()
        # PySide returns the place with the position in the text.
        places = [line.cursorToX(text.index(number))[0] for number in (first, second)]
        assert places == sorted(places), text


def test_words_and_stops_stay(german: None) -> None:
    assert localise("0.0445/px, 93.5% of var. 7") == "0,0445/px, 93,5% of var. 7"


def test_what_a_comma_is_in_is_not_parted_by_one(speak: Callable[[str], None]) -> None:
    speak("de_DE")
    assert join_numbers([0.125, -2.5, 3], ".3g", 2) == "0,125; −2,5; …"
    speak("en_US")
    assert join_numbers([0.125, -2.5, 3], ".3g", 3) == "0.125, −2.5, 3"


def test_losses_ticks_and_steps_follow(german: None, qtbot: QtBot) -> None:
    assert (loss_text(1234.5), loss_text(0.0445)) == ("1.234", "0,0445")
    assert short(2_500) == "2,5k"
    assert NumberAxis("left").tickStrings([0.5, 1000.0], 1, 0.5) == ["0,5", "1.000,0"]


@pytest.mark.parametrize("language", ["en_US", "de_DE", "fr_FR", "C"])
@pytest.mark.parametrize("typed", ["0.0015", "0,0015"])
def test_a_point_and_a_comma_both_begin_the_fraction(
    speak: Callable[[str], None], language: str, typed: str, qtbot: QtBot
) -> None:
    speak(language)
    form = Form([FieldSpec("rate", "Rate", "float", minimum=0, maximum=10, unit="a step")])
    qtbot.addWidget(form)
    editor = form.field("rate").editor
    assert isinstance(editor, DecimalBox)
    form.set_values({"rate": 0.25})
    assert editor.text() == f"0{QLocale().decimalPoint()}25 a step"
    editor.lineEdit().selectAll()
    QTest.keyClicks(editor, typed)
    QTest.keyClick(editor, Qt.Key.Key_Return)
    assert form.values() == {"rate": 0.0015}
    assert editor.text() == f"0{QLocale().decimalPoint()}0015 a step"


def test_a_small_rate_stays_what_it_is(german: None, qtbot: QtBot) -> None:
    form = Form([FieldSpec("rate", "Rate", "float", minimum=0, maximum=10)])
    qtbot.addWidget(form)
    form.set_values({"rate": 1e-5})
    editor = form.field("rate").editor
    assert isinstance(editor, DecimalBox)
    editor.interpretText()
    assert form.values() == {"rate": 1e-5}


def test_codes_are_typed_in_the_language(german: None, qtbot: QtBot) -> None:
    import numpy as np

    sliders = CodeSliders()
    qtbot.addWidget(sliders)
    sliders.resize(300, 200)
    sliders.show()
    sliders.set_codes(np.linspace(-1, 1, 20, dtype=np.float32).reshape(10, 2))
    sliders.set_code(np.array([0.5, -0.25], np.float32))
    (first, *_) = sliders.findChildren(DecimalBox)
    assert first.text() == "0,50"
    with qtbot.waitSignal(sliders.code_edited):
        first.lineEdit().setText("-0.75")
        first.interpretText()
    assert sliders.code.tolist() == [-0.75, -0.25]
