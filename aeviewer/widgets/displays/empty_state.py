"""What a panel shows while it has nothing to show: the next thing to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from aeviewer.widgets.labels import picture_label, quiet_label

if TYPE_CHECKING:
    from PySide6.QtGui import QIcon

_ICON = 32


class EmptyState(QWidget):
    """One sentence in the middle, optionally with an icon above and a button below.

    Parameters
    ----------
    text
        What to do to see something here.
    icon
        Drawn above the text; nothing where left out.
    action
        What the button says; there is none where left out.
    """

    triggered = Signal()

    def __init__(
        self,
        text: str,
        icon: QIcon | None = None,
        action: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 8, 16, 8)
        layout.setSpacing(8)
        layout.addStretch()
        self._icon, self._drawing = icon, picture_label(self)
        if icon is not None:
            layout.addWidget(self._drawing, 0, Qt.AlignmentFlag.AlignHCenter)
        self.label = quiet_label(text, wraps=True, is_small=False)
        self.label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addWidget(self.label)
        self.button = QPushButton(action)
        self.button.setVisible(bool(action))
        self.button.clicked.connect(self.triggered)
        layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch()
        self._draw_icon()

    def changeEvent(self, event: QEvent) -> None:
        """Draws the icon in a colour of the new palette."""
        if event.type() == QEvent.Type.PaletteChange:
            self._draw_icon()
        super().changeEvent(event)

    def _draw_icon(self) -> None:
        if self._icon is not None:
            self._drawing.setPixmap(self._icon.pixmap(_ICON, _ICON))
