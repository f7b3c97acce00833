"""The list beside a comparison: every run of the session, with a check box."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Slot
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from aeviewer import theme
from aeviewer.numbers import local
from aeviewer.panels.runs.runs_model import state_icon, state_text, tooltip
from aeviewer.services.comparison.comparison import MOST_RUNS
from aeviewer.widgets.displays.list_delegate import (
    ROW_HEIGHT,
    TOGGLE_WIDTH,
    Role,
    ToggleDelegate,
    TwoLineDelegate,
)
from trainers.runs.status import RunState

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtCore import QObject
    from PySide6.QtGui import QKeyEvent

    from aeviewer.services.comparison.comparison import Comparison
    from aeviewer.services.runs.run_item import RunItem

Index = QModelIndex | QPersistentModelIndex
TICK_COLUMN, NAME_COLUMN = 0, 1


class ChoiceModel(QAbstractTableModel):
    """One row for each run: a check box and a description.

    Parameters
    ----------
    comparison
        Receives the runs to compare, eight at most.
    """

    def __init__(self, comparison: Comparison, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._comparison = comparison
        self._items: tuple[RunItem, ...] = ()
        self._read = self._readers()
        comparison.session.runs_changed.connect(self._follow)
        comparison.runs_changed.connect(self._follow)
        self._follow()

    @Slot()
    def _follow(self) -> None:
        items = self._comparison.session.items
        is_same = [item.key for item in items] == [item.key for item in self._items]
        if not is_same:
            self.beginResetModel()
        self._items = items
        if not is_same:
            self.endResetModel()
        elif items:
            self.dataChanged.emit(self.index(0, 0), self.index(len(items) - 1, NAME_COLUMN))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """One row for each run."""
        return 0 if parent.isValid() else len(self._items)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """The check box, and the run."""
        return 0 if parent.isValid() else 2

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Disables the check boxes of runs that would be too many."""
        flags = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable
        item = self._items[index.row()]
        return flags | Qt.ItemFlag.ItemIsEnabled if self._may_toggle(item) else flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Returns the value of a cell for Qt's roles and for `Role`."""
        reader = self._read[index.column()].get(role)
        return reader(self._items[index.row()]) if reader else None

    def toggle(self, index: Index) -> None:
        """Adds a run to the comparison, or removes it."""
        item = self._items[index.row()]
        kept = [run.item.key for run in self._comparison.runs]
        if self._is_compared(item):
            self._comparison.choose(key for key in kept if key != item.key)
        elif self._may_toggle(item):
            self._comparison.choose([*kept, item.key])

    def _is_compared(self, item: RunItem) -> bool:
        return self._comparison.is_compared(item.key)

    def _may_toggle(self, item: RunItem) -> bool:
        return self._is_compared(item) or len(self._comparison.runs) < MOST_RUNS

    def _readers(self) -> tuple[dict[int, Callable[[RunItem], object]], ...]:
        qt = Qt.ItemDataRole
        tick: dict[int, Callable[[RunItem], object]] = {
            qt.DecorationRole: self._tick,
            qt.CheckStateRole: lambda item: _check_state(self._is_compared(item)),
            qt.ToolTipRole: self._tip,
            qt.AccessibleTextRole: lambda item: f"{item.name}: compared",
        }
        name: dict[int, Callable[[RunItem], object]] = {
            qt.DisplayRole: lambda item: item.name,
            qt.DecorationRole: state_icon,
            qt.ToolTipRole: tooltip,
            Role.DETAIL: _detail,
            Role.SWATCH: self._colour,
            Role.FADED: lambda item: not self._is_compared(item),
        }
        return tick, name

    def _tick(self, item: RunItem) -> object:
        if self._is_compared(item):
            return theme.icon("checkbox-marked", QPalette.ColorRole.Text)
        return theme.icon("checkbox-blank-outline", QPalette.ColorRole.PlaceholderText)

    def _colour(self, item: RunItem) -> QColor:
        """Returns the colour in the comparison, which differs where two runs have the same."""
        if self._is_compared(item):
            return QColor(self._comparison.run(item.key).colour)
        return QColor(item.colour)

    def _tip(self, item: RunItem) -> str:
        if not self._may_toggle(item):
            return f"{MOST_RUNS} runs are compared already: take one out first"
        return "Compare this run, or no longer (Space)"


def _check_state(checked: bool) -> Qt.CheckState:
    """Returns a truth value as Qt's check state."""
    return Qt.CheckState.Checked if checked else Qt.CheckState.Unchecked


def _detail(item: RunItem) -> str:
    """Returns the dimension and the state; a finished run shows it by its icon."""
    dim = f"d = {item.config.model.latent_dim} · " if item.config else ""
    is_told = item.state is RunState.FINISHED and item.steps > 1
    return dim + (f"{local(item.steps):,} steps" if is_told else state_text(item))


class ChoiceList(QTableView):
    """The list view; a click anywhere in a row, or Space, changes its check box.

    Parameters
    ----------
    comparison
        Watched and changed.
    """

    def __init__(self, comparison: Comparison, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.choices = ChoiceModel(comparison, self)
        self.setModel(self.choices)
        self.setAccessibleName("Runs to compare")
        self.setItemDelegateForColumn(NAME_COLUMN, TwoLineDelegate(self))
        self.setItemDelegateForColumn(TICK_COLUMN, ToggleDelegate(self))
        self.setShowGrid(False)
        self.setStyleSheet("QTableView:focus { border: none; }")
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self.horizontalHeader().hide()
        self.horizontalHeader().setMinimumSectionSize(TOGGLE_WIDTH)
        self.horizontalHeader().setSectionResizeMode(NAME_COLUMN, QHeaderView.ResizeMode.Stretch)
        self.horizontalHeader().setSectionResizeMode(TICK_COLUMN, QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().resizeSection(TICK_COLUMN, TOGGLE_WIDTH)
        self.clicked.connect(self.choices.toggle)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Changes the check box by Space; left and right belong to the window."""
        index = self.currentIndex()
        if event.key() == Qt.Key.Key_Space and index.isValid():
            self.choices.toggle(index)
        elif event.key() in {Qt.Key.Key_Left, Qt.Key.Key_Right}:
            event.ignore()
        else:
            super().keyPressEvent(event)
