from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QColor, QPalette, QWheelEvent
from PySide6.QtWidgets import QApplication, QSlider

from aeviewer.theme import apply_theme
from aeviewer.widgets.inputs.histogram_slider import HistogramSlider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

LEFT = Qt.MouseButton.LeftButton
COUNTS = np.array([1, 2, 8, 4, 0, 2, 1, 1])


@pytest.fixture
def slider(qtbot: QtBot) -> HistogramSlider:
    made = HistogramSlider()
    qtbot.addWidget(made)
    made.setRange(0, 1000)
    made.setPageStep(100)
    made.setSingleStep(10)
    made.setValue(500)
    made.set_histogram(COUNTS)
    made.resize(215, 28)
    made.show()
    return made


@pytest.fixture
def themed(qapp: QApplication) -> Iterator[QApplication]:
    yield qapp
    apply_theme(qapp, "dark")


def inked(slider: HistogramSlider, x: float) -> int:
    """Pixels of the histogram above the groove, in a column that the handle is not in."""
    seen = slider.grab().toImage()
    base = int(slider.handle().y())
    surface = seen.pixelColor(1, 1)
    return sum(seen.pixelColor(round(x), y) != surface for y in range(base))


def middle_of_bin(slider: HistogramSlider, number: int) -> float:
    """Where the handle is when the value is in the middle of a bin."""
    before = slider.value()
    slider.setValue(round((number + 0.5) / len(COUNTS) * 1000))
    x = slider.handle().x()
    slider.setValue(before)
    return x


# -- the histogram --------------------------------------------------------------------------------


def test_bars_stand_at_their_values(slider: HistogramSlider) -> None:
    slider.setValue(1000)
    whole = int(slider.handle().y()) - 1
    for number, count in enumerate(COUNTS[:-1].tolist()):
        height = inked(slider, middle_of_bin(slider, number))
        assert height == pytest.approx(count / 8 * whole, abs=1.01)


def test_counts_are_shares_of_the_highest(slider: HistogramSlider) -> None:
    assert slider.shares.tolist() == (COUNTS / 8).tolist()
    slider.set_histogram(COUNTS * 1e-9)
    assert slider.shares == pytest.approx(COUNTS / 8)


@pytest.mark.parametrize("counts", [None, [], np.zeros(8)])
def test_nothing_is_drawn_of_nothing(
    slider: HistogramSlider, counts: np.ndarray | list[int] | None
) -> None:
    slider.set_histogram(None if counts is None else np.array(counts, float))
    slider.setValue(1000)
    assert [inked(slider, middle_of_bin(slider, number)) for number in range(6)] == [0] * 6


@pytest.mark.parametrize("counts", [[1, -1], [1, np.nan], [1, np.inf], [[1, 2], [3, 4]]])
def test_what_is_no_histogram_is_refused(slider: HistogramSlider, counts: list[float]) -> None:
    with pytest.raises(ValueError, match="no histogram"):
        slider.set_histogram(np.array(counts))
    assert slider.shares.tolist() == (COUNTS / 8).tolist()


def test_what_lies_below_the_value_is_stronger(slider: HistogramSlider) -> None:
    left, right = middle_of_bin(slider, 2), middle_of_bin(slider, 3)
    base = int(slider.handle().y())
    tones = []
    for value in (0, 1000):
        slider.setValue(value)
        seen = slider.grab().toImage()
        tones.append([seen.pixelColor(round(x), base - 2) for x in (left, right)])
    assert tones[0][0] == tones[0][1] != tones[1][0] == tones[1][1]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_it_is_legible_in_both_themes(
    slider: HistogramSlider, themed: QApplication, theme: str
) -> None:
    apply_theme(themed, theme)
    slider.setValue(0)
    seen = slider.grab().toImage()
    base = int(slider.handle().y())
    surface = seen.pixelColor(1, 1).lightness()
    bar = seen.pixelColor(round(middle_of_bin(slider, 2)), base - 2).lightness()
    handle = seen.pixelColor(slider.handle().toPoint()).lightness()
    assert abs(bar - surface) > 15
    assert abs(handle - surface) > 150


# -- as a slider ----------------------------------------------------------------------------------


def test_the_handle_is_dragged(slider: HistogramSlider, qtbot: QtBot) -> None:
    told: list[int] = []
    slider.valueChanged.connect(told.append)
    for below in (-4, 0, 5):
        slider.setValue(500)
        at = slider.handle().toPoint() + QPoint(0, below)
        qtbot.mousePress(slider, LEFT, pos=at)
        assert slider.isSliderDown()
        assert slider.value() == 500
        qtbot.mouseMove(slider, at + QPoint(50, 0))
        # The handle goes 200 pixels from end to end.
        assert slider.value() == pytest.approx(750, abs=6)
        assert slider.handle().x() == pytest.approx(at.x() + 50, abs=1.5)
        qtbot.mouseRelease(slider, LEFT, pos=at + QPoint(50, 0))
        assert not slider.isSliderDown()
    assert told


def test_the_handle_reaches_both_ends(slider: HistogramSlider, qtbot: QtBot) -> None:
    qtbot.mousePress(slider, LEFT, pos=slider.handle().toPoint())
    qtbot.mouseMove(slider, QPoint(-500, 20))
    assert slider.value() == 0
    qtbot.mouseMove(slider, QPoint(900, 20))
    assert slider.value() == 1000
    qtbot.mouseRelease(slider, LEFT, pos=QPoint(214, 20))
    assert slider.rect().contains(slider.handle().toPoint() + QPoint(6, 6))


def test_the_groove_goes_a_page(slider: HistogramSlider, qtbot: QtBot) -> None:
    qtbot.mouseClick(slider, LEFT, pos=QPoint(195, slider.handle().toPoint().y()))
    assert slider.value() == 600


def test_keys(slider: HistogramSlider, qtbot: QtBot) -> None:
    keys = Qt.Key
    values = []
    for key in (
        keys.Key_Right,
        keys.Key_Left,
        keys.Key_Up,
        keys.Key_PageUp,
        keys.Key_PageDown,
        keys.Key_End,
        keys.Key_Home,
    ):
        qtbot.keyClick(slider, key)
        values.append(slider.value())
    assert values == [510, 500, 510, 610, 510, 1000, 0]


def test_a_double_click_asks_to_be_reset(slider: HistogramSlider, qtbot: QtBot) -> None:
    for pos in (slider.handle().toPoint(), QPoint(150, 4)):
        with qtbot.waitSignal(slider.reset_requested):
            qtbot.mouseDClick(slider, LEFT, pos=pos)
    assert slider.value() == 500


def test_the_wheel_is_left_to_the_list(slider: HistogramSlider) -> None:
    centre = QPointF(slider.rect().center())
    turn = QWheelEvent(
        centre,
        QPointF(slider.mapToGlobal(centre.toPoint())),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    turn.setAccepted(True)
    QApplication.sendEvent(slider, turn)
    assert not turn.isAccepted()
    assert slider.value() == 500


def test_the_keyboard_is_seen(slider: HistogramSlider, qtbot: QtBot) -> None:
    with qtbot.waitActive(slider):
        slider.activateWindow()
    accent = slider.palette().color(QPalette.ColorRole.Highlight)

    def has_ring() -> bool:
        seen = slider.grab().toImage()
        y = slider.handle().toPoint().y() + 1
        around = (seen.pixelColor(x, y) for x in range(slider.width()))
        return any(_near(colour, accent) for colour in around)

    slider.clearFocus()
    assert not has_ring()
    slider.setFocus(Qt.FocusReason.TabFocusReason)
    assert has_ring()


def _near(one: QColor, other: QColor) -> bool:
    pairs = zip(one.getRgb(), other.getRgb(), strict=True)
    return all(abs(a - b) < 24 for a, b in pairs)


def test_a_screen_reader_meets_a_slider(slider: HistogramSlider) -> None:
    slider.setAccessibleName("Dimension 1 of the code")
    met = QAccessible.queryAccessibleInterface(slider)
    assert isinstance(slider, QSlider)
    assert met.role() == QAccessible.Role.Slider
    assert met.text(QAccessible.Text.Name) == "Dimension 1 of the code"


def test_a_slider_without_range_is_drawn(slider: HistogramSlider) -> None:
    slider.setRange(0, 0)
    assert not slider.grab().isNull()
    assert slider.handle().x() == pytest.approx(7.5, abs=1)
