"""The preferences: theme, numbers, runs folder, training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

from PySide6.QtCore import QLocale, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from aeviewer.numbers import find_language, local
from aeviewer.settings import LOCALES, MOST_THREADS, SPACINGS
from aeviewer.widgets.inputs.save_dialog import ask_folder
from aeviewer.widgets.labels import problem_label, quiet_label
from trainers.config_types import Device
from trainers.errors import RunError
from trainers.runs import runs_folder

if TYPE_CHECKING:
    from aeviewer.settings import Settings

THEMES = {
    "system": "As the system",
    "light": "Light",
    "dark": "Dark",
    "contrast": "High contrast",
}
_DEVICES = {
    "auto": "The fastest one present",
    "cpu": "Processor",
    "cuda": "NVIDIA GPU (CUDA)",
    "mps": "Apple GPU (Metal)",
}
_EXAMPLE = 1_234_567.5
_WIDTH = 540


class PreferencesDialog(QDialog):
    """Applies the choices on OK; those that need a restart say so.

    Parameters
    ----------
    settings
        Where the choices are kept.
    """

    theme_chosen = Signal(str)

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Preferences")
        self._settings = settings
        self.theme = _make_combo_box(THEMES, settings.theme, "Theme")
        self.device = _make_combo_box(
            {d: _DEVICES[d] for d in get_args(Device)}, settings.device, "Device"
        )
        self.device.setToolTip("What the presets begin with; the form can choose another.")
        self.threads = QSpinBox()
        self.threads.setRange(0, MOST_THREADS)
        self.threads.setSpecialValueText("As many as there are cores")
        self.threads.setValue(settings.threads)
        self.threads.setAccessibleName("Threads")
        self.threads.setToolTip(
            "Threads of a training step, from the next start. The same seed gives the same bits on "
            "as many threads."
        )
        spacings = {
            n: f"Every {local(n):,} steps" if n else "About 25, denser early" for n in SPACINGS
        }
        self.spacing = _make_combo_box(
            spacings, settings.checkpoint_spacing, "Checkpoints of new runs"
        )
        self.spacing.setToolTip("Where the form names steps, those are kept instead.")
        self.numbers = _make_combo_box(
            {n: _example_number(n) for n in LOCALES}, settings.numbers, "Numbers"
        )
        self.numbers.setToolTip("In the window alone: files have 1234567.5 always.")
        self.folder = QLineEdit(str(runs_folder.default_folder()))
        self.folder.setAccessibleName("Runs folder")
        self.folder.setToolTip("Where runs are kept, for the window and the command line.")
        self.browse_button = QPushButton("Browse…")
        self.problem = problem_label()
        self.problem.hide()
        buttons = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(buttons.Ok | buttons.Cancel)
        self._lay_out()
        self.browse_button.clicked.connect(self._browse)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

    @Slot()
    def accept(self) -> None:
        """Stores the choices; stays open where the folder cannot be used, and says why."""
        chosen = self.folder.text().strip()
        try:
            if chosen != str(runs_folder.default_folder()):
                runs_folder.choose_folder(Path(chosen) if chosen else None)
        except RunError as error:
            self.problem.setText(str(error))
            self.problem.show()
            self.folder.setFocus()
            return
        self._settings.device = self.device.currentData()
        self._settings.threads = self.threads.value()
        self._settings.checkpoint_spacing = self.spacing.currentData()
        self._settings.numbers = self.numbers.currentData()
        if self.theme.currentData() != self._settings.theme:
            self.theme_chosen.emit(self.theme.currentData())
        super().accept()

    @Slot()
    def _browse(self) -> None:
        ask_folder(self, "Runs folder", self.folder.text(), self.folder.setText)

    def _lay_out(self) -> None:
        place = QHBoxLayout()
        place.addWidget(self.folder, 1)
        place.addWidget(self.browse_button)
        form = QFormLayout()
        form.setVerticalSpacing(10)
        form.setHorizontalSpacing(16)
        form.addRow("Theme", self.theme)
        form.addRow("Numbers", self.numbers)
        form.addRow("Device of new runs", self.device)
        form.addRow("Threads", self.threads)
        form.addRow("Checkpoints of new runs", self.spacing)
        form.addRow("Runs folder", place)
        form.addRow("", self.problem)
        note = quiet_label(
            "Numbers, threads and runs folder change when the program is opened again.",
            is_small=False,
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 20, 20, 16)
        layout.setSpacing(14)
        layout.addLayout(form)
        layout.addWidget(note)
        layout.addWidget(self.buttons)
        self.setMinimumWidth(_WIDTH)


def _example_number(name: str) -> str:
    """Returns a number as a language writes it."""
    language = find_language(name)
    if language.language() == QLocale.Language.C:
        language = QLocale("en_US")
    number = language.toString(_EXAMPLE, "f", 1)
    return f"As the system: {number}" if name == "system" else number


def _make_combo_box(
    texts: dict[str, str] | dict[int, str], chosen: str | int, name: str
) -> QComboBox:
    combo = QComboBox()
    combo.setAccessibleName(name)
    for value, text in texts.items():
        combo.addItem(text, value)
    combo.setCurrentIndex(combo.findData(chosen))
    return combo
