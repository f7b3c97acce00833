"""What varies most around the marked code: decoded steps along the local directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from aeviewer.numbers import join_numbers, local
from aeviewer.panels.latent.status_text import show_status
from aeviewer.widgets.displays.empty_state import EmptyState
from aeviewer.widgets.displays.result_line import ResultLine
from aeviewer.widgets.images.image_matrix import ImageMatrix
from aeviewer.widgets.labels import plain_label, quiet_label
from trainers.exploration.local_directions import STEPS

if TYPE_CHECKING:
    from PySide6.QtGui import QHideEvent, QShowEvent

    from aeviewer.services.latent.directions import DirectionsService
    from aeviewer.services.latent.latent_state import LatentState

_EMPTY = "Train a run, or choose one: what varies most around the marked code appears here"
_MIDDLE = len(STEPS) // 2
_HEADS = tuple("here" if not step else f"{step:+d} σ".replace("-", "−") for step in STEPS)
_AROUND = {100: "the nearest 100", 300: "300", 1_000: "1,000", 3_000: "3,000", 10_000: "all codes"}
_LISTED = 6


class DirectionsPanel(QWidget):
    """A grid of images, one row for each direction, the strongest first; a click marks a code.

    Parameters
    ----------
    latent_state
        Its code moves to the chosen step.
    directions
        Watched; receives the number of codes to consider.
    """

    def __init__(
        self,
        latent_state: LatentState,
        directions: DirectionsService,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._latent, self._directions = latent_state, directions
        self.around = QComboBox()
        self.grid = ImageMatrix("Steps along local directions", self._step_text, has_tips=False)
        self.note = quiet_label(wraps=True)
        self._pages = QStackedLayout(self)
        self.line = ResultLine("Decoding the steps", self.grid, self.note)
        self._build()
        directions.changed.connect(self._show)
        directions.latest.status_changed.connect(self._show_status)
        latent_state.session.runs_changed.connect(self._show_status)
        self.around.currentIndexChanged.connect(self._choose)
        self.grid.chosen.connect(self._go_to)
        self.grid.pointed.connect(self._point)
        self.grid.room_changed.connect(self._show_note)
        self._show()

    def _build(self) -> None:
        for worth, title in _AROUND.items():
            self.around.addItem(f"{title} codes" if worth == 100 else title, worth)
        self.around.setCurrentIndex(self.around.findData(self._directions.worth))
        self.around.setAccessibleName("Codes considered")
        self.around.setToolTip(
            "The effective number of codes around the marked code that determine the directions. "
            "Nearer codes count more, by a Gaussian of the corresponding width."
        )
        caption = plain_label("Codes considered")
        caption.setBuddy(self.around)
        self.note.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.note.setMinimumHeight(2 * self.note.fontMetrics().height() + 2)
        head = QHBoxLayout()
        head.addWidget(caption)
        head.addWidget(self.around, 1)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(8)
        layout.addLayout(head)
        layout.addWidget(self.grid, 1)
        layout.addWidget(self.note)
        layout.addWidget(self.line)
        self._pages.addWidget(EmptyState(_EMPTY))
        self._pages.addWidget(content)

    def showEvent(self, event: QShowEvent) -> None:
        """Starts decoding the steps."""
        super().showEvent(event)
        self._directions.set_enabled(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Stops decoding the steps."""
        super().hideEvent(event)
        self._directions.set_enabled(False)

    # -- what is shown ---------------------------------------------------------------------------

    @Slot()
    def _show(self) -> None:
        steps = self._directions.steps
        self._pages.setCurrentIndex(0 if steps is None else 1)
        if steps is None:
            return
        found = steps.local
        titles = [
            f"{number} · {local(100 * share):.0f} % of the variance here · σ {local(deviation):.2g}"
            for number, (share, deviation) in enumerate(
                zip(found.shares, found.deviations, strict=True), 1
            )
        ]
        self.grid.set_images(steps.images, titles, _HEADS, (0, _MIDDLE))
        self._show_note()

    @Slot()
    def _show_status(self) -> None:
        show_status(self.line, self._directions.latest, self._latent.session)

    @Slot()
    def _show_note(self) -> None:
        """Describes the step under the mouse, or else how to use the grid."""
        at, shown, count = self.grid.current, self.grid.shown_rows, self.grid.shape[0]
        if at is not None:
            self.note.setText(self._step_text(*at))
        elif shown < count:
            self.note.setText(
                f"{shown} of {count} directions fit. Enlarge the panel to see all of them."
            )
        else:
            self.note.setText("Click a step to mark its code; arrow keys and Return do the same.")

    def _step_text(self, row: int, column: int) -> str:
        """Returns the length and the direction of a step."""
        steps = self._directions.steps
        if steps is None or row >= len(steps.codes):
            return ""
        if column == _MIDDLE:
            return "The marked code."
        moved = steps.codes[row, column] - steps.code
        change = join_numbers(moved, "+.2g", _LISTED)
        distance = local(float(np.linalg.norm(moved)))
        return f"Direction {row + 1}, {_HEADS[column]}: distance {distance:.2g}, Δz = ({change})"

    # -- the user --------------------------------------------------------------------------------

    @Slot()
    def _choose(self) -> None:
        self._directions.choose(self.around.currentData())

    @Slot(int, int)
    def _go_to(self, row: int, column: int) -> None:
        steps = self._directions.steps
        if steps is not None and column != _MIDDLE:
            self._latent.move(steps.codes[row, column])

    @Slot(int, int)
    def _point(self, row: int, _column: int) -> None:
        self._directions.point_at(row)
        self._show_note()
