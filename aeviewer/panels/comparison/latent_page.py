"""The codes of all test images by every compared run, with one selection in all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPoint, QRectF, QSizeF, Signal, Slot
from PySide6.QtGui import QImage, QPainter, QPalette
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from aeviewer.numbers import localise
from aeviewer.palette import CLASS_COLOURS, class_colours
from aeviewer.panels.comparison import captions as words
from aeviewer.panels.comparison.run_codes import RunCodes
from aeviewer.panels.export.pictures_menu import add_picture_actions
from aeviewer.services.comparison.image_rules import MOST
from aeviewer.services.latent.displayed_codes import ImageLookup
from aeviewer.widgets.displays.picture_export import slug
from aeviewer.widgets.labels import plain_tip, quiet_eliding_label
from aeviewer.widgets.plots.legend import ChipLegend
from aeviewer.widgets.refresh import Refresh
from trainers.datasets import MNIST
from trainers.plurals import count_of

if TYPE_CHECKING:
    from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent

    from aeviewer.services.comparison.comparison import Comparison

_MOST, _WORDS = 4, 64
_HINT = "Circle points in one panel to see the same images in the others."
_FINER = 3


class LatentPage(QWidget):
    """Small multiples with one selection.

    Parameters
    ----------
    comparison
        Watched; its selection is set by circling.
    """

    title = "Latent space"
    digits_wanted = Signal()
    """Requests the reconstructions of the selected images."""

    def __init__(self, comparison: Comparison, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._comparison = comparison
        self._panels: dict[str, RunCodes] = {}
        self._changed: set[str] = set()
        self._across = 0
        self.refresh = Refresh(self, self._show)
        self.legend = ChipLegend(MNIST.classes, CLASS_COLOURS)
        self.note = quiet_eliding_label(_HINT)
        self.clear, self.to_digits = QPushButton("Clear"), QPushButton("See their reconstructions")
        self._build()
        self._connect()
        self._tell_selection()

    def _build(self) -> None:
        self.clear.setToolTip("Selects nothing (Esc)")
        self.to_digits.setToolTip(plain_tip(f"Takes the first {MOST} selected images as columns"))
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
        """Clears the selection."""
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
        shares = words.class_counts_text(data.test.labels, chosen, data.dataset.classes)
        by_class = f", by class {shares}" if shares else ""
        self.note.setText(f"{localise(count_of(int(chosen.sum()), 'image'))} selected{by_class}")
        self.note.setToolTip(plain_tip(self.note.text()))

    # -- what is shown ---------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """Starts reading the codes."""
        super().showEvent(event)
        self._comparison.set_codes_enabled(True)
        self._schedule_all()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stops reading the codes."""
        super().hideEvent(event)
        self._comparison.set_codes_enabled(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arranges the panels later: a layout must not change while it is being applied."""
        super().resizeEvent(event)
        self.refresh.request()

    @Slot()
    def _schedule_all(self) -> None:
        self._changed |= {run.item.key for run in self._comparison.runs}
        self.refresh.request()

    @Slot(str)
    def _schedule(self, key: str) -> None:
        self._changed.add(key)
        self.refresh.request()

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
        """Makes a panel for each run, and removes the others."""
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

    def _make_panel(self, key: str, name: str) -> RunCodes:
        panel = RunCodes(key, name)
        panel.plot.circled.connect(self._comparison.select)
        panel.plot.hovered_at.connect(lambda x, y, k=key: self._hover(k, x, y))
        panel.plot.left.connect(self._leave)
        self._changed.add(key)
        add_picture_actions(panel, self._picture_name, self._comparison.session.message_posted.emit)
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
        """Shows the image under the mouse, and its places in the other runs."""
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
        """The caption of the figure, ready for a paper."""
        runs = {run.item.key: run for run in self._comparison.runs}
        shown = [(runs[p.key], p.axes) for p in self._panels.values() if p.plane and p.key in runs]
        return words.latent_caption(self._comparison, shown)

    @property
    def drawing(self) -> LatentPage:
        """The name of the figure."""
        return self

    def figure_size(self) -> QSizeF:
        """The size of all panels, with the legend below."""
        area = self._grid.geometry()
        return QSizeF(area.width(), area.height() + self.legend.height() + 4)

    def draw_figure(self, painter: QPainter) -> None:
        """Names as words; the plots as pictures, since ten thousand points are too many lines."""
        origin = self._grid.geometry().topLeft()
        for at, panel in enumerate(self._panels.values()):
            corner = panel.pos() - origin
            panel.title.draw(painter, QRectF(corner, panel.title.size()), words.panel_letter(at))
            place = corner + panel.plot.pos()
            painter.drawImage(place, panel.plot.picture(_FINER))
        below = QPoint(0, self._grid.geometry().height() + 4)
        painter.drawImage(below, _picture(self.legend))


def _picture(widget: QWidget) -> QImage:
    """Returns a picture of a widget at a finer resolution than the screen's."""
    image = QImage(widget.size() * _FINER, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(_FINER)
    image.fill(widget.palette().color(QPalette.ColorRole.Base))
    painter = QPainter(image)
    widget.render(painter, QPoint(), renderFlags=QWidget.RenderFlag.DrawChildren)
    painter.end()
    return image


def most_square(count: int, width: int, height: int) -> int:
    """Returns how many panels in a row give the largest squares, with their texts around them."""
    sides = {n: min(width / n, height / -(-count // n) - _WORDS) for n in range(1, _MOST + 1)}
    return max(sides, key=lambda n: (sides[n], -n))
