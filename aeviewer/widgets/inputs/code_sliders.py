"""A code, with one slider for each dimension."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QScrollArea,
    QWidget,
)

from aeviewer.numbers import subscript
from aeviewer.widgets.inputs.decimal_box import DecimalBox
from aeviewer.widgets.inputs.histogram_slider import HistogramSlider
from aeviewer.widgets.labels import plain_tip, quiet_label

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent, QWheelEvent

_PLACES = 1000
_WIDEST = 1e9
_ROW = 32
_AHEAD = 4
"""Rows that are made beyond the visible ones, so that Tab finds the next one."""
_MOST = 256
_BINS = 48
_UNKNOWN = (-3.0, 3.0)
"""The ends where there are no codes yet: those of the prior."""


def spread(codes: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns the range of each dimension: 0.5th to 99.5th percentile, and a tenth more.

    Parameters
    ----------
    codes
        (n, d). Of more than 32 dimensions every k-th code is looked at, evenly: a slider's ends
        need no more, and sorting all would be felt.

    Returns
    -------
    tuple
        (d,) lower and (d,) upper ends, the lower always below the upper.
    """
    looked_at = codes[:: 1 + codes.shape[1] // 32]
    low, high = np.percentile(looked_at, [0.5, 99.5], axis=0)
    margin = np.maximum(0.05 * (high - low), 1e-3)
    return (low - margin).astype(np.float32), (high + margin).astype(np.float32)


class _Field(DecimalBox):
    """A number field; the wheel scrolls the list."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leaves the wheel to the list."""
        event.ignore()


class _Dimension:
    """The widgets of one dimension."""

    def __init__(self, number: int, owner: CodeSliders) -> None:
        self.name = f"z{subscript(number + 1)}"
        self.label = quiet_label(self.name, is_small=False)
        self.slider = HistogramSlider()
        self._counted: NDArray[np.float32] | None = None
        self.field = _Field()
        self._given = self._ends = _UNKNOWN
        self._set_up(number)
        self.slider.valueChanged.connect(lambda place: owner.edit(number, self._value(place)))
        self.slider.reset_requested.connect(lambda: owner.reset(number))
        self.field.valueChanged.connect(lambda value: owner.edit(number, value))

    def _set_up(self, number: int) -> None:
        self.slider.setRange(0, _PLACES)
        self.slider.setPageStep(_PLACES // 10)
        self.slider.setSingleStep(_PLACES // 100)
        self.slider.setAccessibleName(f"Dimension {number + 1} of the code")
        self.slider.setToolTip(
            plain_tip(
                f"{self.name}: drag, or use the arrow keys. Double-click sets the codes' mean."
            )
        )
        self.field.setKeyboardTracking(False)
        self.field.setRange(-_WIDEST, _WIDEST)
        self.field.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.field.setFixedWidth(84)
        self.field.setAccessibleName(f"Value of dimension {number + 1}")
        self.field.setToolTip(plain_tip(f"{self.name}: any number, beyond the slider's ends too."))

    def widgets(self) -> tuple[QWidget, QWidget, QWidget]:
        """Label, slider and field."""
        return self.label, self.slider, self.field

    def _value(self, place: int) -> float:
        low, high = self._ends
        return low + (high - low) * place / _PLACES

    def show(self, value: float, low: float, high: float) -> None:
        """Moves slider and field; emits no signal.

        The ends give way to a value beyond them, and stay there until others are given: they
        would move under the mouse.
        """
        if self._given != (low, high):
            self._given = self._ends = low, high
        low, high = self._ends = min(self._ends[0], value), max(self._ends[1], value)
        step = 10.0 ** math.floor(math.log10((high - low) / 20))
        with QSignalBlocker(self.slider), QSignalBlocker(self.field):
            self.field.setDecimals(max(2, 1 - round(math.log10(step))))
            self.field.setSingleStep(step)
            self.field.setValue(value)
            if not self.slider.isSliderDown():
                self.slider.setValue(round((value - low) / (high - low) * _PLACES))

    def count(self, codes: NDArray[np.float32], number: int) -> None:
        """Draws the histogram of this dimension of (n, d) codes between the ends of the slider."""
        if codes is self._counted:
            return
        self._counted = codes
        counts, _ = np.histogram(codes[:, number], _BINS, self._ends)
        self.slider.set_histogram(counts)


class CodeSliders(QScrollArea):
    """One slider and one number for each dimension of a code; scrolls where there are many."""

    code_edited = Signal(object)
    """(d,) float32, the code that the user changed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._code = np.empty(0, np.float32)
        self._low = self._high = self._mean = self._code
        self._codes = np.empty((0, 0), np.float32)
        self._dimensions: list[_Dimension] = []
        self._count = -1
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._content = QWidget()
        self._grid = QGridLayout(self._content)
        self._grid.setContentsMargins(0, 0, 4, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(0)
        self._grid.setColumnStretch(1, 1)
        self._grid.setRowStretch(_MOST, 1)
        self.setWidget(self._content)
        self.verticalScrollBar().setSingleStep(_ROW)
        self.verticalScrollBar().valueChanged.connect(self._show)
        # The first row takes its place in the order of Tab now; the others follow it there.
        self._provide(1)
        self._set_count(0)

    @property
    def code(self) -> NDArray[np.float32]:
        """(d,), the values of the sliders."""
        return self._code

    @property
    def mean(self) -> NDArray[np.float32]:
        """(d,), the mean of the codes; empty without codes."""
        return self._mean

    @property
    def is_held(self) -> bool:
        """Whether the user is dragging a slider."""
        return any(dimension.slider.isSliderDown() for dimension in self._dimensions)

    def set_codes(self, codes: NDArray[np.float32]) -> None:
        """Sets the ends of the sliders and the means from (n, d) codes.

        A slider in hand keeps its ends: they would move under the mouse. Of codes that are no
        numbers nothing is taken.
        """
        if self.is_held:
            return
        if np.isfinite(codes).all():
            self._low, self._high = spread(codes)
            self._mean = codes.mean(axis=0)
            self._codes = codes
        else:
            self._codes = np.empty((0, 0), np.float32)
            self._low = self._high = self._mean = np.empty(0, np.float32)
        self._show()

    def set_code(self, code: NDArray[np.float32]) -> None:
        """Shows a (d,) code; emits no signal."""
        self._code = np.asarray(code, np.float32)
        self._show()

    def edit(self, dimension: int, value: float) -> None:
        """Changes one dimension and emits the code."""
        code = self._code.copy()
        code[dimension] = value
        self.set_code(code)
        self.code_edited.emit(code)

    def reset(self, dimension: int) -> None:
        """Sets one dimension to the mean of the codes and emits the code."""
        if len(self._mean) == len(self._code):
            self.edit(dimension, float(self._mean[dimension]))

    # -- rows: made when they come into view, and kept -------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Updates rows that become visible."""
        super().resizeEvent(event)
        self._show()

    @Slot()
    def _show(self) -> None:
        """Updates the visible rows; the others wait until they are visible."""
        count = len(self._code)
        self._set_count(count)
        top = self.verticalScrollBar().value()
        first, last = top // _ROW, (top + self.viewport().height()) // _ROW + 1
        self._provide(min(count, last + _AHEAD))
        known = len(self._low) == count
        for number in range(first, min(last + _AHEAD, count)):
            low, high = (self._low[number], self._high[number]) if known else _UNKNOWN
            self._dimensions[number].show(float(self._code[number]), float(low), float(high))
            if self._codes.shape[1:] == (count,):
                self._dimensions[number].count(self._codes, number)

    def _set_count(self, count: int) -> None:
        if count == self._count:
            return
        self._count = count
        for number, dimension in enumerate(self._dimensions):
            self._grid.setRowMinimumHeight(number, _ROW if number < count else 0)
            for widget in dimension.widgets():
                widget.setVisible(number < count)
        self._content.setFixedHeight(count * _ROW)
        self.setMaximumHeight(max(1, count) * _ROW)
        self.setMinimumHeight(min(count, 3) * _ROW)
        self.updateGeometry()

    def _provide(self, count: int) -> None:
        """Makes the missing rows, each after the one before in the order of Tab."""
        for number in range(len(self._dimensions), count):
            dimension = _Dimension(number, self)
            self._dimensions.append(dimension)
            self._grid.setRowMinimumHeight(number, _ROW)
            for column, widget in enumerate(dimension.widgets()):
                self._grid.addWidget(widget, number, column)
                widget.show()
            if number:
                self.setTabOrder(self._dimensions[number - 1].field, dimension.slider)
                self.setTabOrder(dimension.slider, dimension.field)

    def sizeHint(self) -> QSize:
        """Returns the size of all rows, as far as there is room."""
        return QSize(240, max(1, self._count) * _ROW)
