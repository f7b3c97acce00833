"""The dialog that imports the user's own images: choose, preview, agree."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import ValidationError
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from aeviewer.numbers import local, localise
from aeviewer.panels.datasets.reading_options import ReadingOptions
from aeviewer.services.datasets.dataset_import import DatasetImport
from aeviewer.widgets.images.image_view import ImageView
from aeviewer.widgets.labels import plain_label, plain_tip, problem_label, quiet_label
from aeviewer.widgets.refresh import Refresh
from trainers.datasets import dataset_names
from trainers.datasets.description import check_name
from trainers.datasets.importing.conversion import LEAST_SIDE, MOST_SIDE, Conversion
from trainers.datasets.importing.importer import ImportRequest
from trainers.datasets.sources.source import spread_indices
from trainers.errors import DataError
from trainers.plurals import count_of

if TYPE_CHECKING:
    from pathlib import Path

    from aeviewer.services.compute.compute_thread import ComputeThread
    from aeviewer.services.datasets.dataset_import import ImportPreview, SourceSummary

_SHOWN, _TILE, _BAR = 8, 72, 8
_FITS = {
    "crop": "The middle square",
    "pad": "Padded to a square",
    "stretch": "Stretched to a square",
    "exact": "Only those of that size",
}
_COLOURS = {"grey": "Grey", "rgb": "Red, green, blue"}


class ImportDialog(QDialog):
    """Reads a path, previews what becomes of its images, and imports them.

    Parameters
    ----------
    compute
        Does the work, between slices of training.
    path
        A folder of images or of IDX files, its .zip, or a file of images.
    """

    imported = Signal(str)
    """The name of the data set, which is now in the store."""

    def __init__(self, compute: ComputeThread, path: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Import images")
        self._path = path
        self.dataset_import = DatasetImport(compute, self)
        self._turn = 0
        self._has_looked = False
        self._reading_problem = ""
        self.name_box, self.title_box = QLineEdit(), QLineEdit()
        self.size_box, self.fit_box, self.colour_box = QSpinBox(), QComboBox(), QComboBox()
        self.invert_box, self.labels_box = QCheckBox("Inverted: dark becomes bright"), QCheckBox()
        self.reading = ReadingOptions(self)
        self.others = QPushButton("Other images")
        self.head = plain_label(f"Reading {path} …", wraps=True)
        self.note, self.problem = quiet_label(wraps=True, is_small=False), problem_label()
        self.report, self.flaws = QPlainTextEdit(readOnly=True), QPlainTextEdit(readOnly=True)
        self.bar = QProgressBar(textVisible=False)
        self.views = [(ImageView(), ImageView()) for _ in range(_SHOWN)]
        self.buttons = QDialogButtonBox()
        role = QDialogButtonBox.ButtonRole
        self.accept_button = self.buttons.addButton("Import", role.AcceptRole)
        self.cancel_button = self.buttons.addButton("Cancel", role.RejectRole)
        self._refresh = Refresh(self, self._preview)
        self._lay_out()
        self._connect()
        self.dataset_import.read_source(path)

    # -- parts -----------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self.size_box.setRange(LEAST_SIDE, MOST_SIDE)
        self.size_box.setSuffix(" pixels")
        for box, words in ((self.fit_box, _FITS), (self.colour_box, _COLOURS)):
            for key, text in words.items():
                box.addItem(text, key)
        form = QFormLayout()
        form.setVerticalSpacing(8)
        rows = (
            ("Name", self.name_box, "The name in experiments: small letters, digits, . _ -"),
            ("Title", self.title_box, "The title in menus and captions; the name if it is empty."),
            ("Size", self.size_box, "The side of the square images: 8 to 128 pixels."),
            ("Made square", self.fit_box, "What is done to an image that has another shape."),
            ("Colours", self.colour_box, "Grey, or red, green and blue."),
            ("", self.invert_box, "For ink on paper: MNIST's digits are bright on dark."),
            ("", self.labels_box, "Without, the images have no classes."),
            *self.reading.rows(),
        )
        for label, widget, tip in rows:
            widget.setToolTip(plain_tip(tip))
            widget.setAccessibleName(label)
            form.addRow(label, widget)
        form_side, preview_side = QVBoxLayout(), QVBoxLayout()
        form_side.addLayout(form)
        form_side.addStretch()
        preview_side.addLayout(self._preview_grid())
        preview_side.addWidget(self.others, 0, Qt.AlignmentFlag.AlignLeft)
        preview_side.addWidget(self.report, 1)
        choice, flawed = QWidget(), QWidget()
        across = QHBoxLayout(choice)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(24)
        across.addLayout(form_side)
        across.addLayout(preview_side, 1)
        down = QVBoxLayout(flawed)
        down.setContentsMargins(0, 0, 0, 0)
        down.addWidget(self.flaws)
        pages = self._area = QWidget()
        self._pages = QStackedLayout(pages)
        for page in (choice, flawed):
            self._pages.addWidget(page)
        self.flaws.setAccessibleName("Images that cannot be taken")
        self.report.setAccessibleName("What will be imported")
        self.bar.setFixedHeight(_BAR)
        self.bar.setRange(0, 1000)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 20, 20, 16)
        layout.setSpacing(12)
        for part in (self.head, pages, self.note, self.problem, self.bar, self.buttons):
            layout.addWidget(part, 1 if part is pages else 0)
        self.resize(980, 520)

    def _preview_grid(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(6)
        for row, words in enumerate(("as it is", "as it becomes")):
            caption = quiet_label(words)
            grid.addWidget(caption, row, 0)
            for column, pair in enumerate(self.views, 1):
                pair[row].setFixedSize(_TILE, _TILE)
                pair[row].setAccessibleName(f"Image {column}, {words}")
                grid.addWidget(pair[row], row, column)
        return grid

    def _connect(self) -> None:
        self.dataset_import.changed.connect(self._show)
        self.dataset_import.previewed.connect(self._show_preview)
        self.name_box.textEdited.connect(self._show)
        self.labels_box.toggled.connect(self._refresh.request)
        self.reading.changed.connect(self._refresh.request)
        self.invert_box.toggled.connect(self._refresh.request)
        self.size_box.valueChanged.connect(self._refresh.request)
        for box in (self.fit_box, self.colour_box):
            box.currentIndexChanged.connect(self._refresh.request)
        self.others.clicked.connect(self._show_others)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.close)

    def done(self, result: int) -> None:
        """Discards everything that was not agreed to when the dialog is closed."""
        self.dataset_import.close()
        super().done(result)

    # -- what is chosen --------------------------------------------------------------------------

    @property
    def conversion(self) -> Conversion:
        """What is done to each image."""
        return Conversion(
            side=self.size_box.value(),
            fit=self.fit_box.currentData(),
            colour=self.colour_box.currentData(),
            inverted=self.invert_box.isChecked(),
        )

    @property
    def _name_problem(self) -> str:
        name = self.name_box.text().strip()
        try:
            check_name(name)
        except DataError as error:
            return str(error)
        return f"There is a data set {name!r} already." if name in dataset_names() else ""

    @Slot()
    def _accept(self) -> None:
        """Imports the images; leaves the wrong ones out after the user has agreed."""
        if self.dataset_import.draft is not None:
            self._keep()
            return
        self.dataset_import.convert(self.reading.choice, self._request())

    def _request(self) -> ImportRequest:
        return ImportRequest(
            self.name_box.text().strip(),
            self.title_box.text().strip(),
            self.conversion,
            self.labels_box.isChecked(),
            joins_validation=self.reading.join_box.isChecked(),
            left_out=self.reading.left_out if self.labels_box.isChecked() else (),
        )

    def _keep(self) -> None:
        dataset = self.dataset_import.keep()
        if dataset is not None:
            self.imported.emit(dataset.name)
            self.close()

    # -- what is shown ---------------------------------------------------------------------------

    @Slot()
    def _show(self) -> None:
        importing = self.dataset_import
        if importing.summary is not None and not self._has_looked:
            self._has_looked = True
            self._take_summary(importing.summary)
        draft, is_busy = importing.draft, importing.share is not None
        if draft is not None and not (draft.flaws.total or draft.warnings):
            self._keep()
            return
        self._pages.setCurrentIndex(0 if draft is None else 1)
        self.bar.setVisible(is_busy)
        self.bar.setValue(round(1000 * (importing.share or 0.0)))
        wrong = (self._name_problem or self._reading_problem) if self._has_looked else ""
        self.problem.setText(importing.problem or wrong)
        self.problem.setVisible(bool(self.problem.text()))
        self._area.setEnabled(not is_busy)
        for child in (self.name_box, self.title_box, self.size_box, self.fit_box, self.colour_box):
            child.setEnabled(self._has_looked and not is_busy)
        self.accept_button.setEnabled(self._has_looked and not is_busy and not wrong)
        if self.cancel_button.hasFocus() and self.accept_button.isEnabled():
            self.accept_button.setFocus()  # The focus moved on when the button was disabled.
        if draft is not None:
            self._show_flaws()

    def _show_flaws(self) -> None:
        draft = self.dataset_import.draft
        if draft is None:
            return
        flaws, rest = draft.flaws, draft.dataset.train + draft.dataset.test
        self.flaws.setPlainText("\n".join([*draft.warnings, *flaws.lines(50)]))
        self.cancel_button.setText("Import nothing")
        if not flaws.total:
            self.head.setText("Look at this before the images are imported.")
            self.note.setText(f"{localise(count_of(rest, 'image'))} ready.")
            self.accept_button.setText("Import them all the same")
            return
        self.head.setText(
            f"{local(flaws.total):,} images cannot be taken: {localise(flaws.summary)}."
        )
        self.note.setText(f"Without them {local(rest):,} images are left.")
        self.accept_button.setText("Leave them out, and import the others")

    def _take_summary(self, summary: SourceSummary) -> None:
        """Suggests a name, a range and a conversion."""
        source, suggested = summary.source, summary.suggested
        self.reading.take_source(source)
        self.size_box.setValue(suggested.side)
        self.fit_box.setCurrentIndex(self.fit_box.findData(suggested.fit))
        self.colour_box.setCurrentIndex(self.colour_box.findData(suggested.colour))
        self.name_box.setText(_valid_name(self._path.name))
        count = len(source.classes)
        self.labels_box.setText(f"With {localise(count_of(count, 'class', 'classes'))}")
        self.labels_box.setChecked(count > 0)
        self.labels_box.setVisible(count > 0)
        classes = localise(count_of(count, "class", "classes")) if count else "no labels"
        self.head.setText(
            f"{self._path}: {source.kind}, {local(source.count):,} images, "
            f"{_size_text(summary.sizes)}, {classes}."
        )
        self._refresh.request()

    @Slot()
    def _show_others(self) -> None:
        self._turn += 1
        self._preview()

    @Slot()
    def _preview(self) -> None:
        """Requests some images before and after, and the description of the import."""
        importing = self.dataset_import
        if importing.summary is None or importing.share is not None:
            return
        count = importing.summary.source.count
        indices = [(at + self._turn) % count for at in spread_indices(count, _SHOWN)]
        try:
            importing.preview(self.reading.choice, self._request(), indices)
        except ValidationError:
            return

    @Slot(object)
    def _show_preview(self, preview: ImportPreview) -> None:
        self._reading_problem = preview.problem
        self.report.setPlainText("\n".join(preview.report))
        shown = zip(self.views, preview.before, preview.after, preview.flaws, strict=False)
        for pair, before, after, flaw in shown:
            pair[0].set_image(before)
            pair[1].set_image(after)
            pair[1].setToolTip(plain_tip(flaw))
        description = self.conversion.description()
        self.note.setText(f"{description[0].upper()}{description[1:]}.")
        self._show()


def _size_text(sizes: set[tuple[int, int, int]]) -> str:
    """Returns sizes in words: "28 × 28", "40 to 119 × 41 to 118, with colours"."""
    if not sizes:
        return "none of which can be read"
    heights, widths = ([size[axis] for size in sizes] for axis in (0, 1))
    span = " × ".join(
        f"{min(side)}" if min(side) == max(side) else f"{min(side)} to {max(side)}"
        for side in (widths, heights)
    )
    return span + (", with colours" if any(size[2] == 3 for size in sizes) else "")


def _valid_name(name: str) -> str:
    """Converts a file name to a valid name of a data set."""
    stem = re.sub(r"(\.(npy|npz|gz|idx|zip|mat|h5|hdf5|csv|parquet|tiff?))+$", "", name.lower())
    return re.sub(r"[^a-z0-9._-]+", "-", stem).strip("-._")[:40]
