"""Rows of small images under common headings, each row with its name and its details.

It is drawn by the same code on the screen and into a figure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from aeviewer.widgets.fonts import small, tabular
from aeviewer.widgets.images.grid_layout import Arrangement, arrange, compose
from aeviewer.widgets.images.image_view import colour_image, draw_exactly, pack_rgb, reduce_images
from aeviewer.widgets.labels import one_line, plain_tip, replace_controls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPaintEvent

_GAP, _SWATCH = 12, 9
_FEWEST_LABEL, _WIDEST_LABEL = 96, 232
_MOST_BANDS, _WIDEST_GAP = 4, 8
_CLEAR = np.uint32(0)


@dataclass(frozen=True, slots=True, eq=False)
class TileRow:
    """A row of images.

    Attributes
    ----------
    title
        Its name.
    details
        Lines below the name, as many as find room.
    pixels
        (n, h, w) uint8 gray or (n, h, w, 3) colours; None where there are none.
    colour
        Of the dot before the name; none where empty.
    is_quiet
        Whether the name is quiet too: a row to compare with, not one that is compared.
    emphasis
        The detail that is written in italics, or −1.
    notice
        What is said in place of images.
    """

    title: str
    details: tuple[str, ...] = ()
    pixels: NDArray[np.uint8] | None = None
    colour: str = ""
    is_quiet: bool = False
    emphasis: int = -1
    notice: str = ""


@dataclass(frozen=True, slots=True)
class _Layout:
    """The arrangement in units of the screen's layout; `tiles` is in device pixels.

    Attributes
    ----------
    tiles
        Of the images.
    ratio
        Device pixels to a unit.
    label, head
        Width of the names, height of a line of heads.
    left, top
        Of the first name.
    """

    tiles: Arrangement
    ratio: float
    label: float
    head: float
    left: float
    top: float

    @property
    def size(self) -> QSizeF:
        """The size of names, headings and images."""
        tiles = QSizeF(self.tiles.width, self.tiles.height) / self.ratio
        return tiles + QSizeF(self.label, self.head)

    def corner(self, column: int, row: int = 0) -> QPointF:
        """Returns the upper left corner of an image."""
        x, y = self.tiles.corner(column)
        down = QPointF(x, y + row * self.tiles.pitch) / self.ratio
        return QPointF(self.left + self.label, self.top + self.head) + down

    @property
    def tile(self) -> float:
        """Returns the side of an image."""
        return self.tiles.tile / self.ratio


class TileTable(QWidget):
    """Columns of images, as large as whole pixels allow, wrapped into bands where that helps.

    The arrow keys up and down are the window's; the mouse goes from column to column.
    """

    hovered = Signal(int)
    """The column under the mouse; −1 when it is left."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[TileRow, ...] = ()
        self._heads: tuple[str, ...] = ()
        self._current = -1
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_rows(self, heads: Sequence[str], rows: Sequence[TileRow]) -> None:
        """Shows rows with an image for each heading."""
        self._heads = tuple(heads)
        self._rows = tuple(
            row if row.pixels is None else replace(row, pixels=reduce_images(row.pixels))
            for row in rows
        )
        if self._current >= len(self._heads):
            self._go_to(-1)
        self.update()

    @property
    def rows(self) -> tuple[TileRow, ...]:
        """The rows."""
        return self._rows

    @property
    def current(self) -> int:
        """The column under the mouse; −1 without one."""
        return self._current

    def minimumSizeHint(self) -> QSize:
        """Returns a size for some columns at the least scale."""
        return QSize(360, 160)

    # -- geometry --------------------------------------------------------------------------------

    @property
    def _side(self) -> int:
        sides = [row.pixels.shape[2] for row in self._rows if row.pixels is not None]
        return int(sides[0]) if sides else 28

    def _title_font(self, row: TileRow) -> QFont:
        font = tabular(self.font())
        if not row.is_quiet:
            font.setWeight(QFont.Weight.DemiBold)
        return font

    def _label_width(self) -> float:
        """Returns the width of the widest name or detail, within bounds."""
        details = QFontMetricsF(small(self.font()))
        widest = 0.0
        for row in self._rows:
            name = QFontMetricsF(self._title_font(row)).horizontalAdvance(row.title)
            widest = max(widest, name, *(details.horizontalAdvance(d) for d in row.details), 0.0)
        widest = math.ceil(widest) + _SWATCH + 8
        return min(max(widest, _FEWEST_LABEL), _WIDEST_LABEL) + _GAP

    def _layout(self) -> _Layout:
        """Arranges all columns in the room; the headings take a line of each band."""
        ratio, label = self.devicePixelRatioF(), self._label_width()
        head = math.ceil(QFontMetricsF(small(self.font())).height()) + 4
        width, count = max(0.0, self.width() - label), len(self._heads)
        for bands in range(1, _MOST_BANDS + 1):
            height = max(0.0, self.height() - bands * head)
            room = (width * ratio, height * ratio)
            found = arrange(max(1, count), max(1, len(self._rows)), self._side, *room, ratio)
            if found.bands <= bands:
                break
        gap = found.band_gap + round(head * ratio)
        tiles = replace(found, band_gap=gap, columns=max(1, found.columns), bands=found.bands)
        tiles = _spread_rows(tiles, (self.height() - head) * ratio - tiles.height, ratio)
        layout = _Layout(tiles, ratio, label, head, 0.0, 0.0)
        top = max(0.0, (self.height() - layout.size.height()) / 2)
        return replace(layout, top=math.floor(min(top, head)))

    def _column_at(self, place: QPointF) -> int:
        layout = self._layout()
        height = layout.tiles.column_height / layout.ratio
        for column in range(len(self._heads)):
            corner = layout.corner(column) - QPointF(0, layout.head)
            if QRectF(corner, QSizeF(layout.tile, height + layout.head)).contains(place):
                return column
        return -1

    def _row_at(self, place: QPointF) -> TileRow | None:
        """Returns the row whose name is at a place."""
        layout = self._layout()
        if not layout.left <= place.x() <= layout.left + layout.label:
            return None
        for band in range(max(1, layout.tiles.bands)):
            for number, row in enumerate(self._rows):
                top = layout.corner(band * layout.tiles.columns, number).y()
                if top <= place.y() < top + layout.tile:
                    return row
        return None

    # -- drawing ---------------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draws everything, and a frame around the column under the mouse."""
        painter = QPainter(self)
        layout = self._layout()
        self._draw(painter, layout)
        if self._current >= 0:
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 1))
            size = QSizeF(layout.tile + 1, layout.tiles.column_height / layout.ratio + 1)
            painter.drawRect(QRectF(layout.corner(self._current) - QPointF(1, 1), size))
        painter.end()

    def figure_size(self) -> QSizeF:
        """The size of the visible part, without the empty room around it."""
        return self._layout().size

    def draw_figure(self, painter: QPainter) -> None:
        """Draws the visible part, beginning at the painter's origin."""
        self._draw(painter, replace(self._layout(), left=0.0, top=0.0))

    def _draw(self, painter: QPainter, layout: _Layout) -> None:
        if not self._rows or not self._heads:
            return
        self._draw_heads(painter, layout)
        for band in range(layout.tiles.bands):
            for number, row in enumerate(self._rows):
                self._draw_label(painter, layout, band, number, row)
        self._draw_images(painter, layout)
        for number, row in enumerate(self._rows):
            if row.pixels is None:
                self._draw_notice(painter, layout, number, row)

    def _draw_heads(self, painter: QPainter, layout: _Layout) -> None:
        painter.setFont(small(self.font()))
        centre = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter
        for column, head in enumerate(self._heads):
            is_current = column == self._current
            role = QPalette.ColorRole.Text if is_current else QPalette.ColorRole.PlaceholderText
            painter.setPen(self.palette().color(role))
            corner = layout.corner(column) - QPointF(0, layout.head)
            painter.drawText(
                QRectF(corner, QSizeF(layout.tile, layout.head)), centre, one_line(head)
            )

    def _draw_label(
        self, painter: QPainter, layout: _Layout, band: int, number: int, row: TileRow
    ) -> None:
        """Draws the name and as many details as fit, in the middle of the row."""
        top = layout.corner(band * layout.tiles.columns, number).y()
        text = small(self.font())
        line = QFontMetricsF(text).height() + 1
        name = self._title_font(row)
        first = QFontMetricsF(name).height()
        details = row.details[: max(0, int((layout.tile - first) // line))]
        y = top + max(0.0, (layout.tile - first - len(details) * line) / 2)
        x = layout.left + (_SWATCH + 6 if self._has_swatches else 0)
        width = layout.label - _GAP - (x - layout.left)
        if row.colour:
            self._draw_swatch(painter, QPointF(layout.left + _SWATCH / 2, y + first / 2), row)
        role = QPalette.ColorRole.PlaceholderText if row.is_quiet else QPalette.ColorRole.Text
        painter.setPen(self.palette().color(role))
        self._write(painter, name, QRectF(x, y, width, first), row.title)
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        for at, detail in enumerate(details):
            font = QFont(text)
            font.setItalic(at == row.emphasis)
            self._write(painter, font, QRectF(x, y + first + at * line, width, line), detail)

    @property
    def _has_swatches(self) -> bool:
        return any(row.colour for row in self._rows)

    def _draw_swatch(self, painter: QPainter, centre: QPointF, row: TileRow) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(row.colour), 1.5))
        painter.setBrush(QColor(row.colour))
        painter.drawEllipse(centre, _SWATCH / 2 - 1, _SWATCH / 2 - 1)
        painter.restore()

    def _write(self, painter: QPainter, font: QFont, place: QRectF, text: str) -> None:
        middle, width = Qt.TextElideMode.ElideMiddle, place.width()
        elided = QFontMetricsF(font).elidedText(one_line(text), middle, width)
        painter.setFont(font)
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(place, left, elided)

    def _draw_images(self, painter: QPainter, layout: _Layout) -> None:
        """Draws text at the painter's own resolution, so that a figure of any scale stays sharp."""
        finer = max(1, round(painter.device().devicePixelRatioF() / layout.ratio))
        tiles = _times(layout.tiles, finer)
        side = self._side
        empty = np.full((len(self._heads), side, side), _CLEAR)
        rows = [empty if r.pixels is None else pack_rgb(r.pixels) for r in self._rows]
        image = colour_image(compose(rows, tiles))
        image.setDevicePixelRatio(layout.ratio * finer)
        draw_exactly(painter, layout.corner(0), image)

    def _draw_notice(self, painter: QPainter, layout: _Layout, number: int, row: TileRow) -> None:
        painter.setFont(small(self.font()))
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        place = QRectF(
            layout.corner(0, number), QSizeF(layout.tiles.width / layout.ratio, layout.tile)
        )
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(place, int(flags | Qt.TextFlag.TextWordWrap), replace_controls(row.notice))

    # -- events ----------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Shows a long name in full in a tool tip."""
        if event.type() == QEvent.Type.ToolTip:
            self._show_tip(event)  # type: ignore[arg-type]
            return True
        return super().event(event)

    def _show_tip(self, event: QHelpEvent) -> None:
        row = self._row_at(QPointF(event.pos()))
        lines = (row.title, *row.details) if row else ()
        QToolTip.showText(event.globalPos(), plain_tip("\n".join(lines)), self)

    def changeEvent(self, event: QEvent) -> None:
        """Follows colours and fonts."""
        self.update()
        super().changeEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Makes the column under the mouse the current one."""
        self._go_to(self._column_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        """Leaves no column current."""
        self._go_to(-1)
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leaves every key to the window."""
        event.ignore()

    def _go_to(self, column: int) -> None:
        if column != self._current:
            self._current = column
            self.update()
            self.hovered.emit(column)


def _spread_rows(tiles: Arrangement, left: float, ratio: float) -> Arrangement:
    """Spreads the rows over the remaining height."""
    more = int(left) // max(1, tiles.bands * (tiles.rows - 1))
    return replace(tiles, gap=min(tiles.gap + max(0, more), round(_WIDEST_GAP * ratio)))


def _times(tiles: Arrangement, finer: int) -> Arrangement:
    """Returns the same arrangement in pixels that are `finer` times as small."""
    return Arrangement(
        tiles.scale * finer,
        tiles.columns,
        tiles.bands,
        tiles.tile * finer,
        tiles.gap * finer,
        tiles.column_gap * finer,
        tiles.band_gap * finer,
        tiles.rows,
    )
