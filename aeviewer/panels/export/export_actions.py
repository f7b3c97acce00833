"""The actions that export and open runs, write live events, and accept dropped archives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Slot
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent, QKeySequence
from PySide6.QtWidgets import QFileDialog, QMainWindow

from aeviewer.panels.export.export_dialog import ExportDialog
from aeviewer.services.export.export_service import ArchiveOpener, ExportService
from aeviewer.widgets.inputs.save_dialog import PlainFileDialog
from aeviewer.widgets.labels import replace_controls
from trainers.errors import AEViewerError

if TYPE_CHECKING:
    from PySide6.QtCore import QMimeData

    from aeviewer.services.latent_services import LatentServices
    from aeviewer.services.training.training_queue import TrainingQueue
    from aeviewer.settings import Settings


class ExportActions(QObject):
    """The actions of the window's menus, and archives that are dropped on the window.

    Parameters
    ----------
    latent_services
        Its run, at the step that is shown, is exported; its compute thread does it.
    queue
        Receives whether TensorBoard events are written.
    settings
        Where choices are remembered.
    window
        Whose menus they are for.
    """

    def __init__(
        self,
        latent_services: LatentServices,
        queue: TrainingQueue,
        settings: Settings,
        window: QMainWindow,
    ) -> None:
        super().__init__(window)
        self._session, self._queue, self._settings = latent_services.session, queue, settings
        self._window, self._compute = window, latent_services.compute
        self.archive_opener = ArchiveOpener(latent_services.session, latent_services.compute, self)
        self.dialog: ExportDialog | None = None
        self.export_action = QAction("&Export…", self)
        self.export_action.setShortcut(QKeySequence("Ctrl+E"))
        self.open_action = QAction("Open &run…", self)
        self.open_action.setShortcut(QKeySequence("Ctrl+Shift+O"))
        self.events_action = QAction("Write &TensorBoard events", self)
        self.events_action.setCheckable(True)
        self.events_action.setToolTip("Into each run's folder while it is trained.")
        self.events_action.setChecked(settings.writes_events)
        if settings.writes_events:
            self._choose_events(True)
        self.export_action.triggered.connect(self.export)
        self.open_action.triggered.connect(self._ask_for_archive)
        self.events_action.toggled.connect(self._choose_events)
        self._session.current_changed.connect(self._enable)
        self._session.checkpoints_changed.connect(self._enable)
        self.archive_opener.changed.connect(self._show_progress)
        window.setAcceptDrops(True)
        window.installEventFilter(self)
        self._enable()

    @Slot()
    def _enable(self) -> None:
        self.export_action.setEnabled(bool(self._session.checkpoints))

    # -- out -------------------------------------------------------------------------------------

    @Slot()
    def export(self) -> None:
        """Opens the export dialog for the current run, or brings it to the front."""
        current = self._session.current
        if self.dialog is not None:
            self.dialog.raise_()
            self.dialog.activateWindow()
            return
        if current is None:
            return
        run, step = self._session.run(current.key), self._session.step
        carrying = ExportService(self._compute)
        try:
            self.dialog = ExportDialog(run, step, carrying, self._settings, self._window)
        except AEViewerError as error:
            self._session.message_posted.emit(str(error))
            return
        carrying.setParent(self.dialog)
        self.dialog.finished.connect(self._forget)
        self.dialog.show()

    @Slot()
    def _forget(self) -> None:
        self.dialog = None

    @Slot(bool)
    def _choose_events(self, writes: bool) -> None:
        self._settings.writes_events = self._queue.set_writes_events(writes)
        self.events_action.setChecked(self._settings.writes_events)

    # -- in --------------------------------------------------------------------------------------

    @Slot()
    def _ask_for_archive(self) -> None:
        dialog = PlainFileDialog(self._window, "Open a run", "", "Archive of a run (*.zip)")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda file: self.archive_opener.open(Path(file)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    @Slot()
    def _show_progress(self) -> None:
        """Shows the progress in the status bar."""
        bar = self._window.statusBar()
        if self.archive_opener.progress_text:
            bar.showMessage(replace_controls(self.archive_opener.progress_text))
        else:
            bar.clearMessage()

    def eventFilter(self, _window: QObject, event: QEvent) -> bool:
        """Accepts archives that are dropped on the window; other drops are left to others."""
        if not isinstance(event, QDragEnterEvent | QDropEvent):
            return False
        files = _archives(event.mimeData())
        if files:
            event.acceptProposedAction()
        if event.type() == QEvent.Type.Drop:
            for file in files:
                self.archive_opener.open(file)
        return bool(files)


def _archives(dropped: QMimeData) -> list[Path]:
    """Returns the archives among dropped files."""
    files = [Path(url.toLocalFile()) for url in dropped.urls() if url.isLocalFile()]
    return [file for file in files if file.suffix.lower() == ".zip"]
