"""What lies behind the codes and around the marked one: decoded images, layers, outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QRectF, QTimer, Slot

from trainers.exploration.posterior import ellipse

if TYPE_CHECKING:
    from aeviewer.panels.latent_layers import LayersButton
    from aeviewer.services.exploration import Exploration
    from aeviewer.services.inspection import Inspection
    from aeviewer.services.mosaic import Mosaic
    from aeviewer.services.walk import Walk
    from aeviewer.widgets.explorer_plot import ExplorerPlot

_TILE_PIXELS = 28


_SIGMAS = (1.0, 2.0)


class Surroundings(QObject):
    """Draws the marked code's posterior and way back, and the way between two pins.

    Each only while somebody looks into it.

    Parameters
    ----------
    exploration, inspection, walk
        Watched.
    plot
        Where it is drawn.
    """

    def __init__(
        self, exploration: Exploration, inspection: Inspection, walk: Walk, plot: ExplorerPlot
    ) -> None:
        super().__init__(plot)
        self._exploration, self._inspection = exploration, inspection
        self._walk, self._plot = walk, plot
        inspection.changed.connect(self._show)
        exploration.plane_changed.connect(self._show)
        walk.changed.connect(self._show_way)
        exploration.plane_changed.connect(self._show_way)
        exploration.places_changed.connect(self._show_way)

    @Slot()
    def _show_way(self) -> None:
        """The way, and the straight line between its ends."""
        walked, plane = self._walk.walked, self._exploration.plane
        if walked is None or plane is None or len(plane.origin) != walked.codes.shape[1]:
            self._plot.set_paths(())
        elif len(plane.origin) > 1:
            way = plane.project(walked.codes)
            self._plot.set_paths([way[[0, -1]], way], strong=1)

    @Slot()
    def _show(self) -> None:
        found, plane = self._inspection.inspected, self._exploration.plane
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
    exploration, mosaic
        Watched; the mosaic is told what is in view.
    plot
        Where it is drawn.
    layers
        What is chosen.
    """

    def __init__(
        self, exploration: Exploration, mosaic: Mosaic, plot: ExplorerPlot, layers: LayersButton
    ) -> None:
        super().__init__(plot)
        self._exploration, self._mosaic = exploration, mosaic
        self._plot, self._layers = plot, layers
        self._later = QTimer(self, singleShot=True, interval=0)
        self._later.timeout.connect(self._follow_view)
        plot.view_changed.connect(self._later.start)
        mosaic.changed.connect(self._show_tiles)
        layers.changed.connect(self._follow_choice)
        exploration.places_changed.connect(self._follow_choice)
        exploration.plane_changed.connect(self._follow_choice)

    @property
    def _is_plane(self) -> bool:
        plane = self._exploration.plane
        return plane is not None and len(plane.origin) > 1

    @Slot()
    def _follow_choice(self) -> None:
        item = self._exploration.session.current
        config = item.config if item else None
        has_prior = config is not None and config.model.variational and config.model.family != "pca"
        self._layers.offer(has_prior=has_prior, is_plane=self._is_plane)
        self._mosaic.switch(self._layers.chosen.mosaic and self._is_plane)
        self._show_prior(has_prior)
        self._show_tiles()
        self._later.start()

    @Slot()
    def _follow_view(self) -> None:
        """Tells the mosaic what is seen, tiles being about as large as their images at least."""
        view, pixel = self._plot.view(), self._plot.box.viewPixelSize()[0]
        if self._is_plane and 0 < pixel < np.inf and self._plot.isVisible():
            place = view.left(), view.top(), view.width(), view.height()
            self._mosaic.set_view(place, pixel, _TILE_PIXELS)

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

    def _show_prior(self, has_prior: bool) -> None:
        plane = self._exploration.plane
        if plane is None or not (has_prior and self._is_plane and self._layers.chosen.prior):
            self._plot.set_rings((0.0, 0.0), ())
            return
        x, y = plane.project(np.zeros(len(plane.origin))).tolist()
        self._plot.set_rings((x, y), (1.0, 2.0))
