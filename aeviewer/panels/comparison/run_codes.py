"""The codes of one run in a comparison, with a title."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPalette
from PySide6.QtWidgets import QVBoxLayout, QWidget

from aeviewer.numbers import local
from aeviewer.panels.comparison import captions as words
from aeviewer.panels.latent.axis_names import axis_names
from aeviewer.panels.latent.background import class_palette
from aeviewer.widgets.fonts import small, tabular
from aeviewer.widgets.labels import one_line, quiet_label, shorten
from aeviewer.widgets.plots.linked_plot import LinkedPlot
from trainers.exploration.planes import Plane, axes_plane, class_jitter, line, principal_plane

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtGui import QPaintEvent

    from aeviewer.services.comparison.compared_run import ComparedRun


_NAME_LETTERS = 60


class RunTitle(QWidget):
    """A dot in the colour of a run, its name and its step."""

    def __init__(self) -> None:
        super().__init__()
        self._colour, self._name, self._detail, self._is_elsewhere = "", "", "", False
        self.setFixedHeight(24)

    def set_text(self, colour: str, name: str, detail: str, *, is_elsewhere: bool) -> None:
        """Sets the texts and the colour."""
        self._colour, self._name, self._detail = colour, name, detail
        self._is_elsewhere = is_elsewhere
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draws all of it on one line."""
        painter = QPainter(self)
        self.draw(painter, QRectF(self.rect()))
        painter.end()

    def draw(self, painter: QPainter, place: QRectF, letter: str = "") -> None:
        """Draws the title at a place; the letter of a figure stands before the name."""
        own = shorten(one_line(self._name), _NAME_LETTERS)
        name = f"({letter}) {own}" if letter else own
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._colour))
        painter.drawEllipse(QPointF(place.left() + 8, place.center().y()), 3.5, 3.5)
        font = tabular(self.font())
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(self.palette().color(QPalette.ColorRole.Text))
        room = place.adjusted(18, 0, 0, 0)
        middle = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(room, middle, name)
        room.setLeft(room.left() + painter.fontMetrics().horizontalAdvance(name) + 8)
        quiet = small(self.font())
        quiet.setItalic(self._is_elsewhere)
        painter.setFont(quiet)
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        painter.drawText(room, middle, self._detail)
        painter.restore()


class RunCodes(QWidget):
    """The codes of one run."""

    def __init__(self, key: str, name: str) -> None:
        super().__init__()
        self.key = key
        self.plane: Plane | None = None
        self.title, self.plot = RunTitle(), LinkedPlot(f"Codes of {name}")
        self.notice = quiet_label(wraps=True, is_small=False)
        self.plot.setMinimumSize(160, 140)
        self.notice.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for widget in (self.title, self.plot, self.notice):
            layout.addWidget(widget, 0 if widget is self.title else 1)

    def show_run(self, run: ComparedRun, step: int | None) -> None:
        """Shows the name and the step, or why there are no codes."""
        elsewhere = words.is_at_other_step(run, step)
        detail = words.step_text(run, step)
        self.title.set_text(run.colour, run.item.name, detail, is_elsewhere=elsewhere)
        self.notice.setText(run.problem or ("" if run.steps else words.NO_CHECKPOINT))
        self.notice.setVisible(bool(self.notice.text()))
        self.plot.setVisible(not self.notice.text())

    def show_codes(
        self,
        run: ComparedRun,
        labels: NDArray[np.uint8],
        visible: NDArray[np.bool_],
        chosen: NDArray[np.bool_],
    ) -> None:
        """Shows the points in their plane."""
        if run.codes is None or len(run.codes.values) != len(labels):
            return
        self.plane = _plane(run.codes.values, self.plane)
        xy = self.plane.project(run.codes.values)
        if run.codes.values.shape[1] == 1:
            xy[:, 1] = labels + class_jitter(len(labels))
        self.plot.set_square(not self.plane.is_line)
        x, y = axis_names(self.plane)
        self.plot.axis("bottom").setLabel(x)
        self.plot.axis("left").setLabel(y)
        lit = chosen if len(chosen) else None
        self.plot.set_points(xy, labels, class_palette(len(visible)), visible[labels], lit)

    @property
    def axes(self) -> str:
        """The plane in words, for a caption."""
        if self.plane is None or not self.plane.shares:
            return "code"
        return (
            f"first two principal components ({local(sum(self.plane.shares)):.0%} of the variance)"
        )


def _plane(codes: NDArray[np.float32], previous: Plane | None) -> Plane:
    """Returns the plane of a two-dimensional code, or else the principal plane."""
    if codes.shape[1] == 1:
        return line()
    if codes.shape[1] == 2:
        return axes_plane(2, 0, 1)
    return principal_plane(codes, previous)
