"""Copies any plot or picture, or saves it as PNG or SVG, in the same way everywhere."""

from __future__ import annotations

import re
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pyqtgraph as pg
from PySide6.QtCore import QMimeData, QObject, QPoint, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QAction, QGuiApplication, QImage, QKeySequence, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QMenu, QWidget

from aeviewer.widgets.displays.class_bars import ClassBars
from aeviewer.widgets.displays.figure_export import keep, png, render_widget, vector
from aeviewer.widgets.images.drawing_pad import DigitPad
from aeviewer.widgets.images.image_grid import ImageGrid
from aeviewer.widgets.images.image_matrix import ImageMatrix
from aeviewer.widgets.images.image_table import TileTable
from aeviewer.widgets.images.image_view import ImageView, enlarge
from aeviewer.widgets.images.thumbnail_list import DigitList
from aeviewer.widgets.inputs.save_dialog import ask_place
from aeviewer.widgets.plots.styled_plot import StyledPlot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pyqtgraph.GraphicsScene.mouseEvents import MouseClickEvent

_FINER, _ENLARGED = 2, 10
_SVG = "image/svg+xml"
KINDS = (
    StyledPlot,
    ImageGrid,
    ImageMatrix,
    ImageView,
    DigitList,
    ClassBars,
    TileTable,
    DigitPad,
)
"""The widgets that show a picture."""


@dataclass(frozen=True)
class Picture:
    """A picture that draws itself.

    Attributes
    ----------
    size
        In units of the screen's layout.
    draw
        Draws it from the painter's origin on.
    finer
        Pixels of a PNG to each unit.
    """

    size: QSize
    draw: Callable[[QPainter], None]
    finer: int = _FINER

    def image(self) -> QImage:
        """Returns the picture as pixels."""
        return render_widget(self.size, self.draw, self.finer)

    def svg(self, title: str) -> bytes:
        """Returns the picture as SVG."""
        return vector(self.size, self.draw, title)


def picture_of(widget: QWidget) -> Picture | None:
    """Returns what a widget shows: small images with a square for every pixel, all else as seen.

    None where it shows nothing.
    """
    if isinstance(widget, ImageView):
        return None if widget.image is None else _whole(enlarge(widget.image, _ENLARGED))
    if isinstance(widget, ImageGrid):
        return _whole(widget.picture()) if widget.count else None
    return Picture(widget.size(), partial(_draw_seen, widget))


def _whole(image: QImage) -> Picture:
    """Returns an image at its own size."""
    return Picture(image.size(), lambda painter: painter.drawImage(0, 0, image), 1)


def _draw_seen(widget: QWidget, painter: QPainter) -> None:
    painter.fillRect(widget.rect(), widget.palette().base())
    if isinstance(widget, StyledPlot):
        painter.setRenderHints(widget.renderHints())
        is_vector = isinstance(painter.device(), QSvgGenerator)
        with _as_shapes(widget) if is_vector else nullcontext():
            widget.render(painter, QRectF(widget.rect()), widget.viewport().rect())
    else:
        widget.render(painter, QPoint())


@contextmanager
def _as_shapes(plot: StyledPlot) -> Iterator[None]:
    """Draws the symbols of a plot as shapes, because SVG keeps no parts of a prepared picture."""
    symbols = [item for item in plot.scene().items() if isinstance(item, pg.ScatterPlotItem)]
    for item in symbols:
        item.setExportMode(True, {"antialias": True})
    try:
        yield
    finally:
        for item in symbols:
            item.setExportMode(False)


class PictureActions(QObject):
    """Copy, Save as PNG and Save as SVG for one widget, in its context menu; Ctrl+C copies.

    Parameters
    ----------
    widget
        Shows a picture.
    name
        Answers what a file of it may be called, without folder and ending.
    failed
        Receives one message when a file cannot be written.
    """

    def __init__(
        self, widget: QWidget, name: Callable[[], str], failed: Callable[[str], None]
    ) -> None:
        super().__init__(widget)
        self._widget, self._name, self._failed = widget, name, failed
        self.copy_action = QAction("&Copy picture", self)
        self.copy_action.setShortcut(QKeySequence.StandardKey.Copy)
        self.copy_action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self.png_action = QAction("Save as &PNG…", self)
        self.svg_action = QAction("Save as &SVG…", self)
        self.copy_action.triggered.connect(self.copy)
        self.png_action.triggered.connect(lambda: self._ask("png"))
        self.svg_action.triggered.connect(lambda: self._ask("svg"))
        widget.addActions(self.actions)
        if isinstance(widget, StyledPlot):
            # The right button drags there, so that the menu opens when the button is released.
            widget.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
            widget.scene().sigMouseClicked.connect(self._click)
            self._add_menu_key(widget)
        elif not isinstance(widget, DigitPad):  # The right button erases there.
            widget.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    @property
    def actions(self) -> list[QAction]:
        """Copy, PNG, SVG."""
        return [self.copy_action, self.png_action, self.svg_action]

    @property
    def file_name(self) -> str:
        """The proposed name of a file, without folder and ending."""
        return self._name()

    @property
    def title(self) -> str:
        """The name of the picture."""
        return self._widget.accessibleName()

    @property
    def is_seen(self) -> bool:
        """Returns whether the widget shows a picture."""
        return self._widget.isVisible() and picture_of(self._widget) is not None

    # -- the menu of a plot ----------------------------------------------------------------------

    def _add_menu_key(self, widget: QWidget) -> None:
        key = QAction("Menu", self)
        key.setShortcuts([QKeySequence("Menu"), QKeySequence("Shift+F10")])
        key.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        key.triggered.connect(lambda: self._open(widget.mapToGlobal(widget.rect().center())))
        widget.addAction(key)

    @Slot(object)
    def _click(self, event: MouseClickEvent) -> None:
        if event.button() is Qt.MouseButton.RightButton:
            event.accept()
            self._open(event.screenPos().toPoint())

    def _open(self, place: QPoint) -> None:
        menu = QMenu(self._widget)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions(self.actions)
        menu.popup(place)

    # -- taking it elsewhere ---------------------------------------------------------------------

    @Slot()
    def copy(self) -> None:
        """Copies the picture to the clipboard as pixels and as SVG; a program takes what it can."""
        picture = picture_of(self._widget)
        if picture is not None:
            kinds = QMimeData()
            kinds.setImageData(picture.image())
            kinds.setData(_SVG, picture.svg(self.title))
            QGuiApplication.clipboard().setMimeData(kinds)

    def _ask(self, ending: str) -> None:
        """Asks for a file name, and saves what is visible now."""
        picture = picture_of(self._widget)
        if picture is not None:
            image = picture.image()
            content = png(image) if ending == "png" else picture.svg(self.title)
            ask_place(self._widget, f"{self.file_name}.{ending}", partial(self._keep, content))

    def _keep(self, content: bytes, place: Path) -> None:
        keep(str(place), content, self._failed)


def slug(title: str) -> str:
    """Returns a title as a part of a file name: "Loss curves" becomes "loss-curves"."""
    return re.sub(r"[^\w]+", "-", title.lower()).strip("-") or "picture"
