"""The Datasets menu: choose, download, import and remove data sets; drop images on the window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Signal, Slot
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QMenu,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from aeviewer.numbers import local
from aeviewer.panels.datasets.import_dialog import ImportDialog
from aeviewer.services.datasets.dataset_import import DatasetDownload
from aeviewer.widgets.inputs.message_boxes import ask
from aeviewer.widgets.inputs.save_dialog import PlainFileDialog
from aeviewer.widgets.labels import add_plain_action, plain_label, plain_tip
from trainers import datasets
from trainers.datasets import store
from trainers.datasets.catalogue import ENTRIES, find_entry
from trainers.datasets.sources.idx_files import is_idx_file
from trainers.errors import AEViewerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeviewer.services.compute.compute_thread import ComputeThread

_ARRAYS = frozenset(".npy .npz .mat .h5 .hdf5 .csv .parquet .tif .tiff".split())
"""Types of files that hold many images. A .zip that is dropped is the archive of a run."""
_FILES = (
    f"Images (*.gz *-ubyte *.idx *.zip {' '.join(f'*{kind}' for kind in sorted(_ARRAYS))})"
    ";;All files (*)"
)
_WIDTH, _BAR = 440, 8


class DatasetsMenu(QMenu):
    """Chooses, imports, downloads and removes data sets, and accepts images dropped on the window.

    Parameters
    ----------
    compute
        Does the importing.
    window
        On which folders and files may be dropped.
    """

    chosen = Signal(str)
    """The data set to train on, perhaps a new one."""
    changed = Signal()
    """The data sets of the store have changed."""
    failed = Signal(str)

    def __init__(self, compute: ComputeThread, window: QWidget) -> None:
        super().__init__("&Datasets", window)
        self._compute, self._window = compute, window
        self.folder_action = self._make_action("&Import a folder…", "Ctrl+I", self._ask_folder)
        self.file_action = self._make_action("Import a &file…", "Ctrl+Shift+I", self._ask_file)
        self._download, self._remove = QMenu("&Download", self), QMenu("&Remove", self)
        window.setAcceptDrops(True)
        window.installEventFilter(self)
        self.aboutToShow.connect(self.fill)
        self.fill()

    def _make_action(self, text: str, key: str, act: Callable[[], None]) -> QAction:
        action = QAction(text, self._window)  # `clear` would delete an action of the menu.
        action.setShortcut(QKeySequence(key))
        # `clear` also disconnects an action from what the menu would do, so it is connected here.
        action.triggered.connect(lambda: act())
        self._window.addAction(action)
        return action

    @Slot()
    def fill(self) -> None:
        """Lists the data sets of the store."""
        for menu in (self, self._download, self._remove):
            menu.clear()
        there = datasets.dataset_names()
        for name in there:
            self._list(name)
        self.addSeparator()
        self.addActions([self.folder_action, self.file_action])
        self.addMenu(self._download)
        for found in ENTRIES.values():
            action = add_plain_action(self._download, f"{found.title}, about {found.megabytes} MB…")
            action.setToolTip(plain_tip(found.about))
            action.setEnabled(found.name not in there)
            action.triggered.connect(lambda _checked, n=found.name: self.download(n))
        self._download.setToolTipsVisible(True)
        self.addMenu(self._remove)
        self._remove.setEnabled(len(there) > 1)
        for name in there[1:]:
            action = add_plain_action(self._remove, f"{name}…")
            action.triggered.connect(lambda _checked, n=name: self._ask_remove(n))

    def _list(self, name: str) -> None:
        try:
            found = datasets.dataset_named(name)
            text = f"{found.title}: {local(found.train + found.test):,} of {found.size}"
            history = found.history
        except AEViewerError as error:
            text, history = f"{name}: damaged", str(error)
        action = add_plain_action(self, text)
        action.setToolTip(plain_tip(history))
        action.triggered.connect(lambda: self.chosen.emit(name))
        self.setToolTipsVisible(True)

    # -- a person's own --------------------------------------------------------------------------

    @Slot()
    def _ask_folder(self) -> None:
        dialog = PlainFileDialog(self._window, "Import a folder of images")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        self._ask(dialog)

    @Slot()
    def _ask_file(self) -> None:
        dialog = PlainFileDialog(self._window, "Import a file of images", "", _FILES)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        self._ask(dialog)

    def _ask(self, dialog: QFileDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.import_from(Path(path)))
        dialog.open()

    def import_from(self, path: Path) -> ImportDialog:
        """Opens the dialog that imports a path."""
        dialog = ImportDialog(self._compute, path, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.imported.connect(self._choose_new)
        dialog.show()
        return dialog

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Accepts folders and files of images that are dropped on the window, and nothing else."""
        if event.type() == QEvent.Type.DragEnter and isinstance(event, QDragEnterEvent):
            if self._importable_path(event) is not None:
                event.acceptProposedAction()
                return True
        elif event.type() == QEvent.Type.Drop and isinstance(event, QDropEvent):
            path = self._importable_path(event)
            if path is not None:
                event.acceptProposedAction()
                self.import_from(path)
                return True
        return False

    @staticmethod
    def _importable_path(event: QDropEvent) -> Path | None:
        """What could be imported: a folder that is no run, or a file of images."""
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if len(paths) != 1:
            return None
        path = paths[0]
        if path.is_dir():
            return None if (path / "config.json").exists() else path
        fits = path.suffix.lower() in _ARRAYS or (path.is_file() and is_idx_file(path))
        return path if fits else None

    # -- downloads -------------------------------------------------------------------------------

    def download(self, name: str, mirror: str = "") -> DownloadDialog:
        """Opens the dialog that downloads a data set."""
        dialog = DownloadDialog(name, mirror, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.downloaded.connect(self._choose_new)
        dialog.show()
        return dialog

    @Slot(str)
    def _choose_new(self, name: str) -> None:
        self.fill()
        self.changed.emit()
        self.chosen.emit(name)

    # -- removing --------------------------------------------------------------------------------

    def _ask_remove(self, name: str) -> None:
        ask(
            self._window,
            "Remove a data set",
            f"Move the data set “{name}” to the trash?",
            "Runs that learnt from it keep what they learnt, but cannot be trained on or explored "
            "until it is back.",
            "Move to trash",
            lambda: self._remove_now(name),
        )

    def _remove_now(self, name: str) -> None:
        try:
            store.remove(name)
        except AEViewerError as error:
            self.failed.emit(str(error))
        self.changed.emit()


class DownloadDialog(QDialog):
    """Downloads a data set, shows the progress, and can be cancelled.

    Parameters
    ----------
    name
        Of an entry of the catalogue.
    mirror
        An address that has the files too.
    """

    downloaded = Signal(str)
    """The name of the data set, which is now in the store."""

    def __init__(self, name: str, mirror: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        found = find_entry(name)
        self.setWindowTitle(f"Download {found.title}")
        self.about, self.state = plain_label(found.about, wraps=True), plain_label(wraps=True)
        self.bar = QProgressBar(textVisible=False)
        self.bar.setFixedHeight(_BAR)
        buttons = QDialogButtonBox()
        self.button = buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 20, 20, 16)
        layout.setSpacing(12)
        for part in (self.about, self.state, self.bar, buttons):
            layout.addWidget(part)
        self.setMinimumWidth(_WIDTH)
        self.work = DatasetDownload(name, mirror, self)
        self.work.progressed.connect(self._show)
        self.work.ended.connect(self._end)
        buttons.rejected.connect(self.close)
        self._show()

    def done(self, result: int) -> None:
        """Ends the download when the dialog is closed; the bytes received so far are kept."""
        self.work.stop()
        super().done(result)

    @Slot()
    def _show(self) -> None:
        share = self.work.share
        self.state.setText(self.work.activity)
        self.bar.setRange(0, 0 if share is None else 1000)
        self.bar.setValue(round(1000 * (share or 0.0)))

    @Slot()
    def _end(self) -> None:
        if self.work.dataset is not None:
            self.downloaded.emit(self.work.dataset.name)
            self.close()
            return
        self.bar.hide()
        self.state.setText(self.work.problem)
        self.button.setText("Close")
        self.adjustSize()
