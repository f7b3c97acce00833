from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from aeviewer.panels.latent.latent_panel import LatentPanel
from aeviewer.services.latent.overlay import Layer, PlaneOverlay, ScalarField, places
from aeviewer.widgets.plots.background_layers import HeatLayer
from trainers.datasets.mnist import load_split
from trainers.exploration.density import log_density, log_prior
from trainers.inference import load

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from tests.aeviewer.explored_run import ExploredServices
    from trainers.runs import Run

VIEW = (-1.0, -0.5, 2.0, 1.0)


@pytest.fixture
def explored(explored: ExploredServices) -> ExploredServices:
    explored.session.set_code(np.array([0.1, 0.2, 0.7], np.float32))
    return explored


def found(qtbot: QtBot, heat: PlaneOverlay, layer: Layer) -> tuple[ScalarField, np.ndarray]:
    """The fine field of a layer, and its places."""
    heat.choose(layer)
    heat.set_view(VIEW)

    def is_fine() -> bool:
        field = heat.field
        return field is not None and field.layer == layer and field.values.shape[1] == 100

    qtbot.waitUntil(is_fine)
    assert heat.field is not None
    return heat.field, places(heat.field.view, 100)


def test_places_are_the_middles_of_square_cells_from_the_top() -> None:
    grid = places((0, 0, 4, 2), 4)
    assert grid.shape == (2, 4, 2)
    np.testing.assert_allclose(grid[0, 0], (0.5, 1.5))
    np.testing.assert_allclose(grid[1, 3], (3.5, 0.5))


def test_density_and_prior(qtbot: QtBot, explored: ExploredServices) -> None:
    latent_state = explored.latent_state
    codes, plane = latent_state.codes, latent_state.plane
    assert codes is not None
    assert plane is not None
    field, grid = found(qtbot, explored.overlay, "density")
    density = np.maximum(log_density(plane.project(codes), grid), -12)
    np.testing.assert_allclose(field.values, density)
    field, grid = found(qtbot, explored.overlay, "prior")
    np.testing.assert_allclose(field.values, density - log_prior(plane, grid), atol=1e-6)


def test_magnification_and_cycle_are_the_models_at_the_marked_code(
    qtbot: QtBot, explored: ExploredServices, run: Run
) -> None:
    model = load(run)
    field, grid = found(qtbot, explored.overlay, "magnification")
    codes = np.concatenate([grid.reshape(-1, 2), np.full((grid.size // 2, 1), 0.7)], axis=1)
    wanted = np.log10(model.magnification(codes, np.eye(3)[:2]))
    np.testing.assert_allclose(field.values.ravel(), wanted, atol=1e-3)
    field, _ = found(qtbot, explored.overlay, "cycle")
    back = model.encode(model.decode(codes).clip(0, 1))
    wanted = np.linalg.norm(back - codes, axis=1)
    np.testing.assert_allclose(field.values.ravel(), wanted, rtol=1e-3, atol=1e-4)


def test_class_regions_are_what_most_of_the_nearest_codes_are(
    qtbot: QtBot, explored: ExploredServices
) -> None:
    field, grid = found(qtbot, explored.overlay, "classes")
    codes = explored.latent_state.codes
    assert codes is not None
    assert field.classes is not None
    place = np.append(grid[30, 50], 0.7)
    nearest = np.argsort(np.linalg.norm(codes - place, axis=1))[:15]
    counts = np.bincount(load_split("test").labels[nearest], minlength=10)
    assert counts[field.classes[30, 50]] == counts.max()
    assert field.values[30, 50] == pytest.approx(counts.max() / 15)


def test_a_small_move_asks_for_nothing_and_another_layer_starts_anew(
    qtbot: QtBot, explored: ExploredServices
) -> None:
    heat = explored.overlay
    field, _ = found(qtbot, heat, "density")
    heat.set_view((-0.9, -0.5, 2.0, 1.0))
    assert heat.field is field
    heat.choose("none")
    assert heat.field is None


def test_the_panel_shows_a_layer_with_its_bar(qtbot: QtBot, explored: ExploredServices) -> None:
    panel = LatentPanel(explored)
    qtbot.addWidget(panel)
    panel.resize(700, 600)
    panel.show()
    qtbot.waitUntil(lambda: len(panel.plot.raster.xy) > 0)
    assert not panel.bar.isVisible()
    panel.plane_bar.layers.choose(layer="density", mosaic=False)
    qtbot.waitUntil(panel.bar.isVisible)
    assert panel.bar.accessibleName() or panel.bar.texts
    before = panel.plot.grab().toImage()
    panel.plane_bar.layers.choose(layer="none")
    assert not panel.bar.isVisible()
    assert panel.plot.grab().toImage() != before


def test_colours_are_drawn_upright(qtbot: QtBot) -> None:
    layer = HeatLayer()
    colours = np.zeros((2, 1, 4), np.uint8)
    colours[0] = (255, 0, 0, 255)
    colours[1] = (0, 0, 255, 255)
    layer.set_colours(colours, QRectF(0, 0, 1, 2))
    picture = QImage(20, 40, QImage.Format.Format_ARGB32_Premultiplied)
    picture.fill(0)
    painter = QPainter(picture)
    painter.translate(0, 40)
    painter.scale(20, -20)
    layer.paint(painter, None)
    painter.end()
    assert picture.pixelColor(10, 2) == QColor("red")
    assert picture.pixelColor(10, 37) == QColor("blue")
