"""A plot whose view follows its points until the user moves it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Signal

from aeviewer.widgets.plots.styled_plot import StyledPlot, round_step, round_step_below

if TYPE_CHECKING:
    from PySide6.QtGui import QMouseEvent
    from PySide6.QtWidgets import QWidget

_MARGIN = 0.06
_MUCH_SMALLER = 0.5
_PIXELS_PER_LINE, _PIXELS_PER_NUMBER = 80, 40
_FEWEST_LINES = 3


class _PanBox(pg.ViewBox):  # type: ignore[misc]  # pyqtgraph is untyped
    """Middle and right drags move the view; the left button belongs to the plot."""

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:
        """Pans."""
        event.accept()
        moved = self.mapSceneToView(event.lastScenePos()) - self.mapSceneToView(event.scenePos())
        self.translateBy(x=moved.x(), y=moved.y())
        self.sigRangeChangedManually.emit([True, True])


class FollowingPlot(StyledPlot):
    """Fits its points until the user moves the view, and again on request.

    Until then it fits them when they first come, when some leave it, and when they cover much less
    of it than they could. A subclass says where they are.
    """

    view_changed = Signal()
    following_changed = Signal(bool)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(_PanBox(enableMenu=False), name, parent)
        self._follows, self._is_square = True, True
        self._stage: QRectF | None = None
        self.box.disableAutoRange()
        self.set_square(True)
        self.box.sigResized.connect(self._fit_again)
        self.box.sigRangeChanged.connect(self._follow_range)
        self.box.sigRangeChangedManually.connect(self.leave_following)

    def places(self) -> NDArray[np.floating]:
        """(n, 2), the places that the view fits."""
        raise NotImplementedError

    def follow_places(self) -> None:
        """Sets other places, and fits them if the view follows and needs it."""
        if self._follows and self._is_ill_fitting():
            self._fit()

    def set_stage(self, stage: QRectF | None) -> None:
        """Fits a part of the plane rather than the points, while they move about in it."""
        if stage != self._stage:
            self._stage = stage
            if self._follows:
                self._fit()

    def set_view(self, view: QRectF) -> None:
        """Shows a part of the plane, and stays there."""
        self.leave_following()
        self.box.setRange(view, padding=0)

    def leave_following(self) -> None:
        """Keeps the view, wherever the points move."""
        self._set_follows(False)

    # -- view ------------------------------------------------------------------------------------

    @property
    def follows(self) -> bool:
        """Whether the view follows the points."""
        return self._follows

    def reset_view(self) -> None:
        """Shows all points, and keeps them in view."""
        self._set_follows(True)
        self._fit()

    def set_square(self, square: bool) -> None:
        """Sets whether a unit has the same length on x and y."""
        self._is_square = square
        self.box.setAspectLocked(square)
        self._space_grid()

    def _fit(self) -> None:
        extent = self._extent()
        if extent is not None:
            width, height = extent.width() * _MARGIN, extent.height() * _MARGIN
            self.box.setRange(extent.adjusted(-width, -height, width, height), padding=0)

    def _extent(self) -> QRectF | None:
        if self._stage is not None:
            return self._stage
        xy = self.places()
        finite = xy[np.isfinite(xy).all(axis=1)]
        if not len(finite):
            return None
        low, high = finite.min(axis=0), finite.max(axis=0)
        # Codes that are all at one place, as before the first step, still need room around them.
        spread = np.maximum(high - low, 1e-6 * max(1.0, float(np.abs(finite).max())))
        return QRectF(*(low + high - spread) / 2, *spread)

    def _is_ill_fitting(self) -> bool:
        extent, view = self._extent(), self.view()
        if extent is None:
            return False
        share = max(extent.width() / view.width(), extent.height() / view.height())
        return not view.contains(extent) or share < _MUCH_SMALLER

    def _fit_again(self) -> None:
        if self._follows:
            self._fit()

    def _set_follows(self, follows: bool) -> None:
        if follows != self._follows:
            self._follows = follows
            self.following_changed.emit(follows)

    def _follow_range(self) -> None:
        self._space_grid()
        self.view_changed.emit()

    def _space_grid(self) -> None:
        """Sets a square grid where the axes share a unit, or else three lines across each axis.

        In a very flat plot the numbers of x would run into each other: there it has fewer lines.
        """
        below = beside = None
        if self._is_square:
            pixel, short = self.box.viewPixelSize()[0], self.short_side()
            if not (0 < pixel * _PIXELS_PER_LINE < math.inf and 0 < short < math.inf):
                return
            beside = min(
                round_step(pixel * _PIXELS_PER_LINE), round_step_below(short / _FEWEST_LINES)
            )
            below = max(beside, round_step(pixel * _PIXELS_PER_NUMBER))
        self.axis("bottom").set_step(below)
        self.axis("left").set_step(beside)

    # -- places ----------------------------------------------------------------------------------

    def _is_inside(self, event: QMouseEvent) -> bool:
        inside: bool = self.box.sceneBoundingRect().contains(self._scene_place(event))
        return inside

    def _scene_place(self, event: QMouseEvent) -> QPointF:
        place: QPointF = self.viewportTransform().inverted()[0].map(event.position())
        return place

    def place_of(self, event: QMouseEvent) -> tuple[float, float]:
        """Returns the place of the mouse in the plane."""
        place = self.box.mapSceneToView(self._scene_place(event))
        return place.x(), place.y()

    def short_side(self) -> float:
        """Returns the size of a pixel, in units of the plane."""
        return min(self.view().width(), self.view().height())
