"""The dialog that exports a run: formats, folder and progress."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QDir, QStandardPaths, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from aeviewer.numbers import local
from aeviewer.widgets.inputs.save_dialog import ask_folder
from aeviewer.widgets.labels import plain_label, plain_tip, quiet_label, replace_controls
from trainers.exporting.export import in_the_way, proposed_folder
from trainers.exporting.exporters import EXPORTERS
from trainers.plurals import count_of

if TYPE_CHECKING:
    from aeviewer.services.export.export_service import ExportService
    from aeviewer.settings import Settings
    from trainers.exporting.exporters import Exporter
    from trainers.runs import Run

_WIDTH, _BAR = 640, 8
_USUAL = ("safetensors", "csv", "metrics", "pictures")


class ExportDialog(QDialog):
    """Lists every exporter, and runs those that are selected.

    Parameters
    ----------
    run, step
        The run and the step that are exported; the newest checkpoint if `step` is None.
    carrying
        Writes the files.
    settings
        Where the choice is remembered.
    """

    def __init__(
        self,
        run: Run,
        step: int | None,
        carrying: ExportService,
        settings: Settings,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._run, self._export, self._settings = run, carrying, settings
        self._checkpoint = run.checkpoint(step)
        self._is_working = False
        self._written: Path | None = None
        self.setWindowTitle(replace_controls(f"Export {run.name}"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.boxes = {name: QCheckBox(e.label) for name, e in EXPORTERS.items()}
        self.place, self.choose_button = QLineEdit(), QPushButton("Choose…")
        self.bar, self.status_label = QProgressBar(), quiet_label(wraps=True)
        self.open_button, self.close_button = QPushButton("Open folder"), QPushButton("Close")
        self.export_button = QPushButton("Export")
        self._build()
        self._restore()
        for box in self.boxes.values():
            box.toggled.connect(self._show)
        self.place.textChanged.connect(self._show)
        self.choose_button.clicked.connect(self._choose)
        self.open_button.clicked.connect(self._open)
        self.close_button.clicked.connect(self.reject)
        self.export_button.clicked.connect(self._begin)
        carrying.advanced.connect(self._advance)
        carrying.ended.connect(self._end)
        self._show()

    # -- parts -----------------------------------------------------------------------------------

    def _build(self) -> None:
        name, step = self._run.name, local(self._checkpoint.step)
        head = plain_label(f"{name} at step {step:,}, as files for other programs")
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        for row, (name, exporter) in enumerate(EXPORTERS.items()):
            self._add_row(grid, 2 * row, self.boxes[name], exporter)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(_BAR)
        policy = self.bar.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.bar.setSizePolicy(policy)
        self.status_label.setMinimumHeight(2 * self.status_label.fontMetrics().height())
        self.status_label.setAlignment(Qt.AlignmentFlag.AlignTop)
        label = plain_label("&Folder")
        label.setBuddy(self.place)
        where, foot = QHBoxLayout(), QHBoxLayout()
        for widget in (label, self.place, self.choose_button):
            where.addWidget(widget)
        foot.addWidget(self.open_button)
        foot.addStretch(1)
        foot.addWidget(self.close_button)
        foot.addWidget(self.export_button)
        for button in (self.choose_button, self.open_button, self.close_button):
            button.setAutoDefault(False)
        self.export_button.setDefault(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 16)
        layout.setSpacing(12)
        layout.addWidget(head)
        layout.addLayout(grid)
        layout.addLayout(where)
        layout.addWidget(self.bar)
        layout.addWidget(self.status_label)
        layout.addLayout(foot)
        self.setMinimumWidth(_WIDTH)

    def _add_row(self, grid: QGridLayout, row: int, box: QCheckBox, exporter: Exporter) -> None:
        """Adds the check box of an exporter, its purpose, and its file types to the grid."""
        problem = exporter.missing()
        box.setEnabled(not problem)
        files = ", ".join(exporter.places(self._run))
        meaning = quiet_label(exporter.meaning)
        meaning.setBuddy(box)
        endings = quiet_label("not installed" if problem else exporter.endings)
        for widget in (box, meaning, endings):
            widget.setToolTip(plain_tip(problem or f"Writes {files}"))
        box.setAccessibleDescription(problem or exporter.meaning)
        grid.addWidget(box, row, 0)
        grid.addWidget(meaning, row, 1)
        grid.addWidget(endings, row, 2, Qt.AlignmentFlag.AlignRight)
        grid.setRowMinimumHeight(row, 24)

    def _restore(self) -> None:
        """Selects the last choice, or the usual one."""
        names, folder = self._settings.exports
        for name, box in self.boxes.items():
            box.setChecked(name in (names or _USUAL) and box.isEnabled())
        documents = QStandardPaths.writableLocation(
            QStandardPaths.StandardLocation.DocumentsLocation
        )
        around = Path(folder or documents or Path.home())
        place = around / proposed_folder(self._run, self._checkpoint.step)
        self.place.setText(QDir.toNativeSeparators(str(place)))

    # -- what is chosen --------------------------------------------------------------------------

    @property
    def folder(self) -> Path:
        """The folder to write into."""
        return Path(self.place.text().strip()).expanduser()

    @property
    def chosen(self) -> tuple[Exporter, ...]:
        """The selected exporters."""
        return tuple(EXPORTERS[name] for name, box in self.boxes.items() if box.isChecked())

    @Slot()
    def _choose(self) -> None:
        around = next(p for p in (self.folder, *self.folder.parents) if p.is_dir() or p.name == "")
        proposed = proposed_folder(self._run, self._checkpoint.step)
        ask_folder(
            self,
            "Export into",
            str(around),
            lambda place: self.place.setText(str(Path(place) / proposed)),
        )

    @Slot()
    def _show(self) -> None:
        """Enables what can be done now."""
        exporters, folder = self.chosen, self.folder
        is_whole = folder.is_absolute()
        ready = bool(exporters) and is_whole and not self._is_working
        self.export_button.setEnabled(ready)
        self.open_button.setEnabled(self._written is not None)
        for name, box in self.boxes.items():
            box.setEnabled(not self._is_working and not EXPORTERS[name].missing())
        for widget in (self.place, self.choose_button):
            widget.setEnabled(not self._is_working)
        self.bar.setVisible(self._is_working or self._written is not None)
        self.close_button.setText("Cancel" if self._is_working else "Close")
        if self._is_working:
            return
        found = in_the_way(self._run, exporters, folder) if is_whole else ()
        if not exporters:
            self.status_label.setText("Select at least one export.")
        elif not is_whole:
            self.status_label.setText("Enter the full path of the folder, or choose one.")
        elif found:
            self.status_label.setText(f"Existing files that will be replaced: {', '.join(found)}")
        else:
            count = sum(len(exporter.files) for exporter in exporters)
            self.status_label.setText(f"{count_of(count, 'file')} will be written.")

    # -- doing it --------------------------------------------------------------------------------

    @Slot()
    def _begin(self) -> None:
        exporters, folder = self.chosen, self.folder
        self._settings.exports = tuple(e.name for e in exporters), str(folder.parent)
        self._is_working, self._written = True, None
        self.bar.setRange(0, len(exporters))
        self.bar.setValue(0)
        self.status_label.setText("Waiting for the training step to end…")
        self._show()
        step = self._checkpoint.step
        self._export.start(self._run, exporters, folder, step, replaces=True)

    @Slot(int, str)
    def _advance(self, done: int, label: str) -> None:
        self.bar.setValue(done)
        if label:
            self.status_label.setText(f"{label}…")

    @Slot(object, str)
    def _end(self, files: tuple[Path, ...], problem: str) -> None:
        self._is_working = False
        if files:
            self._written = self.folder
        self._show()
        self.bar.setValue(self.bar.maximum() if files else 0)
        count = count_of(len(files), "file")
        self.status_label.setText(problem or f"{count} written into {self.folder}")

    @Slot()
    def _open(self) -> None:
        folder = str(self._written or "")
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(folder)):
            self.status_label.setText(f"No program opened the folder. Its path is {folder}")

    def reject(self) -> None:
        """Cancels the export, or closes the dialog where nothing is exported."""
        if self._is_working:
            self._export.cancel()
            self._end((), "Cancelled. What was written whole before is kept.")
            return
        super().reject()

    def done(self, result: int) -> None:
        """Closes the dialog after the export has ended."""
        self._export.cancel()
        super().done(result)
