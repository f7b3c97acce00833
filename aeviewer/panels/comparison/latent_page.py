"""The codes of all test images by every compared run; what is circled in one is lit in all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, QRectF, QSizeF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPalette
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from aeviewer.numbers import local
from aeviewer.palette import CLASS_COLOURS, class_colours
from aeviewer.panels.comparison import captions as words
from aeviewer.panels.export.pictures_menu import offer_pictures
from aeviewer.panels.latent.background import class_palette
from aeviewer.services.comparison.image_rules import MOST
from aeviewer.services.latent.displayed_codes import ImageLookup
from aeviewer.widgets.displays.picture_export import slug
from aeviewer.widgets.fonts import small, tabular
from aeviewer.widgets.plots.legend import ChipLegend
from aeviewer.widgets.plots.linked_plot import LinkedPlot
from trainers.datasets import MNIST
from trainers.exploration.planes import Plane, axes_plane, line, principal_plane

if TYPE_CHECKING:
    from PySide6.QtGui import QHideEvent, QPaintEvent, QResizeEvent, QShowEvent

    from aeviewer.services.comparison.compared_run import ComparedRun
    from aeviewer.services.comparison.comparison import Comparison

_MOST, _WORDS = 4, 64
_HINT = "Circle points in one panel to see the same images in the others."
_FINER = 3
_JITTER = 0.35


class _Title(QWidget):
    """A dot in a run's colour, its name, its step."""

    def __init__(self) -> None:
        super().__init__()
        self._colour, self._name, self._detail, self._is_elsewhere = "", "", "", False
        self.setFixedHeight(24)

    def set_text(self, colour: str, name: str, detail: str, *, is_elsewhere: bool) -> None:
        """What it says."""
        self._colour, self._name, self._detail = colour, name, detail
        self._is_elsewhere = is_elsewhere
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """All of it on one line."""
        painter = QPainter(self)
        self.draw(painter, QRectF(self.rect()))
        painter.end()

    def draw(self, painter: QPainter, place: QRectF, letter: str = "") -> None:
        """Draws it at a place; a letter, by which a caption calls it, stands before the name."""
        name = f"({letter}) {self._name}" if letter else self._name
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


class _Panel(QWidget):
    """One run's codes."""

    def __init__(self, key: str, name: str) -> None:
        super().__init__()
        self.key = key
        self.plane: Plane | None = None
        self.title, self.plot, self.notice = _Title(), LinkedPlot(f"Codes of {name}"), QLabel()
        self.plot.setMinimumSize(160, 140)
        self.notice.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.notice.setWordWrap(True)
        self.notice.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for widget in (self.title, self.plot, self.notice):
            layout.addWidget(widget, 0 if widget is self.title else 1)

    def show_run(self, run: ComparedRun, step: int | None) -> None:
        """Its name and step, or why there are no codes."""
        elsewhere = words.is_elsewhere(run, step)
        detail = words.step_words(run, step)
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
        """Its points in their plane."""
        if run.codes is None or len(run.codes.values) != len(labels):
            return
        self.plane = _plane(run.codes.values, self.plane)
        xy = self.plane.project(run.codes.values)
        if run.codes.values.shape[1] == 1:
            jitter = np.random.default_rng(0).uniform(-_JITTER, _JITTER, len(labels))
            xy[:, 1] = labels + jitter
        self.plot.set_square(len(self.plane.origin) > 1)
        x, y = axis_names(self.plane)
        self.plot.axis("bottom").setLabel(x)
        self.plot.axis("left").setLabel(y)
        lit = chosen if len(chosen) else None
        self.plot.set_points(xy, labels, class_palette(len(visible)), visible[labels], lit)

    @property
    def axes(self) -> str:
        """What the plane is, for a caption."""
        if self.plane is None or not self.plane.shares:
            return "code"
        return (
            f"first two principal components ({local(sum(self.plane.shares)):.0%} of the variance)"
        )


class LatentPage(QWidget):
    """Small multiples with one selection.

    Parameters
    ----------
    comparison
        Watched; its selection is set by circling.
    """

    title = "Latent space"
    digits_wanted = Signal()
    """The selected images shall be the columns of the reconstructions."""

    def __init__(self, comparison: Comparison, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._comparison = comparison
        self._panels: dict[str, _Panel] = {}
        self._changed: set[str] = set()
        self._across = 0
        self._later = QTimer(self, singleShot=True, interval=0)
        self._later.timeout.connect(self._show)
        self.legend = ChipLegend(MNIST.classes, CLASS_COLOURS)
        self.note = QElidingLabel(_HINT)
        self.clear, self.to_digits = QPushButton("Clear"), QPushButton("See their reconstructions")
        self._build()
        self._connect()
        self._tell_selection()

    def _build(self) -> None:
        self.clear.setToolTip("Selects nothing (Esc)")
        self.to_digits.setToolTip(f"Takes the first {MOST} selected images as columns")
        self.note.setFont(small(self.font()))
        self.note.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.legend)
        head.addWidget(self.note, 1)
        head.addWidget(self.to_digits)
        head.addWidget(self.clear)
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(12)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 8)
        layout.setSpacing(8)
        layout.addLayout(head)
        layout.addLayout(self._grid, 1)

    def _connect(self) -> None:
        comparison = self._comparison
        comparison.runs_changed.connect(self._schedule_all)
        comparison.step_changed.connect(self._schedule_all)
        comparison.codes_changed.connect(self._schedule)
        comparison.selection_changed.connect(self._schedule_all)
        comparison.selection_changed.connect(self._tell_selection)
        self.legend.visibility_changed.connect(self._schedule_all)
        self.clear.clicked.connect(self.clear_selection)
        self.to_digits.clicked.connect(self._take_as_digits)

    # -- the selection ---------------------------------------------------------------------------

    @Slot()
    def clear_selection(self) -> None:
        """Selects nothing."""
        self._comparison.select(np.zeros(0, np.bool_))

    @Slot()
    def _take_as_digits(self) -> None:
        chosen = np.flatnonzero(self._comparison.selection)[:MOST]
        rule = replace(self._comparison.rule, kind="chosen", chosen=tuple(chosen.tolist()))
        self._comparison.set_rule(rule)
        self.digits_wanted.emit()

    @Slot()
    def _tell_selection(self) -> None:
        chosen = self._comparison.selection
        self.clear.setEnabled(bool(len(chosen)))
        self.to_digits.setEnabled(bool(len(chosen)))
        if not len(chosen):
            self.note.setText(_HINT)
            return
        data = self._comparison.data
        shares = words.histogram(data.test.labels, chosen, data.dataset.classes)
        by_class = f", by class {shares}" if shares else ""
        self.note.setText(f"{local(int(chosen.sum())):,} images selected{by_class}")
        self.note.setToolTip(self.note.text())

    # -- what is shown ---------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """Has the codes read, and catches up."""
        super().showEvent(event)
        self._comparison.want_codes(True)
        self._changed = {run.item.key for run in self._comparison.runs}
        self._later.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Has no more codes read."""
        super().hideEvent(event)
        self._comparison.want_codes(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arranges anew, but later: a layout must not change while it is being laid out."""
        super().resizeEvent(event)
        self._later.start()

    @Slot()
    def _schedule_all(self) -> None:
        self._changed |= {run.item.key for run in self._comparison.runs}
        if self.isVisible():
            self._later.start()

    @Slot(str)
    def _schedule(self, key: str) -> None:
        self._changed.add(key)
        if self.isVisible():
            self._later.start()

    @Slot()
    def _show(self) -> None:
        runs = self._comparison.runs
        self._keep({run.item.key: run.item.name for run in runs})
        classes = self._comparison.data.dataset.classes
        self.legend.set_names(classes, class_colours(len(classes)))
        visible, chosen = self.legend.visible, self._comparison.selection
        labels = self._comparison.data.test.labels
        for run in runs:
            panel = self._panels[run.item.key]
            panel.show_run(run, self._comparison.step)
            if run.item.key in self._changed:
                panel.show_codes(run, labels, visible, chosen)
        self._changed.clear()

    def _keep(self, names: dict[str, str]) -> None:
        """A panel for each run, and no other."""
        order = list(names)
        if order == list(self._panels):
            self._arrange()
            return
        for key in set(self._panels) - set(names):
            gone = self._panels.pop(key)
            self._grid.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        self._panels = {k: self._panels.get(k) or self._make_panel(k, n) for k, n in names.items()}
        self._across = 0
        self._arrange()

    def _make_panel(self, key: str, name: str) -> _Panel:
        panel = _Panel(key, name)
        panel.plot.circled.connect(self._comparison.select)
        panel.plot.hovered_at.connect(lambda x, y, k=key: self._hover(k, x, y))
        panel.plot.left.connect(self._leave)
        self._changed.add(key)
        offer_pictures(panel, self._picture_name, self._comparison.session.message_posted.emit)
        return panel

    def _picture_name(self, what: str) -> str:
        return f"compare-step{self._comparison.step or 0}-{slug(what)}"

    def _arrange(self) -> None:
        count = len(self._panels)
        across = most_square(count, self.width(), self.height()) if count else 0
        if across == self._across:
            return
        self._across = across
        for at, panel in enumerate(self._panels.values()):
            self._grid.addWidget(panel, *divmod(at, across))
        rows = -(-count // max(1, across))
        for row in range(8):
            self._grid.setRowStretch(row, 1 if row < rows else 0)
        for column in range(8):
            self._grid.setColumnStretch(column, 1 if column < across else 0)

    # -- the mouse -------------------------------------------------------------------------------

    def _hover(self, key: str, x: float, y: float) -> None:
        """The image under the mouse, and where the other runs put it."""
        plot = self._panels[key].plot
        point = plot.nearest(x, y)
        if point is None:
            self._leave()
            return
        gallery = ImageLookup(self._comparison.data)
        lines = [gallery.kind(point), gallery.name(point)]
        text = "\n".join(line for line in lines if line)
        plot.set_hovered(point, gallery.image(point), text)
        for panel in self._panels.values():
            if panel.key != key:
                panel.plot.ring(point)

    @Slot()
    def _leave(self) -> None:
        for panel in self._panels.values():
            panel.plot.set_hovered(None, np.empty((0, 0), np.uint8), "")

    # -- the figure ------------------------------------------------------------------------------

    @property
    def caption(self) -> str:
        """Fit for a paper."""
        runs = {run.item.key: run for run in self._comparison.runs}
        shown = [(runs[p.key], p.axes) for p in self._panels.values() if p.plane and p.key in runs]
        return words.latent_caption(self._comparison, shown)

    @property
    def drawing(self) -> LatentPage:
        """What is exported."""
        return self

    def figure_size(self) -> QSizeF:
        """Of all panels, and of the legend below."""
        area = self._grid.geometry()
        return QSizeF(area.width(), area.height() + self.legend.height() + 4)

    def draw_figure(self, painter: QPainter) -> None:
        """Names as words; the plots as pictures, since ten thousand points are too many lines."""
        origin = self._grid.geometry().topLeft()
        for at, panel in enumerate(self._panels.values()):
            corner = panel.pos() - origin
            panel.title.draw(painter, QRectF(corner, panel.title.size()), words.letter(at))
            place = corner + panel.plot.pos()
            painter.drawImage(place, panel.plot.picture(_FINER))
        below = QPoint(0, self._grid.geometry().height() + 4)
        painter.drawImage(below, _picture(self.legend))


def _picture(widget: QWidget) -> QImage:
    """A widget as it looks, in finer pixels than the screen's."""
    image = QImage(widget.size() * _FINER, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(_FINER)
    image.fill(widget.palette().color(QPalette.ColorRole.Base))
    painter = QPainter(image)
    widget.render(painter, QPoint(), renderFlags=QWidget.RenderFlag.DrawChildren)
    painter.end()
    return image


def most_square(count: int, width: int, height: int) -> int:
    """How many beside each other give the largest squares, each with its words around it."""
    sides = {n: min(width / n, height / -(-count // n) - _WORDS) for n in range(1, _MOST + 1)}
    return max(sides, key=lambda n: (sides[n], -n))


def _plane(codes: NDArray[np.float32], previous: Plane | None) -> Plane:
    """That of the code where it has two numbers, else the principal one."""
    if codes.shape[1] == 1:
        return line()
    if codes.shape[1] == 2:
        return axes_plane(2, 0, 1)
    return principal_plane(codes, previous)


def axis_names(plane: Plane) -> tuple[str, str]:
    """What stands at x and y."""
    if len(plane.origin) == 1:
        return "code 1", "class"
    if plane.shares is None:
        return f"code {plane.axes[0] + 1}", f"code {plane.axes[1] + 1}"
    x, y = (
        f"component {axis + 1}, {local(share):.0%}"
        for axis, share in zip(plane.axes, plane.shares, strict=True)
    )
    return x, y
