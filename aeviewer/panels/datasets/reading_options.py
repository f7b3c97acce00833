"""The part of the import dialog that says how the values, splits and classes are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLineEdit, QWidget

from aeviewer.numbers import local
from aeviewer.services.datasets.dataset_import import ReadingChoice
from aeviewer.widgets.inputs.decimal_box import PlainBox
from trainers.datasets.importing.value_range import fit_range, usual_bounds
from trainers.datasets.sources.array_names import SPLITS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainers.datasets.importing.value_range import ValueRange
    from trainers.datasets.sources import Source

_FARTHEST, _DECIMALS = 1e9, 6
_USUAL, _OWN, _OTHER = "usual", "own", "other"


class ReadingOptions(QObject):
    """The choices of the range of values, the axes, the validation images and the classes.

    They are set to what the source suggests. Without a known range nothing is chosen, and the
    source has a `range_problem` until the user chooses one.
    """

    changed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.range_box = QComboBox(placeholderText="Choose black and white")
        self.low_box, self.high_box = PlainBox(), PlainBox()
        self.transpose_box = QCheckBox("Rows and columns swapped")
        self.join_box = QCheckBox("Train on the validation images too")
        self.without_box = QLineEdit(placeholderText="none")
        self.bounds = QWidget()
        across = QHBoxLayout(self.bounds)
        across.setContentsMargins(0, 0, 0, 0)
        for box, name in ((self.low_box, "Black"), (self.high_box, "White")):
            box.setRange(-_FARTHEST, _FARTHEST)
            box.setDecimals(_DECIMALS)
            box.setAccessibleName(f"The value that becomes {name.lower()}")
            box.valueChanged.connect(self.changed)
            across.addWidget(box)
        self.range_box.currentIndexChanged.connect(self._show_bounds)
        for check in (self.transpose_box, self.join_box):
            check.toggled.connect(self.changed)
        self.without_box.textEdited.connect(self.changed)

    def rows(self) -> Iterator[tuple[str, QWidget, str]]:
        """Yields the rows of the form: label, field and tool tip."""
        yield "Values", self.range_box, "The values that become black and white, for all images."
        yield "", self.bounds, "The value of black and the value of white."
        yield "", self.transpose_box, "For images that lie on their side, such as EMNIST's."
        yield "", self.join_box, "Otherwise validation images are kept apart."
        yield "Without classes", self.without_box, "Classes to leave out, with commas between."

    def take_source(self, source: Source) -> None:
        """Offers what the source has."""
        known = _widest_range(source)
        self.range_box.clear()
        if known is not None and known.found is not None:
            usual = usual_bounds(known.found)
            own = fit_range(known.found, is_stretched=True)
            if usual is not None:
                self.range_box.addItem(_bounds_text(*usual), _USUAL)
            self.range_box.addItem(f"Stretched: {_bounds_text(own.low, own.high)}", _OWN)
            self.range_box.addItem("Other…", _OTHER)
            self.low_box.setValue(known.low)
            self.high_box.setValue(known.high)
            chosen = {"stretched": _OWN, "unknown": None}.get(known.reason, _USUAL)
            self.range_box.setCurrentIndex(self.range_box.findData(chosen) if chosen else -1)
        has_validation = source.splits is not None and bool(
            (source.splits == SPLITS.index("validation")).any()
        )
        self.join_box.setVisible(has_validation)
        self.without_box.setEnabled(bool(source.classes))

    @property
    def choice(self) -> ReadingChoice:
        """How the values are read."""
        return ReadingChoice(
            self.range_box.currentData() or "",
            self.low_box.value(),
            self.high_box.value(),
            is_transposed=self.transpose_box.isChecked(),
        )

    @property
    def left_out(self) -> tuple[str, ...]:
        """The names of the classes to leave out."""
        names = (name.strip() for name in self.without_box.text().split(","))
        return tuple(name for name in names if name)

    @Slot()
    def _show_bounds(self) -> None:
        self.bounds.setVisible(self.range_box.currentData() == _OTHER)
        self.changed.emit()


def _widest_range(source: Source) -> ValueRange | None:
    """Returns the range that the user may have to choose: an unknown one before all others."""
    ranges = sorted(source.ranges.values(), key=lambda known: known.reason != "unknown")
    return ranges[0] if ranges else None


def _bounds_text(low: float, high: float) -> str:
    return f"{local(low):g} to {local(high):g}"
