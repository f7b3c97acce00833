"""The marked code: its image, its reconstruction, its re-encoded code and its neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from aeviewer.numbers import join_numbers, local
from aeviewer.panels.latent.status_text import show_status
from aeviewer.services.latent.undo_state import Pin, pin_letter
from aeviewer.widgets.displays.empty_state import EmptyState
from aeviewer.widgets.displays.result_line import ResultLine
from aeviewer.widgets.images.image_view import ImageView
from aeviewer.widgets.images.thumbnail_list import DigitList
from aeviewer.widgets.labels import plain_label, quiet_label

if TYPE_CHECKING:
    from PySide6.QtGui import QHideEvent, QShowEvent

    from aeviewer.services.latent.latent_state import LatentState
    from aeviewer.services.latent.point_details import PointDetails, PointInspector

_EMPTY = "Click a code in the latent space: its details appear here"
_LISTED = 6
_TITLES = ("image", "decoded", "re-encoded")


class PointPanel(QWidget):
    """Shows the details of the marked code.

    Parameters
    ----------
    latent_state
        Its pins are listed; a neighbour that is chosen becomes the marked code.
    inspector
        Watched.
    """

    def __init__(
        self, latent_state: LatentState, inspector: PointInspector, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._latent, self._inspector = latent_state, inspector
        self.headline, self.facts = plain_label(), quiet_label(wraps=True)
        self.views = tuple(ImageView() for _ in _TITLES)
        self.captions = tuple(quiet_label(title, wraps=True) for title in _TITLES)
        self.neighbours = DigitList("Nearest codes")
        self.pin_button, self.unpin_button = QPushButton("Pin"), QPushButton("Unpin all")
        self.pins = quiet_label(wraps=True)
        shown = (self.headline, self.facts, *self.views, *self.captions, self.neighbours)
        self.line = ResultLine("Computing the details", *shown)
        self._pages = QStackedLayout(self)
        self._build()
        inspector.changed.connect(self._show)
        inspector.latest.status_changed.connect(self._show_status)
        latent_state.session.runs_changed.connect(self._show_status)
        latent_state.pins_changed.connect(self._show_pins)
        self.neighbours.chosen.connect(self._go_to)
        self.pin_button.clicked.connect(self._pin)
        self.unpin_button.clicked.connect(latent_state.unpin_all)
        self._show()
        self._show_pins()

    def _build(self) -> None:
        tiles = QGridLayout()
        tiles.setSpacing(4)
        for column, (view, caption) in enumerate(zip(self.views, self.captions, strict=True)):
            view.setMinimumSize(56, 56)
            view.setMaximumHeight(112)
            caption.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            tiles.addWidget(view, 0, column)
            tiles.addWidget(caption, 1, column)
            tiles.setColumnStretch(column, 1)
        self.views[0].setAccessibleName("Test image")
        self.views[1].setAccessibleName("Decoded code")
        self.views[2].setAccessibleName("Decoded re-encoded code")
        title = quiet_label(
            "Nearest codes, with their distances in the whole latent space", wraps=True
        )
        self.pin_button.setToolTip("Pin this code (P, or Ctrl and click)")
        self.unpin_button.setToolTip("Remove all pins (U removes the last one)")
        row = QHBoxLayout()
        row.addWidget(self.pins, 1)
        row.addWidget(self.pin_button)
        row.addWidget(self.unpin_button)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(8)
        for part in (self.headline, tiles, self.facts, title, self.neighbours, self.line, row):
            if isinstance(part, QWidget):
                layout.addWidget(part, 1 if part is self.neighbours else 0)
            else:
                layout.addLayout(part)
        self._pages.addWidget(EmptyState(_EMPTY))
        self._pages.addWidget(content)

    def showEvent(self, event: QShowEvent) -> None:
        """Has the code looked into."""
        super().showEvent(event)
        self._inspector.set_enabled(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """No longer."""
        super().hideEvent(event)
        self._inspector.set_enabled(False)

    # -- what is shown ---------------------------------------------------------------------------

    @Slot()
    def _show(self) -> None:
        found = self._inspector.details
        self._pages.setCurrentIndex(0 if found is None else 1)
        if found is None:
            return
        of_image = found.image is not None
        gallery = self._latent.displayed_codes.images
        self.views[0].set_image(None if found.image is None else gallery.image(found.image))
        self.views[0].setVisible(of_image)
        self.captions[0].setVisible(of_image)
        self.views[1].set_image(found.decoded)
        self.views[2].set_image(found.returned)
        self.headline.setText(
            "A code of no image" if found.image is None else gallery.description(found.image)
        )
        error = (
            "decoded" if found.error is None else f"reconstruction, error {local(found.error):.2f}"
        )
        self.captions[1].setText(error)
        self.captions[1].setToolTip("Squared error, summed over the pixels of the image.")
        self.captions[2].setText(f"re-encoded, distance {local(found.drift):.3g}")
        self.captions[2].setToolTip("The decoded code encode(decode(z)), and its distance from z.")
        self.facts.setText(facts_text(found))
        self._show_neighbours(found)

    @Slot()
    def _show_status(self) -> None:
        show_status(self.line, self._inspector.latest, self._latent.session)

    def _show_neighbours(self, found: PointDetails) -> None:
        near = found.neighbours.tolist()
        words = [f"{local(distance):.3g}" for distance in found.distances]
        gallery = self._latent.displayed_codes.images
        tooltips = [gallery.description(index) for index in near]
        self.neighbours.set_images(gallery.images(near), words, tooltips)
        self.neighbours.set_current(-1)

    @Slot()
    def _show_pins(self) -> None:
        count = len(self._latent.pins)
        names = ", ".join(pin_letter(at) for at in range(count))
        self.pins.setText(f"Pins: {names}" if count else "No pins yet")
        self.unpin_button.setEnabled(count > 0)

    # -- the user --------------------------------------------------------------------------------

    @Slot(int)
    def _go_to(self, number: int) -> None:
        found, codes = self._inspector.details, self._latent.codes
        if found is not None and codes is not None and number < len(found.neighbours):
            self._latent.move(codes[found.neighbours[number]])

    @Slot()
    def _pin(self) -> None:
        found = self._inspector.details
        if found is not None:
            self._latent.pin(Pin(found.code, found.image))


def facts_text(found: PointDetails) -> str:
    """Returns the norm of the code and the standard deviations of its posterior."""
    lines = [f"norm of the code {local(float(np.linalg.norm(found.code))):.3g}"]
    if found.log_variance is not None:
        deviations = np.exp(0.5 * found.log_variance)
        lines.append(f"posterior σ = {join_numbers(deviations, '.2g', _LISTED)}")
    return " · ".join(lines)
