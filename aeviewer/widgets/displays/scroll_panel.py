"""A panel that scrolls where there is less room than it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent, QShowEvent

_LEAST = 160


class Scrolled(QScrollArea):
    """Lets a tall panel be lower than it needs, so that a small screen shows a part of it.

    Parameters
    ----------
    panel
        Is as large as the room there is, and never lower than it needs. (Qt's own way, a resizable
        widget, would give it the height that it likes best for its width.)
    """

    def __init__(self, panel: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._panel = panel
        self.setWidget(panel)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def minimumSizeHint(self) -> QSize:
        """Returns the width that the panel needs, and the height of some lines."""
        needed = self._panel.minimumSizeHint()
        bar = self.verticalScrollBar().sizeHint().width()
        return QSize(needed.width() + bar, min(needed.height(), _LEAST))

    def sizeHint(self) -> QSize:
        """Returns the size that the panel prefers."""
        return self._panel.sizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Resizes the panel with the area."""
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        """Resizes the panel when its needs change."""
        super().showEvent(event)
        self._fit()

    def _fit(self) -> None:
        room, needed = self.viewport().size(), self._panel.minimumSizeHint()
        self._panel.resize(room.width(), max(room.height(), needed.height()))
