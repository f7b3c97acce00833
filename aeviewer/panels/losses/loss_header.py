"""The row above the loss curves: quantity, smoothing, axis, and Show all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QHBoxLayout,
    QMenu,
    QStyle,
    QStyleOptionToolButton,
    QStylePainter,
    QToolButton,
    QWidget,
)

from aeviewer.numbers import local
from aeviewer.theme import icon
from aeviewer.widgets.labels import add_plain_action, plain_tip
from trainers.glossary import explain
from trainers.runs.metrics import METRICS

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

QUANTITIES: dict[str, tuple[str, str]] = {
    "loss": ("Loss", explain("loss")),
    "reconstruction": ("Reconstruction", explain("reconstruction")),
    "kl": ("KL", explain("kl")),
}
"""The quantities that each step has, by key: name and meaning."""

MEASURED = {key: metric for key, metric in METRICS.items() if key not in {"kl", "test_loss"}}
"""The quantities that only checkpoints have."""

WINDOW = 100
"""The number of steps over which curves are smoothed by default."""

_MORE = "Metrics"
_MORE_TIP = "Any figure that checkpoints keep of the test images, over the steps."
_NO_KL = "No visible run has a KL term: train a variational preset, or show such a run."
_WINDOWS = (1, 10, 30, 100, 300, 1000)
_NARROWEST = 38
"""The most pixels of a shortened name; short names are shown whole."""


class _Button(QToolButton):
    """A flat button that elides its name where there is little room."""

    def __init__(self, name: str, meaning: str) -> None:
        super().__init__()
        self.setText(name)
        self.setAutoRaise(True)
        self.setToolTip(plain_tip(meaning))
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumWidth(min(_NARROWEST, self.sizeHint().width()))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draws the button with as much of its name as fits."""
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
        self._quantities: dict[str, _Button] = {}
        for quantity, (name, meaning) in QUANTITIES.items():
            button = self._quantities[quantity] = _Button(name, meaning)
            button.setCheckable(True)
            self._group.addButton(button)
            button.clicked.connect(lambda _=False, q=quantity: self.quantity_chosen.emit(q))
        self._more = self._metric_choice()
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
        layout.addWidget(self._more)
        layout.addStretch(1)
        for control in (self._smoothing, self._scale, self._reset):
            layout.addWidget(control)

    def _metric_choice(self) -> _Button:
        """Returns a button with a menu of the metrics of checkpoints."""
        button = _Button(_MORE, _MORE_TIP)
        button.setCheckable(True)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._group.addButton(button)
        menu, group = QMenu(button), QActionGroup(button)
        menu.setToolTipsVisible(True)
        self._metrics: dict[str, QAction] = {}
        for key, metric in MEASURED.items():
            action = self._metrics[key] = add_plain_action(menu, f"{metric.label}, {metric.unit}")
            action.setCheckable(True)
            action.setToolTip(plain_tip(explain(key)))
            group.addAction(action)
            action.triggered.connect(lambda _=False, k=key: self.quantity_chosen.emit(k))
        button.setMenu(menu)
        return button

    def _smoothing_choice(self) -> QComboBox:
        choice = QComboBox()
        choice.setAccessibleName("Smoothing")
        choice.setToolTip(
            "Steps over which the training loss is averaged (exponentially, without a lag at the "
            "start). The faint line is the loss of each step."
        )
        for window in _WINDOWS:
            choice.addItem("No smoothing" if window == 1 else f"{local(window):,} steps", window)
        choice.setCurrentIndex(_WINDOWS.index(WINDOW))
        choice.setMinimumWidth(34)
        return choice

    # -- what is shown ---------------------------------------------------------------------------

    @property
    def is_logarithmic(self) -> bool:
        """Whether the axis is logarithmic."""
        return self._scale.isChecked()

    @property
    def has_kl(self) -> bool:
        """Whether the KL can be chosen."""
        return self._quantities["kl"].isEnabled()

    def set_quantity(self, quantity: str) -> None:
        """Shows the chosen loss or metric; metrics of checkpoints are not smoothed."""
        is_measured = quantity in MEASURED
        self._quantities.get(quantity, self._more).setChecked(True)
        self._more.setText(MEASURED[quantity].label if is_measured else _MORE)
        for key, action in self._metrics.items():
            action.setChecked(key == quantity)
        self._smoothing.setDisabled(is_measured)

    @property
    def smoothing_window(self) -> int:
        """The number of steps over which curves are smoothed."""
        window: int = self._smoothing.currentData() if self._smoothing.isEnabled() else 1
        return window

    def set_logarithmic(self, logarithmic: bool) -> None:
        """Shows which axis is chosen."""
        self._scale.setChecked(logarithmic)

    def set_has_kl(self, has_kl: bool) -> None:
        """Enables the KL, or says why it is not available."""
        button = self._quantities["kl"]
        button.setEnabled(has_kl)
        button.setToolTip(plain_tip(QUANTITIES["kl"][1] if has_kl else _NO_KL))

    @Slot(bool)
    def set_following(self, follows: bool) -> None:
        """Enables Show all where the view does not follow the curves."""
        self._reset.setDisabled(follows)

    @Slot()
    def _smooth(self) -> None:
        self.smoothing_chosen.emit(self._smoothing.currentData())
