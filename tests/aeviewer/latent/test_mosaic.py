from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from aeviewer.services.latent.mosaic import Mosaic
from aeviewer.services.latent.tile_grid import TileGrid, TileStore, centres, grid_over
from aeviewer.widgets.plots.background_layers import TileLayer
from trainers.inference import load

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from tests.aeviewer.explored_run import ExploredServices
    from trainers.runs import Run

VIEW = (-2.0, -1.0, 4.0, 2.0)


class TestGrid:
    def test_tiles_are_as_large_as_asked_and_less_than_twice(self) -> None:
        for pixel in (0.003, 0.01, 0.0141, 0.5, 7.0):
            grid = grid_over(VIEW, pixel, 28)
            assert 28 <= grid.side / pixel < 56

    def test_it_covers_the_view_with_a_margin(self) -> None:
        grid = grid_over(VIEW, 0.01, 28)
        assert grid.covers(*VIEW)
        left, bottom, width, height = VIEW
        assert grid.covers(left - grid.side, bottom - grid.side, width, height)
        assert not grid.covers(left - 3 * grid.side, bottom, width, height)

    def test_a_tile_is_decoded_at_its_centre_rows_from_the_top(self) -> None:
        keys = TileGrid(-1, -1, 0, 2, 2).keys()
        np.testing.assert_allclose(
            centres(keys), [(-0.25, 0.75), (0.25, 0.75), (-0.25, 0.25), (0.25, 0.25)]
        )

    def test_coarser_tiles_cover_the_finer(self) -> None:
        grid = TileGrid(-3, -5, 3, 11, 7)
        coarse = grid.coarser(2)
        assert coarse.level == -1
        assert coarse.covers(*grid.rectangle)


class TestStore:
    IMAGE = np.arange(784).reshape(1, 28, 28).astype(np.uint8)

    def test_a_coarser_tile_stands_in_for_a_finer(self) -> None:
        store = TileStore()
        store.put([(0, 0, 0)], self.IMAGE, np.array([0.5]))
        images, support = store.picture(TileGrid(-1, 0, 0, 2, 2))
        whole = self.IMAGE[0].repeat(2, 0).repeat(2, 1)
        np.testing.assert_array_equal(images.transpose(0, 2, 1, 3).reshape(56, 56), whole)
        assert (support == 0.5).all()

    def test_what_is_of_an_earlier_round_is_shown_and_missing(self) -> None:
        store, key = TileStore(), (0, 0, 0)
        store.put([key], self.IMAGE, np.array([1.0]))
        assert store.missing([key]) == []
        store.round += 1
        assert store.missing([key]) == [key]
        images, _ = store.picture(TileGrid(0, 0, 0, 1, 1))
        np.testing.assert_array_equal(images[0, 0], self.IMAGE[0])

    def test_the_oldest_are_forgotten(self) -> None:
        store = TileStore(most=3)
        keys = [(0, column, 0) for column in range(5)]
        store.put(keys, self.IMAGE.repeat(5, 0), np.ones(5))
        assert store.missing(keys) == keys[:2]


@pytest.fixture
def mosaic(explored: ExploredServices) -> Mosaic:
    mosaic = Mosaic(explored.latent_state, explored.compute)
    mosaic.switch(True)
    mosaic.set_view(VIEW, 0.02, 28)
    return mosaic


def is_whole(mosaic: Mosaic) -> bool:
    grid = mosaic.grid
    return grid is not None and not mosaic.missing(grid)


def test_every_tile_is_the_decoders_image_of_its_place(
    qtbot: QtBot, explored: ExploredServices, mosaic: Mosaic, run: Run
) -> None:
    explored.session.set_code(np.array([0.2, 0.1, 1.5], np.float32))
    qtbot.waitUntil(lambda: is_whole(mosaic))
    grid = mosaic.grid
    assert grid is not None
    images, support = mosaic.picture()
    places = centres(grid.keys())
    # Off the plane of the first two coordinates, a tile is as the marked code is.
    codes = np.column_stack([places, np.full(len(places), 1.5)])
    wanted = load(run).decode(codes).clip(0, 1) * 255
    np.testing.assert_allclose(images.reshape(-1, 28, 28), wanted, atol=0.51)
    assert ((support >= 0) & (support <= 1)).all()


def test_moving_in_the_plane_keeps_the_tiles_leaving_it_does_not(
    qtbot: QtBot, explored: ExploredServices, mosaic: Mosaic
) -> None:
    explored.session.set_code(np.array([0, 0, 1], np.float32))
    qtbot.waitUntil(lambda: is_whole(mosaic))
    explored.session.set_code(np.array([0.7, -0.4, 1], np.float32))
    assert is_whole(mosaic)
    explored.session.set_code(np.array([0.7, -0.4, 2], np.float32))
    assert not is_whole(mosaic)
    qtbot.waitUntil(lambda: is_whole(mosaic))


def test_panning_asks_only_for_what_is_new(
    qtbot: QtBot, explored: ExploredServices, mosaic: Mosaic
) -> None:
    qtbot.waitUntil(lambda: is_whole(mosaic))
    before = mosaic.grid
    assert before is not None
    left, bottom, width, height = VIEW
    mosaic.set_view((left + 0.4 * before.side, bottom, width, height), 0.02, 28)
    assert mosaic.grid == before
    mosaic.set_view((left + 3 * before.side, bottom, width, height), 0.02, 28)
    grid = mosaic.grid
    assert grid is not None
    assert 0 < len(mosaic.missing(grid)) <= 3 * grid.rows
    qtbot.waitUntil(lambda: is_whole(mosaic))


def test_switched_off_it_asks_for_nothing(explored: ExploredServices) -> None:
    mosaic = Mosaic(explored.latent_state, explored.compute)
    mosaic.set_view(VIEW, 0.02, 28)
    assert not is_whole(mosaic)
    assert mosaic.picture()[1].max() == 0


def test_ink_is_drawn_upright_and_paper_stays_clear(qtbot: QtBot) -> None:
    layer = TileLayer()
    layer.set_ink(QColor("red"))
    tiles = np.zeros((1, 2, 28, 28), np.uint8)
    tiles[0, 0, :14] = 255  # ink in the upper half of the left one
    tiles[0, 1] = 255
    layer.set_tiles(tiles, np.array([[1.0, 0.5]]), QRectF(0, 0, 2, 1))
    picture = QImage(56, 28, QImage.Format.Format_ARGB32_Premultiplied)
    picture.fill(0)
    painter = QPainter(picture)
    # As a plot has it: y grows upwards.
    painter.translate(0, 28)
    painter.scale(28, -28)
    layer.paint(painter, None)
    painter.end()
    assert picture.pixelColor(10, 4) == QColor("red")
    assert picture.pixelColor(10, 24).alpha() == 0
    assert picture.pixelColor(40, 14).alpha() == pytest.approx(128, abs=2)
