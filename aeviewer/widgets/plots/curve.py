"""One curve of a plot: its values, its reading at a place, and the items that draw it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from aeviewer.widgets.plots.smoothing import Smoother

if TYPE_CHECKING:
    from collections.abc import Iterator

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reading:
    """The reading of a curve at one step; beyond its end, only its best value.

    Attributes
    ----------
    x, value
        The step, and the smoothed value; None where the curve has not begun or has ended.
    marker_x, marker
        The last marker up to there, until the curve has ended.
    best_x, best
        The lowest marker of all, where lower is better.
    """

    x: float | None = None
    value: float | None = None
    marker_x: float | None = None
    marker: float | None = None
    best_x: float | None = None
    best: float | None = None


class Curve:
    """One named curve: its values and the items that draw them."""

    def __init__(self, window: int) -> None:
        self.x: Values = np.empty(0)
        self.y: Values = np.empty(0)
        self.markers: Values = np.empty((0, 2))
        self.has_best = True
        self.smoother = Smoother(window)
        self.colour = QColor()
        # Points per pixel; pyqtgraph's five cost most of a frame, and the rest cannot be seen.
        self.raw = pg.PlotDataItem(autoDownsampleFactor=1.0)
        self.smooth = pg.PlotDataItem(autoDownsampleFactor=0.5, antialias=True)
        self.spots = pg.ScatterPlotItem(pxMode=True)
        self.best = pg.ScatterPlotItem(pxMode=True)

    @property
    def items(self) -> tuple[pg.GraphicsObject, ...]:
        """The items, from the back to the front."""
        return self.raw, self.smooth, self.spots, self.best

    def take(self, x: Values, y: Values) -> None:
        """Sets the whole curve; earlier smoothing is kept where the curve only grew."""
        known = len(self.x)
        if not (known and known <= len(x) and self._agrees(x, y, 0, known - 1)):
            self.smoother.clear()
        self.smoother.extend(y[len(self.smoother) :])
        self.x, self.y = x, y

    def _agrees(self, x: Values, y: Values, *places: int) -> bool:
        return all(x[at] == self.x[at] and y[at] == self.y[at] for at in places)

    def reading(self, x: float) -> Reading:
        """Returns the reading at `x`; at infinity, the newest values."""
        best = self.lowest if self.lowest is not None else (None, None)
        if self._has_ended(x):
            return Reading(None, None, None, None, *best)
        at = int(np.searchsorted(self.x, x + 0.5)) - 1
        spot = int(np.searchsorted(self.markers[:, 0], x + 0.5)) - 1
        step, value = (self.x[at], self.smoother.values[at]) if at >= 0 else (None, None)
        marker = self.markers[spot] if spot >= 0 else (None, None)
        return Reading(step, value, *marker, *best)

    def _has_ended(self, x: float) -> bool:
        """Returns whether neither line nor markers reach `x`, to the next whole step."""
        ends = (*self.x[-1:], *self.markers[-1:, 0])
        return math.isfinite(x) and x - 0.5 > max(ends, default=-math.inf)

    @property
    def lowest(self) -> Values | None:
        """Returns (2,) x and y of the lowest marker, where lower is better."""
        if not self.has_best:
            return None
        finite = self.markers[np.isfinite(self.markers[:, 1])]
        return finite[finite[:, 1].argmin()] if len(finite) else None

    def values(self) -> Iterator[Values]:
        """All items that are drawn."""
        yield self.y
        yield self.markers[:, 1]
