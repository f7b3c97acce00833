"""Stacks of small images that belong together, side by side, drawn as one image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

from aeviewer.widgets.image_view import colour_image
from aeviewer.widgets.styled_plot import small

if TYPE_CHECKING:
    from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPaintEvent, QResizeEvent

_POLES = {True: ("#4aa3ff", "#ff6f52"), False: ("#0b5fc0", "#c8321c")}
"""Blue for less ink and red for more, told apart by the colour-blind; by whether it is dark."""
_FULL = 255
_LABEL_GAP = 8
_EXPORT_SCALE, _EXPORT_COLUMNS = 3, 16


@dataclass(frozen=True, slots=True)
class TileRow:
    """What stands at one height of every stack.

    Attributes
    ----------
    name
        Written beside it.
    pixels
        (n, h, w): uint8, 255 is ink; or int16, differences of two such, -255..255.
    """

    name: str
    pixels: NDArray[np.uint8] | NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Gaps:
    """Device pixels between the tiles of a stack, between stacks, between bands of stacks."""

    tile: int = 1
    stack: int = 2
    band: int = 10


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How stacks of `rows` tiles, (h, w) pixels each, are laid out; all in device pixels."""

    rows: int
    tile: tuple[int, int]
    scale: int = 1
    columns: int = 0
    bands: int = 0
    gaps: Gaps = Gaps()

    @property
    def room(self) -> int:
        """How many stacks there is room for."""
        return self.columns * self.bands

    @property
    def pitch(self) -> tuple[int, int]:
        """From one stack to the next, (across, down)."""
        height, width = self.tile
        down = self.rows * (height * self.scale + self.gaps.tile) - self.gaps.tile
        return width * self.scale + self.gaps.stack, down + self.gaps.band

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the whole."""
        across, down = self.pitch
        return (
            max(0, self.columns * across - self.gaps.stack),
            max(0, self.bands * down - self.gaps.band),
        )

    def stack(self, index: int) -> tuple[int, int, int, int]:
        """(left, top, width, height) of a stack."""
        across, down = self.pitch
        band, column = divmod(index, self.columns)
        return column * across, band * down, across - self.gaps.stack, down - self.gaps.band

    def index_at(self, x: float, y: float) -> int:
        """The stack at a place, the gaps being nobody's; -1 where there is none."""
        across, down = self.pitch
        column, band = math.floor(x / across), math.floor(y / down)
        inside = 0 <= column < self.columns and 0 <= band < self.bands
        in_gap = x % across >= across - self.gaps.stack or y % down >= down - self.gaps.band
        return -1 if in_gap or not inside else band * self.columns + column


def arranged(
    count: int,
    rows: int,
    tile: tuple[int, int],
    room: tuple[int, int],
    least_scale: int = 1,
    gaps: Gaps | None = None,
) -> Arrangement:
    """The largest whole scale at which all `count` stacks fit, in as many bands as that takes.

    Where they do not all fit at `least_scale`, as many as do; never a part of one.

    Parameters
    ----------
    rows
        Tiles in a stack.
    tile
        (h, w) of a tile.
    room
        (width, height) in device pixels.
    """
    gaps, made = gaps or Gaps(), Arrangement(rows, tile)
    for scale in range(max(least_scale, room[0] // tile[1]), least_scale - 1, -1):
        made = Arrangement(rows, tile, scale, 1, 1, gaps)
        across, down = made.pitch
        columns = (room[0] + gaps.stack) // across
        bands = (room[1] + gaps.band) // down
        made = Arrangement(rows, tile, scale, columns, bands, gaps)
        if made.room >= count:
            bands = math.ceil(count / columns)
            return Arrangement(rows, tile, scale, math.ceil(count / bands), bands, gaps)
    return made


@lru_cache(maxsize=8)
def diverging(neutral: str) -> NDArray[np.uint32]:
    """(511,) 0xFFRRGGBB for differences -255..255: blue, the neutral colour at 0, red."""
    middle = QColor(neutral)
    poles = [QColor(name) for name in _POLES[middle.lightness() < 128]]
    low, zero, high = (np.array(c.getRgb()[:3], float) for c in (poles[0], middle, poles[1]))
    share = np.linspace(-1, 1, 2 * _FULL + 1)[:, None]
    rgb = zero + np.where(share < 0, low - zero, high - zero) * abs(share)
    return _packed(np.rint(rgb).astype(np.uint32))


def _packed(rgb: NDArray[np.uint32]) -> NDArray[np.uint32]:
    red, green, blue = rgb.T
    return np.asarray(0xFF000000 | red << 16 | green << 8 | blue, np.uint32)


_GRAY = _packed(np.arange(_FULL + 1, dtype=np.uint32)[:, None].repeat(3, axis=1))


def drawn(rows: Sequence[TileRow], plan: Arrangement, neutral: str) -> QImage:
    """The stacks that there is room for, transparent in between."""
    width, height = plan.size
    canvas = np.zeros((height, width + plan.gaps.stack), np.uint32)
    across, down = plan.pitch
    step = plan.tile[0] * plan.scale + plan.gaps.tile
    for band, (place, row) in product(range(plan.bands), enumerate(rows)):
        first = band * plan.columns
        tiles = _coloured(row.pixels[first : first + plan.columns], neutral)
        tiles = tiles.repeat(plan.scale, axis=1).repeat(plan.scale, axis=2)
        top, (count, high, wide) = band * down + place * step, tiles.shape
        strip = canvas[top : top + high, : count * across].reshape(high, count, across)
        strip[:, :, :wide] = tiles.swapaxes(0, 1)
        canvas[top : top + high, : count * across] = strip.reshape(high, -1)
    return colour_image(canvas[:, :width])


def _coloured(pixels: NDArray[Any], neutral: str) -> NDArray[np.uint32]:
    if pixels.dtype == np.uint8:
        return _GRAY[pixels]
    return diverging(neutral)[pixels + _FULL]


class ImageGrid(QWidget):
    """Stacks of images in bands, as large as whole multiples of a pixel allow.

    The mouse or the arrow keys point at a stack; `pointed` tells which.
    """

    pointed = Signal(int)
    """Index of the stack under the mouse or the keyboard's cursor; -1 for none."""
    arrangement_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[TileRow, ...] = ()
        self._plan = Arrangement(0, (1, 1))
        self._gutter = 0
        self._canvas = QImage()
        self._pointed = -1
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    @property
    def count(self) -> int:
        """How many stacks there are."""
        return len(self._rows[0].pixels) if self._rows else 0

    @property
    def shown(self) -> int:
        """How many of them there is room for."""
        return min(self.count, self._plan.room)

    @property
    def names_shown(self) -> bool:
        """Whether the rows' names stand beside them; they give way where they cost stacks."""
        return self._gutter > 0

    @property
    def arrangement(self) -> Arrangement:
        """How the stacks are laid out, in device pixels."""
        return self._plan

    def set_rows(self, rows: Sequence[TileRow]) -> None:
        """Shows stacks of images, each row holding as many as the first, of the same size."""
        self._rows = tuple(rows)
        self._arrange()

    def picture(self) -> QImage:
        """All stacks on the panel's surface, three times enlarged, for the clipboard or a file."""
        if not self._rows:
            return QImage()
        bands = math.ceil(self.count / _EXPORT_COLUMNS)
        gaps = Gaps(_EXPORT_SCALE, 2 * _EXPORT_SCALE, 8 * _EXPORT_SCALE)
        columns = min(self.count, _EXPORT_COLUMNS)
        plan = Arrangement(len(self._rows), self._tile(), _EXPORT_SCALE, columns, bands, gaps)
        stacks = drawn(self._rows, plan, self._surface().name())
        border = gaps.band
        whole = QImage(stacks.size() + QSize(2, 2) * border, QImage.Format.Format_RGB32)
        whole.fill(self._surface())
        painter = QPainter(whole)
        painter.drawImage(border, border, stacks)
        painter.end()
        return whole

    def stack_rect(self, index: int) -> QRectF:
        """Where a stack is, in logical pixels."""
        ratio = self.devicePixelRatioF()
        left, top, width, height = (edge / ratio for edge in self._plan.stack(index))
        return QRectF(self._gutter + left, 1 + top, width, height)

    # -- Qt --------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        """Two bands of sixteen stacks of usual images."""
        return QSize(560, 200)

    def minimumSizeHint(self) -> QSize:
        """A few stacks."""
        return QSize(120, 96)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Uses the space."""
        super().resizeEvent(event)
        self._arrange()

    def changeEvent(self, event: QEvent) -> None:
        """Follows theme and font."""
        super().changeEvent(event)
        if event.type() in {QEvent.Type.PaletteChange, QEvent.Type.FontChange}:
            self._arrange()

    def event(self, event: QEvent) -> bool:
        """Follows the screen's scale."""
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._arrange()
        return super().event(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Points at what is under the mouse."""
        self._point(self._index_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        """Points at nothing."""
        super().leaveEvent(event)
        self._point(-1)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Points at nothing, unless a menu is opened."""
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self._point(-1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows, Home and End point at another stack; Escape at none."""
        moves = {
            Qt.Key.Key_Left: self._pointed - 1,
            Qt.Key.Key_Right: self._pointed + 1,
            Qt.Key.Key_Up: self._pointed - self._plan.columns,
            Qt.Key.Key_Down: self._pointed + self._plan.columns,
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: self.shown - 1,
        }
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Escape and self._pointed >= 0:
            self._point(-1)
        elif key not in moves or not self.shown:
            super().keyPressEvent(event)
        elif self._pointed < 0:
            self._point(self.shown - 1 if key == Qt.Key.Key_End else 0)
        elif 0 <= moves[key] < self.shown:
            self._point(moves[key])

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The names, the one image, and a frame around what is pointed at."""
        painter = QPainter(self)
        ratio = self.devicePixelRatioF()
        if self._gutter:
            self._paint_names(painter)
        size = self._canvas.deviceIndependentSize() / ratio
        painter.drawImage(QRectF(QPointF(self._gutter, 1), size), self._canvas)
        if 0 <= self._pointed < self.shown:
            painter.setPen(self.palette().color(QPalette.ColorRole.Text))
            painter.drawRect(self.stack_rect(self._pointed).adjusted(-0.5, -0.5, 0.5, 0.5))
        painter.end()

    # -- inner -----------------------------------------------------------------------------------

    def _tile(self) -> tuple[int, int]:
        _count, height, width = self._rows[0].pixels.shape
        return height, width

    def _surface(self) -> QColor:
        return self.palette().color(QPalette.ColorRole.Base)

    def _arrange(self) -> None:
        if not self._rows:
            return
        wanted = self._wanted_gutter()
        named, bare = self._planned(wanted), self._planned(1)
        costs = min(named.room, self.count) < min(bare.room, self.count)
        self._plan, self._gutter = (bare, 0) if costs else (named, wanted)
        self._canvas = drawn(self._rows, self._plan, self._surface().name())
        if self._pointed >= self.shown:
            self._point(-1)
        self.update()
        self.arrangement_changed.emit()

    def _planned(self, gutter: int) -> Arrangement:
        ratio = self.devicePixelRatioF()
        room = int((self.width() - gutter - 1) * ratio), int((self.height() - 2) * ratio)
        gaps = Gaps(*(round(gap * ratio) for gap in (1, 2, 10)))
        least = max(1, round(ratio))
        return arranged(self.count, len(self._rows), self._tile(), room, least, gaps)

    def _wanted_gutter(self) -> int:
        self.setFont(self.font())
        return 0

    def _paint_names(self, painter: QPainter) -> None:
        painter.setFont(small(self.font()))
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        for band, (place, row) in product(range(self._plan.bands), enumerate(self._rows)):
            _left, top, _wide, high = self._plan.stack(band * self._plan.columns)
            step = (high + self._plan.gaps.tile) / len(self._rows)
            ratio = self.devicePixelRatioF()
            room = QRectF(
                0, 1 + (top + place * step) / ratio, self._gutter - _LABEL_GAP, step / ratio
            )
            side = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(room, side, row.name)

    def _index_at(self, place: QPointF) -> int:
        ratio = self.devicePixelRatioF()
        x, y = (place.x() - self._gutter) * ratio, (place.y() - 1) * ratio
        index = self._plan.index_at(x, y)
        return index if index < self.shown else -1

    def _point(self, index: int) -> None:
        if index != self._pointed:
            self._pointed = index
            self.update()
            self.pointed.emit(index)
