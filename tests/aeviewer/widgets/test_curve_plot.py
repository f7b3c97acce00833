from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPalette
from PySide6.QtWidgets import QApplication

from aeviewer.widgets.fonts import small
from aeviewer.widgets.plots.curve_plot import CurvePlot
from aeviewer.widgets.plots.smoothing import Smoother
from aeviewer.widgets.plots.styled_plot import logarithmic_ticks

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

NO_MARKERS = np.empty((0, 2))
DEMO = Path(__file__).parents[3] / "resources" / "demo" / "vae-d2-demo"


@pytest.fixture
def plot(qtbot: QtBot) -> CurvePlot:
    plot = CurvePlot("Curves")
    qtbot.addWidget(plot)
    plot.resize(600, 300)
    plot.show()
    qtbot.waitExposed(plot)
    return plot


def steps(count: int) -> np.ndarray:
    return np.arange(1, count + 1, dtype=np.float64)


def hover(plot: CurvePlot, x: float, y: float) -> None:
    place = plot.mapFromScene(plot.box.mapViewToScene(QPointF(x, y))).toPointF()
    none, free = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.NoButton
    event = QMouseEvent(QEvent.Type.MouseMove, place, place, free, free, none)
    QApplication.sendEvent(plot.viewport(), event)


@pytest.mark.parametrize("window", [2, 10, 100])
def test_smoother_is_an_average_of_a_window_that_grows_until_it_is_full(window: int) -> None:
    values, decay = np.random.default_rng(0).normal(size=5000), 1 - 1 / window
    expected, average = [], 0.0
    for count, value in enumerate(values, start=1):
        if count <= 20 * window:
            weights = (np.arange(1, count + 1) / count) ** 19
            average = float(np.average(values[:count], weights=weights))
        else:
            average = decay * average + (1 - decay) * value
        expected.append(average)
    smoother = Smoother(window)
    for part in np.split(values, [1, 7, 7, 1500]):
        smoother.extend(part)
    np.testing.assert_allclose(smoother.values, expected, atol=1e-9)


def test_a_young_curve_lies_on_its_own_data() -> None:
    """The first 400 losses of the demonstration run, as its metrics.csv has them."""
    with (DEMO / "metrics.csv").open(newline="") as file:
        losses = np.array([float(row["loss"]) for row in csv.DictReader(file)])[:400]
    smoother = Smoother(100)
    smoother.extend(losses)
    assert smoother.values[-1] == pytest.approx(losses[-20:].mean(), rel=0.03)
    assert (smoother.values - losses)[20:].mean() / losses.mean() == pytest.approx(0, abs=0.03)


def test_smoother_begins_at_the_first_value() -> None:
    smoother = Smoother(1000)
    smoother.extend(np.array([7.0]))
    assert smoother.values == pytest.approx([7.0])


def test_window_of_one_smooths_nothing() -> None:
    smoother = Smoother(1)
    smoother.extend(np.array([3.0, 1.0, 2.0]))
    assert smoother.values.tolist() == [3, 1, 2]


@pytest.mark.parametrize(
    ("low", "high", "most", "ticks"),
    [
        (18, 600, 6, [20, 50, 100, 200, 500]),
        (18, 600, 4, [30, 100, 300]),
        (31, 38, 4, [32, 34, 36, 38]),
        (0.5, 2e6, 4, [1, 100, 1e4, 1e6]),
    ],
)
def test_logarithmic_ticks_are_round(
    low: float, high: float, most: float, ticks: list[float]
) -> None:
    assert logarithmic_ticks(low, high, most) == pytest.approx(ticks)


def test_reading_tells_what_the_curve_says_up_to_there(plot: CurvePlot) -> None:
    markers = np.array([[0, 90], [10, 40], [20, 50]], np.float64)
    plot.set_curve("a", "#ff0000", steps(30), steps(30) * 2, markers)
    reading = plot.reading("a", 15.2)
    assert (reading.x, reading.value) == (15, 30)
    assert (reading.marker_x, reading.marker) == (10, 40)
    assert (reading.best_x, reading.best) == (10, 40)
    assert plot.reading("a").x == 30
    assert plot.reading("a", 0).x is None


def test_reading_past_the_end_is_empty_but_for_the_best(plot: CurvePlot) -> None:
    markers = np.array([[0, 90], [30, 40]], np.float64)
    plot.set_curve("a", "#ff0000", steps(30), steps(30), markers)
    past = plot.reading("a", 31)
    assert (past.x, past.value, past.marker_x, past.marker) == (None,) * 4
    assert (past.best_x, past.best) == (30, 40)
    assert plot.reading("a", 30.4).value == plot.reading("a").value == 30
    plot.set_curve("a", "#ff0000", steps(30), steps(30), markers, has_best=False)
    assert plot.reading("a").best is None


def test_growing_a_curve_equals_setting_it_whole(plot: CurvePlot) -> None:
    values = np.random.default_rng(0).normal(size=500) + 5
    plot.set_smoothing(50)
    for count in (1, 10, 499, 500):
        plot.set_curve("a", "#ff0000", steps(count), values[:count], NO_MARKERS)
    plot.set_curve("b", "#ff0000", steps(500), values, NO_MARKERS)
    assert plot.reading("a").value == pytest.approx(plot.reading("b").value)


def test_a_curve_that_began_anew_is_smoothed_anew(plot: CurvePlot) -> None:
    plot.set_smoothing(50)
    plot.set_curve("a", "#ff0000", steps(100), np.full(100, 9.0), NO_MARKERS)
    plot.set_curve("a", "#ff0000", steps(200), np.full(200, 4.0), NO_MARKERS)
    assert plot.reading("a").value == pytest.approx(4)


def test_view_follows_a_growing_curve_until_it_is_moved(qtbot: QtBot, plot: CurvePlot) -> None:
    plot.set_curve("a", "#ff0000", steps(100), steps(100), NO_MARKERS)
    plot.set_curve("a", "#ff0000", steps(5000), steps(5000), NO_MARKERS)
    assert plot.view().contains(QPointF(5000, 5000))
    plot.box.scaleBy((0.5, 0.5))
    plot.box.sigRangeChangedManually.emit([True, True])
    view = plot.view()
    plot.set_curve("a", "#ff0000", steps(9000), steps(9000), NO_MARKERS)
    assert plot.view() == view
    qtbot.keyClick(plot, Qt.Key.Key_A)
    assert plot.view().contains(QPointF(9000, 9000))


def test_logarithmic_axis_leaves_out_what_has_no_logarithm(plot: CurvePlot) -> None:
    values = np.array([0.0, 10.0, np.nan, 100.0, np.inf])
    plot.set_curve("a", "#ff0000", steps(5), values, NO_MARKERS)
    assert not plot.is_positive
    plot.set_logarithmic(True)
    assert plot.view().top() == pytest.approx(1, abs=0.2)
    assert plot.view().bottom() == pytest.approx(2, abs=0.2)
    plot.grab()


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_markers_that_have_no_logarithm_are_left_out(plot: CurvePlot, value: float) -> None:
    plot.set_logarithmic(True)
    plot.set_curve("a", "#ff0000", steps(5), steps(5) + 1, np.array([[1, value], [3, value]]))
    assert len(plot._curves["a"].spots.data) == 0
    plot.set_logarithmic(False)
    assert len(plot._curves["a"].spots.data) == (2 if value == 0 else 0)


def test_hovering_tells_the_step(qtbot: QtBot, plot: CurvePlot) -> None:
    plot.set_curve("a", "#ff0000", steps(100), steps(100), NO_MARKERS)
    with qtbot.waitSignal(plot.hovered_at) as told:
        hover(plot, 50, 50)
    assert told.args[0] == pytest.approx(50, abs=0.5)
    with qtbot.waitSignal(plot.left):
        QApplication.sendEvent(plot, QEvent(QEvent.Type.Leave))


def test_step_is_marked_in_the_accent(plot: CurvePlot) -> None:
    palette = plot.palette()
    palette.setColor(QPalette.ColorRole.Highlight, QColor("#12ab34"))
    plot.setPalette(palette)
    plot.set_curve("a", "#ff0000", steps(100), steps(100), NO_MARKERS)
    plot.set_step(50)
    place = plot.mapFromScene(plot.box.mapViewToScene(QPointF(50, 90)))
    image = plot.grab().toImage()
    near = {image.pixelColor(place.x() + x, place.y()).name() for x in (-1, 0, 1)}
    assert "#12ab34" in near


def test_removing_the_last_curve_leaves_nothing(plot: CurvePlot) -> None:
    plot.set_curve("a", "#ff0000", steps(100), steps(100), np.array([[10.0, 10.0]]))
    plot.remove_curve("a")
    assert plot.names == ()
    assert "#ff0000" not in {c.pen().color().name() for c in plot.plotItem.listDataItems()}


def test_sixty_thousand_steps_are_drawn_fast(plot: CurvePlot) -> None:
    values = np.random.default_rng(0).normal(size=60_000) + 50
    plot.set_smoothing(100)
    plot.set_logarithmic(True)
    plot.set_curve("a", "#ff0000", steps(60_000), values, NO_MARKERS)
    plot.grab()
    frames = []
    for count in range(59_980, 60_000):
        began = time.perf_counter()
        plot.set_curve("a", "#ff0000", steps(count), values[:count], NO_MARKERS)
        plot.grab()
        frames.append(time.perf_counter() - began)
    assert min(frames) < 0.1


def test_small_font_keeps_pixels_and_figures_of_one_width(plot: CurvePlot) -> None:
    font = plot.font()
    font.setPixelSize(13)
    assert small(font).pixelSize() == 11
