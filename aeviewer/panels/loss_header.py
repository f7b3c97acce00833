"""The row above the loss curves: which loss, how smooth, which axis, and all shown again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QHBoxLayout,
    QStyle,
    QStyleOptionToolButton,
    QStylePainter,
    QToolButton,
    QWidget,
)

from aeviewer.theme import icon

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

Quantity = Literal["loss", "reconstruction", "kl"]

QUANTITIES: dict[Quantity, tuple[str, str]] = {
    "loss": ("Loss", "What training minimises: reconstruction plus β·KL, where there is a KL."),
    "reconstruction": ("Reconstruction", "How far the images given back are from the right ones."),
    "kl": ("KL", "Divergence of the posterior from the prior."),
}
WINDOW = 100
"""Steps over which the curves are smoothed until something else is chosen."""

_NO_KL = "No visible run has a KL term: train a variational preset, or show such a run."
_WINDOWS = (1, 10, 30, 100, 300, 1000)
_NARROWEST = 40


class _Button(QToolButton):
    """A flat button that shortens its name where there is little room."""

    def __init__(self, name: str, meaning: str) -> None:
        super().__init__()
        self.setText(name)
        self.setAutoRaise(True)
        self.setToolTip(meaning)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumWidth(min(_NARROWEST, self.sizeHint().width()))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The button as the style has it, its name no longer than fits."""
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        room = self.width() - 8
        option.text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room)
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option)
        painter.end()


class LossHeader(QWidget):
    """Chooses what the plot of losses shows, and how."""

    quantity_chosen = Signal(str)
    smoothing_chosen = Signal(int)
    scale_chosen = Signal(bool)
    reset_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._group = QButtonGroup(self)
        self._quantities: dict[Quantity, _Button] = {}
        for quantity, (name, meaning) in QUANTITIES.items():
            button = self._quantities[quantity] = _Button(name, meaning)
            button.setCheckable(True)
            self._group.addButton(button)
            button.clicked.connect(lambda _=False, q=quantity: self.quantity_chosen.emit(q))
        self._smoothing = self._smoothing_choice()
        self._scale = _Button(
            "Log", "Logarithmic or linear axis. Logarithmic unless a value is zero or below."
        )
        self._scale.setCheckable(True)
        self._reset = _Button("Show all", "Show all of every curve, and follow it (A).")
        self._reset.setIcon(icon("fit-to-screen-outline"))
        self._reset.setDisabled(True)
        self._smoothing.currentIndexChanged.connect(self._smooth)
        self._scale.clicked.connect(self.scale_chosen)
        self._reset.clicked.connect(self.reset_requested)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for button in self._quantities.values():
            layout.addWidget(button)
        layout.addStretch(1)
        for control in (self._smoothing, self._scale, self._reset):
            layout.addWidget(control)

    def _smoothing_choice(self) -> QComboBox:
        choice = QComboBox()
        choice.setAccessibleName("Smoothing")
        choice.setToolTip(
            "Steps over which the training loss is averaged (exponentially, without a lag at the "
            "start). The faint line is the loss of each step."
        )
        for window in _WINDOWS:
            choice.addItem("No smoothing" if window == 1 else f"Over {window:,} steps", window)
        choice.setCurrentIndex(_WINDOWS.index(WINDOW))
        choice.setMinimumWidth(_NARROWEST + 24)
        return choice

    # -- what is shown ---------------------------------------------------------------------------

    @property
    def is_logarithmic(self) -> bool:
        """Whether the axis is."""
        return self._scale.isChecked()

    @property
    def has_kl(self) -> bool:
        """Whether the KL can be chosen."""
        return self._quantities["kl"].isEnabled()

    def set_quantity(self, quantity: Quantity) -> None:
        """Shows which loss is chosen."""
        self._quantities[quantity].setChecked(True)

    def set_logarithmic(self, logarithmic: bool) -> None:
        """Shows which axis there is."""
        self._scale.setChecked(logarithmic)

    def set_has_kl(self, has_kl: bool) -> None:
        """Offers the KL, or says what is missing."""
        button = self._quantities["kl"]
        button.setEnabled(has_kl)
        button.setToolTip(QUANTITIES["kl"][1] if has_kl else _NO_KL)

    @Slot(bool)
    def set_following(self, follows: bool) -> None:
        """Offers to show everything where the view does not follow."""
        self._reset.setDisabled(follows)

    @Slot()
    def _smooth(self) -> None:
        self.smoothing_chosen.emit(self._smoothing.currentData())
