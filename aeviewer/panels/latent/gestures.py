"""Mouse gestures and keys of the latent space."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Qt, Slot

from aeviewer.numbers import local
from aeviewer.services.latent.undo_state import Pin
from trainers.exploration.neighbours import nearest_codes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aeviewer.panels.latent.plane_bar import PlaneBar
    from aeviewer.services.latent_services import LatentServices
    from aeviewer.widgets.plots.latent_plot import LatentPlot

_AROUND = 100
_NO_IMAGE = np.empty((0, 0), np.uint8)


class Gestures(QObject):
    """Moves, pins and selects codes by mouse and keys, and describes the code under the mouse.

    Parameters
    ----------
    latent_services
        Code, pins and selection are changed there.
    plot
        Receives the mouse and the keys.
    choice
        Holds the mode of the left button; keys change it.
    """

    def __init__(self, latent_services: LatentServices, plot: LatentPlot, choice: PlaneBar) -> None:
        super().__init__(plot)
        self._latent, self._session = latent_services.latent_state, latent_services.session
        self._hover_error, self._plot, self._choice = latent_services.hover_error, plot, choice
        self._gesture = 0
        self._corner: tuple[float, float] | None = None
        plot.pressed_at.connect(self._decode)
        plot.clicked.connect(self._click)
        plot.circled.connect(self._select)
        plot.nudged.connect(self._nudge)
        plot.asked.connect(self._press_key)
        plot.hovered_at.connect(self._hover)
        plot.left.connect(self._leave)
        self._hover_error.changed.connect(self._show_hovered)

    @Slot(float, float)
    def _decode(self, x: float, y: float) -> None:
        code = self._code_at(x, y)
        if code is not None:
            self._latent.move(code, f"drag {self._gesture}")

    def _code_at(self, x: float, y: float) -> NDArray[np.float32] | None:
        """Returns the code at a place of the plane; in an embedding, the nearest code."""
        if not self._latent.is_embedding:
            return self._latent.lift(np.array([x, y]))
        codes, point = self._latent.codes, self._plot.nearest(x, y, math.inf)
        return None if codes is None or point is None else codes[point]

    @Slot(float, float, bool)
    def _click(self, x: float, y: float, pins: bool) -> None:
        """Marks the code that was clicked; with Ctrl, pins that code, or else the place."""
        self._gesture += 1
        far = (math.inf,) if self._latent.is_embedding else ()
        codes, point = self._latent.codes, self._plot.nearest(x, y, *far)
        code = self._code_at(x, y)
        if codes is None or code is None:
            return
        code = code if point is None else codes[point]
        if pins:
            self._latent.pin(Pin(code, point))
        elif point is not None:
            self._latent.move(code, f"drag {self._gesture - 1}")

    @Slot(object)
    def _select(self, inside: NDArray[np.bool_]) -> None:
        self._latent.select(np.flatnonzero(inside))

    @Slot(float, float)
    def _nudge(self, right: float, up: float) -> None:
        plane, anchor = self._latent.plane, self._latent.anchor
        code = None
        if plane is not None and anchor is not None:
            x, y = plane.project(anchor).tolist()
            code = plane.lift(np.array([x + right, y + up]), anchor)
        elif (point := self._plot.next_towards(right, up)) is not None:
            codes = self._latent.codes
            code = None if codes is None else codes[point]
        if code is not None:
            self._latent.move(code, "arrows", in_bursts=True)

    @Slot(Qt.Key)
    def _press_key(self, key: Qt.Key) -> None:
        """Does by a key what the mouse can do."""
        latent_state = self._latent
        match key:
            case Qt.Key.Key_P:
                self._pin_marked()
            case Qt.Key.Key_U if latent_state.pins:
                latent_state.unpin(len(latent_state.pins) - 1)
            case Qt.Key.Key_D:
                self._choice.set_mode("point")
            case Qt.Key.Key_L:
                self._choice.set_mode("lasso")
            case Qt.Key.Key_R:
                self._rectangle_by_keys()
            case Qt.Key.Key_K:
                self._select_around()
            case Qt.Key.Key_M:
                layers = self._choice.layers
                layers.choose(mosaic=not layers.chosen.mosaic)
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self._click_marked()
            case Qt.Key.Key_Escape:
                self._corner = None
                latent_state.select(np.zeros(0, np.intp))

    def _click_marked(self) -> None:
        """Marks the code at the marker. A one-dimensional code has no y and is never near one."""
        marker = self._plot.marker
        if marker is not None and not np.isnan(marker[1]):
            self._click(*marker, False)

    def _pin_marked(self) -> None:
        """Pins the marked code; a pin on the code of an image follows the image."""
        code, codes = self._session.code, self._latent.codes
        if code is None or codes is None or code.shape != codes.shape[1:]:
            return
        own = np.flatnonzero((codes == code).all(axis=1))
        self._latent.pin(Pin(code, int(own[0]) if len(own) else None))

    def _rectangle_by_keys(self) -> None:
        """Sets one corner at the marker; when the marker was moved, sets the opposite one."""
        self._choice.set_mode("rectangle")
        marker = self._plot.marker
        if marker is None or np.isnan(marker[1]):
            return
        if self._corner is None or self._corner == marker:
            self._corner = marker
            return
        (x0, y0), (x1, y1) = self._corner, marker
        self._corner = None
        self._select(self._plot.inside(np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])))

    def _select_around(self) -> None:
        """Selects the codes that are nearest to the marked code in the whole latent space."""
        code, codes = self._session.code, self._latent.codes
        if code is not None and codes is not None and code.shape == codes.shape[1:]:
            self._latent.select(nearest_codes(codes, code, _AROUND)[0])

    @Slot(float, float)
    def _hover(self, x: float, y: float) -> None:
        self._hover_error.look_at(self._plot.nearest(x, y))
        self._show_hovered()

    @Slot()
    def _show_hovered(self) -> None:
        """Shows the image under the mouse with its class, number and, once known, its error."""
        point, error = self._hover_error.image, self._hover_error.error
        if point is None or point >= len(self._plot.places()):
            self._plot.set_hovered(None, _NO_IMAGE, "")
            return
        value = "…" if error is None else f"{local(error):.2f}"
        gallery = self._latent.displayed_codes.images
        lines = [gallery.kind(point), gallery.name(point), f"squared error {value}"]
        text = "\n".join(line for line in lines if line)
        self._plot.set_hovered(point, gallery.image(point), text)

    @Slot()
    def _leave(self) -> None:
        self._hover_error.look_at(None)
        self._plot.set_hovered(None, _NO_IMAGE, "")
