"""The dialog that starts the reproduction of the paper and shows its progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QDialogButtonBox,
    QProgressBar,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from aeviewer.numbers import local
from aeviewer.services.training.reproduction import Stage
from aeviewer.widgets.labels import plain_label, quiet_label
from trainers.plurals import count_of
from trainers.reproduction.plan import QUICK_STEPS

if TYPE_CHECKING:
    from aeviewer.services.training.reproduction import ReproductionService

_WHAT = (
    "Trains what the paper trained and what it only supposed, measures all of it, and writes a "
    "report: the paper's figures, a table of methods, the sweep over dimensions, and a verdict on "
    "each claim. What is finished is not trained again, and it can be stopped at any time."
)
_FULL = "Full: {runs} runs, most of 50,000 steps. Hours on a CPU; best left overnight."
_QUICK = "Quick: {runs} runs of {steps:,} steps. Shows that it works; its numbers prove nothing."
_WIDTH, _BAR = 460, 8


class ReproduceDialog(QDialog):
    """Chooses between the full and the quick reproduction, starts and stops it.

    Parameters
    ----------
    reproduction
        Does it.
    """

    def __init__(self, reproduction: ReproductionService, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Reproduce the paper")
        self._reproduction = reproduction
        self._full = self._choice(_FULL, quick=False)
        self._quick = self._choice(_QUICK, quick=True)
        self._group = QButtonGroup(self)
        for button in (self._full, self._quick):
            self._group.addButton(button)
        self._full.setChecked(True)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(_BAR)
        self._state = quiet_label(is_small=False)
        self._buttons = QDialogButtonBox()
        role = QDialogButtonBox.ButtonRole
        self._start = self._buttons.addButton("Start", role.AcceptRole)
        self._stop = self._buttons.addButton("Stop", role.DestructiveRole)
        self._open = self._buttons.addButton("Open the report", role.ActionRole)
        self._buttons.addButton("Close", role.RejectRole)
        self._lay_out()
        self._start.clicked.connect(self._begin)
        self._stop.clicked.connect(reproduction.stop)
        self._open.clicked.connect(self._open_report)
        self._buttons.rejected.connect(self.close)
        self._group.buttonToggled.connect(self._show)
        reproduction.changed.connect(self._show)
        reproduction.report_written.connect(self._show)
        self._show()

    def _choice(self, text: str, *, quick: bool) -> QRadioButton:
        runs = len(self._reproduction.plan(quick=quick))
        head, rest = text.format(runs=runs, steps=local(QUICK_STEPS)).split(". ", 1)
        return QRadioButton(f"{head}.\n{rest}")

    def _lay_out(self) -> None:
        what = plain_label(_WHAT, wraps=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 20, 20, 16)
        layout.setSpacing(12)
        for widget in (what, self._full, self._quick, self._bar, self._state, self._buttons):
            layout.addWidget(widget)
        what.setFixedWidth(_WIDTH)
        layout.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
        self._state.setAlignment(Qt.AlignmentFlag.AlignLeft)

    @property
    def _is_quick(self) -> bool:
        return self._quick.isChecked()

    @Slot()
    def _begin(self) -> None:
        self._reproduction.start(quick=self._is_quick)

    @Slot()
    def _open_report(self) -> None:
        page = self._reproduction.report(quick=self._is_quick)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(page)))

    @Slot()
    def _show(self) -> None:
        """Enables what can be done now, and shows the progress."""
        stage, quick = self._reproduction.stage, self._is_quick
        runs = len(self._reproduction.plan(quick=quick))
        done = self._reproduction.finished_count(quick=quick)
        is_idle = stage is Stage.IDLE
        for button in (self._full, self._quick, self._start):
            button.setEnabled(is_idle)
        self._start.setText("Continue" if is_idle and done else "Start")
        self._stop.setEnabled(not is_idle)
        self._open.setEnabled(self._reproduction.report(quick=quick).is_file())
        self._bar.setRange(0, 0 if stage is Stage.WRITING else runs)
        self._bar.setValue(done)
        self._state.setText(
            "Measuring and writing the report: about a minute a run…"
            if stage is Stage.WRITING
            else f"{done} of {count_of(runs, 'run')} trained."
        )
