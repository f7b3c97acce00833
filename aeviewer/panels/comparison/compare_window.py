"""The window that compares runs: reconstructions, codes, curves and metrics."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QAction, QFont, QKeySequence, QPalette
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMainWindow,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from aeviewer import theme
from aeviewer.numbers import local
from aeviewer.panels.comparison.figure_dialog import FigureDialog
from aeviewer.panels.comparison.latent_page import LatentPage
from aeviewer.panels.comparison.losses_page import LossesPage
from aeviewer.panels.comparison.metrics_page import MetricsPage
from aeviewer.panels.comparison.reconstructions_page import DigitsPage
from aeviewer.panels.comparison.run_list import ChoiceList
from aeviewer.panels.export.pictures_menu import add_picture_actions
from aeviewer.widgets.displays.empty_state import EmptyState
from aeviewer.widgets.displays.picture_export import slug
from aeviewer.widgets.displays.window_geometry import restore_geometry
from aeviewer.widgets.fonts import tabular
from aeviewer.widgets.inputs.message_boxes import show_failure
from aeviewer.widgets.inputs.step_slider import StepSlider
from aeviewer.widgets.labels import plain_label, plain_tip, quiet_label, replace_controls
from trainers.runs.status import RunState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from PySide6.QtGui import QCloseEvent, QKeyEvent

    from aeviewer.services.comparison.comparison import Comparison
    from aeviewer.settings import Settings

logger = logging.getLogger(__name__)
_SIZE = QSize(1440, 900)
_SIDE = 224
_NO_RUNS = "No runs yet. Train two of them, then compare them here."
_NONE_CHOSEN = "Tick runs at the left to compare them."
_MILLISECONDS = 8_000


def default_runs(comparison: Comparison) -> list[str]:
    """Returns the runs to compare by default: all finished ones, or else all with checkpoints."""
    items = comparison.session.items
    finished = [
        item.key for item in items if item.state is RunState.FINISHED and not item.read_only
    ]
    learnt = [item.key for item in items if item.evaluation is not None]
    return finished if len(finished) > 1 else learnt


class CompareWindow(QMainWindow):
    """Compares runs side by side; one slider moves all of them.

    Parameters
    ----------
    comparison
        Watched and changed; its work ends when the window is closed.
    settings
        Where the window's place is remembered.
    """

    def __init__(self, comparison: Comparison, settings: Settings) -> None:
        super().__init__()
        self._comparison, self._settings = comparison, settings
        self.setWindowTitle("Compare runs")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
        self.runs = ChoiceList(comparison)
        self.digits, self.latent = DigitsPage(comparison), LatentPage(comparison)
        self.losses, self.metrics = LossesPage(comparison), MetricsPage(comparison)
        self.tabs = QTabWidget()
        self.export_button = QPushButton("Export figure…")
        self.slider = StepSlider()
        self.step_label, self.step_note = plain_label(), quiet_label()
        self._build()
        self._make_actions()
        comparison.runs_changed.connect(self._show)
        comparison.step_changed.connect(self._show)
        comparison.session.runs_changed.connect(self._show)
        self.slider.step_chosen.connect(comparison.show_step)
        self.latent.digits_wanted.connect(self._show_digits)
        self.tabs.currentChanged.connect(self._offer_export)
        self.export_button.clicked.connect(self.export)
        self.resize(_SIZE.boundedTo(self.screen().availableSize() * 0.92))
        if not restore_geometry(self, settings.compare_geometry):
            logger.warning("The place of the comparison is on no screen, or unreadable.")
        self.statusBar().messageChanged.connect(self._hide_status)
        self.statusBar().hide()
        add_picture_actions(self, self._picture_name, self._show_message)
        self._show()

    # -- parts -----------------------------------------------------------------------------------

    def _build(self) -> None:
        for page in (self.digits, self.latent, self.losses, self.metrics):
            page.setBackgroundRole(QPalette.ColorRole.Base)
            page.setAutoFillBackground(True)
            self.tabs.addTab(page, page.title)
        self.tabs.setDocumentMode(True)
        corner = QWidget()
        around = QHBoxLayout(corner)
        around.setContentsMargins(0, 3, 16, 3)
        around.addWidget(self.export_button)
        self.tabs.setCornerWidget(corner)
        self._empty = EmptyState(_NO_RUNS)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._empty)
        self._pages.addWidget(self.tabs)
        split = QSplitter()
        split.setChildrenCollapsible(False)
        split.setHandleWidth(4)
        split.addWidget(self.runs)
        split.addWidget(self._pages)
        split.setStretchFactor(1, 1)
        split.setSizes([_SIDE, _SIZE.width() - _SIDE])
        self.runs.setMinimumWidth(180)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(split, 1)
        column.addWidget(self._scrubber())
        self.setCentralWidget(content)

    def _scrubber(self) -> QWidget:
        """Lays out the buttons, the step and the slider."""
        self.slider.setAccessibleName("Step of all runs")
        self.slider.setToolTip("Every run goes to its checkpoint nearest to this step.")
        large = tabular(self.font())
        large.setPixelSize(17)
        large.setWeight(QFont.Weight.DemiBold)
        self.step_label.setFont(large)
        words = QWidget()
        words.setFixedWidth(196)
        lines = QVBoxLayout(words)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(0)
        lines.addStretch()
        lines.addWidget(self.step_label)
        lines.addWidget(self.step_note)
        lines.addStretch()
        bar = QWidget()
        bar.setFixedHeight(52)
        bar.setBackgroundRole(QPalette.ColorRole.Base)
        bar.setAutoFillBackground(True)
        row = QHBoxLayout(bar)
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(4)
        for icon, places, tip in (
            ("skip-previous", -1, "The step before (Left)"),
            ("skip-next", 1, "The step after (Right)"),
        ):
            button = QToolButton()
            button.setIcon(theme.icon(icon))
            button.setToolTip(plain_tip(tip))
            button.setAccessibleName(tip)
            button.clicked.connect(self._step_back if places < 0 else self._step_on)
            row.addWidget(button)
        row.addSpacing(8)
        row.addWidget(words)
        row.addWidget(self.slider, 1)
        return bar

    @Slot()
    def _step_back(self) -> None:
        self._comparison.move(-1)

    @Slot()
    def _step_on(self) -> None:
        self._comparison.move(1)

    def _make_actions(self) -> None:
        self._action(self.close, QKeySequence.StandardKey.Close, "Ctrl+W")
        self._action(self.export, "Ctrl+E")
        for at in range(self.tabs.count()):
            self._action(partial(self.tabs.setCurrentIndex, at), f"Ctrl+{at + 1}")
        self.export_button.setToolTip("As it is seen, with a caption (Ctrl+E)")

    def _action(self, slot: Callable[[], object], *keys: str | QKeySequence.StandardKey) -> None:
        action = QAction(self)
        shortcuts = {QKeySequence(key).toString(): QKeySequence(key) for key in keys}
        action.setShortcuts(list(shortcuts.values()))
        action.triggered.connect(lambda: slot())
        self.addAction(action)

    # -- what is shown ---------------------------------------------------------------------------

    def compare(self, keys: Iterable[str]) -> None:
        """Compares these runs; fewer than two change nothing, or choose the default ones."""
        chosen = list(keys)
        if len(chosen) > 1:
            self._comparison.choose(chosen)
        elif not self._comparison.runs:
            self._comparison.choose(default_runs(self._comparison))
        self._show()
        self.slider.setFocus()

    @Slot()
    def _show(self) -> None:
        comparison = self._comparison
        self._empty.label.setText(_NONE_CHOSEN if comparison.session.items else _NO_RUNS)
        self._pages.setCurrentIndex(1 if comparison.runs else 0)
        self.slider.set_steps(comparison.steps)
        self.slider.set_step(comparison.step)
        self.slider.setEnabled(bool(comparison.steps))
        self.step_label.setText(
            "" if comparison.step is None else f"step {local(comparison.step):,}"
        )
        there = sum(run.step == comparison.step for run in comparison.runs)
        elsewhere = sum(run.step is not None for run in comparison.runs) - there
        text = f"{elsewhere} of {len(comparison.runs)} runs at another step"
        self.step_note.setText(text if elsewhere else "checkpoints of all runs")
        self._offer_export()

    @Slot()
    def _offer_export(self) -> None:
        has_figure = self.tabs.currentWidget() is not self.metrics
        self.export_button.setVisible(has_figure)

    @Slot()
    def _show_digits(self) -> None:
        self.tabs.setCurrentWidget(self.digits)

    # -- the figure ------------------------------------------------------------------------------

    @Slot()
    def export(self) -> FigureDialog | None:
        """Opens the figure that is visible, to be exported."""
        page = self.tabs.currentWidget()
        if not isinstance(page, DigitsPage | LatentPage | LossesPage) or not self._comparison.runs:
            return None
        name = f"{page.title.lower().replace(' ', '-')}-step{self._comparison.step or 0}"
        dialog = FigureDialog(page.drawing, page.caption, name, self)
        dialog.failed.connect(self._show_message)
        dialog.kept.connect(self._tell_kept)
        dialog.open()
        return dialog

    def _picture_name(self, what: str) -> str:
        return f"compare-step{self._comparison.step or 0}-{slug(what)}"

    @Slot(str)
    def _show_message(self, message: str) -> None:
        show_failure(self, message)

    @Slot(str)
    def _tell_kept(self, path: str) -> None:
        bar = self.statusBar()
        bar.show()
        bar.showMessage(
            replace_controls(f"Kept as {path}; its caption is on the clipboard."), _MILLISECONDS
        )

    @Slot(str)
    def _hide_status(self, message: str) -> None:
        if not message:
            self.statusBar().hide()

    # -- events ----------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right move the step, Home and End go to the ends, Esc clears the selection."""
        steps = self._comparison.steps
        places = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Home: -len(steps),
            Qt.Key.Key_End: len(steps),
        }
        key = Qt.Key(event.key())
        if key in places:
            self._comparison.move(places[key])
        elif key == Qt.Key.Key_Escape:
            self.latent.clear_selection()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stores the place of the window and ends all its work."""
        self._settings.compare_geometry = self.saveGeometry()
        self._comparison.choose(())
        super().closeEvent(event)
