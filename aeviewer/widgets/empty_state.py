"""What stands where nothing is yet: what to do next."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QIcon, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

_ICON = 24


class EmptyState(QWidget):
    """A sentence in secondary text, centred, an icon above it where there is room for one.

    Parameters
    ----------
    text
        What to do next.
    icon
        Drawn above the text; none where left out.
    slim
        On one line, for a place that is one row high.
    """

    def __init__(
        self,
        text: str,
        icon: QIcon | None = None,
        parent: QWidget | None = None,
        *,
        slim: bool = False,
    ) -> None:
        super().__init__(parent)
        self._icon = icon
        self._picture = QLabel(self, alignment=Qt.AlignmentFlag.AlignCenter)
        self._words = QLabel(text, self, alignment=Qt.AlignmentFlag.AlignCenter)
        self._words.setWordWrap(not slim)
        self._words.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        layout = QHBoxLayout(self) if slim else QVBoxLayout(self)
        layout.setContentsMargins(16, 0, 16, 0)
        layout.setSpacing(8)
        layout.addStretch(1)
        layout.addWidget(self._picture)
        layout.addWidget(self._words)
        layout.addStretch(1)
        self._picture.setVisible(icon is not None)
        self._draw_icon()

    @property
    def text(self) -> str:
        """What it says."""
        return self._words.text()

    def set_text(self, text: str) -> None:
        """Says something else."""
        self._words.setText(text)

    def changeEvent(self, event: QEvent) -> None:
        """Follows the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._draw_icon()

    def _draw_icon(self) -> None:
        if self._icon is not None:
            self._picture.setPixmap(self._icon.pixmap(_ICON, _ICON))
