"""Colour maps for numbers, and the bar that explains them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

from aeviewer.numbers import local, localise
from aeviewer.widgets.fonts import small
from aeviewer.widgets.images.image_view import colour_image, draw_exactly
from aeviewer.widgets.labels import plain_tip
from aeviewer.widgets.plots.styled_plot import round_step_below

SEQUENTIAL = "viridis"
"""A sequential map. Its lightness carries as much as its hue."""
DIVERGING = "CET-D11"
"""Either side of zero: blue, gray, orange (Kovesi 2015, *Good colour maps*). All of it can be seen
on dark and on white, where maps with a white or a black middle lose what is near zero."""
MISSING = 255
"""The row of a palette for a missing value."""

_ENDS = {SEQUENTIAL: (0.12, 0.9)}
"""The parts of a map that are used: its darkest and its brightest would not be seen."""
_UNKNOWN = (128, 128, 128, 96)
_PERCENTILES = (1, 99)
_PARTS = 20
"""Limits are multiples of a round step; about so many steps lie between them."""
_NOISE = 1e-6
_BAR, _TICK, _SPACE, _LEAST = 8, 3, 2, 120
_TOLD_PLAINLY = (1e-3, 1e6)
_FIGURES = 100
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class _Scale:
    name: str
    low: float
    high: float
    colour_map: str

    @property
    def ticks(self) -> tuple[tuple[float, str], ...]:
        """Returns (share of the bar, text): the ends, and zero where it is the middle."""
        middle = ((0.5, "0"),) if self.low == -self.high else ()
        return ((0.0, self._text(self.low)), *middle, (1.0, self._text(self.high)))

    def _text(self, value: float) -> str:
        least, most = _TOLD_PLAINLY
        if value and not least <= max(abs(self.low), abs(self.high)) < most:
            mantissa, power = f"{value:.2e}".split("e")
            mantissa = mantissa.rstrip("0").rstrip(".")
            return f"{localise(mantissa)}×10{str(int(power)).translate(_RAISED)}".replace(
                "-", "−", 1
            )
        return f"{local(value):,.{self._decimals}f}".replace("-", "−")

    @property
    def _decimals(self) -> int:
        """Returns the fewest decimals that show both ends and three digits of what lies between."""
        most = _places((self.high - self.low) / _FIGURES)
        ends = [round(self.low, most), round(self.high, most)]
        return next(n for n in range(most + 1) if [round(end, n) for end in ends] == ends)


def _places(step: float) -> int:
    """Returns the decimals of the multiples of a step."""
    return max(0, math.ceil(-math.log10(step) - 1e-9))


def limits(values: NDArray[np.floating], *, centred: bool = False) -> tuple[float, float]:
    """Returns the ends of a scale: 1st to 99th percentile, rounded outwards.

    Parameters
    ----------
    values
        Of any shape; those that are no finite numbers have no say.
    centred
        Whether zero shall be the middle.

    Returns
    -------
    tuple
        The lower always below the upper, also where all values are alike; 0 and 1 where there are
        none (−1 and 1 where centred).
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return (-1.0, 1.0) if centred else (0.0, 1.0)
    low, high = (float(end) for end in np.percentile(finite, _PERCENTILES))
    if centred:
        high = max(abs(low), abs(high))
        low = -high
    largest = max(abs(low), abs(high))
    if high - low <= _NOISE * largest:
        middle, half = (low + high) / 2, largest / 10
        low, high = (middle - half, middle + half) if half else (-1.0 if centred else 0.0, 1.0)
    step = round_step_below((high - low) / _PARTS)
    # A multiple that is missed by the last bit of a float is not exceeded.
    first, last = math.floor(low / step + _NOISE), math.ceil(high / step - _NOISE)
    return round(first * step, _places(step)), round(last * step, _places(step))


@lru_cache(maxsize=16)
def _table(colour_map: str, count: int) -> NDArray[np.uint8]:
    """Returns (count, 4) red, green, blue, alpha from end to end."""
    start, stop = _ENDS.get(colour_map, (0.0, 1.0))
    found = pg.colormap.get(colour_map).getLookupTable(start, stop, count, alpha=True)
    return np.asarray(found, np.uint8)


def shades(
    values: NDArray[np.floating], low: float, high: float, colour_map: str = SEQUENTIAL
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Returns colours for numbers: a palette, and the row of each number.

    Parameters
    ----------
    values
        (n,). What lies beyond the ends takes their colours; what is no number is faint gray.
    low, high
        The ends, the lower below the upper.
    colour_map
        As pyqtgraph names it.

    Returns
    -------
    tuple
        (256, 4) red, green, blue, alpha: 255 colours from low to high, then the one of what is
        `MISSING`; and (n,) rows of it.

    Raises
    ------
    ValueError
        When the lower end is not below the upper.
    """
    _check(low, high)
    share = np.clip((np.asarray(values, np.float64) - low) / (high - low), 0, 1)
    known = ~np.isnan(share)
    rows = np.full(share.shape, MISSING, np.uint8)
    rows[known] = np.rint(share[known] * (MISSING - 1)).astype(np.uint8)
    return np.vstack([_table(colour_map, MISSING), np.array(_UNKNOWN, np.uint8)]), rows


def _check(low: float, high: float) -> None:
    if not -math.inf < low < high < math.inf:
        raise ValueError(f"A scale from {low} to {high}: the lower end must be below the upper.")


class ColourBar(QWidget):
    """The name of the quantity with its unit, its colours, and the numbers at their ends.

    Hidden until it has a scale, and again when it has none.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scale: _Scale | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.hide()

    @property
    def texts(self) -> tuple[str, ...]:
        """The title and the numbers below the bar, from left to right; empty where it is hidden."""
        if self._scale is None:
            return ()
        return (self._scale.name, *(text for _, text in self._scale.ticks))

    def set_scale(self, name: str, low: float, high: float, colour_map: str = SEQUENTIAL) -> None:
        """Shows a scale.

        Parameters
        ----------
        name
            What is shown, with its unit.
        low, high
            The ends, the lower below the upper; zero is shown where it lies between them.
        colour_map
            As pyqtgraph names it.

        Raises
        ------
        ValueError
            When the lower end is not below the upper.
        """
        _check(low, high)
        self._scale = _Scale(name, float(low), float(high), colour_map)
        first, last = self.texts[1], self.texts[-1]
        self.setAccessibleName(f"Colours of {name}")
        self.setAccessibleDescription(f"from {first} to {last}")
        self.setToolTip(
            plain_tip(
                f"{name}: {first} to {last}.\n"
                "What lies beyond has the colour of the end; what has no number is faint gray."
            )
        )
        self.updateGeometry()
        self.update()
        self.show()

    def clear(self) -> None:
        """Removes the scale, and hides the bar."""
        self._scale = None
        self.setToolTip("")
        self.hide()

    # -- geometry --------------------------------------------------------------------------------

    @property
    def _metrics(self) -> QFontMetrics:
        return QFontMetrics(small(self.font()))

    def sizeHint(self) -> QSize:
        """Returns the size of title, bar and numbers."""
        title = self._metrics.horizontalAdvance(self._scale.name) if self._scale else 0
        return QSize(max(_LEAST, title), self.minimumSizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Returns the least size at which the numbers fit."""
        return QSize(_LEAST, self._top + _BAR + _TICK + self._metrics.height())

    @property
    def _top(self) -> int:
        """The rectangle of the bar."""
        return self._metrics.height() + _SPACE

    def bar(self) -> QRect:
        """The rectangle of the colours."""
        return QRect(0, self._top, self.width(), _BAR)

    def numbers(self) -> list[tuple[str, QRectF]]:
        """Returns the numbers that fit and their places; the ends first."""
        if self._scale is None:
            return []
        placed: list[tuple[str, QRectF]] = []
        # The ends come first: where there is no room for zero, they stay.
        for share, text in sorted(self._scale.ticks, key=lambda tick: tick[0] == 0.5):
            width = self._metrics.horizontalAdvance(text) + 1
            left = min(max(share * self.width() - width / 2, 0), self.width() - width)
            where = QRectF(left, self._top + _BAR + _TICK, width, self._metrics.height())
            if not any(where.adjusted(-4, 0, 4, 0).intersects(taken) for _, taken in placed):
                placed.append((text, where))
        return placed

    # -- drawing ---------------------------------------------------------------------------------

    def changeEvent(self, event: QEvent) -> None:
        """Follows the size of the font."""
        super().changeEvent(event)
        if event.type() in {QEvent.Type.FontChange, QEvent.Type.ApplicationFontChange}:
            self.updateGeometry()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draws title, colours, ticks and numbers."""
        if self._scale is None:
            return
        painter = QPainter(self)
        painter.setFont(small(self.font()))
        self._draw_title(painter, self._scale.name)
        self._draw_colours(painter, self._scale)
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        for text, where in self.numbers():
            painter.drawText(where, Qt.AlignmentFlag.AlignCenter, text)
        painter.end()

    def _draw_title(self, painter: QPainter, name: str) -> None:
        painter.setPen(self.palette().color(QPalette.ColorRole.Text))
        shown = self._metrics.elidedText(name, Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignLeft, shown)

    def _draw_colours(self, painter: QPainter, scale: _Scale) -> None:
        bar, ratio = self.bar(), self.devicePixelRatioF()
        width, height = round(bar.width() * ratio), round(bar.height() * ratio)
        table = _table(scale.colour_map, MISSING).astype(np.uint32)
        colours = table[np.rint(np.linspace(0, MISSING - 1, width)).astype(np.intp)]
        argb = colours[:, 3] << 24 | colours[:, 0] << 16 | colours[:, 1] << 8 | colours[:, 2]
        image = colour_image(np.broadcast_to(argb.astype(np.uint32), (height, width)))
        image.setDevicePixelRatio(ratio)
        draw_exactly(painter, QPointF(bar.topLeft()), image)
        line = self.palette().color(QPalette.ColorRole.PlaceholderText)
        for share, _ in scale.ticks:
            left = min(round(share * bar.width()), bar.width() - 1)
            painter.fillRect(left, bar.bottom() + 1, 1, _TICK, line)
