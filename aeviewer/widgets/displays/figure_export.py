"""A widget as a figure: PNG or SVG, with a caption, in the current colours."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QBuffer, QIODevice, QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QImage, QPainter, QPalette
from PySide6.QtSvg import QSvgGenerator

from aeviewer.widgets.fonts import tabular

if TYPE_CHECKING:
    from collections.abc import Callable

_MARGIN, _SPACE = 16, 12
_INCH = 0.0254
_DOTS = 96
_NARROWEST = 480
_UNSCALED = ' vector-effect="non-scaling-stroke"'
_GROUP = re.compile(
    r'(?P<begin><g [^>]*?transform=")matrix\((?P<how>[^)]*)\)'
    r'(?P<end>"[^>]*>)(?P<inside>.*?)(?=</g>)',
    re.DOTALL,
)
_ELEMENT = re.compile(
    r"<(?P<name>path|polyline|polygon|rect|ellipse|circle|line|image|text)\b[^>]*>"
)
_SHAPE = re.compile(r'(\b(?:d|points)=")([^"]*)')
_POINT = re.compile(r"(-?[\d.]+(?:e[-+]?\d+)?),(-?[\d.]+(?:e[-+]?\d+)?)")


class Drawable(Protocol):
    """Something that draws itself into a figure."""

    def figure_size(self) -> QSizeF:
        """The size, in units of the screen's layout."""

    def draw_figure(self, painter: QPainter) -> None:
        """Draws it, beginning at the painter's origin."""


@dataclass(frozen=True)
class Figure:
    """A drawing with a caption below.

    Attributes
    ----------
    drawing
        Draws itself.
    caption
        May be empty.
    font, palette
        Of the caption; the surface is the palette's `Base`.
    """

    drawing: Drawable
    caption: str
    font: QFont
    palette: QPalette

    @property
    def size(self) -> QSize:
        """The size with margins, in units of the screen's layout."""
        drawing = self.drawing.figure_size()
        height = drawing.height() + (_SPACE + self._caption_height if self.caption else 0)
        return QSize(math.ceil(self._width) + 2 * _MARGIN, math.ceil(height) + 2 * _MARGIN)

    @property
    def _width(self) -> float:
        return max(self.drawing.figure_size().width(), _NARROWEST if self.caption else 0)

    @property
    def _caption_height(self) -> float:
        room = QRectF(0, 0, self._width, 10_000)
        metrics = QFontMetricsF(tabular(self.font))
        return metrics.boundingRect(room, int(Qt.TextFlag.TextWordWrap), self.caption).height() + 2

    def image(self, factor: int) -> QImage:
        """Returns the figure with `factor` pixels for each unit of the screen's layout."""
        return render_widget(self.size, self._draw, factor)

    def svg(self, title: str) -> bytes:
        """Returns the figure as SVG: texts and lines as such, pixels as embedded images."""
        return vector(self.size, self._draw, title, self.caption)

    def _draw(self, painter: QPainter) -> None:
        painter.fillRect(QRectF(QPointF(0, 0), QSizeF(self.size)), self.palette.base())
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        painter.save()
        painter.translate(_MARGIN, _MARGIN)
        self.drawing.draw_figure(painter)
        painter.restore()
        if not self.caption:
            return
        top = _MARGIN + self.drawing.figure_size().height() + _SPACE
        painter.setFont(tabular(self.font))
        painter.setPen(self.palette.color(QPalette.ColorRole.Text))
        place = QRectF(_MARGIN, top, self._width, self._caption_height)
        painter.drawText(place, int(Qt.TextFlag.TextWordWrap), self.caption)


def render_widget(size: QSize, draw: Callable[[QPainter], None], factor: int) -> QImage:
    """Returns a drawing with `factor` pixels for each unit of the screen's layout."""
    image = QImage(size * factor, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(factor)
    painter = QPainter(image)
    draw(painter)
    painter.end()
    # This is set last: a recording for the screen would be drawn larger on finer paper.
    dots = round(factor * _DOTS / _INCH)
    image.setDotsPerMeterX(dots)
    image.setDotsPerMeterY(dots)
    return image


def vector(
    size: QSize, draw: Callable[[QPainter], None], title: str, description: str = ""
) -> bytes:
    """Returns a drawing as SVG: texts and lines as such, pixels as embedded images."""
    kept = QBuffer()
    kept.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(kept)
    generator.setTitle(title)
    generator.setDescription(description)
    generator.setResolution(_DOTS)
    generator.setSize(size)
    generator.setViewBox(QRectF(QPointF(0, 0), QSizeF(size)))
    painter = QPainter(generator)
    draw(painter)
    painter.end()
    return resolve_transforms(bytes(kept.data().data()).decode()).encode()


def resolve_transforms(svg: str) -> str:
    """An SVG of Qt's with every line where it is drawn, as wide as it is drawn.

    Qt leaves a line in the coordinates of its plot, to be scaled without its width
    (`vector-effect`). Few programs but browsers know that: in others a line of two pixels is as
    wide as two units of the plot, or as thin.
    """
    return _GROUP.sub(_settled_group, svg)


def _settled_group(group: re.Match[str]) -> str:
    """Applies the transformation of a group to its lines and to all else in it."""
    transformation, inside = group["how"], group["inside"]
    if _UNSCALED not in inside:
        return group[0]
    a, b, c, d, e, f = map(float, transformation.split(","))

    def moved(point: re.Match[str]) -> str:
        x, y = float(point[1]), float(point[2])
        return f"{a * x + c * y + e:.6g},{b * x + d * y + f:.6g}"

    def placed(element: re.Match[str]) -> str:
        text = element[0]
        if _UNSCALED not in text:
            name = element["name"]
            return text.replace(f"<{name}", f'<{name} transform="matrix({transformation})"', 1)
        text = text.replace(_UNSCALED, "")
        return _SHAPE.sub(lambda shape: shape[1] + _POINT.sub(moved, shape[2]), text)

    return group["begin"] + "matrix(1,0,0,1,0,0)" + group["end"] + _ELEMENT.sub(placed, inside)


def keep(path: str, content: bytes, failed: Callable[[str], None]) -> bool:
    """Writes a file; a failure becomes one message."""
    try:
        Path(path).write_bytes(content)
    except OSError as error:
        failed(
            f"{path} cannot be written ({error.strerror or error}). "
            "Choose a folder that you may write to."
        )
        return False
    return True


def png(image: QImage) -> bytes:
    """Returns an image as the content of a PNG file."""
    kept = QBuffer()
    kept.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(kept, "PNG")  # type: ignore[call-overload]  # the stub wants bytes
    return bytes(kept.data().data())
