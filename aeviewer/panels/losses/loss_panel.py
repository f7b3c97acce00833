"""The loss curves of the visible runs: for each step, and on the test set at checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from aeviewer.numbers import local
from aeviewer.panels.losses.loss_header import WINDOW, LossHeader
from aeviewer.panels.losses.loss_table import (
    Cells,
    Detail,
    axis_label,
    has_kl,
    hidden_runs_text,
    is_per_pixel,
    loss_unit,
    test_value,
)
from aeviewer.widgets.displays.empty_state import EmptyState
from aeviewer.widgets.displays.value_table import Readout, ValueRow
from aeviewer.widgets.labels import quiet_label
from aeviewer.widgets.plots.curve_plot import CurvePlot
from aeviewer.widgets.refresh import Refresh
from trainers.errors import AEViewerError

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from aeviewer.services.runs.loss_curves import LossCurves
    from aeviewer.services.runs.run_item import RunItem
    from aeviewer.services.runs.session import Session
    from trainers.config import RunConfig

_EMPTY = "Press Train to start a run: its losses appear here."
_WIDE, _SHORT, _LOW = 640, 280, 180
_MOST_ROWS, _READOUT_SHARE, _COLUMN_SHARE = 6, 0.35, 0.5


class LossPanel(QWidget):
    """Loss, reconstruction or KL of the visible runs, live.

    Runs whose loss has another unit than the current one's are left out: their numbers compare
    with nothing here.

    Parameters
    ----------
    session
        Its visible runs are shown.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._quantity = "loss"
        self._unit = ""
        self._labels = ("", "")
        self._is_scale_chosen = False
        self._changed: set[str] = set()
        self._hovered: float | None = None
        self._refresh = Refresh(self, self._show_changes)
        self.header = LossHeader()
        self.plot = CurvePlot("Loss curves")
        self.readout = Readout()
        self.empty, self.note = EmptyState(_EMPTY), quiet_label(wraps=True)
        self._build()
        self._connect()
        self._follow_runs()

    def _connect(self) -> None:
        session = self._session
        session.runs_changed.connect(self._follow_runs)
        session.current_changed.connect(self._follow_runs)
        session.metrics_changed.connect(self._follow_metrics)
        session.step_changed.connect(self._mark_step)
        self.plot.hovered_at.connect(self._hover)
        self.plot.left.connect(self._leave)
        self.plot.following_changed.connect(self.header.set_following)
        self.header.quantity_chosen.connect(self.set_quantity)
        self.header.reset_requested.connect(self.plot.reset_view)
        self.header.scale_chosen.connect(self._choose_scale)
        self.header.smoothing_chosen.connect(self._smooth)

    # -- layout ----------------------------------------------------------------------------------

    def _build(self) -> None:
        self.readout.setAccessibleName("Losses of the runs")
        curves = QWidget()
        self._around = QBoxLayout(QBoxLayout.Direction.TopToBottom, curves)
        self._around.setContentsMargins(0, 0, 0, 0)
        self._around.setSpacing(4)
        self._around.addWidget(self.plot, 1)
        self._around.addWidget(self.readout)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(curves)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        layout.addWidget(self.header)
        layout.addWidget(self._pages, 1)
        layout.addWidget(self.note)
        self.header.set_quantity(self._quantity)
        self.plot.set_smoothing(WINDOW)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Places the numbers beside the curves where there is room, or else below them."""
        super().resizeEvent(event)
        self._name_axes()
        self._show_readout()

    @property
    def _is_wide(self) -> bool:
        return self.width() >= _WIDE

    @property
    def _is_low(self) -> bool:
        return self.height() < _LOW and not self._is_wide

    def _arrange(self, rows: int) -> None:
        """The room for the numbers: at most half of the width, or about a third of the height."""
        beside, below = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._around.setDirection(beside if self._is_wide else below)
        if self._is_wide:
            self.readout.setMaximumSize(self._readout_width(), self.height())
        else:
            share = int(_READOUT_SHARE * self._pages.height() / self.readout.line_height) - 1
            rows = min(rows, _MOST_ROWS, max(share, 1))
            self.readout.setMaximumSize(self.width(), self.readout.height_of(rows))
        self._around.activate()

    def _name_axes(self) -> None:
        """A low panel has no room below the curves."""
        name = axis_label(self._quantity, self._unit)
        is_short = self.height() < _SHORT
        labels = ("", f"{name}, over steps") if is_short else ("step", name)
        if labels != self._labels:
            self._labels = labels
            self.plot.set_labels(*labels)

    def _readout_width(self) -> int:
        """The width in pixels that the numbers may have beside the curves."""
        return int(self.width() * (_COLUMN_SHARE if self._is_wide else 1)) - 16

    # -- what is shown ---------------------------------------------------------------------------

    @property
    def quantity(self) -> str:
        """The loss or the metric that is shown."""
        return self._quantity

    @Slot(str)
    def set_quantity(self, quantity: str) -> None:
        """Shows the loss, its reconstruction part, its KL, or a metric of the checkpoints."""
        if quantity != self._quantity:
            self._quantity = quantity
            self.header.set_quantity(quantity)
            for name in self.plot.names:
                self.plot.remove_curve(name)
            self.plot.set_smoothing(self.header.smoothing_window)
            self.plot.reset_view()
            self._follow_runs()

    @Slot(bool)
    def _choose_scale(self, logarithmic: bool) -> None:
        self._is_scale_chosen = True
        self.plot.set_logarithmic(logarithmic)

    @Slot(int)
    def _smooth(self, window: int) -> None:
        self.plot.set_smoothing(window)
        self._show_readout()

    def _visible_runs(self) -> list[tuple[RunItem, RunConfig]]:
        """Returns all visible runs that have this quantity, in any unit."""
        return [
            (item, item.config)
            for item in self._session.items
            if item.visible
            and item.config is not None
            and item.state.has_curves
            and (self._quantity != "kl" or has_kl(item.config))
        ]

    def _shown_unit(self) -> str:
        """That of the current run, of the first one where the current one is not visible."""
        units = {
            item.key: loss_unit(config, self._quantity) for item, config in self._visible_runs()
        }
        current = self._session.current
        first = next(iter(units.values()), "")
        if current is None or current.config is None:
            return first
        wanted = loss_unit(current.config, self._quantity)
        return wanted if wanted in units.values() else first

    def _shown_runs(self) -> list[tuple[RunItem, RunConfig]]:
        return [
            (item, config)
            for item, config in self._visible_runs()
            if loss_unit(config, self._quantity) == self._unit
        ]

    # -- the session -----------------------------------------------------------------------------

    @Slot()
    def _follow_runs(self) -> None:
        """Updates every curve when runs, names, colours or states have changed."""
        items = [item for item in self._session.items if item.visible]
        self.header.set_has_kl(
            any(
                item.config is not None and has_kl(item.config)
                for item in items
                if item.state.has_curves
            )
        )
        if self._quantity == "kl" and not self.header.has_kl:
            self.set_quantity("loss")
            return
        self._set_unit(self._shown_unit())
        shown = {item.key for item, _ in self._shown_runs()}
        for key in set(self.plot.names) - shown:
            self.plot.remove_curve(key)
        self._changed = shown
        self._refresh.request()

    def _set_unit(self, name: str) -> None:
        """Resets the view, because curves of another unit have another range."""
        if name != self._unit:
            self._unit = name
            self.plot.reset_view()
        self._name_axes()
        self.note.setText(
            hidden_runs_text([loss_unit(c, self._quantity) for _, c in self._visible_runs()], name)
        )

    @Slot(str)
    def _follow_metrics(self, key: str) -> None:
        self._changed.add(key)
        self._refresh.request()

    @Slot()
    def _show_changes(self) -> None:
        shown = self._shown_runs()
        for item, _ in shown:
            if item.key in self._changed:
                self._show_curve(item, self._session.curves(item.key))
        self._changed.clear()
        if not self._is_scale_chosen:
            self.header.set_logarithmic(self.plot.is_positive)
            self.plot.set_logarithmic(self.header.is_logarithmic)
        self._pages.setCurrentIndex(bool(shown))
        self._mark_step()
        self._show_readout()

    def _show_curve(self, item: RunItem, curves: LossCurves) -> None:
        tests = [(e.step, test_value(e, self._quantity)) for e in curves.evaluations]
        known = [(step, value) for step, value in tests if value is not None]
        markers = np.array(known, np.float64).reshape(-1, 2)
        series: dict[str, NDArray[np.float64]] = {
            "loss": curves.loss,
            "reconstruction": curves.reconstruction,
            "kl": curves.kl,
        }
        x, y = (curves.step, series[self._quantity]) if self._quantity in series else markers.T
        best = Cells(self._quantity, Detail.BRIEF, 0).has_best
        self.plot.set_curve(item.key, item.colour, x, y, markers, has_best=best)

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
        """Shows each run's numbers under the mouse, or its newest ones.

        A low panel shows one run.
        """
        drawn, current = self._drawn_runs(), self._session.current
        if self._is_low:
            drawn = [pair for pair in drawn if pair[0] == current] or drawn[:1]
        cells = self._cells(drawn)
        step = np.inf if self._hovered is None else self._hovered
        head = "newest" if self._hovered is None else f"step {local(step):,.0f}"
        rows = [
            self._row(cells, item, config, step, is_current=len(drawn) > 1 and item == current)
            for item, config in drawn
        ]
        self.readout.set_rows((head, *cells.heads), rows, cells.widest)
        self.readout.setVisible(bool(rows))
        # Where there is hardly any height, the curves take all of it.
        self.note.setVisible(bool(self.note.text()) and not self._is_low)
        self._arrange(len(rows))

    def _drawn_runs(self) -> list[tuple[RunItem, RunConfig]]:
        """Returns the runs whose curves are drawn."""
        names = set(self.plot.names)
        return [(item, config) for item, config in self._shown_runs() if item.key in names]

    def _cells(self, drawn: list[tuple[RunItem, RunConfig]]) -> Cells:
        """Returns cells with as much detail as there is room for."""
        names = [item.name for item, _ in drawn]
        last = max((item.steps for item, _ in drawn), default=0)
        per_pixel = any(is_per_pixel(config, self._quantity) for _, config in drawn)
        for detail in (Detail.PER_PIXEL, Detail.STEPS) if per_pixel else (Detail.STEPS,):
            cells = Cells(self._quantity, detail, last)
            if self.readout.width_for(names, cells.widest) <= self._readout_width():
                return cells
        return Cells(self._quantity, Detail.BRIEF, last)

    def _row(
        self, cells: Cells, item: RunItem, config: RunConfig, step: float, *, is_current: bool
    ) -> ValueRow:
        reading = self.plot.reading(item.key, step)
        pixels = self._pixels(item) if is_per_pixel(config, self._quantity) else None
        return ValueRow(
            item.name,
            item.colour,
            cells.texts(reading, pixels),
            cells.tips(item.name, reading, pixels),
            is_current,
        )

    def _pixels(self, item: RunItem) -> int | None:
        """Returns the number of values in an image of a run."""
        try:
            return self._session.run(item.key).dataset.pixels
        except AEViewerError:
            return None
