"""What lies behind the codes and around the marked one: decoded images, layers, outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QRectF, QTimer, Slot

from aeviewer.palette import class_colours
from aeviewer.services.latent.overlay import MEANINGS
from aeviewer.widgets.plots.colour_bar import DIVERGING, MISSING, SEQUENTIAL, limits, shades
from trainers.exploration.posterior import ellipse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aeviewer.panels.latent.layers_menu import LayersButton
    from aeviewer.services.latent_services import LatentServices
    from aeviewer.widgets.plots.colour_bar import ColourBar
    from aeviewer.widgets.plots.latent_plot import LatentPlot

TILE_PIXELS = 28


_SIGMAS = (1.0, 2.0)
_HEAT_ALPHA = 120


def class_palette(count: int = 10) -> NDArray[np.uint8]:
    """(count, 4) uint8 red, green, blue, alpha of so many classes."""
    return np.array([[*bytes.fromhex(c[1:]), 255] for c in class_colours(count)], np.uint8)


class Surroundings(QObject):
    """Draws the marked code's posterior and way back, a direction, a walk, a drawing's star.

    Each only while somebody looks into it.

    Parameters
    ----------
    exploring
        Watched.
    plot
        Where it is drawn.
    """

    def __init__(self, latent_services: LatentServices, plot: LatentPlot) -> None:
        super().__init__(plot)
        latent_state, inspection, walk = (
            latent_services.latent_state,
            latent_services.point_inspector,
            latent_services.path_service,
        )
        self._latent, self._inspection, self._walk = latent_state, inspection, walk
        self._drawing, self._directions = latent_services.drawing, latent_services.directions
        self._plot = plot
        latent_services.directions.pointed_changed.connect(self._show_direction)
        latent_state.plane_changed.connect(self._show_direction)
        self._playback = latent_services.playback
        # While points glide, what is known of a checkpoint lies nowhere.
        self._playback.changed.connect(self._show)
        self._playback.changed.connect(self._show_way)
        latent_services.drawing.changed.connect(self._show_drawing)
        latent_state.plane_changed.connect(self._show_drawing)
        latent_state.layout_changed.connect(self._show_drawing)
        inspection.changed.connect(self._show)
        latent_state.plane_changed.connect(self._show)
        latent_state.run_changed.connect(self._show)
        latent_state.places_changed.connect(self._show)
        latent_state.run_changed.connect(self._show_drawing)
        latent_state.places_changed.connect(self._show_drawing)
        walk.changed.connect(self._show_way)
        latent_state.plane_changed.connect(self._show_way)
        latent_state.run_changed.connect(self._show_way)
        latent_state.places_changed.connect(self._show_way)

    @Slot()
    def _show_drawing(self) -> None:
        drawn = self._drawing.drawn
        place = None if drawn is None else self._latent.place_of(drawn.code)
        self._plot.set_star(None if place is None or np.isnan(place[1]) else place)

    @Slot()
    def _show_direction(self) -> None:
        """The row of steps that is pointed at."""
        codes, plane = self._directions.pointed, self._latent.plane
        fits = codes is not None and plane is not None and codes.shape[1:] == plane.origin.shape
        if codes is None or plane is None or not fits or len(plane.origin) == 1:
            self._plot.set_ray(None)
        else:
            self._plot.set_ray(plane.project(codes))

    @Slot()
    def _show_way(self) -> None:
        """The way, and the straight line between its ends."""
        walked = None if self._playback.is_playing else self._walk.walked
        plane = self._latent.plane
        if walked is None or plane is None or len(plane.origin) != walked.codes.shape[1]:
            self._plot.set_paths(())
        elif len(plane.origin) > 1:
            way = plane.project(walked.codes)
            self._plot.set_paths([way[[0, -1]], way], strong=1)

    @Slot()
    def _show(self) -> None:
        found = None if self._playback.is_playing else self._inspection.inspected
        plane = self._latent.plane
        fits = found is not None and plane is not None and found.code.shape == plane.origin.shape
        if found is None or plane is None or not fits or len(plane.origin) == 1:
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


class Backdrop(QObject):
    """Keeps what lies behind the points in step with the view and with what is chosen.

    Parameters
    ----------
    exploring
        Watched; mosaic and heat are told what is in view.
    plot
        Where it is drawn.
    layers
        What is chosen.
    bar
        Says what the layer's colours stand for.
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
        self._latent, self._mosaic, self._heat = latent_state, mosaic, latent_services.overlay
        self._plot, self._layers, self._bar = plot, layers, bar
        latent_services.overlay.changed.connect(self._show_heat)
        self._later = QTimer(self, singleShot=True, interval=0)
        self._later.timeout.connect(self._follow_view)
        plot.view_changed.connect(self._later.start)
        mosaic.changed.connect(self._show_tiles)
        layers.changed.connect(self._follow_choice)
        latent_state.places_changed.connect(self._follow_choice)
        latent_state.plane_changed.connect(self._follow_choice)

    @property
    def _is_plane(self) -> bool:
        plane = self._latent.plane
        return plane is not None and len(plane.origin) > 1

    @Slot()
    def _follow_choice(self) -> None:
        item = self._latent.session.current
        config = item.config if item else None
        has_prior = config is not None and config.model.has_prior
        self._layers.offer(has_prior=has_prior, is_plane=self._is_plane)
        self._mosaic.switch(self._layers.chosen.mosaic and self._is_plane)
        self._heat.choose(self._layers.chosen.layer if self._is_plane else "none")
        self._show_prior(has_prior)
        self._show_tiles()
        self._later.start()

    @Slot()
    def _follow_view(self) -> None:
        """Tells the mosaic what is seen, tiles being about as large as their images at least."""
        view, pixel = self._plot.view(), self._plot.box.viewPixelSize()[0]
        if self._is_plane and 0 < pixel < np.inf and self._plot.isVisible():
            place = view.left(), view.top(), view.width(), view.height()
            self._mosaic.set_view(place, pixel, TILE_PIXELS)
            self._heat.set_view(place)

    @Slot()
    def _show_tiles(self) -> None:
        chosen, grid = self._layers.chosen, self._mosaic.grid
        if not self._mosaic.is_on or grid is None:
            self._plot.tiles.clear()
            return
        images, support = self._mosaic.picture()
        shares = support if chosen.fades else (support > 0).astype(np.float32)
        self._plot.tiles.set_opacity(chosen.opacity)
        self._plot.tiles.set_tiles(images, shares, QRectF(*grid.rectangle))

    @Slot()
    def _show_heat(self) -> None:
        field = self._heat.field
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
            colours[..., 3] = np.rint(_HEAT_ALPHA * field.values)
            self._bar.clear()
        else:
            palette, rows = shades(field.values.ravel(), low, high, colour_map)
            palette[:, 3] = np.where(np.arange(256) == MISSING, 0, _HEAT_ALPHA)
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
