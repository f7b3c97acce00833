"""What is drawn behind the codes (decoded images, overlay) and around the marked code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QRectF, Slot

from aeviewer.palette import class_colours
from aeviewer.services.latent.overlay import MEANINGS
from aeviewer.widgets.plots.colour_bar import DIVERGING, MISSING, SEQUENTIAL, limits, shades
from aeviewer.widgets.refresh import Refresh
from trainers.exploration.posterior import ellipse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aeviewer.panels.latent.layers_menu import LayersButton
    from aeviewer.services.latent_services import LatentServices
    from aeviewer.widgets.plots.colour_bar import ColourBar
    from aeviewer.widgets.plots.latent_plot import LatentPlot

TILE_PIXELS = 28


_SIGMAS = (1.0, 2.0)
_OVERLAY_ALPHA = 120
_STALE = 0.35
"""The opacity of a layer of another step, times its own."""


def class_palette(count: int = 10) -> NDArray[np.uint8]:
    """Returns (count, 4) uint8: red, green, blue and alpha of each class."""
    return np.array([[*bytes.fromhex(c[1:]), 255] for c in class_colours(count)], np.uint8)


class Annotations(QObject):
    """Draws what other panels compute: posterior, re-encoded code, path, drawing, direction.

    Each is drawn only while its panel is visible.

    Parameters
    ----------
    latent_services
        Watched.
    plot
        The plot of the latent space.
    """

    def __init__(self, latent_services: LatentServices, plot: LatentPlot) -> None:
        super().__init__(plot)
        latent_state, inspector, path = (
            latent_services.latent_state,
            latent_services.point_inspector,
            latent_services.path_service,
        )
        self._latent, self._inspector, self._path = latent_state, inspector, path
        self._drawing, self._directions = latent_services.drawing, latent_services.directions
        self._plot = plot
        latent_services.directions.pointed_changed.connect(self._show_direction)
        latent_state.plane_changed.connect(self._show_direction)
        self._playback = latent_services.playback
        # While the points move between two checkpoints, nothing of one checkpoint has a place.
        self._playback.changed.connect(self._show_details)
        self._playback.changed.connect(self._show_path)
        latent_services.drawing.changed.connect(self._show_drawing)
        latent_state.plane_changed.connect(self._show_drawing)
        latent_state.embedding_changed.connect(self._show_drawing)
        inspector.changed.connect(self._show_details)
        latent_state.plane_changed.connect(self._show_details)
        latent_state.run_changed.connect(self._show_details)
        latent_state.places_changed.connect(self._show_details)
        latent_state.run_changed.connect(self._show_drawing)
        latent_state.places_changed.connect(self._show_drawing)
        path.changed.connect(self._show_path)
        latent_state.plane_changed.connect(self._show_path)
        latent_state.run_changed.connect(self._show_path)
        latent_state.places_changed.connect(self._show_path)

    @Slot()
    def _show_drawing(self) -> None:
        drawn = self._drawing.result
        place = None if drawn is None else self._latent.place_of(drawn.code)
        self._plot.set_star(None if place is None or np.isnan(place[1]) else place)

    @Slot()
    def _show_direction(self) -> None:
        """Draws the row of steps under the mouse."""
        codes, plane = self._directions.pointed, self._latent.plane
        fits = codes is not None and plane is not None and codes.shape[1:] == plane.origin.shape
        if codes is None or plane is None or not fits or plane.is_line:
            self._plot.set_ray(None)
        else:
            self._plot.set_ray(plane.project(codes))

    @Slot()
    def _show_path(self) -> None:
        """Draws the path, and the straight line between its ends."""
        result = None if self._playback.is_playing else self._path.result
        plane = self._latent.plane
        if result is None or plane is None or len(plane.origin) != result.codes.shape[1]:
            self._plot.set_paths(())
        elif not plane.is_line:
            path = plane.project(result.codes)
            self._plot.set_paths([path[[0, -1]], path], strong=1)

    @Slot()
    def _show_details(self) -> None:
        found = None if self._playback.is_playing else self._inspector.details
        plane = self._latent.plane
        fits = found is not None and plane is not None and found.code.shape == plane.origin.shape
        if found is None or plane is None or not fits or plane.is_line:
            self._plot.set_links(np.zeros((0, 2, 2)))
            self._plot.set_outlines(())
            return
        self._plot.set_links(plane.project(np.stack([found.code, found.back]))[None])
        variances = found.log_variance
        self._plot.set_outlines(
            ()
            if variances is None
            else [ellipse(found.code, variances, plane, sigmas) for sigmas in _SIGMAS]
        )


class Background(QObject):
    """Draws decoded images, the overlay and the circles of the prior behind the codes.

    Parameters
    ----------
    latent_services
        Watched; mosaic and overlay receive the rectangle in view.
    plot
        The plot of the latent space.
    layers
        The user's choice of layers.
    bar
        The colour bar of the overlay.
    """

    def __init__(
        self,
        latent_services: LatentServices,
        plot: LatentPlot,
        layers: LayersButton,
        bar: ColourBar,
    ) -> None:
        super().__init__(plot)
        latent_state, mosaic = latent_services.latent_state, latent_services.mosaic
        self._latent, self._mosaic, self._overlay = latent_state, mosaic, latent_services.overlay
        self._plot, self._layers, self._bar = plot, layers, bar
        latent_services.overlay.changed.connect(self._show_overlay)
        latent_services.overlay.latest.status_changed.connect(self._dim)
        mosaic.status_changed.connect(self._dim)
        self._view_refresh = Refresh(plot, self._send_view)
        plot.view_changed.connect(self._view_refresh.request)
        mosaic.changed.connect(self._show_tiles)
        layers.changed.connect(self._show_layers)
        latent_state.places_changed.connect(self._show_layers)
        latent_state.plane_changed.connect(self._show_layers)

    @property
    def _is_plane(self) -> bool:
        plane = self._latent.plane
        return plane is not None and not plane.is_line

    @Slot()
    def _show_layers(self) -> None:
        item = self._latent.session.current
        config = item.config if item else None
        has_prior = config is not None and config.model.has_prior
        self._layers.set_available(has_prior=has_prior, is_plane=self._is_plane)
        self._mosaic.switch(self._layers.chosen.mosaic and self._is_plane)
        self._overlay.choose(self._layers.chosen.layer if self._is_plane else "none")
        self._show_prior(has_prior)
        self._show_tiles()
        self._view_refresh.request()

    @Slot()
    def _send_view(self) -> None:
        """Sends the rectangle in view to the mosaic and the overlay.

        Tiles are at least about as large as their images.
        """
        view, pixel = self._plot.view(), self._plot.box.viewPixelSize()[0]
        if self._is_plane and 0 < pixel < np.inf:
            place = view.left(), view.top(), view.width(), view.height()
            self._mosaic.set_view(place, pixel, TILE_PIXELS)
            self._overlay.set_view(place)

    @Slot()
    def _show_tiles(self) -> None:
        chosen, grid = self._layers.chosen, self._mosaic.grid
        if not self._mosaic.is_on or grid is None:
            self._plot.tiles.clear()
            return
        images, support = self._mosaic.picture()
        shares = support if chosen.fades else (support > 0).astype(np.float32)
        self._dim()
        self._plot.tiles.set_tiles(images, shares, QRectF(*grid.rectangle))

    @Slot()
    def _dim(self) -> None:
        """Makes tiles and overlay pale while they are those of another step."""
        tiles, overlay = self._mosaic.is_stale, self._overlay.latest.is_stale
        self._plot.tiles.set_opacity(self._layers.chosen.opacity * (_STALE if tiles else 1))
        self._plot.overlay.setOpacity(_STALE if overlay else 1)

    @Slot()
    def _show_overlay(self) -> None:
        field = self._overlay.field
        if field is None:
            self._plot.overlay.set_colours(None, QRectF())
            self._bar.clear()
            return
        meaning = MEANINGS[field.layer]
        colour_map = DIVERGING if meaning.centred else SEQUENTIAL
        low, high = limits(field.values, centred=meaning.centred)
        if field.classes is not None:
            low, high = 0.0, 1.0
            colours = class_palette(int(field.classes.max()) + 1)[field.classes]
            colours[..., 3] = np.rint(_OVERLAY_ALPHA * field.values)
            self._bar.clear()
        else:
            palette, rows = shades(field.values.ravel(), low, high, colour_map)
            palette[:, 3] = np.where(np.arange(256) == MISSING, 0, _OVERLAY_ALPHA)
            colours = palette[rows].reshape(*field.values.shape, 4)
            self._bar.set_scale(meaning.name, low, high, colour_map)
        self._plot.overlay.set_colours(colours, QRectF(*field.view))

    def _show_prior(self, has_prior: bool) -> None:
        plane = self._latent.plane
        if plane is None or not (has_prior and self._is_plane and self._layers.chosen.prior):
            self._plot.set_rings((0.0, 0.0), ())
            return
        x, y = plane.project(np.zeros(len(plane.origin))).tolist()
        self._plot.set_rings((x, y), (1.0, 2.0))
