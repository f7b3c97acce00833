"""The metrics of all compared runs at the step that is shown: a table to sort and export."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    QStandardPaths,
    Qt,
    Slot,
)
from PySide6.QtGui import QColor, QFont, QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from aeviewer.numbers import local, localise
from aeviewer.panels.comparison import captions as words
from aeviewer.services.comparison.compared_run import loss_unit
from aeviewer.widgets.displays.figure_export import keep
from aeviewer.widgets.inputs.save_dialog import PlainFileDialog
from aeviewer.widgets.labels import plain_tip, quiet_eliding_label
from aeviewer.widgets.refresh import Refresh
from trainers.glossary import explain
from trainers.runs.metrics import METRICS, Metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtCore import QObject

    from aeviewer.services.comparison.compared_run import ComparedRun
    from aeviewer.services.comparison.comparison import Comparison
    from trainers.runs.metrics import Evaluation

Index = QModelIndex | QPersistentModelIndex
SORT_ROLE = Qt.ItemDataRole.UserRole + 1
_SWATCH = 10
_NOTE = "All test images, at each run's checkpoint; the best of each is bold."
_UNIT = "Unit of\nthe loss"
_LOSSES = ("test_loss", "loss_at_mean")


@dataclass(frozen=True)
class _Column:
    """A column: the value of a run, and how it is written."""

    head: str
    name: str
    value: Callable[[ComparedRun, Evaluation | None], object]
    written: Callable[[ComparedRun, Evaluation | None], str]
    metric: Metric | None = None


def _columns() -> tuple[_Column, ...]:
    fixed = (
        _Column("Run", "run", lambda run, _: run.item.name, lambda run, _: run.item.name),
        _Column("d", "latent_dim", lambda run, _: run.latent_dim, lambda run, _: _dim(run)),
        _Column(
            "Step",
            "step",
            lambda run, _: run.step,
            lambda run, _: words.NO_CHECKPOINT if run.step is None else f"{local(run.step):,}",
        ),
    )
    unit = _Column(_UNIT, "loss_unit", _unit, _unit)
    metrics = [_metric_column(metric) for metric in METRICS.values()]
    after_loss = 1 + next(at for at, c in enumerate(metrics) if c.name == _LOSSES[-1])
    return (*fixed, *metrics[:after_loss], unit, *metrics[after_loss:])


def _unit(run: ComparedRun, evaluation: Evaluation | None) -> str:
    """Returns the unit of the loss; losses of other units cannot be compared."""
    return loss_unit(run.item.config) if evaluation else ""


def _metric_column(metric: Metric) -> _Column:
    return _Column(
        f"{metric.label}\n{metric.unit}",
        metric.key,
        lambda _, evaluation: metric.value(evaluation) if evaluation else None,
        lambda _, evaluation: localise(metric.text(evaluation)) if evaluation else "",
        metric,
    )


def _dim(run: ComparedRun) -> str:
    return str(run.latent_dim) if run.latent_dim else ""


class MetricsModel(QAbstractTableModel):
    """One row for each compared run, one column for each metric; a missing value is empty.

    Parameters
    ----------
    comparison
        Asked when `refresh` is called.
    """

    def __init__(self, comparison: Comparison, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._comparison = comparison
        self._columns = _columns()
        self._rows: list[tuple[ComparedRun, Evaluation | None]] = []
        self._best: dict[int, object] = {}

    @Slot()
    def refresh(self) -> None:
        """Reads runs and metrics again."""
        comparison = self._comparison
        rows = [(run, comparison.evaluation(run.item.key)) for run in comparison.runs]
        is_same = [r.item.key for r, _ in rows] == [r.item.key for r, _ in self._rows]
        if not is_same:
            self.beginResetModel()
        self._rows = rows
        self._best = {at: self._best_of(column) for at, column in enumerate(self._columns)}
        if not is_same:
            self.endResetModel()
        elif rows:
            last = self.index(len(rows) - 1, len(self._columns) - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    def _best_of(self, column: _Column) -> object:
        """Returns the best value of two or more that differ; losses need the same unit."""
        metric = column.metric
        if metric is None or metric.more_is_better is None:
            return None
        units = {loss_unit(run.item.config) for run, _ in self._rows}
        values = [metric.value(found) for _, found in self._rows if found is not None]
        known = [value for value in values if value is not None]
        if len(set(known)) < 2 or (metric.key in _LOSSES and len(units) > 1):
            return None
        return max(known) if metric.more_is_better else min(known)

    # -- what Qt asks ----------------------------------------------------------------------------

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """One row for each run."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """One column for each metric."""
        return 0 if parent.isValid() else len(self._columns)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Returns the name of a column, with its unit below."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._columns[section].head
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(explain(self._columns[section].name)) or None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _side(self._columns[section])
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Returns a cell; `SORT_ROLE` returns the value itself."""
        run, evaluation = self._rows[index.row()]
        column = self._columns[index.column()]
        if role == SORT_ROLE:
            return column.value(run, evaluation)
        if role == Qt.ItemDataRole.DisplayRole:
            return column.written(run, evaluation)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _side(column)
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0:
            return _dot(run.colour)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(run.problem) or None
        if role == Qt.ItemDataRole.FontRole:
            return self._font(index.column(), run, evaluation)
        return None

    def _font(self, at: int, run: ComparedRun, evaluation: Evaluation | None) -> QFont | None:
        """Emphasises the best value; another step than the common one is in italics."""
        font, column = QFont(), self._columns[at]
        best = self._best.get(at)
        if best is not None and column.value(run, evaluation) == best:
            font.setBold(True)
            return font
        if column.name == "step" and words.is_at_other_step(run, self._comparison.step):
            font.setItalic(True)
            return font
        return None

    def empty_columns(self) -> list[int]:
        """Returns the columns that have no value for any run."""
        return [
            at
            for at, column in enumerate(self._columns)
            if not any(column.written(*row) for row in self._rows)
        ]

    def head(self, column: int) -> str:
        """Returns the name of a column on one line."""
        return self._columns[column].head.replace("\n", ", ")

    # -- taking it elsewhere ---------------------------------------------------------------------

    def table(self, order: list[int], separator: str = ",") -> str:
        """Returns the names of the columns and all values in full, in the order of the rows."""
        kept = io.StringIO()
        writer = csv.writer(kept, delimiter=separator, lineterminator="\n")
        writer.writerow(column.name for column in self._columns)
        for at in order:
            run, evaluation = self._rows[at]
            values = (column.value(run, evaluation) for column in self._columns)
            writer.writerow("" if value is None else value for value in values)
        return kept.getvalue()


class _Sorted(QSortFilterProxyModel):
    """Sorts by value; empty cells are always last."""

    def lessThan(self, left: Index, right: Index) -> bool:
        """Compares two cells of a column."""
        first, second = left.data(SORT_ROLE), right.data(SORT_ROLE)
        if first is None or second is None:
            is_ascending = self.sortOrder() == Qt.SortOrder.AscendingOrder
            return first is not None if is_ascending else first is None and second is not None
        return bool(first < second)


class MetricsPage(QWidget):
    """The table, and buttons that export it.

    Parameters
    ----------
    comparison
        Watched.
    """

    title = "Metrics"

    def __init__(self, comparison: Comparison, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._comparison = comparison
        self.refresh = Refresh(self, self._show)
        self.model = MetricsModel(comparison, self)
        self.sorted = _Sorted(self)
        self.sorted.setSourceModel(self.model)
        self.view, self.note = QTableView(), quiet_eliding_label()
        self.copy_button, self.csv_button = QPushButton("Copy"), QPushButton("Export CSV…")
        self._build()
        for signal in (comparison.runs_changed, comparison.step_changed):
            signal.connect(self.refresh.request)
        comparison.session.metrics_changed.connect(self.refresh.request)
        self.copy_button.clicked.connect(self._copy)
        self.csv_button.clicked.connect(self._ask_where)
        self.refresh.request()

    def _build(self) -> None:
        view = self.view
        view.setModel(self.sorted)
        view.setAccessibleName("Figures of the runs")
        view.setSortingEnabled(True)
        view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        view.horizontalHeader().setSortIndicatorClearable(True)
        view.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        view.setShowGrid(False)
        view.setWordWrap(False)
        view.setTabKeyNavigation(False)
        view.setHorizontalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        view.verticalHeader().hide()
        view.verticalHeader().setDefaultSectionSize(32)
        view.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        view.setStyleSheet(
            "QTableView::item { padding: 0px 5px; } QHeaderView { background: palette(base); }"
        )
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.note, 1)
        head.addWidget(self.copy_button)
        head.addWidget(self.csv_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 8)
        layout.setSpacing(8)
        layout.addLayout(head)
        layout.addWidget(view, 1)

    @Slot()
    def _show(self) -> None:
        """Shows the metrics; columns without values are left out, and a note says so."""
        self.model.refresh()
        empty = self.model.empty_columns()
        for column in range(self.model.columnCount()):
            self.view.setColumnHidden(column, column in empty)
        counted = "1 figure" if len(empty) == 1 else f"{len(empty)} figures"
        omission = f" Without {counted} that none of them keeps." if empty else ""
        self.note.setText(f"{_NOTE}{omission}")
        self.note.setToolTip(plain_tip("\n".join(self.model.head(column) for column in empty)))

    @property
    def _order(self) -> list[int]:
        """Returns the rows of the model in their sorted order."""
        rows = range(self.sorted.rowCount())
        return [self.sorted.mapToSource(self.sorted.index(row, 0)).row() for row in rows]

    @property
    def csv(self) -> str:
        """Returns the table as it is sorted, with its values in full."""
        return self.model.table(self._order)

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.model.table(self._order, "\t"))

    @Slot()
    def _ask_where(self) -> None:
        dialog = PlainFileDialog(self, "Export CSV")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter("Table (*.csv)")
        dialog.setDefaultSuffix("csv")
        place = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        dialog.setDirectory(place if Path(place).is_dir() else str(Path.home()))
        dialog.selectFile("runs.csv")
        dialog.fileSelected.connect(self.save)
        dialog.open()

    @Slot(str)
    def save(self, path: str) -> None:
        """Writes the table as it is sorted."""
        keep(path, self.csv.encode(), self._comparison.session.message_posted.emit)


def _side(column: _Column) -> Qt.AlignmentFlag:
    """Aligns texts to the left and numbers to the right."""
    is_word = column.name in {"run", "loss_unit"}
    side = Qt.AlignmentFlag.AlignLeft if is_word else Qt.AlignmentFlag.AlignRight
    return side | Qt.AlignmentFlag.AlignVCenter


def _dot(colour: str) -> QIcon:
    """Returns a dot in the colour of a run."""
    pixels = QPixmap(2 * _SWATCH, 2 * _SWATCH)
    pixels.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixels)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    painter.drawEllipse(2, 2, 2 * _SWATCH - 4, 2 * _SWATCH - 4)
    painter.end()
    return QIcon(pixels)
