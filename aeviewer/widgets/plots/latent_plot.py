"""A plane of points with layers behind them and marks on them: images, overlay, pins, paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QFont, QPainterPath, QPalette

from aeviewer.widgets.fonts import small
from aeviewer.widgets.plots.background_layers import HeatLayer, TileLayer
from aeviewer.widgets.plots.plane_plot import PlanePlot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PySide6.QtGui import QKeyEvent
    from PySide6.QtWidgets import QWidget

_HEAT, _TILES, _PATH, _PINS = 1, 2, 14.5, 16
_PIN = 13


def _star() -> QPainterPath:
    """A five-pointed star within the unit square around 0."""
    angle = np.pi * (np.arange(10) / 5 - 0.5)
    radius = np.where(np.arange(10) % 2, 0.22, 0.5)
    path = QPainterPath()
    for x, y in zip(radius * np.cos(angle), radius * np.sin(angle), strict=True):
        path.lineTo(x, y) if path.elementCount() else path.moveTo(x, y)
    path.closeSubpath()
    return path


class LatentPlot(PlanePlot):
    """Adds layers behind the points, and pins, paths, outlines and a star on top of them."""

    asked = Signal(Qt.Key)
    """A key that the plot itself does not use."""

    KEYS = frozenset(
        {
            Qt.Key.Key_P,
            Qt.Key.Key_U,
            Qt.Key.Key_R,
            Qt.Key.Key_L,
            Qt.Key.Key_D,
            Qt.Key.Key_K,
            Qt.Key.Key_M,
            Qt.Key.Key_Return,
            Qt.Key.Key_Enter,
            Qt.Key.Key_Escape,
        }
    )

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        self.tiles = TileLayer()
        self.overlay = HeatLayer()
        self._pins = pg.ScatterPlotItem(pxMode=True)
        self._letters: list[pg.TextItem] = []
        self._paths: list[pg.PlotCurveItem] = []
        self._outlines: list[pg.PlotCurveItem] = []
        self._ray = pg.PlotCurveItem(antialias=True)
        self._links = pg.PlotCurveItem(antialias=True, connect="pairs")
        self._star = pg.ScatterPlotItem(pxMode=True)
        self._pinned: list[tuple[float, float]] = []
        self._names: list[str] = []
        self._starred: tuple[float, float] | None = None
        super().__init__(name, parent)
        items = {
            self.overlay: _HEAT,
            self.tiles: _TILES,
            self._ray: _PATH,
            self._links: _PATH - 1,
            self._pins: _PINS,
            self._star: _PINS + 1,
        }
        for item, height in items.items():
            item.setZValue(height)
            self.addItem(item, ignoreBounds=True)
        self.restyle()

    # -- upon the points -------------------------------------------------------------------------

    def set_pins(self, places: Sequence[tuple[float, float]], names: Sequence[str]) -> None:
        """Marks places with their names."""
        self._pinned, self._names = list(places), list(names)
        for letter in self._letters:
            self.removeItem(letter)
        colour, base = self.role(QPalette.ColorRole.Text), self.role(QPalette.ColorRole.Base, 0.8)
        font = small(self.font())
        font.setWeight(QFont.Weight.Bold)
        self._letters = []
        spots: list[dict[str, object]] = []
        for (x, y), name in zip(places, names, strict=True):
            spots += self.with_outline("s", _PIN, QPalette.ColorRole.Text, x, y, 2)
            letter = pg.TextItem(name, color=colour, fill=base, anchor=(-0.35, 0.9))
            letter.setFont(font)
            letter.setPos(QPointF(x, y))
            letter.setZValue(_PINS)
            self.addItem(letter, ignoreBounds=True)
            self._letters.append(letter)
        self._pins.setData(spots)

    @property
    def pins(self) -> tuple[tuple[float, float], ...]:
        """The named places."""
        return tuple(self._pinned)

    def set_paths(self, paths: Sequence[NDArray[np.floating]], strong: int = -1) -> None:
        """Draws lines, each (m, 2); the line number `strong` has the accent colour."""
        for line in self._paths:
            self.removeItem(line)
        self._paths = [self._line(path, is_strong=at == strong) for at, path in enumerate(paths)]

    def _line(self, path: NDArray[np.floating], *, is_strong: bool) -> pg.PlotCurveItem:
        role = QPalette.ColorRole.Highlight if is_strong else QPalette.ColorRole.Text
        line = pg.PlotCurveItem(*path.T, antialias=True)
        line.setPen(pg.mkPen(self.role(role), width=2 if is_strong else 1))
        line.setShadowPen(pg.mkPen(self.role(QPalette.ColorRole.Base), width=4))
        line.setZValue(_PATH)
        self.addItem(line, ignoreBounds=True)
        return line

    def set_outlines(self, outlines: Sequence[NDArray[np.floating]]) -> None:
        """Draws hairline outlines, each (m, 2)."""
        for outline in self._outlines:
            self.removeItem(outline)
        self._outlines = []
        for outline in outlines:
            item = pg.PlotCurveItem(*outline.T, antialias=True)
            item.setZValue(_PATH)
            self._ink(item)
            self.addItem(item, ignoreBounds=True)
            self._outlines.append(item)

    def set_links(self, ends: NDArray[np.floating]) -> None:
        """Draws thin straight lines between (n, 2, 2) pairs of places."""
        self._links.setPen(pg.mkPen(self.role(QPalette.ColorRole.Text, 0.7), width=1))
        x, y = ends.reshape(-1, 2).T if len(ends) else np.zeros((2, 0))
        self._links.setData(x, y)

    def set_ray(self, path: NDArray[np.floating] | None) -> None:
        """Draws one more line, (m, 2), in the accent colour; None removes it."""
        x, y = np.zeros((2, 0)) if path is None else path.T
        self._ray.setPen(pg.mkPen(self.role(QPalette.ColorRole.Highlight), width=2))
        self._ray.setShadowPen(pg.mkPen(self.role(QPalette.ColorRole.Base), width=4))
        self._ray.setData(x, y)

    @property
    def ray(self) -> NDArray[np.floating]:
        """(m, 2), the line that `set_ray` drew."""
        return np.stack(self._ray.getData(), axis=-1)

    def set_star(self, place: tuple[float, float] | None) -> None:
        """Sets a star at a place; None removes it."""
        self._starred = place
        if place is None:
            self._star.setData([])
            return
        spots = self.with_outline(_star(), 26, QPalette.ColorRole.Highlight, *place, 1.5)
        spots[1]["brush"] = self.role(QPalette.ColorRole.Highlight)
        self._star.setData(spots)

    @property
    def star(self) -> tuple[float, float] | None:
        """The place of the star."""
        return self._starred

    # -- colours and keys ------------------------------------------------------------------------

    def restyle(self) -> None:
        """Applies all colours again."""
        super().restyle()
        self.tiles.set_ink(self.role(QPalette.ColorRole.Text))
        self.set_pins(self._pinned, self._names)
        self.set_star(self._starred)
        for outline in self._outlines:
            self._ink(outline)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Emits the keys that stand for mouse actions."""
        key = Qt.Key(event.key())
        if key in self.KEYS and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.asked.emit(key)
        else:
            super().keyPressEvent(event)
