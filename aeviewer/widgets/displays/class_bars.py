"""The number of items of each class: slim bars with their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

from aeviewer.numbers import local
from aeviewer.widgets.fonts import small, tabular
from aeviewer.widgets.labels import one_line, plain_tip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PySide6.QtGui import QPaintEvent

_HEIGHT, _TEXT, _SHORT = 84, 16, 2


class ClassBars(QWidget):
    """Vertical bars side by side, the class below and the value above each.

    Parameters
    ----------
    colours
        One for each class.
    """

    def __init__(self, colours: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colours = [QColor(colour) for colour in colours]
        self._names = tuple(str(place) for place in range(len(colours)))
        self._values: NDArray[np.floating] = np.zeros(len(colours))
        self._words = [""] * len(colours)
        self.setFont(tabular(small(self.font())))
        self.setFixedHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_classes(self, names: Sequence[str], colours: Sequence[str]) -> None:
        """Sets the classes; an empty list hides the bars."""
        self._names = tuple(names)
        self._colours = [QColor(colour) for colour in colours]
        self._values, self._words = np.zeros(len(names)), [""] * len(names)
        self.setToolTip(plain_tip("" if self._has_short_names else ", ".join(names)))
        self.setVisible(bool(names))

    @property
    def _has_short_names(self) -> bool:
        return all(len(name) <= _SHORT for name in self._names)

    def set_counts(self, counts: NDArray[np.integer]) -> None:
        """Shows whole numbers."""
        self._set(
            counts.astype(np.float64), [f"{local(n):,}" if n else "" for n in counts.tolist()]
        )

    def set_shares(self, shares: NDArray[np.floating]) -> None:
        """Shows shares of one, in per cent."""
        self._set(
            shares, [f"{local(100 * x):.0f} %" if x >= 0.005 else "" for x in shares.tolist()]
        )

    def _set(self, values: NDArray[np.floating], words: list[str]) -> None:
        self._values, self._words = values, words
        counts = (f"{name}: {word or 0}" for name, word in zip(self._names, words, strict=True))
        self.setAccessibleName("By class " + ", ".join(counts))
        self.update()

    def sizeHint(self) -> QSize:
        """Leaves room for the longest number on every bar."""
        return QSize(240, _HEIGHT)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draws the bars, the tallest as high as there is room."""
        if not self._colours:
            return
        painter = QPainter(self)
        across = self.width() / len(self._colours)
        room = self.height() - 2 * _TEXT
        most = max(float(self._values.max()), 1e-12)
        centre = Qt.AlignmentFlag.AlignHCenter
        for place, (value, word) in enumerate(zip(self._values, self._words, strict=True)):
            height = room * float(value) / most
            left, top = place * across, _TEXT + room - height
            bar = QRectF(left + 0.15 * across, top, 0.7 * across, height)
            painter.fillRect(bar, self._colours[place])
            painter.setPen(self.palette().color(QPalette.ColorRole.Text))
            painter.drawText(QRectF(left - 8, top - _TEXT, across + 16, _TEXT), centre, word)
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            foot = QRectF(left, self.height() - _TEXT, across, _TEXT)
            name = one_line(self._names[place])
            room_for = max(1, int(across // self.fontMetrics().averageCharWidth()) - 1)
            painter.drawText(foot, centre, name if len(name) <= _SHORT else name[:room_for])
        painter.end()
