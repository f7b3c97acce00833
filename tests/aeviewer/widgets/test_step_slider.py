from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt

from aeviewer.widgets.inputs.step_slider import StepSlider, short

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

STEPS = (0, 10, 100, 1_000, 2_500, 50_000)


@pytest.fixture
def slider(qtbot: QtBot) -> StepSlider:
    made = StepSlider()
    qtbot.addWidget(made)
    made.resize(640, 40)
    made.set_steps(STEPS)
    made.set_step(1_000)
    made.show()
    return made


def place(slider: StepSlider, number: int) -> QPoint:
    return QPoint(round(slider.position(number)), 14)


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (0, "0"),
        (10, "10"),
        (1_000, "1k"),
        (2_500, "2.5k"),
        (50_000, "50k"),
        (12_345, "12,345"),
        (10_000_000, "10M"),
    ],
)
def test_steps_are_named_briefly_and_never_rounded(step: int, text: str) -> None:
    assert short(step) == text


def test_press_and_drag_choose_steps_at_once(slider: StepSlider, qtbot: QtBot) -> None:
    chosen: list[int] = []
    slider.step_chosen.connect(chosen.append)
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=place(slider, 0))
    qtbot.mouseMove(slider, place(slider, 1) + QPoint(5, 3))
    qtbot.mouseMove(slider, QPoint(5_000, 14))
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=place(slider, 5))
    qtbot.mouseMove(slider, place(slider, 2))
    assert chosen == [0, 10, 50_000]
    assert slider.step == 50_000


def test_keys_choose_steps(slider: StepSlider, qtbot: QtBot) -> None:
    chosen: list[int] = []
    slider.step_chosen.connect(chosen.append)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Left):
        qtbot.keyClick(slider, key)
    assert chosen == [2_500, 0, 50_000, 2_500]


def test_setting_tells_nobody(slider: StepSlider) -> None:
    told: list[object] = []
    slider.step_chosen.connect(told.append)
    slider.live_chosen.connect(lambda: told.append("live"))
    slider.valueChanged.connect(told.append)
    slider.set_steps((0, 5), live=True)
    slider.set_step(5)
    slider.set_step(None)
    slider.set_steps(())
    assert told == []


def test_new_steps_leave_the_handle_at_its_step(slider: StepSlider) -> None:
    slider.set_steps((*STEPS[:2], 50, *STEPS[2:], 60_000))
    assert slider.step == 1_000
    assert slider.steps[slider.value()] == 1_000


def test_the_place_at_the_end_is_now(slider: StepSlider, qtbot: QtBot) -> None:
    chosen: list[object] = []
    slider.step_chosen.connect(chosen.append)
    slider.live_chosen.connect(lambda: chosen.append("live"))
    slider.set_steps(STEPS, live=True)
    qtbot.keyClick(slider, Qt.Key.Key_End)
    slider.set_steps((*STEPS, 60_000), live=True)
    assert slider.step is None
    assert slider.value() == slider.maximum()
    qtbot.keyClick(slider, Qt.Key.Key_Left)
    assert chosen == ["live", 60_000]


def test_numbers_do_not_overlap_and_name_both_ends(slider: StepSlider) -> None:
    slider.set_steps(tuple(range(0, 100_000, 1_000)))
    named = slider.numbers()
    assert named[0][0] == 0
    assert named[-1][0] == 99
    assert 5 < len(named) < 100
    pairs = pairwise(named)
    assert all(left.right() < right.left() for (_, left), (_, right) in pairs)


def test_one_step_and_none_are_drawn(slider: StepSlider) -> None:
    for steps in ((7,), ()):
        slider.set_steps(steps)
        slider.set_step(steps[0] if steps else None)
        assert not slider.grab().isNull()
        assert len(slider.numbers()) == len(steps)
