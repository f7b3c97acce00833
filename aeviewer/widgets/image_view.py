"""An image at whole multiples of a pixel, and the ways out of the window: clipboard and PNG."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, QStandardPaths, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter, QPalette
from PySide6.QtWidgets import QFileDialog, QSizePolicy, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QPaintEvent

_SIDE = 28
_LEAST_SCALE = 2
_HINTED_SCALE = 8


def gray_image(pixels: NDArray[np.floating[Any]] | NDArray[np.uint8]) -> QImage:
    """(h, w) as a gray image that owns its memory, ink bright.

    Parameters
    ----------
    pixels
        uint8 (255 is ink), or floating point (1 is ink; what lies outside 0..1 is clipped).
    """
    rows = np.ascontiguousarray(pixels if pixels.dtype == np.uint8 else _as_bytes(pixels))
    height, width = rows.shape
    # The copy owns its pixels; the image over `rows` would outlive them.
    return QImage(rows.data, width, height, width, QImage.Format.Format_Grayscale8).copy()


def _as_bytes(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    known = np.nan_to_num(pixels, nan=0.0, posinf=1.0, neginf=0.0)
    return np.asarray(np.rint(known.clip(0, 1) * 255), np.uint8)


def colour_image(pixels: NDArray[np.uint32]) -> QImage:
    """(h, w) uint32, 0xAARRGGBB with the colours premultiplied, as an image that owns its memory."""
    rows = np.ascontiguousarray(pixels)
    height, width = rows.shape
    form = QImage.Format.Format_ARGB32_Premultiplied
    return QImage(rows.data, width, height, 4 * width, form).copy()


def enlarged(image: QImage, scale: int) -> QImage:
    """The image `scale` times as large, every pixel a square."""
    return image.scaled(image.size() * scale)


def whole_scale(side: int, room: float) -> int:
    """How many times `side` pixels fit into `room` device pixels; at least once."""
    return max(1, int(room) // side)


def copy_image(image: QImage) -> None:
    """Puts the image on the clipboard."""
    QGuiApplication.clipboard().setImage(image)


def save_image(
    image: QImage, name: str, parent: QWidget, failed: Callable[[str], None]
) -> QFileDialog:
    """Asks where to save the image as PNG; returns at once with the dialog that asks.

    Parameters
    ----------
    name
        The file name suggested, without its ending.
    failed
        Told in one message when the file can not be written.
    """
    dialog = QFileDialog(parent, "Save picture")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilter("PNG picture (*.png)")
    dialog.setDefaultSuffix("png")
    dialog.setDirectory(_pictures())
    dialog.selectFile(f"{name}.png")
    dialog.fileSelected.connect(lambda path: _write(image, Path(path), failed))
    dialog.open()
    return dialog


def _pictures() -> str:
    place = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
    return place if Path(place).is_dir() else str(Path.home())


def _write(image: QImage, path: Path, failed: Callable[[str], None]) -> None:
    if not image.save(str(path), "PNG"):  # type: ignore[call-overload]  # the stub wants bytes
        failed(f"The picture could not be written to {path}. Choose a folder you may write to.")


class ImageView(QWidget):
    """Shows one image as large as whole multiples of a device pixel allow."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image: QImage | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(_SIDE * _LEAST_SCALE, _SIDE * _LEAST_SCALE)

    @property
    def image(self) -> QImage | None:
        """The image at its own size."""
        return self._image

    def set_image(self, pixels: NDArray[np.floating[Any]] | NDArray[np.uint8] | None) -> None:
        """Shows (h, w) gray pixels as `gray_image` reads them; None shows nothing."""
        self._image = None if pixels is None else gray_image(pixels)
        self.update()

    def sizeHint(self) -> QSize:
        """Eight times the usual image."""
        return QSize(_SIDE * _HINTED_SCALE, _SIDE * _HINTED_SCALE)

    def image_rect(self) -> QRectF:
        """Where the image is, in logical pixels: centred, on whole device pixels."""
        if self._image is None:
            return QRectF()
        ratio = self.devicePixelRatioF()
        width, height = int(self.width() * ratio), int(self.height() * ratio)
        wide, high = self._image.width(), self._image.height()
        scale = min(whole_scale(wide, width), whole_scale(high, height))
        left, top = (width - scale * wide) // 2, (height - scale * high) // 2
        return QRectF(left / ratio, top / ratio, scale * wide / ratio, scale * high / ratio)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The image, and a hairline where black would run into the surface."""
        if self._image is None:
            return
        painter = QPainter(self)
        painter.drawImage(self.image_rect(), self._image)
        painter.setPen(self.palette().color(QPalette.ColorRole.Mid))
        painter.drawRect(self.image_rect().adjusted(-0.5, -0.5, 0.5, 0.5))
        painter.end()
