"""The list of runs: their progress, which of them are shown, and their context menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPoint, Qt, QUrl, Signal, Slot
from PySide6.QtGui import (
    QAction,
    QActionGroup,
    QDesktopServices,
    QGuiApplication,
    QKeySequence,
    QPalette,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QStackedLayout,
    QTableView,
    QWidget,
)

from aeviewer import theme
from aeviewer.panels.runs.runs_model import EYE_COLUMN, NAME_COLUMN, RunsModel
from aeviewer.services.runs.missing_runs import drop_if_missing
from aeviewer.widgets.displays.empty_state import EmptyState
from aeviewer.widgets.displays.list_delegate import (
    ROW_HEIGHT,
    TOGGLE_WIDTH,
    ToggleDelegate,
    TwoLineDelegate,
)
from aeviewer.widgets.inputs.message_boxes import ask
from aeviewer.widgets.labels import plain_tip
from trainers.errors import AEViewerError
from trainers.glossary import explain
from trainers.runs.metrics import METRICS
from trainers.runs.status import RunState
from trainers.storage.trash import move_to_trash

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeviewer.services.runs.run_item import RunItem
    from aeviewer.services.runs.session import Session
    from aeviewer.services.training.training_queue import TrainingQueue
    from trainers.storage.trash import Trash


class RunsPanel(QWidget):
    """All runs of the runs folder.

    Parameters
    ----------
    session
        Its runs are listed; it receives which run is current and which runs are shown.
    queue
        Tells how far the active run is; asked to continue or leave out a run.
    trash
        Moves a folder to the trash, as `move_to_trash` does.
    """

    settings_requested = Signal(object)
    """The `RunConfig` of a run whose settings are to be used again."""
    comparison_requested = Signal(object)
    """The keys of the selected runs, as a list."""

    def __init__(
        self,
        session: Session,
        queue: TrainingQueue,
        parent: QWidget | None = None,
        *,
        trash: Trash = move_to_trash,
    ) -> None:
        super().__init__(parent)
        self._session, self._queue, self._trash = session, queue, trash
        self._model = RunsModel(session, queue, self)
        self._view = self._build_view()
        self._make_actions()
        self._empty = EmptyState(
            "No runs yet. Choose a preset and press Train.",
            theme.icon("format-list-bulleted", QPalette.ColorRole.PlaceholderText),
            parent=self,
        )
        self._layers = QStackedLayout(self)
        self._layers.addWidget(self._view)
        self._layers.addWidget(self._empty)
        self._view.clicked.connect(self._click)
        self._view.customContextMenuRequested.connect(self._open_menu)
        self._view.selectionModel().currentChanged.connect(self._enable_actions)
        self._model.dataChanged.connect(self._enable_actions)
        self._model.rowsInserted.connect(self._show_layer)
        self._model.rowsRemoved.connect(self._show_layer)
        session.current_changed.connect(self._go_to_current)
        self._show_layer()
        self._go_to_current()

    @property
    def view(self) -> QTableView:
        """The list view."""
        return self._view

    # -- making ----------------------------------------------------------------------------------

    def _build_view(self) -> QTableView:
        view = QTableView(self)
        view.setAccessibleName("Runs")
        view.setModel(self._model)
        view.setItemDelegateForColumn(NAME_COLUMN, TwoLineDelegate(view))
        view.setItemDelegateForColumn(EYE_COLUMN, ToggleDelegate(view))
        view.setShowGrid(False)
        # The row shows the keyboard focus; a border around all rows would shift them.
        view.setStyleSheet("QTableView:focus { border: none; }")
        view.setTabKeyNavigation(False)
        view.setMouseTracking(True)
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        view.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        rows, columns = view.verticalHeader(), view.horizontalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(ROW_HEIGHT)
        columns.hide()
        columns.setMinimumSectionSize(TOGGLE_WIDTH)
        columns.setSectionResizeMode(NAME_COLUMN, QHeaderView.ResizeMode.Stretch)
        columns.setSectionResizeMode(EYE_COLUMN, QHeaderView.ResizeMode.Fixed)
        columns.resizeSection(EYE_COLUMN, TOGGLE_WIDTH)
        return view

    def _make_actions(self) -> None:
        self.explore_action = self._action("&Explore", self._explore, "Return", "Enter")
        self.toggle_action = self._action("&Hide in plots", self._toggle, "Space")
        self.continue_action = self._action("&Continue training", self._continue)
        self.stop_action = self._action("S&top training", self._stop)
        self.remove_action = self._action("Remove from &queue", self._remove)
        self.settings_action = self._action("&Use these settings", self._use_settings)
        self.compare_action = self._action("Co&mpare…", self._compare, "Ctrl+Shift+C")
        # This works from every place, because it concerns all runs.
        self.compare_action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        self.rename_action = self._action("&Rename", self._rename, "F2")
        self.folder_action = self._action("Open &folder", self._open_folder)
        self.trash_action = self._action("Move to &trash…", self._ask_to_trash, "Del")
        self._enable_actions()

    def _action(self, text: str, slot: Callable[[RunItem], None], *keys: str) -> QAction:
        """Makes an action for the run of the focused row; its keys work in the list alone."""
        action = QAction(text, self._view)
        action.setShortcuts([QKeySequence(key) for key in keys])
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        action.triggered.connect(lambda: self._with_chosen(slot))
        self._view.addAction(action)
        return action

    # -- which row -------------------------------------------------------------------------------

    def _chosen_item(self) -> RunItem | None:
        index = self._view.currentIndex()
        return self._model.item_at(index) if index.isValid() else None

    def _with_chosen(self, work: Callable[[RunItem], None]) -> None:
        item = self._chosen_item()
        if item is not None and not drop_if_missing(self._session, item.key):
            work(item)

    @Slot(QModelIndex)
    def _click(self, index: QModelIndex) -> None:
        extends = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        if index.column() == EYE_COLUMN:
            self._toggle(self._model.item_at(index))
        elif not QGuiApplication.keyboardModifiers() & extends:
            self._with_chosen(self._explore)

    @Slot()
    def _go_to_current(self) -> None:
        current = self._session.current
        index = self._model.index_of(current.key if current else "")
        if index.isValid() and index.row() != self._view.currentIndex().row():
            self._view.setCurrentIndex(index)
            self._view.scrollTo(index)

    @Slot()
    def _show_layer(self) -> None:
        self._layers.setCurrentWidget(self._view if self._model.rowCount() else self._empty)
        if not self._view.currentIndex().isValid():
            self._go_to_current()
        self._enable_actions()

    @Slot()
    def _enable_actions(self) -> None:
        """Enables what can be done with the run of the focused row."""
        item = self._chosen_item()
        there = item is not None
        for action in (self.explore_action, self.toggle_action, self.folder_action):
            action.setEnabled(there)
        self.compare_action.setEnabled(self._model.rowCount() > 0)
        state = item.state if item else None
        visible = item is None or item.visible
        fixed = item is None or item.read_only
        self.toggle_action.setText("&Hide in plots" if visible else "&Show in plots")
        self.continue_action.setVisible(item is not None and item.can_continue)
        self.stop_action.setVisible(state is not None and state.is_in_training)
        self.remove_action.setVisible(state is RunState.QUEUED)
        self.settings_action.setEnabled(item is not None and item.config is not None)
        self.rename_action.setEnabled(not fixed)
        self.trash_action.setEnabled(not fixed)

    @Slot(QPoint)
    def _open_menu(self, place: QPoint) -> None:
        if not self._view.currentIndex().isValid():
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions([self.explore_action, self.compare_action, self.toggle_action])
        menu.addSeparator()
        menu.addActions([self.continue_action, self.stop_action, self.remove_action])
        menu.addAction(self.settings_action)
        menu.addSeparator()
        menu.addActions([self.rename_action, self.folder_action, self.trash_action])
        menu.addSeparator()
        menu.addMenu(self._metric_menu(menu))
        menu.popup(self._view.viewport().mapToGlobal(place))

    def _metric_menu(self, parent: QMenu) -> QMenu:
        """Makes the menu of the metric that the list shows for every run."""
        menu = QMenu("&Figure in this list", parent)
        menu.setToolTipsVisible(True)
        group, shown = QActionGroup(menu), self._session.metric
        choices = {key: f"{m.label}, {m.unit}" for key, m in METRICS.items()}
        for key, text in {**choices, "": "None"}.items():
            action = menu.addAction(text)
            action.setCheckable(True)
            action.setChecked(key == (shown.key if shown else ""))
            action.setToolTip(plain_tip(explain(key, text)))
            group.addAction(action)
            action.triggered.connect(lambda _=False, k=key: self._session.set_metric(k))
        return menu

    # -- what can be done with a run -------------------------------------------------------------

    def _explore(self, item: RunItem) -> None:
        self._session.set_current(item.key)

    def _toggle(self, item: RunItem) -> None:
        self._session.set_visible(item.key, not item.visible)

    def _compare(self, _item: RunItem) -> None:
        rows = self._view.selectionModel().selectedRows(NAME_COLUMN)
        self.comparison_requested.emit([self._model.item_at(row).key for row in rows])

    def _continue(self, item: RunItem) -> None:
        self._queue.continue_run(item.key)

    def _stop(self, item: RunItem) -> None:
        self._queue.stop(item.key)

    def _remove(self, item: RunItem) -> None:
        self._queue.remove(item.key)

    def _use_settings(self, item: RunItem) -> None:
        self.settings_requested.emit(item.config)

    def _open_folder(self, item: RunItem) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(item.key)):
            self._session.message_posted.emit(
                f"No program opened the folder of {item.name!r}; it is {item.key}"
            )

    def _rename(self, item: RunItem) -> None:
        if self._is_free(item, "renaming"):
            index = self._model.index_of(item.key)
            self._view.setCurrentIndex(index)
            self._view.edit(index)

    def _ask_to_trash(self, item: RunItem) -> None:
        if not self._is_free(item, "deleting"):
            return
        ask(
            self,
            "Move to trash",
            f"Move the run “{item.name}” to the trash?",
            "Its checkpoints and losses go with it.",
            "Move to trash",
            lambda: self._move_to_trash(item.key),
        )

    def _move_to_trash(self, key: str) -> None:
        """The run may have been deleted or started while the question was open."""
        if drop_if_missing(self._session, key):
            return
        item = self._session.item(key)
        if not self._is_free(item, "deleting"):
            return
        try:
            self._trash(key, item.name)
        except AEViewerError as error:
            self._session.message_posted.emit(str(error))
        else:
            self._session.forget(key)

    def _is_free(self, item: RunItem, doing: str) -> bool:
        """Returns whether the folder of the run is not in use; posts a message where it is."""
        if item.read_only or not item.state.is_active:
            return not item.read_only
        remedy = "remove it from the queue" if item.state is RunState.QUEUED else "stop it"
        self._session.message_posted.emit(
            f"The run {item.name!r} is {item.state}; {remedy} before {doing} it."
        )
        return False
