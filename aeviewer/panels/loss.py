"""The losses of every visible run: per step while it trains, and on the test set at checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from aeviewer.theme import icon
from aeviewer.widgets.curve_plot import CurvePlot
from aeviewer.widgets.legend import Readout, Row

if TYPE_CHECKING:
    from PySide6.QtGui import QShowEvent

    from aeviewer.services.curves import Curves
    from aeviewer.services.session import RunItem, Session
    from aeviewer.widgets.curve import Reading
    from trainers.config import RunConfig

Quantity = Literal["loss", "reconstruction", "kl"]

_NAMES: dict[Quantity, tuple[str, str]] = {
    "loss": ("Loss", "What training minimises: reconstruction plus β·KL, where there is a KL."),
    "reconstruction": ("Reconstruction", "How far the images given back are from the right ones."),
    "kl": ("KL", "Divergence of the posterior from the prior."),
}
_NO_KL = "No visible run has a KL term: train a variational preset, or show such a run."
_UNITS = {"squared-error": "squared error", "bernoulli": "nats"}
_WINDOWS = (1, 10, 30, 100, 300, 1000)
_WINDOW = 100
_WITHOUT_CURVES = {"queued", "damaged", "new"}
_UNKNOWN = "–"


def has_kl(config: RunConfig) -> bool:
    """Whether the run pays a KL to a prior."""
    return config.model.variational and config.model.family != "pca"


def unit(configs: list[RunConfig], quantity: Quantity) -> str:
    """The unit of a quantity, and per what it is counted."""
    if quantity == "kl":
        return "nats per image"
    units = sorted({_UNITS[config.model.likelihood] for config in configs}, reverse=True)
    return f"{' or '.join(units)} per image"


def number(value: float | None) -> str:
    """A loss with four figures."""
    if value is None or not np.isfinite(value):
        return _UNKNOWN
    places = max(0, 3 - int(np.floor(np.log10(max(abs(value), 1e-3)))))
    return f"{value:,.{min(places, 4)}f}".replace("-", "−")


class LossPanel(QWidget):
    """Loss, reconstruction or KL of the visible runs, live.

    Parameters
    ----------
    session
        Its visible runs are shown.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setBackgroundRole(QPalette.ColorRole.Base)
        self.setAutoFillBackground(True)
        self._session = session
        self._quantity: Quantity = "loss"
        self._is_scale_chosen = False
        self._changed: set[str] = set()
        self._hovered: float | None = None
        self._refresh = QTimer(self, singleShot=True, interval=0)
        self._refresh.timeout.connect(self._show_changes)
        self.plot = CurvePlot("Loss curves")
        self.readout = Readout()
        self.empty = QLabel("Press Train to start a run: its losses appear here.")
        self._build()
        self._connect()
        self._take_runs()

    def _connect(self) -> None:
        session = self._session
        session.runs_changed.connect(self._take_runs)
        session.metrics_changed.connect(self._take_metrics)
        session.step_changed.connect(self._mark_step)
        session.current_changed.connect(self._mark_step)
        self.plot.hovered_at.connect(self._hover)
        self.plot.left.connect(self._leave)
        self.plot.following_changed.connect(self._reset.setDisabled)
        self._reset.clicked.connect(self.plot.reset_view)
        self._scale.clicked.connect(self._choose_scale)
        self._smoothing.currentIndexChanged.connect(self._smooth)

    # -- layout ----------------------------------------------------------------------------------

    def _build(self) -> None:
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.empty.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        corner = QVBoxLayout(self.plot.viewport())
        corner.setContentsMargins(0, 12, 12, 0)
        corner.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)
        corner.addWidget(self.readout, 0, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.plot)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        layout.addLayout(self._header())
        layout.addWidget(self._pages, 1)
        self.plot.set_smoothing(_WINDOW)

    def _header(self) -> QHBoxLayout:
        header = QHBoxLayout()
        header.setSpacing(4)
        for button in self._quantity_buttons():
            header.addWidget(button)
        header.addStretch(1)
        self._smoothing = self._smoothing_choice()
        self._scale = self._button(
            "Log", "Logarithmic or linear axis. Logarithmic unless a value is zero or below."
        )
        self._scale.setCheckable(True)
        self._reset = self._button("Show all", "Show all of every curve, and follow it (A).")
        self._reset.setIcon(icon("fit-to-screen-outline"))
        self._reset.setDisabled(True)
        for control in (self._smoothing, self._scale, self._reset):
            header.addWidget(control)
        return header

    def _quantity_buttons(self) -> list[QToolButton]:
        self._quantities = QButtonGroup(self)
        buttons = []
        for quantity, (name, meaning) in _NAMES.items():
            button = self._button(name, meaning)
            button.setCheckable(True)
            button.setChecked(quantity == self._quantity)
            button.clicked.connect(lambda _=False, q=quantity: self.set_quantity(q))
            self._quantities.addButton(button)
            buttons.append(button)
        return buttons

    def _button(self, name: str, meaning: str) -> QToolButton:
        button = QToolButton()
        button.setText(name)
        button.setAutoRaise(True)
        button.setToolTip(meaning)
        button.setAccessibleName(name)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        return button

    def _smoothing_choice(self) -> QComboBox:
        choice = QComboBox()
        choice.setAccessibleName("Smoothing")
        choice.setToolTip(
            "Steps over which the training loss is averaged (exponentially, without a lag at the "
            "start). The faint line is the loss of each step."
        )
        for window in _WINDOWS:
            choice.addItem("No smoothing" if window == 1 else f"Over {window:,} steps", window)
        choice.setCurrentIndex(_WINDOWS.index(_WINDOW))
        return choice

    # -- what is shown ---------------------------------------------------------------------------

    @property
    def quantity(self) -> Quantity:
        """Which of the losses is shown."""
        return self._quantity

    def set_quantity(self, quantity: Quantity) -> None:
        """Shows the loss, its reconstruction part or its KL."""
        if quantity != self._quantity:
            self._quantity = quantity
            self._quantities.buttons()[list(_NAMES).index(quantity)].setChecked(True)
            self.plot.reset_view()
            self._take_runs()

    @Slot()
    def _choose_scale(self) -> None:
        self._is_scale_chosen = True
        self.plot.set_logarithmic(self._scale.isChecked())

    @Slot()
    def _smooth(self) -> None:
        self.plot.set_smoothing(self._smoothing.currentData())
        self._show_readout()

    def _visible(self) -> list[tuple[RunItem, RunConfig]]:
        return [
            (item, item.config)
            for item in self._session.items
            if item.visible and item.config is not None and item.state not in _WITHOUT_CURVES
        ]

    def _shown(self) -> list[RunItem]:
        kl = self._quantity == "kl"
        return [item for item, config in self._visible() if not kl or has_kl(config)]

    # -- the session -----------------------------------------------------------------------------

    @Slot()
    def _take_runs(self) -> None:
        """Other runs, names, colours or states: every curve is looked at again."""
        configs = [config for _, config in self._visible()]
        kl = self._quantities.buttons()[list(_NAMES).index("kl")]
        kl.setEnabled(any(map(has_kl, configs)))
        kl.setToolTip(_NAMES["kl"][1] if kl.isEnabled() else _NO_KL)
        if self._quantity == "kl" and not kl.isEnabled():
            self.set_quantity("loss")
            return
        name = _NAMES[self._quantity][0]
        self.plot.set_labels("step", f"{name}, {unit(configs, self._quantity)}")
        shown = {item.key for item in self._shown()}
        for key in set(self.plot.names) - shown:
            self.plot.remove_curve(key)
        self._changed = shown
        self._schedule()

    @Slot(str)
    def _take_metrics(self, key: str) -> None:
        self._changed.add(key)
        self._schedule()

    def _schedule(self) -> None:
        """Draws once, however many signals came; a hidden panel draws when it is shown."""
        if self.isVisible():
            self._refresh.start()

    def showEvent(self, event: QShowEvent) -> None:
        """Catches up."""
        super().showEvent(event)
        self._show_changes()

    @Slot()
    def _show_changes(self) -> None:
        shown = self._shown()
        for item in shown:
            if item.key in self._changed:
                self._show_curve(item, self._session.curves(item.key))
        self._changed.clear()
        if not self._is_scale_chosen:
            self._scale.setChecked(self.plot.is_positive)
            self.plot.set_logarithmic(self._scale.isChecked())
        self._pages.setCurrentWidget(self.plot if shown else self.empty)
        self._mark_step()
        self._show_readout()

    def _show_curve(self, item: RunItem, curves: Curves) -> None:
        series: dict[Quantity, NDArray[np.float64]] = {
            "loss": curves.loss,
            "reconstruction": curves.reconstruction,
            "kl": curves.kl,
        }
        tests = [(e.step, getattr(e, self._quantity)) for e in curves.evaluations]
        markers = np.array(tests, np.float64).reshape(-1, 2)
        y = series[self._quantity]
        self.plot.set_curve(item.key, item.colour, curves.step, y, markers)

    @Slot()
    def _mark_step(self) -> None:
        self.plot.set_step(self._session.step)

    # -- reading ---------------------------------------------------------------------------------

    @Slot(float)
    def _hover(self, step: float) -> None:
        self._hovered = max(step, 0.0)
        self._show_readout()

    @Slot()
    def _leave(self) -> None:
        self._hovered = None
        self._show_readout()

    def _show_readout(self) -> None:
        """Each run's numbers under the mouse, or its newest."""
        names = set(self.plot.names)
        items = [item for item in self._shown() if item.key in names]
        where = np.inf if self._hovered is None else self._hovered
        head = "newest" if self._hovered is None else f"step {where:,.0f}"
        rows = [
            Row(item.name, item.colour, _cells(self.plot.reading(item.key, where)))
            for item in items
        ]
        self.readout.set_rows((head, "train", "test", "best test"), rows)
        self.readout.setVisible(bool(rows))


def _cells(reading: Reading) -> tuple[str, str, str]:
    best = number(reading.best)
    if reading.best_x is not None:
        best = f"{best} at {reading.best_x:,.0f}"
    test = number(reading.marker)
    if reading.marker_x is not None and reading.x != reading.marker_x:
        test = f"{test} at {reading.marker_x:,.0f}"
    return number(reading.value), test, best
