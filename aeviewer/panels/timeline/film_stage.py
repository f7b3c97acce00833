"""Draws the frames of a film: the plot of the latent space below a line of text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPalette

from aeviewer.palette import class_colours
from aeviewer.panels.latent.axis_names import axis_names
from aeviewer.panels.latent.background import TILE_PIXELS, class_palette
from aeviewer.services.latent.tile_grid import grid_over
from aeviewer.services.latent.undo_state import pin_letter
from aeviewer.widgets.fonts import small, tabular
from aeviewer.widgets.labels import one_line, shorten
from aeviewer.widgets.plots.latent_plot import LatentPlot
from trainers.exploration.planes import JITTER, class_jitter

if TYPE_CHECKING:
    from aeviewer.panels.latent.layers_menu import Layers
    from aeviewer.services.latent.tile_grid import TileGrid
    from aeviewer.services.latent.undo_state import Pin
    from aeviewer.services.timeline.film import TileFrame
    from aeviewer.services.timeline.trajectory import Interpolation, Trajectory
    from trainers.datasets import Data

_SIDE, _HEAD, _MARGIN = 720, 56, 16
_CHIP, _SHORT, _MOST_CHIPS, _NAME_LETTERS = 34, 2, 10, 60


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What a film takes over from the window.

    Attributes
    ----------
    name
        Of the run.
    aligned_to
        The step that codes are turned onto; None where they are shown as they are.
    layers
        Whether the decoder's images are behind the points, and how strong both are.
    visible
        (k,) bool, the classes that are shown.
    pins
        Codes that are held on to.
    view
        The part of the plane that is shown; None for what holds all codes of all checkpoints.
    data
        The images that the codes are of.
    """

    name: str
    aligned_to: int | None
    layers: Layers
    visible: NDArray[np.bool_]
    pins: tuple[Pin, ...]
    view: QRectF | None
    data: Data


class FilmStage:
    """Draws moments of a trajectory.

    Parameters
    ----------
    look
        How.
    """

    SIZE: ClassVar[tuple[int, int]] = (_SIDE, _SIDE)
    """Height and width of a frame in pixels."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._labels = look.data.test.labels
        self._classes = look.data.dataset.classes
        self.plot = LatentPlot("Film")
        self.plot.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
        self.plot.resize(_SIDE, _SIDE - _HEAD)
        self.plot.show()
        self._jitter = class_jitter(len(self._labels))
        self._is_flat = False

    def close(self) -> None:
        """Deletes the plot."""
        self.plot.close()
        self.plot.deleteLater()

    def set_trajectory(self, track: Trajectory) -> None:
        """Shows the part of the plane that the look names, or all of the trajectory."""
        plane, look = track.planes[0], self._look
        self._is_flat = plane.is_line
        self.plot.set_square(not self._is_flat)
        x, y = axis_names(plane)
        self.plot.axis("bottom").setLabel(x)
        self.plot.axis("left").setLabel(y)
        ticks = [(float(label), name) for label, name in enumerate(self._classes)]
        self.plot.axis("left").set_words(ticks if self._is_flat else None)
        self.plot.raster.set_opacity(look.layers.points)
        if look.view is not None:
            self.plot.set_view(look.view)
            return
        left, bottom, width, height = track.extent()
        if self._is_flat:
            bottom, height = -JITTER, max(0, len(self._classes) - 1) + 2 * JITTER
        self.plot.set_stage(QRectF(left, bottom, width, height))

    def tile_grid(self) -> TileGrid | None:
        """Returns the tiles behind the points; None where the look has none."""
        if self._is_flat or not self._look.layers.mosaic:
            return None
        self._draw_plot()  # The plot takes its final layout when it is first drawn.
        view, pixel = self.plot.view(), self.plot.box.viewPixelSize()[0]
        place = view.left(), view.top(), view.width(), view.height()
        return grid_over(place, pixel, TILE_PIXELS)

    # -- a frame ---------------------------------------------------------------------------------

    def draw_frame(self, between: Interpolation, tiles: TileFrame | None) -> NDArray[np.uint8]:
        """(height, width, 3), a moment, with the images of the nearer checkpoint behind it."""
        self._place_points(between.places)
        self._place_pins(between)
        self._place_tiles(tiles)
        image = self._draw_plot()
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_head(painter, between.nearer)
        painter.end()
        return _pixels(image)

    def _place_points(self, places: NDArray[np.floating]) -> None:
        xy = np.array(places)
        if self._is_flat:
            xy[:, 1] = self._labels + self._jitter
        shown = self._look.visible[self._labels]
        self.plot.set_points(xy, self._labels, class_palette(max(1, len(self._classes))), shown)

    def _place_pins(self, between: Interpolation) -> None:
        pins = () if self._is_flat else self._look.pins
        places = []
        for pin in pins:
            if pin.image is not None and pin.image < len(between.places):
                x, y = between.places[pin.image].tolist()
                places.append((x, y))
            else:
                places.append(between.place(pin.code))
        self.plot.set_pins(places, [pin_letter(at) for at in range(len(pins))])

    def _place_tiles(self, tiles: TileFrame | None) -> None:
        layers = self._look.layers
        if tiles is None:
            self.plot.tiles.clear()
            return
        shares = tiles.support if layers.fades else (tiles.support > 0).astype(np.float32)
        self.plot.tiles.set_opacity(layers.opacity)
        self.plot.tiles.set_tiles(tiles.images, shares, QRectF(*tiles.rectangle))

    def _draw_plot(self) -> QImage:
        """Returns the plot below an empty line of text."""
        image = QImage(_SIDE, _SIDE, QImage.Format.Format_RGB32)
        image.fill(self.plot.role(QPalette.ColorRole.Base))
        painter = QPainter(image)
        painter.drawImage(0, _HEAD, self.plot.picture(1))
        painter.end()
        return image

    def _draw_head(self, painter: QPainter, step: int) -> None:
        """Draws the step, the alignment, and the colours of the classes."""
        quiet = self.plot.role(QPalette.ColorRole.PlaceholderText)
        strong = tabular(self.plot.font())
        strong.setPixelSize(20)
        strong.setWeight(QFont.Weight.DemiBold)
        painter.setFont(strong)
        painter.setPen(self.plot.role(QPalette.ColorRole.Text))
        painter.drawText(QPointF(_MARGIN, 29), f"step {step:,}")
        painter.setFont(small(self.plot.font()))
        painter.setPen(quiet)
        turned = self._look.aligned_to
        name = shorten(one_line(self._look.name), _NAME_LETTERS)
        words = name + (f" · aligned to step {turned:,}" if turned is not None else "")
        painter.drawText(QPointF(_MARGIN, 47), words)
        colours = class_colours(len(self._classes))
        shown = np.flatnonzero(self._look.visible).tolist() if self._classes else []
        # Many or long names do not fit; the colours are those of the window.
        names = [self._classes[label] for label in shown]
        if any(len(name) > _SHORT for name in names) or len(names) > _MOST_CHIPS:
            return
        for place, label in enumerate(shown):
            x = _SIDE - _MARGIN - _CHIP * (len(shown) - place) + 8
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colours[label]))
            painter.drawEllipse(QPointF(x, 24), 5, 5)
            painter.setPen(quiet)
            spot = QRect(x + 9, 14, 16, 20)
            painter.drawText(spot, Qt.AlignmentFlag.AlignVCenter, self._classes[label])


def _pixels(image: QImage) -> NDArray[np.uint8]:
    """Returns (h, w, 3) red, green and blue of a picture with 32 bits per pixel."""
    height, width = image.height(), image.width()
    table = np.frombuffer(image.constBits(), np.uint32).reshape(height, width)
    return np.stack([table >> 16 & 255, table >> 8 & 255, table & 255], axis=-1).astype(np.uint8)
