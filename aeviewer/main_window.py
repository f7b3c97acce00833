"""The main window: docks, menus and their connections."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QSize, Qt, QTimer, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices, QKeySequence, QPalette
from PySide6.QtWidgets import (
    QDockWidget,
    QMainWindow,
    QTabWidget,
    QWidget,
)

from aeviewer.panels.application.file_menu import FileMenu, ThemeMenu
from aeviewer.panels.application.help_menu import HelpMenu, tour_stops
from aeviewer.panels.comparison.compare_window import CompareWindow
from aeviewer.panels.datasets.datasets_menu import DatasetsMenu
from aeviewer.panels.export.export_actions import ExportActions
from aeviewer.panels.export.pictures_menu import PicturesMenu
from aeviewer.panels.latent.decoder_panel import DecoderPanel
from aeviewer.panels.latent.directions_panel import DirectionsPanel
from aeviewer.panels.latent.draw_panel import DrawPanel
from aeviewer.panels.latent.latent_panel import LatentPanel
from aeviewer.panels.latent.path_panel import PathPanel
from aeviewer.panels.latent.point_panel import PointPanel
from aeviewer.panels.latent.reconstructions_panel import ReconstructionsPanel
from aeviewer.panels.latent.samples_panel import SamplesPanel
from aeviewer.panels.latent.selection_panel import SelectionPanel
from aeviewer.panels.latent.views_menu import ViewsMenu
from aeviewer.panels.losses.loss_panel import LossPanel
from aeviewer.panels.runs.runs_panel import RunsPanel
from aeviewer.panels.timeline.film_action import FilmAction
from aeviewer.panels.timeline.timeline_panel import TimelinePanel
from aeviewer.panels.training.experiment_panel import ExperimentPanel
from aeviewer.panels.training.parallel_menu import ParallelMenu
from aeviewer.panels.training.reproduce_dialog import ReproduceDialog
from aeviewer.panels.training.training_toolbar import TrainingToolbar
from aeviewer.services.training.training_queue import Activity
from aeviewer.widgets.displays.scroll_panel import Scrolled
from aeviewer.widgets.inputs.message_boxes import show_failure
from aeviewer.widgets.labels import plain_label

if TYPE_CHECKING:
    from PySide6.QtGui import QCloseEvent, QPaintEvent, QShowEvent
    from PySide6.QtWidgets import QMenu

    from aeviewer.services.comparison.comparison import Comparison
    from aeviewer.services.latent_services import LatentServices
    from aeviewer.services.system.log import SessionLog
    from aeviewer.services.training.reproduction import ReproductionService
    from aeviewer.services.training.training_queue import TrainingQueue
    from aeviewer.settings import Settings

_LAYOUT_VERSION = 2
_TABBED_DOCKS = ("point", "directions", "selection", "path", "draw", "samples")
"""The docks that share a place with the decoder."""
_SIZE = QSize(1680, 1050)
_LEAST_LOWER_HEIGHT = 330


class MainWindow(QMainWindow):
    """The main window, with all panels on one screen.

    Parameters
    ----------
    exploring, queue, reproduction, comparison
        What the panels watch and ask.
    settings
        Where layout and theme are remembered.
    journal
        What the log shows.

    Attributes
    ----------
    next_folder
        The runs folder that shall be opened instead, once the window is closed.
    """

    appeared = Signal()
    """Emitted when the window has been painted for the first time."""

    def __init__(
        self,
        latent_services: LatentServices,
        queue: TrainingQueue,
        reproduction: ReproductionService,
        comparison: Comparison,
        settings: Settings,
        journal: SessionLog,
    ) -> None:
        super().__init__()
        self.setWindowTitle("AE Viewer")
        latent_state, session = latent_services.latent_state, latent_services.session
        self._session, self._queue, self._settings = session, queue, settings
        self._latent = latent_state
        self._reproduction, self._comparison = reproduction, comparison
        self.compare_window: CompareWindow | None = None
        self._messages: set[str] = set()
        self._is_arranged = self._has_appeared = False
        self.next_folder: Path | None = None
        self._status = plain_label(parent=self)
        self._status.setContentsMargins(8, 0, 8, 0)
        self.statusBar().addWidget(self._status, 1)
        self.setDockNestingEnabled(True)
        north = QTabWidget.TabPosition.North
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, north)
        self.experiment = ExperimentPanel(session)
        self.runs = RunsPanel(session, queue)
        self.latent = LatentPanel(latent_services)
        self.decoder = DecoderPanel(latent_state)
        self.point = PointPanel(latent_state, latent_services.point_inspector)
        self.directions = DirectionsPanel(latent_state, latent_services.directions)
        self.selection = SelectionPanel(latent_state, latent_services.compute)
        self.path = PathPanel(latent_state, latent_services.path_service)
        self.draw = DrawPanel(latent_state, latent_services.drawing)
        self.samples = SamplesPanel(latent_state, latent_services.compute)
        self.loss = LossPanel(session)
        self.reconstructions = ReconstructionsPanel(session)
        self.timeline = TimelinePanel(latent_services)
        self.film_action = FilmAction(latent_services, self.latent, self)
        self.carry_away = ExportActions(latent_services, queue, settings, self)
        self.bar = TrainingToolbar(self.experiment, queue)
        self.datasets = DatasetsMenu(latent_services.compute, self)
        self.datasets.changed.connect(self.experiment.list_datasets)
        self.datasets.chosen.connect(self.experiment.set_dataset)
        self.datasets.failed.connect(self.show_message)
        self.addToolBar(self.bar)
        self.docks = {
            "runs": self._make_dock("Runs", self.runs),
            "experiment": self._make_dock("Experiment", self.experiment),
            "latent": self._make_dock("Latent space", self.latent),
            "decoder": self._make_dock("Decoder", self.decoder),
            "point": self._make_dock("Point", Scrolled(self.point)),
            "directions": self._make_dock("Directions", Scrolled(self.directions)),
            "selection": self._make_dock("Selection", Scrolled(self.selection)),
            "path": self._make_dock("Path", Scrolled(self.path)),
            "draw": self._make_dock("Draw", Scrolled(self.draw)),
            "samples": self._make_dock("Samples", Scrolled(self.samples)),
            "loss": self._make_dock("Loss", self.loss),
            "reconstructions": self._make_dock("Reconstructions", self.reconstructions),
            "timeline": self._make_dock("Timeline", self.timeline),
        }
        self.docks["timeline"].setTitleBarWidget(QWidget())
        self.help_menu = HelpMenu(
            journal, settings, tour_stops({**self.docks, "bar": self.bar}), self
        )
        self._make_menus()
        self.resize(_SIZE.boundedTo(self.screen().availableSize() * 0.96))
        self._arrange_docks()
        self._default_state = self.saveState(_LAYOUT_VERSION)
        self._restore_layout()
        self.experiment.train_requested.connect(queue.train)
        self.runs.settings_requested.connect(self.experiment.set_config)
        self.runs.comparison_requested.connect(self.compare)
        session.message_posted.connect(self.show_message)
        reproduction.report_written.connect(self._open_report)
        queue.activity_changed.connect(self._show_activity)
        session.current_changed.connect(self._show_activity)
        self._show_activity()

    def showEvent(self, event: QShowEvent) -> None:
        """Divides the space at the first start."""
        super().showEvent(event)
        if not self._is_arranged:
            self._is_arranged = True
            QTimer.singleShot(0, self, self._share_space)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Emits `appeared` the first time, as soon as everything is painted."""
        super().paintEvent(event)
        if not self._has_appeared:
            self._has_appeared = True
            QTimer.singleShot(0, self, self.appeared.emit)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stores the layout; the services stop and save the runs in training."""
        self._settings.set_layout(self.saveGeometry(), self.saveState(_LAYOUT_VERSION))
        self.film_action.cancel()
        if self.compare_window is not None:
            self.compare_window.close()
        super().closeEvent(event)

    # -- docks -----------------------------------------------------------------------------------

    def _make_dock(self, title: str, panel: QWidget) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(title)
        dock.setWidget(panel)
        # Qt moves a dock behind another tab off the screen and leaves it visible. Its panel is
        # hidden, so that it does no work, and keeps its size.
        policy = panel.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        panel.setSizePolicy(policy)
        dock.visibilityChanged.connect(panel.setVisible)
        panel.setAccessibleName(title)
        panel.setBackgroundRole(QPalette.ColorRole.Base)
        panel.setAutoFillBackground(True)
        return dock

    def _arrange_docks(self) -> None:
        """Runs and form at the left; the latent space with the most room; time at the bottom."""
        docks, across, down = self.docks, Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        self.addDockWidget(Qt.DockWidgetArea.TopDockWidgetArea, docks["runs"])
        self.splitDockWidget(docks["runs"], docks["latent"], across)
        self.splitDockWidget(docks["latent"], docks["loss"], down)
        self.splitDockWidget(docks["latent"], docks["decoder"], across)
        self.splitDockWidget(docks["loss"], docks["reconstructions"], across)
        self.splitDockWidget(docks["runs"], docks["experiment"], down)
        self.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, docks["timeline"])
        for name in _TABBED_DOCKS:
            self.tabifyDockWidget(docks["decoder"], docks[name])
        for dock in docks.values():
            dock.show()
        docks["decoder"].raise_()

    def _share_space(self) -> None:
        """Gives every dock its share; Qt applies it only to a visible window."""
        docks, across, down = self.docks, Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        width, height = self.width(), self.height()
        columns = [docks["runs"], docks["latent"], docks["decoder"]]
        side = min(320, width // 4)
        self.resizeDocks(columns, [320, width - 320 - side, side], across)
        rest = width - 320
        shares = [rest * 26 // 50, rest * 24 // 50]
        self.resizeDocks([docks["loss"], docks["reconstructions"]], shares, across)
        upper = [docks["latent"], docks["loss"]]
        lower = max(_LEAST_LOWER_HEIGHT, height // 3)
        self.resizeDocks(upper, [height - lower, lower], down)
        self.resizeDocks([docks["runs"], docks["experiment"]], [height // 4, 3 * height // 4], down)

    def _restore_layout(self) -> None:
        geometry, state = self._settings.layout()
        if not geometry.isEmpty():
            self.restoreGeometry(geometry)
        self._is_arranged = not state.isEmpty() and self.restoreState(state, _LAYOUT_VERSION)

    @Slot()
    def _reset_layout(self) -> None:
        self.restoreState(QByteArray(self._default_state), _LAYOUT_VERSION)
        self._share_space()

    # -- menus -----------------------------------------------------------------------------------

    def _make_menus(self) -> None:
        bar = self.menuBar()
        self.pictures = PicturesMenu(self._session, self)
        file = FileMenu(
            self._session, self._settings, self.carry_away.open_action, self.pictures, self
        )
        file.folder_requested.connect(self._request_folder)
        bar.addMenu(file)
        edit = bar.addMenu("&Edit")
        self._fill_edit_menu(edit)
        run = bar.addMenu("&Run")
        run.addActions([self.bar.train_action, self.bar.pause_action, self.bar.stop_action])
        run.addAction(self.bar.stop_all_action)
        run.addMenu(ParallelMenu(self._queue, self._settings, self))
        run.addAction(self.carry_away.events_action)
        run.addSeparator()
        runs = self.runs
        run.addActions([runs.continue_action, runs.settings_action, runs.toggle_action])
        run.addActions([runs.rename_action, runs.folder_action, runs.trash_action])
        run.addSeparator()
        run.addActions([runs.compare_action, self.carry_away.export_action])
        run.addAction("Reproduce the &paper…", self._open_reproduce_dialog)
        bar.addMenu(self.datasets)
        time = bar.addMenu("&Timeline")
        timeline = self.timeline
        time.addActions([timeline.play_action, timeline.back_action, timeline.forward_action])
        time.addAction(timeline.align_action)
        time.addSeparator()
        time.addAction(self.film_action)
        bar.addMenu(ViewsMenu(self._latent, self.latent, self))
        view = bar.addMenu("&Window")
        for dock in self.docks.values():
            view.addAction(dock.toggleViewAction())
        view.addSeparator()
        view.addAction("&Reset layout", self._reset_layout)
        view.addMenu(ThemeMenu(self._settings, self))
        bar.addMenu(self.help_menu)

    def _fill_edit_menu(self, menu: QMenu) -> None:
        stack = self._latent.undo_stack
        for action, key in (
            (stack.createUndoAction(self, "&Undo"), "Ctrl+Z"),
            (stack.createRedoAction(self, "&Redo"), "Ctrl+Shift+Z"),
            (self.decoder.copy_code_action, "Ctrl+Shift+X"),
            (self.decoder.paste_code_action, "Ctrl+Shift+V"),
        ):
            action.setShortcut(QKeySequence(key))
            menu.addAction(action)

    @Slot(str)
    def _request_folder(self, folder: str) -> None:
        """Closes this runs folder, saving the runs in training, and opens another."""
        self.next_folder = Path(folder)
        self.close()

    @Slot(object)
    def compare(self, keys: list[str]) -> None:
        """Opens the window that compares runs, or brings it to the front."""
        if self.compare_window is None:
            self.compare_window = CompareWindow(self._comparison, self._settings)
            self.compare_window.destroyed.connect(self._forget_compare_window)
        self.compare_window.compare(keys)
        self.compare_window.show()
        self.compare_window.raise_()
        self.compare_window.activateWindow()

    @Slot()
    def _forget_compare_window(self) -> None:
        self.compare_window = None

    @Slot()
    def _open_reproduce_dialog(self) -> None:
        dialog = ReproduceDialog(self._reproduction, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()

    @Slot(str)
    def _open_report(self, path: str) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(path)):
            self.show_message(f"No program opened the report; it is {path}")

    # -- messages --------------------------------------------------------------------------------

    @Slot(str)
    def show_message(self, message: str) -> None:
        """Shows one box for each failure, and no second one with the same text."""
        if message in self._messages:
            return
        self._messages.add(message)
        box = show_failure(self, message)
        box.finished.connect(lambda _result: self._messages.discard(message))

    @Slot()
    def _show_activity(self) -> None:
        self._status.setText(self._activity_text())

    def _activity_text(self) -> str:
        name = ", ".join(self._session.item(key).name for key in self._queue.active)
        are_many = len(self._queue.active) > 1
        match self._queue.activity:
            case Activity.RUNNING if are_many:
                return f"Training side by side: {name}. The panels follow each checkpoint."
            case Activity.PAUSED if are_many:
                return f"{name} are paused and saved. Continue or stop them in the toolbar."
            case Activity.RUNNING:
                return f"Training {name}. Press in the latent space to decode it as it learns."
            case Activity.PAUSED:
                return f"{name} is paused. Continue or stop it in the toolbar."
            case Activity.STOPPING:
                return f"Stopping {name} and saving it…"
        current = self._session.current
        if current is None:
            return "Choose a preset and press Train."
        if not self._session.checkpoints:
            return f"{current.name} has no checkpoint yet. Continue it, or choose another run."
        return "Press or drag in the latent space to decode a point; drag the timeline to go back."
