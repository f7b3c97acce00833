"""The curves of all compared runs in one plot, one unit at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, QRectF, QSignalBlocker, QSizeF, Qt, Slot
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from aeviewer.numbers import local
from aeviewer.panels.comparison import captions as words
from aeviewer.panels.losses.loss_header import WINDOW
from aeviewer.panels.losses.loss_table import Cells, Detail, loss_unit
from aeviewer.widgets.displays.value_table import Readout, ValueRow
from aeviewer.widgets.fonts import small
from aeviewer.widgets.labels import one_line, quiet_label, shorten
from aeviewer.widgets.plots.curve_plot import CurvePlot
from aeviewer.widgets.refresh import Refresh
from trainers.runs.metrics import METRICS

if TYPE_CHECKING:
    from aeviewer.services.comparison.compared_run import ComparedRun
    from aeviewer.services.comparison.comparison import Comparison

_FIRST = "squared_error"
_LOSS, _TEST_LOSS = "loss", "test_loss"
_STEPS = f"Smoothed over {WINDOW} steps; points are all test images, at checkpoints"
_FINER = 3
_LEGEND, _LETTERS = 22, 120
_MEASURED = {
    key: metric
    for key, metric in sorted(METRICS.items(), key=lambda pair: pair[0] != _FIRST)
    if key != _TEST_LOSS
}
"""The test loss has the unit of the training loss, and is shown with it."""


class LossesPage(QWidget):
    """A metric of checkpoints, or the training loss, of every run that has it in the chosen unit.

    Parameters
    ----------
    comparison
        Watched.
    """

    title = "Losses"

    def __init__(self, comparison: Comparison, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._comparison = comparison
        self._hovered: float | None = None
        self.refresh = Refresh(self, self._show)
        self.quantity, self.logarithmic = QComboBox(), QCheckBox("Logarithmic")
        self.note, self.plot, self.readout = (
            quiet_label(),
            CurvePlot("Curves of the runs"),
            Readout(),
        )
        self._build()
        self._offer()
        for signal in (comparison.runs_changed, comparison.step_changed):
            signal.connect(self.refresh.request)
        comparison.session.metrics_changed.connect(self._take_metrics)
        self.quantity.currentIndexChanged.connect(self._change_quantity)
        self.logarithmic.toggled.connect(self.plot.set_logarithmic)
        self.plot.hovered_at.connect(self._hover)
        self.plot.left.connect(self._leave)
        self.refresh.request()

    def _build(self) -> None:
        self.quantity.setAccessibleName("What the curves show")
        self.quantity.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.logarithmic.setChecked(True)
        self.plot.set_logarithmic(True)
        self.readout.setAccessibleName("Numbers of the curves")
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.quantity)
        head.addWidget(self.note, 1)
        head.addWidget(self.logarithmic)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 8)
        layout.setSpacing(8)
        layout.addLayout(head)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.readout)

    # -- what can be shown -----------------------------------------------------------------------

    def _offer(self) -> None:
        """Returns the metrics, and a training loss for each unit of the compared runs."""
        configs = [run.item.config for run in self._comparison.runs]
        units = sorted({loss_unit(config, _LOSS) for config in configs if config is not None})
        wanted = {(key, ""): f"{m.label}, {m.unit}" for key, m in _MEASURED.items()}
        wanted |= {(_LOSS, name): f"Training loss, {name}" for name in units}
        if [self.quantity.itemData(at) for at in range(self.quantity.count())] == list(wanted):
            return
        chosen = self.quantity.currentData()
        with QSignalBlocker(self.quantity):
            self.quantity.clear()
            for data, text in wanted.items():
                self.quantity.addItem(text, data)
            keys = list(wanted)
            self.quantity.setCurrentIndex(keys.index(chosen) if chosen in keys else 0)

    @property
    def _chosen(self) -> tuple[str, str]:
        """The quantity, and the unit of a training loss."""
        key, name = self.quantity.currentData() or (_FIRST, "")
        return key, name

    def shown_runs(self) -> list[ComparedRun]:
        """Returns the runs that have the quantity in its unit."""
        key, name = self._chosen
        return [
            run
            for run in self._comparison.runs
            if run.item.config is not None
            and (key != _LOSS or loss_unit(run.item.config, _LOSS) == name)
        ]

    # -- what is shown ---------------------------------------------------------------------------

    @Slot(str)
    def _take_metrics(self, key: str) -> None:
        if self._comparison.is_compared(key):
            self.refresh.request()

    @Slot()
    def _change_quantity(self) -> None:
        for name in self.plot.names:
            self.plot.remove_curve(name)
        self.plot.reset_view()
        self._show()

    @Slot()
    def _show(self) -> None:
        self._offer()
        key, _ = self._chosen
        self.plot.set_smoothing(WINDOW if key == _LOSS else 1)
        self.plot.set_labels("step", self.quantity.currentText())
        runs = self.shown_runs()
        for gone in set(self.plot.names) - {run.item.key for run in runs}:
            self.plot.remove_curve(gone)
        for run in runs:
            self._show_curve(run, key)
        left = len(self._comparison.runs) - len(runs)
        others = f"{left} {'run has' if left == 1 else 'runs have'} another unit, not shown here"
        others = others if left else _STEPS
        self.note.setText(others if key == _LOSS else "All test images, at checkpoints")
        self.plot.set_step(self._comparison.step)
        self._show_readout()

    def _show_curve(self, run: ComparedRun, key: str) -> None:
        curves = self._comparison.session.curves(run.item.key)
        found = _TEST_LOSS if key == _LOSS else key
        values = [(e.step, METRICS[found].value(e)) for e in curves.evaluations]
        markers = _pairs([(step, value) for step, value in values if value is not None])
        x, y = (curves.step, curves.loss) if key == _LOSS else markers.T
        best = METRICS[found].more_is_better is False
        self.plot.set_curve(run.item.key, run.colour, x, y, markers, has_best=best)

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
        """Shows each run's numbers under the mouse, or else at the step that is shown."""
        key, _ = self._chosen
        runs = [run for run in self.shown_runs() if run.item.key in self.plot.names]
        cells = Cells(key, Detail.STEPS, max((run.item.steps for run in runs), default=0))
        step = self._comparison.step if self._hovered is None else self._hovered
        at = float("inf") if step is None else step
        rows = []
        for run in runs:
            reading = self.plot.reading(run.item.key, min(at, max(run.steps, default=0)))
            values = cells.texts(reading, None)
            tips = cells.tips(run.item.name, reading, None)
            rows.append(ValueRow(run.item.name, run.colour, values, tips))
        head = "" if step is None else f"step {local(step):,.0f}"
        self.readout.set_rows((head, *cells.heads), rows, cells.widest)
        self.readout.setVisible(bool(rows))
        self.readout.setFixedHeight(self.readout.height_of(len(rows)))

    # -- the figure ------------------------------------------------------------------------------

    @property
    def caption(self) -> str:
        """The caption of the figure, ready for a paper."""
        keys = [run.item.key for run in self.shown_runs()]
        window = WINDOW if self._chosen[0] == _LOSS else 1
        return words.losses_caption(self._comparison, keys, self.quantity.currentText(), window)

    @property
    def drawing(self) -> LossesPage:
        """The name of the figure."""
        return self

    def figure_size(self) -> QSizeF:
        """The size of the plot and the names of its curves."""
        return QSizeF(self.plot.size()) + QSizeF(0, _LEGEND * len(self.shown_runs()))

    def draw_figure(self, painter: QPainter) -> None:
        """The plot as a picture, since its curves have many thousand points, and names as words."""
        painter.drawImage(QPoint(), self.plot.picture(_FINER))
        names = words.method_names(self._comparison.runs)
        for at, run in enumerate(self.shown_runs()):
            top = self.plot.height() + at * _LEGEND
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(run.colour))
            painter.drawRect(QRectF(16, top + _LEGEND / 2 - 1, 20, 2))
            painter.setPen(self.palette().color(QPalette.ColorRole.Text))
            painter.setFont(small(self.font()))
            line = shorten(one_line(f"{run.item.name}: {names[run.item.key]}"), _LETTERS)
            painter.drawText(QPointF(44, top + _LEGEND / 2 + 4), line)


def _pairs(values: list[tuple[int, float]]) -> NDArray[np.float64]:
    """Returns (m, 2) steps and values."""
    return np.array(values, np.float64).reshape(-1, 2)
