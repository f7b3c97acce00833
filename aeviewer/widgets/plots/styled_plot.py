"""What the plots share: colours of the palette, hairline axes, readable numbers."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPalette

from aeviewer.numbers import local
from aeviewer.widgets.fonts import small

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QFocusEvent
    from PySide6.QtWidgets import QWidget

_MOST_WORDS = 40
_PIXELS_PER_TICK = {"bottom": 88, "left": 40}
_DECADES = 30
_GRID_SHARE = 0.6
_MANTISSAS = (tuple(range(1, 10)), (1, 2, 5), (1, 3), (1,))


def logarithmic_ticks(low: float, high: float, most: float) -> list[float]:
    """Returns about `most` round values between two positive bounds.

    By 1 to 9, by 1-2-5, by 1-3 or by decades; evenly spaced where less than a decade is in view.
    """
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    kept: list[float] = []
    for mantissas in _MANTISSAS:
        values = [m * 10.0**d for d in decades for m in mantissas]
        ticks = [value for value in values if low <= value <= high]
        if len(ticks) < 2:
            break
        kept = ticks
        if len(kept) <= most:
            return kept
    if not kept:
        return even_ticks(low, high, round_step((high - low) / most))
    return kept[:: math.ceil(len(kept) / most)]


def even_ticks(low: float, high: float, step: float) -> list[float]:
    """Returns the multiples of `step` between two bounds."""
    first = math.ceil(low / step)
    return [n * step for n in range(first, math.floor(high / step) + 1)]


def round_step(least: float) -> float:
    """Returns the least 1, 2 or 5 times a power of ten that is not smaller."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= least * (1 - 1e-9))


def round_step_below(most: float) -> float:
    """Returns the largest 1, 2 or 5 times a power of ten that is not larger."""
    power = 10.0 ** math.floor(math.log10(most))
    return max(m * power for m in (1, 2, 5) if m == 1 or m * power <= most * (1 + 1e-9))


def _mix(palette: QPalette, share: float) -> QColor:
    """Mixes the colour of hairlines with the surface."""
    line, base = palette.color(QPalette.ColorRole.Mid), palette.color(QPalette.ColorRole.Base)
    pairs = (line.red(), base.red()), (line.green(), base.green()), (line.blue(), base.blue())
    return QColor(*(round(share * one + (1 - share) * other) for one, other in pairs))


class NumberAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph is untyped
    """An axis whose numbers have thousands separators; a logarithmic axis receives log10."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation, maxTickLength=-4)
        self.enableAutoSIPrefix(False)
        # Numbers appear and vanish during training; the plot beside them keeps its width.
        # Opaque lines are drawn several times as fast as translucent ones.
        self.setStyle(autoReduceTextSpace=False, tickAlpha=255)
        self._logarithmic = False
        self._step: float | None = None

    def set_logarithmic(self, logarithmic: bool) -> None:
        """Whether the plotted values are logarithms to base 10."""
        self._logarithmic = logarithmic
        self.picture = None
        self.update()

    def set_step(self, step: float | None) -> None:
        """Sets the distance of the ticks; None finds it again for each view."""
        if step != self._step:
            self._step = step
            self.picture = None
            self.update()

    def set_words(self, ticks: Sequence[tuple[float, str]] | None) -> None:
        """Names places instead of numbering them; None numbers them again.

        Of many names, every second, third, … is shown.
        """
        step = math.ceil(len(ticks) / _MOST_WORDS) if ticks else 1
        self.setTicks(None if ticks is None else [list(ticks)[::step]])

    def labelString(self) -> str:
        """Returns the label as HTML, which is what pyqtgraph shows; its text is plain."""
        style = ";".join(f"{name}: {value}" for name, value in self.labelStyle.items())
        return f"<span style='{style}'>{escape(self.labelText or '')}</span>"

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        """Returns the places of the ticks."""
        if not 0 < high - low < math.inf:
            return []
        most = max(size / _PIXELS_PER_TICK[self.orientation], 2)
        if self._logarithmic and high - low < _DECADES:
            ticks = logarithmic_ticks(10.0**low, 10.0**high, most)
            return [(1.0, [math.log10(tick) for tick in ticks])]
        step = self._step or round_step((high - low) / most)
        return [(step, even_ticks(low, high, step))]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """Returns the texts of the ticks."""
        if self._logarithmic:
            return [f"{local(value):,.6g}" for value in np.power(10.0, values)]
        places = max(0, math.ceil(-math.log10(spacing * scale) - 1e-9))
        return [f"{local(value * scale):,.{places}f}".replace("-", "−") for value in values]


class StyledPlot(pg.PlotWidget):  # type: ignore[misc]  # pyqtgraph is untyped
    """A plot that looks like the rest of the program, and shows when it has the keyboard.

    Subclasses build their items and then call `restyle`, which they extend.
    """

    _is_built = False

    def __init__(self, view_box: pg.ViewBox, name: str, parent: QWidget | None = None) -> None:
        axes = {side: NumberAxis(side) for side in ("bottom", "left")}
        super().__init__(parent=parent, viewBox=view_box, axisItems=axes, enableMenu=False)
        self.box = view_box
        self.hideButtons()
        # pyqtgraph's menu is a window of its own, which would outlive the plot.
        menu = self.plotItem.ctrlMenu
        menu.setParent(self, menu.windowFlags())
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFrameShape(self.Shape.NoFrame)
        self.box.setDefaultPadding(0)
        self.plotItem.setContentsMargins(4, 8, 8, 4)
        for axis in axes.values():
            axis.setZValue(self.box.zValue() - 1)  # The grid is behind what is plotted.

    def axis(self, side: str) -> NumberAxis:
        """Returns the axis at "bottom" or "left"."""
        axis: NumberAxis = self.plotItem.getAxis(side)
        return axis

    def show_axes(self, shown: bool) -> None:
        """Shows both axes with their grid, or hides them."""
        for side in ("bottom", "left"):
            self.plotItem.showAxis(side, shown)

    def role(self, role: QPalette.ColorRole, alpha: float = 1.0) -> pg.QtGui.QColor:
        """Returns a colour of the palette, transparent where `alpha` is below 1."""
        colour = self.palette().color(role)
        colour.setAlphaF(alpha)
        return colour

    def view(self) -> QRectF:
        """Returns the rectangle in view, in the plot's coordinates."""
        rect: QRectF = self.box.viewRect()
        return rect

    def picture(self, finer: int) -> QImage:
        """The plot as it is seen, with `finer` pixels to each unit of the screen's layout."""
        image = QImage(self.size() * finer, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(finer)
        image.fill(self.role(QPalette.ColorRole.Base))
        painter = QPainter(image)
        painter.setRenderHints(self.renderHints())
        self.render(painter, QRectF(self.rect()), self.viewport().rect())
        painter.end()
        return image

    def restyle(self) -> None:
        """Applies all colours and fonts again."""
        self.setBackground(self.role(QPalette.ColorRole.Base))
        quiet = self.role(QPalette.ColorRole.PlaceholderText)
        for side in ("bottom", "left"):
            axis = self.axis(side)
            axis.setPen(self.role(QPalette.ColorRole.Mid))
            axis.setTickPen(_mix(self.palette(), _GRID_SHARE))
            axis.setTextPen(quiet)
            axis.setTickFont(small(self.font()))
            axis.setGrid(255)
            axis.label.setFont(small(self.font()))
            axis.label.setDefaultTextColor(quiet)
            axis.setLabel(axis.labelText, color=quiet.name())

    def changeEvent(self, event: QEvent) -> None:
        """Follows the theme."""
        super().changeEvent(event)
        changes = {QEvent.Type.PaletteChange, QEvent.Type.FontChange}
        if self._is_built and event.type() in changes:
            self.restyle()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Shows the keyboard focus when it came by a key."""
        super().focusInEvent(event)
        if event.reason() in {Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason}:
            self.box.setBorder(self.role(QPalette.ColorRole.Highlight))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Removes the sign of the keyboard focus."""
        super().focusOutEvent(event)
        self.box.setBorder(None)
