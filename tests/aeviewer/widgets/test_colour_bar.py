from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from aeviewer.theme import DARK, LIGHT, apply_theme
from aeviewer.widgets.plots.colour_bar import (
    DIVERGING,
    MISSING,
    SEQUENTIAL,
    ColourBar,
    limits,
    shades,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from pytestqt.qtbot import QtBot


@pytest.fixture
def bar(qtbot: QtBot) -> ColourBar:
    made = ColourBar()
    qtbot.addWidget(made)
    made.set_scale("squared error per image", 2, 31.5)
    made.resize(300, made.sizeHint().height())
    return made


@pytest.fixture
def themed(qapp: QApplication) -> Iterator[QApplication]:
    yield qapp
    apply_theme(qapp, "dark")


def colours(bar: ColourBar) -> NDArray[np.uint8]:
    """(width, 3), the middle row of the bar as it is drawn."""
    picture = bar.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    y = bar.bar().center().y()
    row = [picture.pixelColor(x, y).getRgb()[:3] for x in range(bar.width())]
    return np.array(row, np.uint8)


def luminance(rgb: NDArray[np.floating]) -> NDArray[np.float64]:
    """WCAG 2.2, relative luminance of sRGB in 0..255."""
    share = np.asarray(rgb, np.float64) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


# -- limits ---------------------------------------------------------------------------------------


def test_limits_hold_most_values_and_are_round() -> None:
    values = np.linspace(0, 100, 10_001)
    assert limits(values) == (0.0, 100.0)
    values[7] = 1e9
    assert limits(values) == (0.0, 100.0)


def test_limits_are_rounded_outwards() -> None:
    low, high = limits(np.array([0.1234, 0.4321]))
    # The percentiles of two values lie a hundredth within them; steps are of 0.01.
    assert (low, high) == (0.12, 0.43)


def test_centred_limits_have_zero_in_the_middle() -> None:
    assert limits(np.linspace(-3, 8, 1_001), centred=True) == (-8.0, 8.0)
    assert limits(np.linspace(-8, -3, 1_001), centred=True) == (-8.0, 8.0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(5.0, (4.5, 5.5)), (-5.0, (-5.5, -4.5)), (0.0, (0.0, 1.0)), (1e-12, (0.9e-12, 1.1e-12))],
)
def test_limits_of_one_value_stand_around_it(value: float, expected: tuple[float, float]) -> None:
    assert limits(np.full(100, value)) == pytest.approx(expected, rel=1e-9)


def test_limits_of_float_noise_are_those_of_one_value() -> None:
    noisy = 5 + 1e-9 * np.random.default_rng(0).standard_normal(100)
    assert limits(noisy) == (4.5, 5.5)


@pytest.mark.parametrize("values", [[], [np.nan, np.inf, -np.inf]])
def test_limits_of_nothing(values: list[float]) -> None:
    assert limits(np.array(values)) == (0.0, 1.0)
    assert limits(np.array(values), centred=True) == (-1.0, 1.0)


def test_limits_leave_out_what_is_no_number() -> None:
    values = np.append(np.linspace(0, 100, 10_001), [np.nan] * 5_000 + [np.inf] * 5_000)
    assert limits(values) == (0.0, 100.0)


# -- shades ---------------------------------------------------------------------------------------


def test_shades_run_from_end_to_end() -> None:
    palette, rows = shades(np.array([-7.0, 0.0, 1.0, 2.0, 9.0]), 0, 2)
    assert palette.shape == (256, 4)
    assert rows.tolist() == [0, 0, 127, 254, 254]
    assert (palette[:MISSING, 3] == 255).all()


def test_what_is_no_number_is_gray() -> None:
    palette, rows = shades(np.array([np.nan, np.inf, -np.inf]), -1, 1, DIVERGING)
    assert rows.tolist() == [MISSING, 254, 0]
    red, green, blue, opacity = palette[MISSING].tolist()
    assert red == green == blue
    assert opacity < 255


def test_zero_is_neutral_where_the_scale_diverges() -> None:
    palette, rows = shades(np.array([-1.0, 0.0, 1.0]), -1, 1, DIVERGING)
    below, zero, above = palette[rows, :3].astype(int)
    assert np.ptp(zero) < 20
    assert below[2] - below[0] > 100
    assert above[0] - above[2] > 100


def test_the_sequential_map_grows_lighter() -> None:
    palette, _ = shades(np.zeros(1), 0, 1, SEQUENTIAL)
    assert (np.diff(luminance(palette[:MISSING, :3])) > -1e-3).all()


@pytest.mark.parametrize("colour_map", [SEQUENTIAL, DIVERGING])
@pytest.mark.parametrize("surface", [DARK.panel, LIGHT.panel])
def test_every_shade_stands_out_from_the_surface(
    qapp: QApplication, colour_map: str, surface: str
) -> None:
    palette, _ = shades(np.zeros(1), 0, 1, colour_map)
    behind = luminance(np.array(pg.mkColor(surface).getRgb()[:3]))
    drawn = luminance(palette[:MISSING, :3])
    contrast = (np.maximum(drawn, behind) + 0.05) / (np.minimum(drawn, behind) + 0.05)
    assert contrast.min() > 1.5


@pytest.mark.parametrize("ends", [(1, 1), (2, 1), (0, np.inf), (np.nan, 1)])
def test_ends_that_are_none_are_refused(bar: ColourBar, ends: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="must be below"):
        shades(np.zeros(3), *ends)
    with pytest.raises(ValueError, match="must be below"):
        bar.set_scale("x", *ends)


# -- the bar --------------------------------------------------------------------------------------


def test_the_bar_shows_what_the_points_have(bar: ColourBar) -> None:
    drawn = colours(bar)
    values = np.linspace(2, 31.5, bar.width())
    palette, rows = shades(values, 2, 31.5)
    assert (drawn == palette[rows, :3]).all()


def test_numbers_and_title(bar: ColourBar) -> None:
    assert bar.texts == ("squared error per image", "2.0", "31.5")
    bar.set_scale("squared error per image", *limits(np.linspace(0.2134, 0.8765, 500)))
    assert bar.texts == ("squared error per image", "0.22", "0.88")
    bar.set_scale("log density − log prior / nats", -2.5, 2.5, DIVERGING)
    assert bar.texts == ("log density − log prior / nats", "−2.5", "0", "2.5")
    bar.set_scale("loss / nats", 0, 12_000)
    assert bar.texts[1:] == ("0", "12,000")
    bar.set_scale("density", 1e-7, 2.5e-5)
    assert bar.texts[1:] == ("1×10⁻⁷", "2.5×10⁻⁵")
    bar.set_scale("density", -2e7, 1.25e7)
    assert bar.texts[1:] == ("−2×10⁷", "1.25×10⁷")
    bar.set_scale("nats", 1_000, 1_001)
    assert bar.texts[1:] == ("1,000", "1,001")


def test_numbers_stay_within_and_apart(bar: ColourBar) -> None:
    bar.set_scale("log density − log prior / nats", -2.5, 2.5, DIVERGING)
    for width in (60, 120, 300, 900):
        bar.resize(width, bar.height())
        placed = [where for _, where in bar.numbers()]
        assert all(bar.rect().contains(where.toAlignedRect()) for where in placed)
        assert not placed[0].intersects(placed[1])
    assert [text for text, _ in bar.numbers()] == ["−2.5", "2.5", "0"]
    zero = bar.numbers()[-1][1]
    assert zero.center().x() == pytest.approx(450, abs=1)


def test_where_there_is_little_room_the_ends_stay(bar: ColourBar) -> None:
    bar.set_scale("nats", -1_250, 1_250, DIVERGING)
    bar.resize(84, bar.height())
    assert [text for text, _ in bar.numbers()] == ["−1,250", "1,250"]


def test_without_a_scale_it_is_not_there(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    bar = ColourBar()
    layout.addWidget(bar)
    window.show()
    assert not bar.isVisible()
    bar.set_scale("squared error per image", 0, 1)
    assert bar.isVisible()
    bar.clear()
    assert not bar.isVisible()
    assert bar.texts == ()


def test_it_is_told_to_who_can_not_see_it(bar: ColourBar) -> None:
    assert bar.accessibleName() == "Colours of squared error per image"
    assert bar.accessibleDescription() == "from 2.0 to 31.5"
    assert "2.0 to 31.5" in bar.toolTip()


def test_the_letters_follow_the_theme(bar: ColourBar, themed: QApplication) -> None:
    found = {}
    for theme in ("dark", "light"):
        apply_theme(themed, theme)
        picture = bar.grab().toImage()
        title = [picture.pixelColor(x, y).lightness() for x in range(120) for y in range(14)]
        found[theme] = (min(title), max(title), title[-1])
    assert found["dark"][1] - found["dark"][2] > 120
    assert found["light"][2] - found["light"][0] > 120
