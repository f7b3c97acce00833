"""The same test images reconstructed by every compared run, with PCA as the last row."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from aeviewer.numbers import local
from aeviewer.panels.comparison import captions as words
from aeviewer.services.comparison.compared_run import (
    group_by_latent_dim,
    pca_error,
    reconstruct_by_pca,
)
from aeviewer.services.comparison.image_rules import FEWEST, MOST, parse_indices
from aeviewer.widgets.images.image_table import TileRow, TileTable
from aeviewer.widgets.labels import plain_tip, quiet_eliding_label, quiet_label, replace_controls
from aeviewer.widgets.refresh import Refresh
from trainers.datasets import MNIST
from trainers.errors import DataError

if TYPE_CHECKING:
    from aeviewer.services.comparison.compared_run import ComparedRun
    from aeviewer.services.comparison.comparison import Comparison

_KINDS = {
    "classes": "First of each class",
    "random": "Random",
    "worst": "Worst for a run",
    "chosen": "Chosen",
}
_FOOT = "squared error per image: of the images here · of all test images"
_WIDEST_NAME = 280


class DigitsPage(QWidget):
    """Chooses the test images and shows their reconstructions.

    Parameters
    ----------
    comparison
        Watched; receives the choice of test images.
    """

    title = "Reconstructions"

    def __init__(self, comparison: Comparison, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._comparison = comparison
        self.refresh = Refresh(self, self._show)
        self.kind, self.count, self.of_run = QComboBox(), QSpinBox(), QComboBox()
        self.shuffle, self.numbers = QPushButton("Shuffle"), QLineEdit()
        self.pca = QCheckBox("PCA rows")
        self.seed, self.state = quiet_label(is_small=False), quiet_label(is_small=False)
        self.foot = quiet_eliding_label(_FOOT)
        self.table = TileTable()
        self.table.setAccessibleName("Input and reconstructions of the test digits")
        self._build()
        self._connect()
        self._show_controls()
        self.refresh.request()

    # -- parts -----------------------------------------------------------------------------------

    def _build(self) -> None:
        for key, text in _KINDS.items():
            self.kind.addItem(text, key)
        self.kind.setAccessibleName("Which test digits")
        self.count.setRange(FEWEST, MOST)
        self.count.setValue(self._comparison.rule.count)
        self.count.setAccessibleName("How many digits")
        self.count.setSuffix(" images")
        self.numbers.setPlaceholderText("0, 3, 17-20")
        self.numbers.setAccessibleName("Numbers of test images")
        self.of_run.setAccessibleName("The run that gives them back worst")
        self.of_run.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.of_run.setMaximumWidth(_WIDEST_NAME)
        self.pca.setChecked(True)
        self.pca.setToolTip(
            "A row for a PCA with as many components as the codes above it have numbers."
        )
        self._options = QStackedWidget()
        for widgets in ((), (self.shuffle, self.seed), (self.of_run, self.state), (self.numbers,)):
            self._options.addWidget(_row(*widgets))
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.kind)
        head.addWidget(self.count)
        head.addWidget(self._options, 1)
        head.addWidget(self.pca)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 8)
        layout.setSpacing(8)
        layout.addLayout(head)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.foot)

    def _connect(self) -> None:
        comparison = self._comparison
        for signal in (
            comparison.runs_changed,
            comparison.step_changed,
            comparison.images_changed,
            comparison.reconstructions_changed,
        ):
            signal.connect(self.refresh.request)
        comparison.runs_changed.connect(self._offer_runs)
        comparison.images_changed.connect(self._show_controls)
        self.kind.currentIndexChanged.connect(self._choose_kind)
        self.count.valueChanged.connect(self._choose_count)
        self.shuffle.clicked.connect(self._shuffle)
        self.of_run.currentIndexChanged.connect(self._choose_run)
        self.numbers.textEdited.connect(self._choose_numbers)
        self.pca.toggled.connect(self.refresh.request)
        self.table.hovered.connect(self._tell_digit)

    # -- choosing --------------------------------------------------------------------------------

    @Slot()
    def _choose_kind(self) -> None:
        rule = replace(self._comparison.rule, kind=self.kind.currentData())
        if rule.kind == "worst" and not self._comparison.is_compared(rule.run):
            rule = replace(rule, run=self.of_run.currentData() or "")
        if rule.kind == "chosen" and not rule.chosen:
            rule = replace(rule, chosen=self._comparison.image_indices)
        self._comparison.set_rule(rule)
        self._show_controls()

    @Slot(int)
    def _choose_count(self, count: int) -> None:
        self._comparison.set_rule(replace(self._comparison.rule, count=count))

    @Slot()
    def _shuffle(self) -> None:
        rule = self._comparison.rule
        self._comparison.set_rule(replace(rule, seed=rule.seed + 1))

    @Slot()
    def _choose_run(self) -> None:
        rule = replace(self._comparison.rule, run=self.of_run.currentData() or "")
        self._comparison.set_rule(rule)

    @Slot(str)
    def _choose_numbers(self, text: str) -> None:
        """Applies the numbers in the field as soon as they are valid."""
        problem = ""
        try:
            chosen = parse_indices(text, len(self._comparison.data.test))
            self._comparison.set_rule(replace(self._comparison.rule, chosen=chosen))
        except DataError as error:
            problem = str(error)
        self.numbers.setProperty("invalid", bool(problem))
        self.numbers.setToolTip(plain_tip(problem))
        self.numbers.style().polish(self.numbers)

    @Slot()
    def _offer_runs(self) -> None:
        runs = self._comparison.runs
        with QSignalBlocker(self.of_run):
            self.of_run.clear()
            for run in runs:
                self.of_run.addItem(replace_controls(run.item.name), run.item.key)
            self.of_run.setCurrentIndex(max(0, self.of_run.findData(self._comparison.rule.run)))
        rule = self._comparison.rule
        if rule.kind == "worst" and runs and not self._comparison.is_compared(rule.run):
            self._choose_run()

    @Slot()
    def _show_controls(self) -> None:
        """Shows the current rule, wherever it was chosen."""
        rule = self._comparison.rule
        kinds = list(_KINDS)
        with QSignalBlocker(self.kind), QSignalBlocker(self.count), QSignalBlocker(self.of_run):
            self.kind.setCurrentIndex(kinds.index(rule.kind))
            self.count.setValue(rule.count)
            self.of_run.setCurrentIndex(max(0, self.of_run.findData(rule.run)))
        self._options.setCurrentIndex(kinds.index(rule.kind))
        self.count.setVisible(rule.kind != "chosen")
        self.seed.setText(f"seed {rule.seed}")
        share = self._comparison.measured_share
        self.state.setText("" if share is None else f"measuring… {local(share):.0%}")
        if rule.kind == "chosen" and not self.numbers.hasFocus():
            self.numbers.setText(", ".join(map(str, rule.chosen)))

    # -- what is shown ---------------------------------------------------------------------------

    @Slot()
    def _show(self) -> None:
        digits = list(self._comparison.image_indices)
        data = self._comparison.data
        names = [data.dataset.class_name(label) for label in data.test.labels[digits].tolist()]
        rows = [TileRow("Input", ("squared error per image",), data.test.images[digits])]
        for dim, runs in group_by_latent_dim(self._comparison.runs):
            rows += [self._row(run) for run in runs]
            floor = pca_error(dim, data.dataset)
            if self.pca.isChecked() and floor is not None:
                rows.append(self._pca_row(dim, floor))
        self.table.set_rows(names, rows)
        self._tell_digit(self.table.current)

    def _row(self, run: ComparedRun) -> TileRow:
        comparison, step = self._comparison, self._comparison.step
        details = (words.step_text(run, step), words.error_text(comparison, run))
        shown = run.reconstructions
        fits = shown is not None and len(shown.indices) == len(comparison.image_indices)
        pixels = shown.images if shown is not None and fits and not run.problem else None
        notice = run.problem or (words.WAITING if run.steps else words.NO_CHECKPOINT)
        return TileRow(
            run.item.name,
            details,
            pixels,
            run.colour,
            emphasis=0 if words.is_at_other_step(run, step) else -1,
            notice=notice,
        )

    def _pca_row(self, dim: int, floor: float) -> TileRow:
        comparison = self._comparison
        found = reconstruct_by_pca(comparison.image_indices, dim, comparison.data)
        text = f"{local(found.errors.mean()):.1f} here · {local(floor):.1f} test"
        return TileRow(f"PCA, d = {dim}", (text,), found.images, is_quiet=True)

    @Slot(int)
    def _tell_digit(self, column: int) -> None:
        """The digit under the mouse and each run's error of it; otherwise what the numbers are."""
        digits = self._comparison.image_indices
        if not 0 <= column < len(digits):
            self.foot.setText(_FOOT)
            return
        digit = digits[column]
        text = [
            f"{run.item.name} {local(run.reconstructions.errors[column]):.1f}"
            for run in self._comparison.runs
            if run.reconstructions is not None and run.reconstructions.indices == digits
        ]
        data = self._comparison.data
        name = data.dataset.class_name(int(data.test.labels[digit]))
        what = f", a {name}" if data.dataset == MNIST else f", {name}" if name else ""
        self.foot.setText(f"test image {local(digit):,}{what}: {' · '.join(text)}")

    @property
    def caption(self) -> str:
        """The caption of the figure, ready for a paper."""
        return words.reconstructions_caption(self._comparison, with_pca=self.pca.isChecked())

    @property
    def drawing(self) -> TileTable:
        """The name of the figure."""
        return self.table


def _row(*widgets: QWidget) -> QWidget:
    """Returns widgets side by side, from the left."""
    made = QWidget()
    layout = QHBoxLayout(made)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(8)
    for widget in widgets:
        layout.addWidget(widget, 1 if isinstance(widget, QLineEdit) else 0)
    if not any(isinstance(widget, QLineEdit) for widget in widgets):
        layout.addStretch(1)
    layout.setAlignment(Qt.AlignmentFlag.AlignVCenter)
    return made
