from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPalette, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from aeviewer.widgets.plots.hover_card import HoverCard
from aeviewer.widgets.plots.plane_plot import PlanePlot

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

COLOURS = np.array([[255, 0, 0, 255], [0, 0, 255, 255]], np.uint8)
XY = np.array([[-1.0, -1.0], [1.0, 1.0], [0.0, 0.0], [1.0, -1.0]])
CLASSES = np.array([0, 1, 0, 1])
ALL = np.ones(4, np.bool_)


@pytest.fixture
def plot(qtbot: QtBot) -> PlanePlot:
    plot = PlanePlot("Plane")
    qtbot.addWidget(plot)
    plot.resize(600, 400)
    plot.show()
    qtbot.waitExposed(plot)
    plot.set_points(XY, CLASSES, COLOURS, ALL)
    return plot


def pixel(plot: PlanePlot, x: float, y: float) -> QPoint:
    return plot.mapFromScene(plot.box.mapViewToScene(QPointF(x, y)))


def seen(plot: PlanePlot, x: float, y: float) -> QColor:
    return plot.grab().toImage().pixelColor(pixel(plot, x, y))


def drag(plot: PlanePlot, button: Qt.MouseButton, start: QPoint, end: QPoint) -> None:
    kinds = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseMove, QEvent.Type.MouseButtonRelease)
    for kind, place in zip(kinds, (start, end, end), strict=True):
        held = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseButtonRelease else button
        changed = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseMove else button
        around = plot.viewport().mapToGlobal(place).toPointF()
        none = Qt.KeyboardModifier.NoModifier
        event = QMouseEvent(kind, place.toPointF(), around, changed, held, none)
        QApplication.sendEvent(plot.viewport(), event)


def wheel(plot: PlanePlot, place: QPoint) -> None:
    around = plot.viewport().mapToGlobal(place).toPointF()
    event = QWheelEvent(
        place.toPointF(),
        around,
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(plot.viewport(), event)


def test_every_point_is_drawn_in_its_colour(plot: PlanePlot) -> None:
    for (x, y), colour in zip(XY, CLASSES, strict=True):
        assert seen(plot, x, y) == QColor(*COLOURS[colour])


def test_hidden_colours_are_not_drawn_and_the_view_stays(plot: PlanePlot) -> None:
    view = plot.view()
    plot.set_visible(CLASSES == 1)
    assert seen(plot, *XY[0]) != QColor(255, 0, 0)
    assert seen(plot, *XY[1]) == QColor(0, 0, 255)
    assert plot.view() == view
    assert plot.nearest(*XY[0]) is None


def test_points_are_drawn_once_for_one_view(
    plot: PlanePlot, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    draw = plot.raster._draw
    monkeypatch.setattr(plot.raster, "_draw", lambda *a: (drawn.append(a), draw(*a)))
    plot.grab()
    plot.grab()
    assert len(drawn) <= 1
    for _ in range(5):
        plot.set_points(XY, CLASSES, COLOURS, ALL)
    count = len(drawn)
    plot.grab()
    assert len(drawn) == count + 1


def test_left_press_and_drag_point(plot: PlanePlot) -> None:
    places: list[tuple[float, float]] = []
    plot.pressed_at.connect(lambda x, y: places.append((x, y)))
    view = plot.view()
    drag(plot, Qt.MouseButton.LeftButton, pixel(plot, 0, 0), pixel(plot, 1, 0.5))
    assert places == [pytest.approx((0, 0), abs=0.02), pytest.approx((1, 0.5), abs=0.02)]
    assert plot.view() == view


@pytest.mark.parametrize("button", [Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton])
def test_other_buttons_pan(plot: PlanePlot, button: Qt.MouseButton) -> None:
    pressed: list[object] = []
    plot.pressed_at.connect(lambda *place: pressed.append(place))
    view, end = plot.view(), pixel(plot, 1, 0.5)
    drag(plot, button, pixel(plot, 0, 0), end)
    assert not pressed
    assert (pixel(plot, 0, 0) - end).manhattanLength() <= 2
    assert plot.view().width() == pytest.approx(view.width())
    assert not plot.follows


def test_wheel_zooms_around_the_mouse(plot: PlanePlot) -> None:
    view, place = plot.view(), pixel(plot, 1, 1)
    wheel(plot, place)
    assert plot.view().width() < view.width()
    assert (pixel(plot, 1, 1) - place).manhattanLength() <= 2
    assert not plot.follows


def test_view_follows_until_the_person_moves_it(plot: PlanePlot) -> None:
    plot.set_points(XY * 5, CLASSES, COLOURS, ALL)
    assert plot.view().width() > 10
    wheel(plot, pixel(plot, 0, 0))
    view = plot.view()
    plot.set_points(XY * 50, CLASSES, COLOURS, ALL)
    assert plot.view() == view


def test_view_rests_while_the_points_fit(plot: PlanePlot) -> None:
    view = plot.view()
    plot.set_points(XY * 0.9, CLASSES, COLOURS, ALL)
    assert plot.view() == view
    plot.set_points(XY * 0.1, CLASSES, COLOURS, ALL)
    assert plot.view().width() < 0.2 * view.width()


@pytest.mark.parametrize("key", [Qt.Key.Key_A, Qt.Key.Key_Home])
def test_a_key_shows_everything_again(qtbot: QtBot, plot: PlanePlot, key: Qt.Key) -> None:
    wheel(plot, pixel(plot, 1, 1))
    qtbot.keyClick(plot, key)
    assert plot.follows
    assert all(plot.view().contains(QPointF(*place)) for place in XY)


def test_plane_is_square(plot: PlanePlot) -> None:
    x, y = plot.box.viewPixelSize()
    assert x == pytest.approx(y, rel=0.01)


def test_arrows_nudge_and_shift_makes_it_more(qtbot: QtBot, plot: PlanePlot) -> None:
    moves: list[tuple[float, float]] = []
    plot.nudged.connect(lambda x, y: moves.append((x, y)))
    qtbot.keyClick(plot, Qt.Key.Key_Right)
    qtbot.keyClick(plot, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(plot, Qt.Key.Key_Left, Qt.KeyboardModifier.ControlModifier)
    (right, level), (upright, up) = moves
    assert right > 0 == level == upright
    assert up == pytest.approx(5 * right)


def test_alt_and_arrows_pan(qtbot: QtBot, plot: PlanePlot) -> None:
    before, nudges = plot.view(), []
    plot.nudged.connect(lambda *step: nudges.append(step))
    qtbot.keyClick(plot, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    qtbot.keyClick(plot, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    step = 0.1 * min(before.width(), before.height())
    after = plot.view()
    np.testing.assert_allclose(
        [after.left() - before.left(), after.top() - before.top()], [step, step]
    )
    assert after.size() == before.size()
    assert not plot.follows
    assert not nudges


def test_nearest_point_is_within_12_pixels(plot: PlanePlot) -> None:
    pixel_size = plot.box.viewPixelSize()[0]
    assert plot.nearest(1 + 11 * pixel_size, 1) == 1
    assert plot.nearest(1 + 13 * pixel_size, 1) is None


def test_marker_is_drawn_in_the_accent_and_follows_the_theme(plot: PlanePlot) -> None:
    plot.set_marker((-0.5, 0.5))
    for accent in ("#12ab34", "#ab1234"):
        palette = plot.palette()
        palette.setColor(QPalette.ColorRole.Highlight, QColor(accent))
        plot.setPalette(palette)
        image, centre = plot.grab().toImage(), pixel(plot, -0.5, 0.5)
        around = {
            image.pixelColor(centre.x() + x, centre.y() + y).name()
            for x in range(-15, 16)
            for y in range(-15, 16)
        }
        assert accent in around


def test_codes_at_one_place_and_not_a_number_have_a_view(plot: PlanePlot) -> None:
    plot.set_points(np.full((4, 2), 3.0), CLASSES, COLOURS, ALL)
    assert plot.view().contains(QPointF(3, 3))
    plot.set_points(np.full((4, 2), np.nan), CLASSES, COLOURS, ALL)
    plot.grab()


@pytest.mark.parametrize("factor", [0.3, 5.0])
def test_points_are_drawn_where_the_view_has_gone(plot: PlanePlot, factor: float) -> None:
    plot.grab()
    plot.set_points(XY * factor, CLASSES, COLOURS, ALL)
    plot.reset_view()
    for (x, y), colour in zip(XY * factor, CLASSES, strict=True):
        assert seen(plot, x, y) == QColor(*COLOURS[colour])
    assert plot.raster.boundingRect().contains(QPointF(*XY[1] * factor))


@pytest.mark.parametrize(("width", "height"), [(600, 160), (520, 250), (300, 600), (900, 300)])
@pytest.mark.parametrize("factor", [0.7, 1.0, 2.6, 800.0])
def test_each_axis_has_three_ticks(plot: PlanePlot, width: int, height: int, factor: float) -> None:
    plot.resize(width, height)
    plot.set_points(XY * factor, CLASSES, COLOURS, ALL)
    plot.reset_view()
    plot.grab()
    view = plot.view()
    spans = {"bottom": (view.left(), view.right()), "left": (view.top(), view.bottom())}
    for side, span in spans.items():
        ((_, ticks),) = plot.axis(side).tickValues(*span, 100)
        assert len(ticks) >= 3, side


def test_card_comes_before_what_was_added_later(qtbot: QtBot) -> None:
    room = QWidget()
    qtbot.addWidget(room)
    card = HoverCard(room)
    later = QWidget(room)
    room.resize(300, 300)
    later.resize(300, 300)
    room.show()
    card.show_at(QPoint(50, 50), np.zeros((28, 28), np.uint8), "digit 1")
    assert room.children().index(card) > room.children().index(later)
