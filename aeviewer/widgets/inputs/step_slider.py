"""A slider over saved steps, evenly spaced whatever the distance between them."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QSlider, QWidget

from aeviewer.numbers import local
from aeviewer.widgets.fonts import small

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QMouseEvent, QPaintEvent

_MARGIN = 20
_TRACK = 14
_TICK = 4
_NUMBERS = 23
_SPACE = 6
_RADIUS = 6.0
_LIVE = "live"
_SUFFIXES = ((1_000_000, "M"), (1_000, "k"))


def short(step: int) -> str:
    """Returns the label of a step: "0", "10", "1k", "2.5k", "10M"; never rounded."""
    for size, suffix in _SUFFIXES:
        if step >= size and step % (size // 100) == 0:
            return f"{local(step / size):g}{suffix}"
    return f"{local(step):,}"


class StepSlider(QSlider):
    """Steps on a line; while something grows, its present state is one more place at the end.

    A press anywhere goes there; arrows, Page, Home and End do what they do on any slider.
    """

    step_chosen = Signal(int)
    """The user chose a step."""
    live_chosen = Signal()
    """The user chose the place at the end."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._steps: tuple[int, ...] = ()
        self._has_live = False
        self._step: int | None = None
        self.setPageStep(5)
        self.setRange(0, 0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.valueChanged.connect(self._choose)

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps, ascending."""
        return self._steps

    @property
    def step(self) -> int | None:
        """The step at the handle; None at the place at the end, or without steps."""
        return self._step

    def set_steps(self, steps: Sequence[int], *, live: bool = False) -> None:
        """Sets the places; the handle stays at its step.

        Parameters
        ----------
        steps
            Ascending.
        live
            Whether there is a place for now, after the last step.
        """
        self._steps, self._has_live = tuple(steps), live
        with QSignalBlocker(self):
            self.setRange(0, max(0, self._count - 1))
        self.set_step(self._step)

    def set_step(self, step: int | None) -> None:
        """Moves the handle without a signal; None is the place at the end."""
        self._step = step
        at = bisect_left(self._steps, step) if step is not None else self.maximum()
        with QSignalBlocker(self):
            self.setValue(at)
        self.setAccessibleDescription(_LIVE if step is None else f"step {local(step):,}")
        self.update()

    @property
    def _count(self) -> int:
        return len(self._steps) + self._has_live

    def _choose(self, place: int) -> None:
        if place < len(self._steps):
            self.set_step(self._steps[place])
            self.step_chosen.emit(self._steps[place])
        else:
            self.set_step(None)
            self.live_chosen.emit()

    # -- mouse -----------------------------------------------------------------------------------

    def position(self, place: int) -> float:
        """Returns the distance of a place from the left."""
        room = self.width() - 2 * _MARGIN
        return _MARGIN + room * place / max(1, self._count - 1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Moves the handle to the place that was pressed."""
        if event.button() == Qt.MouseButton.LeftButton and self._count:
            self.setSliderDown(True)
            self._go_to(event.position().x())
        else:
            event.ignore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Moves the handle along."""
        if self.isSliderDown():
            self._go_to(event.position().x())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Ends the drag."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(False)

    def _go_to(self, x: float) -> None:
        share = (x - _MARGIN) / max(1, self.width() - 2 * _MARGIN)
        place = round(share * (self._count - 1))
        self.setValue(min(max(place, 0), self._count - 1))

    # -- looks -----------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        """Returns a size with room for ticks and numbers."""
        return QSize(320, 40)

    def minimumSizeHint(self) -> QSize:
        """Returns a size that is large enough to aim at."""
        return QSize(120, 40)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draws track, ticks, numbers and handle."""
        painter = QPainter(self)
        if self._count:
            self._draw_track(painter)
            self._draw_numbers(painter)
            self._draw_handle(painter)
        painter.end()

    def _colour(self, role: QPalette.ColorRole) -> QPen:
        return QPen(self.palette().color(role), 1)

    def _draw_track(self, painter: QPainter) -> None:
        first, last = round(self.position(0)), round(self.position(self._count - 1))
        painter.setPen(self._colour(QPalette.ColorRole.Mid))
        painter.drawLine(first, _TRACK, last, _TRACK)
        painter.setPen(self._colour(QPalette.ColorRole.PlaceholderText))
        seen = -_MARGIN
        for place in range(len(self._steps)):
            x = round(self.position(place))
            if x - seen >= 3:
                painter.drawLine(x, _TRACK - _TICK, x, _TRACK + _TICK)
                seen = x

    def _draw_numbers(self, painter: QPainter) -> None:
        painter.setFont(small(self.font()))
        for place, where in self.numbers():
            current = place == self.value()
            role = QPalette.ColorRole.Highlight if current else QPalette.ColorRole.PlaceholderText
            painter.setPen(self._colour(role))
            painter.drawText(where, Qt.AlignmentFlag.AlignCenter, self._name(place))

    def numbers(self) -> list[tuple[int, QRectF]]:
        """Returns the labelled places: the first, the last, and those that fit between them."""
        last = self._count - 1
        taken = [self._number(last)]
        found = [(last, taken[0])] if last >= 0 else []
        for place in range(last):
            where = self._number(place)
            if not any(where.adjusted(-_SPACE, 0, _SPACE, 0).intersects(t) for t in taken):
                found.append((place, where))
                taken = [taken[0], where]
        return sorted(found, key=lambda number: number[0])

    def _number(self, place: int) -> QRectF:
        metrics = QFontMetrics(small(self.font()))
        width = metrics.horizontalAdvance(self._name(place)) + 2
        return QRectF(self.position(place) - width / 2, _NUMBERS, width, metrics.height())

    def _name(self, place: int) -> str:
        return short(self._steps[place]) if 0 <= place < len(self._steps) else _LIVE

    def _draw_handle(self, painter: QPainter) -> None:
        """Draws the handle as a disc, with a ring for the keyboard focus."""
        accent = self.palette().color(QPalette.ColorRole.Highlight)
        centre = QPointF(self.position(self.value()), _TRACK + 0.5)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Base), 2))
        painter.setBrush(accent)
        painter.drawEllipse(centre, _RADIUS, _RADIUS)
        if self.hasFocus():
            painter.setPen(QPen(accent, 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(centre, _RADIUS + 3, _RADIUS + 3)
