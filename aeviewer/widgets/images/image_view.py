"""Small images, shown at whole multiples of a pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

from aeviewer.widgets.fonts import small

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

_WHITE = 255
MOST_SIDE = 28
"""The side of an image in a grid of many."""
_GRAYS: NDArray[np.uint32] = np.array([0xFF000000 | n * 0x010101 for n in range(256)], np.uint32)
_STOPS = {
    # From the surface outwards: the colours at ±0.4 and at ±1 of full ink.
    "dark": (("#2f74c8", "#cfe6ff"), ("#d0503a", "#ffdccb")),
    "light": (("#5b9bd9", "#0a3a78"), ("#e58565", "#7f1410")),
}
_MIDDLE = 0.4


def gray_image(pixels: NDArray[Any]) -> QImage:
    """Converts ink to a gray picture, bright on dark; colours stay as they are.

    Parameters
    ----------
    pixels
        (h, w) or (h, w, 3): uint8, or floating ink where 1 is full; what lies outside 0..1 is
        clipped.
    """
    if pixels.dtype != np.uint8:
        pixels = np.rint(np.clip(np.nan_to_num(pixels), 0, 1) * _WHITE).astype(np.uint8)
    gray = np.ascontiguousarray(pixels)
    height, width = gray.shape[:2]
    if gray.ndim == 3:
        form = QImage.Format.Format_RGB888
        return QImage(gray.data, width, height, 3 * width, form).copy()
    return QImage(gray.data, width, height, width, QImage.Format.Format_Grayscale8).copy()


def colour_image(pixels: NDArray[np.uint32]) -> QImage:
    """Converts (h, w) uint32 as 0xAARRGGBB, premultiplied by the opacity, to a picture."""
    height, width = pixels.shape
    kind = QImage.Format.Format_ARGB32_Premultiplied
    return QImage(np.ascontiguousarray(pixels).data, width, height, 4 * width, kind).copy()


def pack_rgb(pixels: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Packs (..., h, w) gray or (..., h, w, 3) colours as 0xffRRGGBB."""
    if pixels.ndim == 3:
        return _GRAYS[pixels]
    red, green, blue = (pixels[..., n].astype(np.uint32) for n in range(3))
    return np.asarray(np.uint32(0xFF000000) | red << 16 | green << 8 | blue, np.uint32)


def reduce_images(pixels: NDArray[Any], most: int = MOST_SIDE) -> NDArray[Any]:
    """Averages (n, h, w) or (n, h, w, 3) square images, so that they are no larger than a side."""
    side = pixels.shape[1]
    if side <= most:
        return pixels
    edges = np.linspace(0, side, most + 1)[:, None]
    # The share of each pixel in each of the larger ones.
    inside = np.minimum(edges[1:], np.arange(1, side + 1)) - np.maximum(edges[:-1], np.arange(side))
    shares = inside.clip(0) * (most / side)
    found = np.einsum("ij,njk...->nik...", shares, pixels)
    found = np.einsum("ij,nkj...->nki...", shares, found)
    small_pixels: NDArray[Any] = np.rint(found).astype(pixels.dtype)
    return small_pixels


def enlarge(image: QImage, factor: int) -> QImage:
    """Returns a picture with a square of `factor` pixels for every pixel."""
    return image.scaled(image.size() * factor, mode=Qt.TransformationMode.FastTransformation)


def draw_exactly(painter: QPainter, place: QPointF, image: QImage) -> None:
    """Draws an image so that its pixels fall on the screen's, as near to `place` as possible."""
    to_device = painter.deviceTransform()
    at = to_device.map(place)
    back, _ = to_device.inverted()
    painter.drawImage(back.map(QPointF(round(at.x()), round(at.y()))), image)


def diverging_colours(palette: QPalette) -> NDArray[np.uint32]:
    """Returns (511,) 0xffRRGGBB for −255..255: blue below the palette's surface, red above it.

    Lightness runs one way from the surface outwards, so that the magnitude is read without hue.
    """
    base = palette.color(QPalette.ColorRole.Base)
    below, above = _STOPS["dark" if base.lightness() < _WHITE // 2 else "light"]
    places = [-1.0, -_MIDDLE, 0.0, _MIDDLE, 1.0]
    stops = [QColor(c) for c in (below[1], below[0], base, above[0], above[1])]
    values = np.linspace(-1, 1, 2 * _WHITE + 1)
    channels = (
        np.interp(values, places, [channel(stop) for stop in stops])
        for channel in (QColor.red, QColor.green, QColor.blue)
    )
    red, green, blue = (np.rint(channel).astype(np.uint8) for channel in channels)
    opaque = np.full_like(red, _WHITE)
    return np.stack([blue, green, red, opaque], axis=-1).view("<u4")[:, 0].astype(np.uint32)


class ImageView(QWidget):
    """One image, as large as whole multiples of a device pixel allow, in the middle."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image: QImage | None = None
        self._side = 28
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    @property
    def image(self) -> QImage | None:
        """The image at its own size."""
        return self._image

    @property
    def factor(self) -> int:
        """The device pixels along each side of a pixel of the image."""
        room = min(self.width(), self.height()) * self.devicePixelRatioF()
        return max(1, int(room // self._side))

    def set_image(self, pixels: NDArray[Any] | None) -> None:
        """Shows (h, w) ink as `gray_image` takes it; None shows nothing."""
        self._image = None if pixels is None else gray_image(pixels)
        if self._image is not None:
            self._side = max(self._image.width(), self._image.height())
        self.update()

    def sizeHint(self) -> QSize:
        """Returns eight times the size of the image."""
        return QSize(8 * self._side, 8 * self._side)

    def minimumSizeHint(self) -> QSize:
        """Returns twice the size of the image."""
        return QSize(2 * self._side, 2 * self._side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draws the image."""
        if self._image is None:
            return
        ratio = self.devicePixelRatioF()
        shown = self._fit(self._image, ratio)
        shown.setDevicePixelRatio(ratio)
        size = shown.deviceIndependentSize()
        place = QPointF((self.width() - size.width()) / 2, (self.height() - size.height()) / 2)
        painter = QPainter(self)
        draw_exactly(painter, place, shown)
        painter.end()

    def _fit(self, image: QImage, ratio: float) -> QImage:
        """Returns the image as large as whole multiples allow."""
        room = int(min(self.width(), self.height()) * ratio)
        if room >= self._side:
            return enlarge(image, self.factor)
        keep = Qt.AspectRatioMode.KeepAspectRatio
        return image.scaled(room, room, keep, Qt.TransformationMode.SmoothTransformation)


class DivergingBar(QWidget):
    """The scale of the diverging colours, from −1 to +1."""

    _TEXTS = ("−1", "+1 of full ink")
    _BAR = 64

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFont(small(self.font()))
        self.setAccessibleName("Colours of the difference")
        self.setToolTip(
            "Reconstruction minus input, in units of full ink:\n"
            "blue where ink is missing, red where there is too much."
        )

    def sizeHint(self) -> QSize:
        """Returns the size of the bar and its numbers."""
        widths = (self.fontMetrics().horizontalAdvance(text) for text in self._TEXTS)
        return QSize(self._BAR + sum(widths) + 8, self.fontMetrics().height() + 4)

    def minimumSizeHint(self) -> QSize:
        """Returns the same size: the bar is never squeezed."""
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draws number, bar, number."""
        low, high = self._TEXTS
        start = self.fontMetrics().horizontalAdvance(low) + 4
        painter = QPainter(self)
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        centre = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self.rect(), centre, low)
        painter.drawText(self.rect().adjusted(start + self._BAR + 4, 0, 0, 0), centre, high)
        colours = colour_image(diverging_colours(self.palette())[None])
        bar = self.rect().adjusted(start, 0, 0, 0)
        bar.setSize(QSize(self._BAR, 8))
        bar.moveTop((self.height() - 8) // 2)
        painter.drawImage(bar, colours)
        painter.setPen(self.palette().color(QPalette.ColorRole.Mid))
        painter.drawRect(bar.adjusted(0, 0, -1, -1))
        painter.end()
