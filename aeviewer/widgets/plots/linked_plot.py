"""One of several planes of points that highlight the same points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from aeviewer.widgets.plots.plane_plot import PlanePlot

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent
    from PySide6.QtWidgets import QWidget

_ARROWS = frozenset({Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down})


class LinkedPlot(PlanePlot):
    """The left button circles points; the arrow keys belong to the window."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.mode = "lasso"

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leaves the arrow keys to the window."""
        if Qt.Key(event.key()) in _ARROWS:
            event.ignore()
        else:
            super().keyPressEvent(event)
