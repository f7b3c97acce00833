from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QDoubleSpinBox, QSlider

from aeviewer.widgets.inputs.code_sliders import CodeSliders, spread

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pytestqt.qtbot import QtBot


def codes(dimensions: int) -> NDArray[np.float32]:
    """Codes that differ in place and width from dimension to dimension."""
    random = np.random.default_rng(0)
    drawn = random.standard_normal((10_000, dimensions)) * (1 + np.arange(dimensions) % 3)
    return (drawn + 0.5).astype(np.float32)


@pytest.fixture
def sliders(qtbot: QtBot) -> CodeSliders:
    made = CodeSliders()
    qtbot.addWidget(made)
    made.resize(320, 200)
    made.set_codes(codes(2))
    made.set_code(np.array([0.25, -1.0], np.float32))
    made.show()
    return made


def slider(sliders: CodeSliders, number: int) -> QSlider:
    found = [s for s in sliders.findChildren(QSlider) if s.accessibleName()]
    return next(s for s in found if s.accessibleName() == f"Dimension {number} of the code")


def field(sliders: CodeSliders, number: int) -> QDoubleSpinBox:
    found = sliders.findChildren(QDoubleSpinBox)
    return next(f for f in found if f.accessibleName() == f"Value of dimension {number}")


def test_spread_holds_most_codes_and_a_tenth_more() -> None:
    low, high = spread(codes(2))
    inner = np.percentile(codes(2), [0.5, 99.5], axis=0)
    assert (high - low) == pytest.approx(1.1 * (inner[1] - inner[0]), rel=1e-4)


def test_a_dimension_that_is_constant_has_a_range() -> None:
    low, high = spread(np.ones((100, 3), np.float32))
    assert (low < high).all()


def test_a_code_is_shown_and_tells_nobody(sliders: CodeSliders, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(sliders.code_edited):
        sliders.set_code(np.array([1.5, -2.0], np.float32))
    assert field(sliders, 1).value() == pytest.approx(1.5)
    assert field(sliders, 2).value() == pytest.approx(-2.0)
    assert slider(sliders, 1).value() > 500 > slider(sliders, 2).value()


def test_a_key_on_a_slider_changes_one_dimension(sliders: CodeSliders, qtbot: QtBot) -> None:
    with qtbot.waitSignal(sliders.code_edited) as edited:
        qtbot.keyClick(slider(sliders, 1), Qt.Key.Key_Right)
    [code] = edited.args
    assert code[0] > 0.25
    assert code[1] == -1.0
    assert field(sliders, 1).value() == pytest.approx(code[0], abs=0.01)


def test_a_number_beyond_the_ends_is_taken(sliders: CodeSliders, qtbot: QtBot) -> None:
    entry = field(sliders, 2)
    entry.selectAll()
    with qtbot.waitSignal(sliders.code_edited) as edited:
        qtbot.keyClicks(entry, entry.locale().toString(-42.5))
        qtbot.keyClick(entry, Qt.Key.Key_Return)
    assert edited.args[0].tolist() == [0.25, -42.5]
    assert slider(sliders, 2).value() == 0


def test_a_double_click_sets_the_mean(sliders: CodeSliders, qtbot: QtBot) -> None:
    sliders.set_code(np.array([3.0, -1.0], np.float32))
    with qtbot.waitSignal(sliders.code_edited):
        qtbot.mouseDClick(slider(sliders, 1), Qt.MouseButton.LeftButton)
    assert sliders.code[0] == pytest.approx(codes(2)[:, 0].mean(), abs=1e-5)
    assert sliders.code[1] == -1.0


def test_a_slider_in_hand_keeps_its_ends(sliders: CodeSliders, qtbot: QtBot) -> None:
    held = slider(sliders, 1)
    held.setSliderDown(True)
    sliders.set_codes(100 * codes(2))
    held.setSliderPosition(1000)
    assert sliders.code[0] < 10
    held.setSliderDown(False)
    sliders.set_codes(100 * codes(2))
    held.setValue(1000)
    assert sliders.code[0] > 100


def test_the_wheel_changes_no_number(sliders: CodeSliders) -> None:
    for target in (slider(sliders, 1), field(sliders, 1)):
        centre = QPointF(target.rect().center())
        turn = QWheelEvent(
            centre,
            QPointF(target.mapToGlobal(centre.toPoint())),
            QPoint(),
            QPoint(0, 120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(target, turn)
    assert sliders.code.tolist() == [0.25, -1.0]


def test_many_dimensions_are_all_reached_by_key(sliders: CodeSliders, qtbot: QtBot) -> None:
    many = codes(40)
    sliders.set_codes(many)
    sliders.set_code(many[3])
    assert len(sliders.findChildren(QDoubleSpinBox)) < 40
    with qtbot.waitActive(sliders):
        sliders.activateWindow()
    slider(sliders, 1).setFocus()
    for _ in range(2 * 39):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is slider(sliders, 40)
    assert field(sliders, 40).value() == pytest.approx(float(many[3, 39]), abs=0.01)
    assert sliders.verticalScrollBar().value() > 0


def test_rows_are_used_again(sliders: CodeSliders) -> None:
    sliders.set_code(codes(40)[0])
    sliders.set_code(np.zeros(2, np.float32))
    shown = [f for f in sliders.findChildren(QDoubleSpinBox) if not f.isHidden()]
    assert len(shown) == 2
    assert sliders.widget().height() == pytest.approx(64)


def test_codes_that_are_no_numbers_are_left_alone(sliders: CodeSliders) -> None:
    broken = codes(2)
    broken[7, 1] = np.nan
    sliders.set_codes(broken)
    assert len(sliders.mean) == 0
    assert field(sliders, 1).value() == pytest.approx(0.25)
