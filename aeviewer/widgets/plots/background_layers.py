"""Layers that cover a plane: small images side by side, or colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

if TYPE_CHECKING:
    from numpy.typing import NDArray


class TileLayer(pg.GraphicsObject):  # type: ignore[misc]  # pyqtgraph is untyped
    """Images side by side as one item of a plot: ink in one colour, paper left clear.

    Images with colours are opaque.
    """

    def __init__(self) -> None:
        super().__init__()
        self._place = QRectF()
        self._ink = QColor("white")
        self._opacity = 1.0
        self._tiles: tuple[NDArray[np.uint8], NDArray[np.floating]] | None = None
        self._pixels: NDArray[np.uint32] | None = None
        self._image: QImage | None = None

    def set_tiles(
        self, images: NDArray[np.uint8], shares: NDArray[np.floating], place: QRectF
    ) -> None:
        """Shows (rows, columns, h, w) ink, or colours; (rows, columns) shares set the opacity."""
        self._tiles = images, shares
        if place != self._place:
            self.prepareGeometryChange()
            self._place = place
        self._image = None
        self.update()

    def clear(self) -> None:
        """Removes all tiles."""
        self._tiles = self._image = None
        self.update()

    def set_ink(self, colour: QColor) -> None:
        """Sets the colour of full ink."""
        self._ink, self._image = colour, None
        self.update()

    def set_opacity(self, opacity: float) -> None:
        """Sets the opacity of full ink, 0..1."""
        self._opacity, self._image = opacity, None
        self.update()

    def boundingRect(self) -> QRectF:
        """Returns the rectangle of the tiles."""
        return self._place

    def paint(self, painter: QPainter, _option: Any, _widget: Any = None) -> None:
        """Draws the images upright, because y grows upwards."""
        if self._tiles is None or self._place.isEmpty() or not self._tiles[0].size:
            return
        image = self._image or self._compose(*self._tiles)
        target = painter.worldTransform().mapRect(self._place)
        painter.save()
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(target, image)
        painter.restore()

    def _compose(self, images: NDArray[np.uint8], shares: NDArray[np.floating]) -> QImage:
        rows, columns, height, width = images.shape[:4]
        size = columns * width, rows * height
        form = QImage.Format.Format_ARGB32_Premultiplied
        if images.ndim == 5:
            self._pixels = self._to_argb(images, shares).reshape(size[1], size[0])
            self._image = QImage(self._pixels.data, *size, 4 * size[0], form)
            return self._image
        strength = np.rint(shares * 256).astype(np.uint16)[:, :, None, None]
        alpha = (images * strength >> 8).transpose(0, 2, 1, 3)
        alpha = alpha.reshape(rows * height, columns * width)
        # The image does not own the pixels: the array must live as long as the image.
        self._pixels = self._shades()[alpha]
        self._image = QImage(self._pixels.data, *size, 4 * size[0], form)
        return self._image

    def _to_argb(
        self, images: NDArray[np.uint8], shares: NDArray[np.floating]
    ) -> NDArray[np.uint32]:
        """Returns (rows, h, columns, w) premultiplied ARGB of colour images."""
        share = np.rint(shares * 256 * self._opacity).astype(np.uint32)[:, :, None, None, None]
        red, green, blue = np.moveaxis(images * share >> 8, -1, 0)
        alpha = np.minimum(share[..., 0], 255)
        packed: NDArray[np.uint32] = alpha << 24 | red << 16 | green << 8 | blue
        return np.ascontiguousarray(packed.transpose(0, 2, 1, 3))

    def _shades(self) -> NDArray[np.uint32]:
        """Returns (257,) premultiplied ARGB of every amount of ink."""
        share = (np.arange(257) / 255).clip(0, 1) * self._opacity
        colour = 255, self._ink.red(), self._ink.green(), self._ink.blue()
        alpha, red, green, blue = np.rint(np.outer(colour, share)).astype(np.uint32)
        shades: NDArray[np.uint32] = alpha << 24 | red << 16 | green << 8 | blue
        return shades


class HeatLayer(pg.GraphicsObject):  # type: ignore[misc]  # pyqtgraph is untyped
    """Interpolated colours over a part of a plane, as one item of a plot."""

    def __init__(self) -> None:
        super().__init__()
        self._place = QRectF()
        self._pixels: NDArray[np.uint8] | None = None
        self._image: QImage | None = None

    def set_colours(self, colours: NDArray[np.uint8] | None, place: QRectF) -> None:
        """Shows (rows, columns, 4) uint8 red, green, blue, alpha, with the first row at the top."""
        if place != self._place:
            self.prepareGeometryChange()
            self._place = place
        self._image = None
        if colours is not None:
            # The image does not own the pixels: the array must live as long as the image.
            self._pixels = np.ascontiguousarray(colours)
            rows, columns, _ = self._pixels.shape
            form = QImage.Format.Format_RGBA8888
            self._image = QImage(self._pixels.data, columns, rows, 4 * columns, form)
        self.update()

    def boundingRect(self) -> QRectF:
        """Returns the rectangle of the colours."""
        return self._place

    def paint(self, painter: QPainter, _option: Any, _widget: Any = None) -> None:
        """Draws the colours upright, because y grows upwards."""
        if self._image is None or self._place.isEmpty():
            return
        target = painter.worldTransform().mapRect(self._place)
        painter.save()
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(target, self._image)
        painter.restore()
