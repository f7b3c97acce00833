from __future__ import annotations

import numpy as np
import pytest

from aeviewer.widgets.plots.point_raster import margin, rasterise, within

RED_AND_BLUE = np.array([[255, 0, 0, 255], [0, 0, 255, 255]], np.uint8)
RED, BLUE = 0xFFFF0000, 0xFF0000FF
RADIUS = 2.5


def drawn(places: list[tuple[float, float]], colours: list[int]) -> np.ndarray:
    x, y = np.array(places).T
    seen = within(x, y, (20, 30))
    drawn = np.array(colours)[seen]
    canvas = rasterise((x[seen], y[seen]), drawn, RED_AND_BLUE, (20, 30), RADIUS)
    border = margin(RADIUS)
    assert canvas.shape == (20 + 2 * border, 30 + 2 * border)
    return canvas


def inner(canvas: np.ndarray) -> np.ndarray:
    border = margin(RADIUS)
    return canvas[border:-border, border:-border]


@pytest.mark.parametrize("radius", [1.5, 2.0, 2.5, 3.75, 5.0])
@pytest.mark.parametrize("place", [(10.0, 9.0), (10.25, 9.5), (10.99, 9.01)])
def test_disc_has_its_area_and_its_centre(place: tuple[float, float], radius: float) -> None:
    x, y = np.array([place]).T
    canvas = rasterise((x, y), np.array([0]), RED_AND_BLUE, (20, 30), radius)
    border = margin(radius)
    alpha = (canvas[border:-border, border:-border] >> 24) / 255
    rows, columns = np.mgrid[0.5:20, 0.5:30]
    assert alpha.sum() == pytest.approx(np.pi * radius**2, rel=0.03)
    # A disc is centred on the pixel that its place lies in.
    assert (alpha * columns).sum() / alpha.sum() == pytest.approx(place[0] // 1 + 0.5)
    assert (alpha * rows).sum() / alpha.sum() == pytest.approx(place[1] // 1 + 0.5)
    assert (alpha > 0).sum() < np.pi * (radius + 1) ** 2


def test_rim_is_soft_and_premultiplied() -> None:
    canvas = drawn([(10.5, 7.5)], [0])
    alpha, red = canvas >> 24, canvas >> 16 & 255
    assert ((alpha > 0) & (alpha < 255)).any()
    np.testing.assert_array_equal(alpha, red)


@pytest.mark.parametrize(("order", "top"), [([0, 1], BLUE), ([1, 0], RED)])
def test_later_points_lie_on_top(order: list[int], top: int) -> None:
    assert inner(drawn([(10.5, 7.5)] * 2, order))[7, 10] == top


def test_overlapping_discs_leave_no_seam() -> None:
    row = inner(drawn([(10.5, 7.5), (12.5, 7.5)], [0, 1]))[7]
    assert (row[9:14] >> 24 == 255).all()


def test_what_is_outside_or_not_a_number_is_not_seen() -> None:
    outside = [(-40.0, 5.0), (5.0, 400.0), (np.nan, 5.0), (np.inf, 5.0), (1e30, 5.0)]
    assert not drawn(outside, [0] * 5).any()


def test_nothing_is_left_out() -> None:
    places = [(float(x) + 0.5, float(y) + 0.5) for y in range(4, 20, 6) for x in range(4, 30, 6)]
    canvas = inner(drawn(places, [0] * len(places)))
    assert all(canvas[int(y), int(x)] == RED for x, y in places)
