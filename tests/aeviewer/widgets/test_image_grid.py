from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage, QPalette

from aeviewer.widgets.images.grid_layout import arrange
from aeviewer.widgets.images.image_grid import ImageGrid, ImageRow
from aeviewer.widgets.images.image_view import (
    DivergingBar,
    ImageView,
    diverging_colours,
    enlarge,
    gray_image,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.integers(0, 256, (32, 28, 28), dtype=np.uint8)
OUTPUTS = RANDOM.integers(0, 256, (32, 28, 28), dtype=np.uint8)
ROWS = (
    ImageRow("input", INPUTS),
    ImageRow("output", OUTPUTS),
    ImageRow("difference", OUTPUTS.astype(np.int16) - INPUTS),
)


@pytest.fixture
def grid(qtbot: QtBot) -> Iterator[ImageGrid]:
    made = ImageGrid()
    qtbot.addWidget(made)
    made.resize(1200, 500)
    made.set_rows(ROWS)
    made.show()
    yield made
    made.close()


def pixels(image: QImage) -> np.ndarray:
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
    # The image owns the memory, and ends here.
    return rows[:, : 3 * rgb.width()].reshape(rgb.height(), rgb.width(), 3).copy()


@pytest.mark.parametrize("room", [(60, 100), (300, 200), (456, 270), (900, 400), (3000, 1500)])
@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_nothing_is_cut(room: tuple[int, int], ratio: float) -> None:
    found = arrange(32, 3, 28, *room, ratio)
    assert found.width <= room[0]
    assert found.height <= room[1]
    assert found.tile == 28 * found.scale


def test_the_scale_is_the_largest_at_which_all_fit() -> None:
    found = arrange(32, 3, 28, 1000, 800)
    assert found.columns * found.bands >= 32
    larger = 28 * (found.scale + 1)
    columns, bands = 1001 // (larger + 1), (800 + 8) // (3 * larger + 2 + 8)
    assert columns * bands < 32


def test_bands_are_about_as_long() -> None:
    found = arrange(32, 3, 28, 600, 300)
    assert (found.columns, found.bands) == (16, 2)


def test_no_room_at_all_shows_none() -> None:
    found = arrange(32, 3, 28, 20, 20)
    assert found.columns * found.bands == 0


def test_pixels_are_exact_multiples(grid: ImageGrid) -> None:
    drawn = pixels(grid.grab().toImage())
    scale = grid.arrangement.scale
    for index in (0, 17, 31):
        corner = grid.place(index).topLeft()
        tile = drawn[corner.y() : corner.y() + 28 * scale, corner.x() : corner.x() + 28 * scale]
        expected = INPUTS[index].repeat(scale, 0).repeat(scale, 1)
        assert (tile == expected[..., None]).all()


def test_the_difference_is_drawn_in_diverging_colours(grid: ImageGrid) -> None:
    drawn = pixels(grid.grab().toImage())
    arrangement, corner = grid.arrangement, grid.place(5).topLeft()
    y, x = corner.y() + 2 * arrangement.pitch, corner.x()
    value = int(OUTPUTS[5, 0, 0]) - int(INPUTS[5, 0, 0])
    expected = QColor(int(diverging_colours(grid.palette())[value + 255]))
    assert tuple(drawn[y, x]) == expected.getRgb()[:3]


def test_a_small_grid_says_what_it_leaves_out(grid: ImageGrid) -> None:
    assert grid.notice == ""
    grid.resize(300, 120)
    assert 0 < grid.shown < 32
    assert grid.notice == f"{grid.shown} of 32 shown, enlarge to see all"
    last = grid.place(grid.shown - 1)
    assert grid.rect().contains(last)


def test_the_mouse_points_at_columns(grid: ImageGrid, qtbot: QtBot) -> None:
    seen: list[int] = []
    grid.hovered.connect(seen.append)
    for index in (3, 20):
        qtbot.mouseMove(grid, grid.place(index).center())
    qtbot.mouseMove(grid, QPoint(1, 1))
    assert seen == [3, 20, -1]


def test_the_arrow_keys_point_at_columns(grid: ImageGrid, qtbot: QtBot) -> None:
    seen: list[int] = []
    grid.hovered.connect(seen.append)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_End, Qt.Key.Key_Home):
        qtbot.keyClick(grid, key)
    assert seen == [1, 1 + grid.arrangement.columns, 31, 0]


def test_new_images_replace_the_old(grid: ImageGrid) -> None:
    before = pixels(grid.grab().toImage())
    grid.set_rows((ROWS[1], ROWS[0], ROWS[2]))
    assert not np.array_equal(before, pixels(grid.grab().toImage()))
    grid.set_rows(())
    assert grid.count == grid.shown == 0
    assert len(np.unique(pixels(grid.grab().toImage()).reshape(-1, 3), axis=0)) == 1


def test_the_picture_holds_all_columns(grid: ImageGrid) -> None:
    grid.resize(200, 120)
    drawn = pixels(grid.picture())
    assert (drawn[8 : 8 + 84, 8 : 8 + 84] == INPUTS[0].repeat(3, 0).repeat(3, 1)[..., None]).all()
    assert drawn.shape[1] > 16 * 84


@pytest.mark.parametrize("surface", ["#191b1e", "#ffffff"])
def test_the_diverging_colours_are_neutral_at_zero(qapp: object, surface: str) -> None:
    palette = QPalette()
    palette.setColor(QPalette.ColorRole.Base, QColor(surface))
    colours = [QColor(int(colour)) for colour in diverging_colours(palette)]
    assert len(colours) == 511
    assert colours[255] == QColor(surface)
    less, more = colours[100], colours[410]
    assert less.blue() > less.red()
    assert more.red() > more.blue()
    lightness = [colour.lightnessF() for colour in (colours[255], colours[383], colours[510])]
    assert lightness in (sorted(lightness), sorted(lightness, reverse=True))


def test_gray_is_clipped_ink() -> None:
    ink = np.array([[-0.5, 0.0, 0.5], [1.0, 7.0, np.nan]], np.float32)
    image = gray_image(ink)
    values = [[image.pixelColor(x, y).red() for x in range(3)] for y in range(2)]
    assert values == [[0, 0, 128], [255, 255, 0]]
    assert enlarge(image, 10).size() == image.size() * 10


def test_an_image_is_shown_at_whole_multiples(qtbot: QtBot) -> None:
    view = ImageView()
    qtbot.addWidget(view)
    view.resize(300, 200)
    view.set_image(INPUTS[0])
    assert view.factor == 7
    drawn = pixels(view.grab().toImage())
    assert (
        drawn[2 : 2 + 196, 52 : 52 + 196] == INPUTS[0].repeat(7, 0).repeat(7, 1)[..., None]
    ).all()
    view.set_image(None)
    assert view.image is None
    assert len(np.unique(pixels(view.grab().toImage()).reshape(-1, 3), axis=0)) == 1


def test_the_scale_bar_has_room(qtbot: QtBot) -> None:
    bar = DivergingBar()
    qtbot.addWidget(bar)
    bar.resize(bar.sizeHint())
    drawn = pixels(bar.grab().toImage())
    row = drawn[bar.height() // 2]
    assert (row[:, 2].astype(int) - row[:, 0] > 60).any()
    assert (row[:, 0].astype(int) - row[:, 2] > 60).any()
