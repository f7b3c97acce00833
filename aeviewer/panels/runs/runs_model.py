"""The runs as a table for Qt's views: one column describes a run, one shows or hides it."""

from __future__ import annotations

from dataclasses import replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Slot
from PySide6.QtGui import QColor, QPalette

from aeviewer import theme
from aeviewer.numbers import local, localise
from aeviewer.services.runs.architecture import describe_architecture
from aeviewer.widgets.displays.list_delegate import Role
from aeviewer.widgets.labels import plain_tip
from trainers.datasets import MNIST
from trainers.plurals import count_of
from trainers.presets import PRESETS
from trainers.runs.metrics import METRICS
from trainers.runs.status import RunState

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtCore import QObject
    from PySide6.QtGui import QIcon

    from aeviewer.services.runs.run_item import RunItem
    from aeviewer.services.runs.session import Session
    from aeviewer.services.training.training_queue import TrainingQueue
    from trainers.config import RunConfig
    from trainers.runs.metrics import Evaluation

Index = QModelIndex | QPersistentModelIndex
NAME_COLUMN, EYE_COLUMN = 0, 1

_WORDS = {
    RunState.NEW: ("Not started", "circle-outline"),
    RunState.RUNNING: ("Running", "play"),
    RunState.PAUSED: ("Paused", "pause"),
    RunState.QUEUED: ("Queued", "clock-outline"),
    RunState.FINISHED: ("Finished", "check"),
    RunState.STOPPED: ("Stopped", "stop"),
    RunState.INTERRUPTED: ("Interrupted", "flash-alert"),
    RunState.DIVERGED: ("Diverged", "alert"),
    RunState.FAILED: ("Failed", "alert"),
    RunState.DAMAGED: ("Damaged", "file-alert-outline"),
}
_QUIET = QPalette.ColorRole.PlaceholderText


class RunsModel(QAbstractTableModel):
    """All runs of the session; rows change in place, so that selection and scroll position stay.

    Parameters
    ----------
    session
        Whose runs these are.
    queue
        Tells how far the active one is.
    """

    def __init__(
        self, session: Session, queue: TrainingQueue, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._queue = queue
        self._items: list[RunItem] = []
        self._readers_by_column = self._readers()
        session.runs_changed.connect(self._follow_runs)
        session.current_changed.connect(self._repaint)
        session.metric_changed.connect(self._repaint)
        queue.progressed.connect(self._follow_progress)
        self._follow_runs()

    # -- what Qt asks ----------------------------------------------------------------------------

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """One row for each run."""
        return 0 if parent.isValid() else len(self._items)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """The run, and the eye."""
        return 0 if parent.isValid() else 2

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Makes a name editable unless the run is active or read-only."""
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() == EYE_COLUMN:
            return flags | Qt.ItemFlag.ItemIsUserCheckable
        item = self._items[index.row()]
        fixed = item.read_only or item.state.is_active
        return flags if fixed else flags | Qt.ItemFlag.ItemIsEditable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Returns the value of a cell for Qt's roles and for `Role`."""
        reader = self._readers_by_column[index.column()].get(role)
        return reader(self.item_at(index)) if reader else None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Renames a run, or shows or hides it."""
        key = self._items[index.row()].key
        if index.column() == EYE_COLUMN and role == Qt.ItemDataRole.CheckStateRole:
            self._session.set_visible(key, Qt.CheckState(value) == Qt.CheckState.Checked)
            return True
        if index.column() == NAME_COLUMN and role == Qt.ItemDataRole.EditRole:
            self._session.rename(key, str(value))
            return True
        return False

    # -- what the panel asks ---------------------------------------------------------------------

    def item_at(self, index: Index) -> RunItem:
        """Returns the run of a row with its current progress."""
        item = self._items[index.row()]
        figures = self._queue.progress_of(item.key)
        return replace(item, step=figures.step) if figures and figures.steps else item

    def index_of(self, key: str) -> QModelIndex:
        """Returns the first cell of a run; an invalid index for an unknown run."""
        rows = (row for row, item in enumerate(self._items) if item.key == key)
        row = next(rows, None)
        return QModelIndex() if row is None else self.index(row, NAME_COLUMN)

    # -- following -------------------------------------------------------------------------------

    @Slot()
    def _follow_runs(self) -> None:
        """Changes only the rows that differ."""
        items = list(self._session.items)
        held, wanted = [i.key for i in self._items], [i.key for i in items]
        edits = SequenceMatcher(None, held, wanted, autojunk=False).get_opcodes()
        # From the end, so that the rows before a change keep their numbers.
        for kind, first, last, start, stop in reversed(edits):
            kept = min(last - first, stop - start)
            if kind != "equal":
                self._remove(first + kept, last)
                self._insert(first + kept, items[start + kept : stop])
            self._change(first, items[start : start + kept])

    def _remove(self, first: int, last: int) -> None:
        if first < last:
            self.beginRemoveRows(QModelIndex(), first, last - 1)
            del self._items[first:last]
            self.endRemoveRows()

    def _insert(self, first: int, items: list[RunItem]) -> None:
        if items:
            self.beginInsertRows(QModelIndex(), first, first + len(items) - 1)
            self._items[first:first] = items
            self.endInsertRows()

    def _change(self, first: int, items: list[RunItem]) -> None:
        for row, item in enumerate(items, first):
            if self._items[row] != item:
                self._items[row] = item
                self._emit_changes(row, row)

    @Slot()
    def _follow_progress(self) -> None:
        for key in self._queue.active:
            place = self.index_of(key)
            if place.isValid():
                self._emit_changes(place.row(), place.row())

    @Slot()
    def _repaint(self) -> None:
        if self._items:
            self._emit_changes(0, len(self._items) - 1)

    def _emit_changes(self, first: int, last: int) -> None:
        self.dataChanged.emit(self.index(first, NAME_COLUMN), self.index(last, EYE_COLUMN))

    # -- in words --------------------------------------------------------------------------------

    def _readers(self) -> tuple[dict[int, Callable[[RunItem], object]], ...]:
        qt = Qt.ItemDataRole
        shared: dict[int, Callable[[RunItem], object]] = {
            Role.CHOSEN: self._is_current,
            Role.FADED: lambda item: not item.visible,
        }
        name: dict[int, Callable[[RunItem], object]] = {
            **shared,
            qt.DisplayRole: lambda item: item.name,
            qt.EditRole: lambda item: item.name,
            qt.DecorationRole: state_icon,
            qt.ToolTipRole: tooltip,
            qt.AccessibleTextRole: lambda item: f"{item.name}, {detail_text(item)}",
            Role.DETAIL: detail_text,
            Role.SWATCH: lambda item: QColor(item.colour),
            Role.BADGE: _lock,
            Role.FRACTION: _fraction,
            Role.VALUE: self._value,
        }
        eye: dict[int, Callable[[RunItem], object]] = {
            **shared,
            qt.CheckStateRole: lambda item: _check(item.visible),
            qt.DecorationRole: _eye,
            qt.ToolTipRole: lambda item: f"{_verb(item)} this run in the plots (Space)",
            qt.AccessibleTextRole: lambda item: f"{item.name}: shown in the plots",
        }
        return name, eye

    def _is_current(self, item: RunItem) -> bool:
        current = self._session.current
        return current is not None and current.key == item.key

    def _value(self, item: RunItem) -> str:
        """Returns the value of the chosen metric."""
        metric = self._session.metric
        return (
            localise(metric.text_with_unit(item.evaluation)) if metric and item.evaluation else ""
        )


def state_text(item: RunItem) -> str:
    """Returns the state in words with the progress: "Running · 12,300 / 50,000"."""
    word = _WORDS[item.state][0]
    if item.steps <= 1 or item.state in {RunState.NEW, RunState.DAMAGED}:
        return word
    is_waiting = item.state is RunState.QUEUED and not item.step
    if item.state is RunState.FINISHED or is_waiting:
        return f"{word} · {local(item.steps):,} steps"
    return f"{word} · {local(item.step):,} / {local(item.steps):,}"


def detail_text(item: RunItem) -> str:
    """Returns the state, and for a run that went wrong the reason in one line."""
    reason = " ".join(item.problem.split()) if item.state.is_problem else ""
    return " · ".join(filter(None, [state_text(item), reason]))


def state_icon(item: RunItem) -> QIcon:
    """Returns the state as an icon, in a quiet colour unless something went wrong."""
    role = QPalette.ColorRole.BrightText if item.state.is_problem else _QUIET
    return theme.icon(_WORDS[item.state][1], role)


def tooltip(item: RunItem) -> str:
    """Returns all details of a run, one per line."""
    lines = [f"{item.name}: {state_text(item)}"]
    if item.read_only:
        lines.append("Comes with the program; it can be explored, and not changed.")
    if item.config is not None:
        lines += summary(item.config)
    if item.evaluation is not None:
        lines += metrics_text(item.evaluation)
    return plain_tip("\n".join([*lines, item.problem] if item.problem else lines))


def summary(config: RunConfig) -> list[str]:
    """Returns a config in a few lines: preset, network, training."""
    entry = PRESETS.get(config.preset)
    head = f"{entry.title if entry else config.preset}, {config.model.latent_dim}-dimensional code"
    if config.dataset != MNIST.name:
        head += f", of {config.dataset}"
    training = config.training
    if config.model.family == "pca":
        return [head, *describe_architecture(config).splitlines()]
    return [
        head,
        *describe_architecture(config).splitlines(),
        f"Adam {local(training.learning_rate):g}, "
        f"{localise(count_of(training.batch_size, 'image'))} a step, "
        f"seed {training.seed}",
    ]


def metrics_text(evaluation: Evaluation) -> list[str]:
    """Returns all metrics of a checkpoint that are single numbers, one per line."""
    lines = (
        f"{metric.label}: {localise(written)} {metric.unit}"
        for metric in METRICS.values()
        if (written := metric.text(evaluation))
    )
    return [f"Test images at step {local(evaluation.step):,}:", *lines]


def _verb(item: RunItem) -> str:
    return "Hide" if item.visible else "Show"


def _eye(item: RunItem) -> QIcon:
    return theme.icon("eye-outline" if item.visible else "eye-off-outline", _QUIET)


def _lock(item: RunItem) -> QIcon | None:
    return theme.icon("lock-outline", _QUIET) if item.read_only else None


def _check(checked: bool) -> Qt.CheckState:
    return Qt.CheckState.Checked if checked else Qt.CheckState.Unchecked


def _fraction(item: RunItem) -> float | None:
    if not item.state.is_in_training or not item.steps:
        return None
    return item.step / item.steps
