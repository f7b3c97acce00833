"""A path between two pins: as a line in the plane, as a film, and its lengths."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QSpinBox,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from aeviewer import theme
from aeviewer.numbers import local
from aeviewer.panels.latent.status_text import show_status
from aeviewer.services.latent.undo_state import pin_letter
from aeviewer.widgets.displays.empty_state import EmptyState
from aeviewer.widgets.displays.result_line import ResultLine
from aeviewer.widgets.images.thumbnail_list import DigitList
from aeviewer.widgets.inputs.save_dialog import ask_place
from aeviewer.widgets.labels import plain_label, plain_tip, quiet_label
from trainers.errors import AEViewerError
from trainers.figures import film
from trainers.figures.image_sheet import write_sheet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from PySide6.QtGui import QHideEvent, QShowEvent

    from aeviewer.services.latent.latent_state import LatentState
    from aeviewer.services.latent.path import PathResult, PathService

_EMPTY = "Pin two codes (P, or Ctrl and click): the path between them appears here"
_KINDS = {
    "straight": ("Straight", "The straight line between the two codes."),
    "spherical": ("Spherical", "Along the sphere around 0; the norm changes at a constant rate."),
    "geodesic": (
        "Geodesic",
        "The shortest path in terms of the decoded images: a geodesic of the decoder's pull-back "
        "metric (Arvanitidis et al. 2018; Chen et al. 2018).",
    ),
}
_STEPS = {
    "image": ("in the images", "All neighbouring frames have the same distance as images."),
    "code": ("in the code", "All neighbouring frames have the same distance as codes."),
}
_FILM_MILLISECONDS, _GIF_SCALE = 120, 8
_FEWEST, _MOST = 3, 60


class PathPanel(QWidget):
    """Chooses a path, shows its film, plays and exports it.

    Parameters
    ----------
    latent_state
        Holds the pins; its code moves when the film is played.
    service
        Watched; receives the kind and the ends of the path.
    """

    def __init__(
        self, latent_state: LatentState, service: PathService, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._latent, self._service = latent_state, service
        self.start, self.end = QComboBox(), QComboBox()
        self.kind, self.steps = _combo(_KINDS, "Path"), _combo(_STEPS, "Equal steps")
        self.frames = QSpinBox()
        self.film = DigitList("Film of the path")
        self.lengths = quiet_label(wraps=True)
        self.line = ResultLine("Search for the path", self.film, self.lengths)
        self.play_button = QPushButton(theme.icon("play"), "Play")
        self.gif_button, self.strip_button = QToolButton(), QToolButton()
        self._timer = QTimer(self, interval=_FILM_MILLISECONDS)
        self._timer.timeout.connect(self._play_next)
        self._pages = QStackedLayout(self)
        self._build()
        self._connect()
        self._show_pins()

    def _build(self) -> None:
        self.start.setAccessibleName("From pin")
        self.end.setAccessibleName("To pin")
        self.frames.setRange(_FEWEST, _MOST)
        self.frames.setValue(self._service.route.frames)
        self.frames.setAccessibleName("Frames")
        self.frames.setToolTip("The number of frames of the film.")
        self.lengths.setToolTip(
            "Length in the code: the sum of the Euclidean lengths of the steps. Length in the "
            "images: the same for the decoded images, in units of full ink."
        )
        self.gif_button.setText("GIF…")
        self.gif_button.setToolTip("Save the film as an animated GIF.")
        self.strip_button.setText("PNG…")
        self.strip_button.setToolTip("Save the film as a strip of images.")
        ends, form, foot = QHBoxLayout(), QFormLayout(), QHBoxLayout()
        ends.setSpacing(8)
        ends.addWidget(self.start, 1)
        ends.addWidget(plain_label("to"))
        ends.addWidget(self.end, 1)
        form.setVerticalSpacing(4)
        form.addRow("From", ends)
        form.addRow("Path", self.kind)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.steps, 1)
        row.addWidget(self.frames)
        form.addRow("Equal steps", row)
        foot.addWidget(self.play_button)
        foot.addStretch()
        foot.addWidget(self.gif_button)
        foot.addWidget(self.strip_button)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(8)
        layout.addLayout(form)
        layout.addWidget(self.film, 1)
        layout.addWidget(self.lengths)
        layout.addWidget(self.line)
        layout.addLayout(foot)
        self._pages.addWidget(EmptyState(_EMPTY))
        self._pages.addWidget(content)

    def _connect(self) -> None:
        for combo in (self.start, self.end, self.kind, self.steps):
            combo.currentIndexChanged.connect(self._choose)
        self.frames.valueChanged.connect(self._choose)
        self.film.chosen.connect(self._go_to)
        self.play_button.clicked.connect(self._toggle_play)
        self.gif_button.clicked.connect(self._save_gif)
        self.strip_button.clicked.connect(self._save_strip)
        self._latent.pins_changed.connect(self._show_pins)
        self._service.changed.connect(self._show)
        self._service.latest.status_changed.connect(self._show_status)
        self._latent.session.runs_changed.connect(self._show_status)

    def showEvent(self, event: QShowEvent) -> None:
        """Starts computing the path."""
        super().showEvent(event)
        self._service.set_enabled(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Stops computing the path, and the film."""
        super().hideEvent(event)
        self._service.set_enabled(False)
        self._stop()

    # -- what is chosen --------------------------------------------------------------------------

    @Slot()
    def _choose(self) -> None:
        self._stop()
        route = replace(
            self._service.route,
            start=self.start.currentIndex(),
            end=self.end.currentIndex(),
            kind=self.kind.currentData(),
            steps=self.steps.currentData(),
            frames=self.frames.value(),
        )
        self._service.choose(route)

    @Slot()
    def _show_pins(self) -> None:
        names = [pin_letter(at) for at in range(len(self._latent.pins))]
        self._pages.setCurrentIndex(1 if len(names) > 1 else 0)
        known = [self.start.itemText(at) for at in range(self.start.count())]
        if known == names:
            return
        # The path usually leads from the last but one pin to the last one.
        chosen = (len(names) - 2, len(names) - 1)
        for combo, index in ((self.start, chosen[0]), (self.end, chosen[1])):
            with QSignalBlocker(combo):
                combo.clear()
                combo.addItems(names)
                combo.setCurrentIndex(max(0, index))
        if len(names) > 1:
            self._choose()

    # -- what is shown ---------------------------------------------------------------------------

    @Slot()
    def _show_status(self) -> None:
        latest = self._service.latest
        show_status(self.line, latest, self._latent.session)
        for button in (self.play_button, self.gif_button, self.strip_button):
            button.setEnabled(latest.value is not None and not latest.is_stale)

    @Slot()
    def _show(self) -> None:
        result = self._service.result
        if result is None:
            self.film.set_images(np.zeros((0, 28, 28)))
            self.lengths.clear()
            return
        self.film.set_images(result.images)
        ratio = result.image_length / max(result.straight_length, 1e-12)
        kind = result.route.kind
        compared = "" if kind == "straight" else f" ({local(ratio):.3f} × the straight path)"
        self.lengths.setText(
            f"{_KINDS[kind][0]} path: length {local(result.code_length):.3g} in the code, "
            f"{local(result.image_length):.3g} in the images{compared}"
        )

    # -- the film --------------------------------------------------------------------------------

    @Slot(int)
    def _go_to(self, number: int) -> None:
        result = self._service.result
        if result is not None and number < len(result.film):
            self.film.set_current(number)
            self._latent.move(result.film[number], "film", in_bursts=True)

    @Slot()
    def _toggle_play(self) -> None:
        if self._timer.isActive():
            self._stop()
        elif self._service.result is not None:
            self._go_to(0)
            self._timer.start()
            self.play_button.setText("Stop")
            self.play_button.setIcon(theme.icon("stop"))

    @Slot()
    def _play_next(self) -> None:
        result, number = self._service.result, self.film.currentIndex().row() + 1
        if result is None or number >= len(result.film):
            self._stop()
        else:
            self._go_to(number)

    def _stop(self) -> None:
        self._timer.stop()
        self.play_button.setText("Play")
        self.play_button.setIcon(theme.icon("play"))

    @Slot()
    def _save_gif(self) -> None:
        result = self._service.result
        if result is None:
            return
        frames = [*_bytes(result.images)]
        # The film runs forward and back, so that it does not jump.
        frames += frames[-2:0:-1]
        large = [frame.repeat(_GIF_SCALE, 0).repeat(_GIF_SCALE, 1) for frame in frames]
        self._save(result, "gif", lambda place: film.write_gif(place, large, _FILM_MILLISECONDS))

    @Slot()
    def _save_strip(self) -> None:
        result = self._service.result
        if result is not None:
            images = _bytes(result.images)
            self._save(result, "png", lambda place: write_sheet(place, images[None]))

    def _save(self, result: PathResult, ending: str, write: Callable[[Path], None]) -> None:
        """Asks for a file name and writes the file; a failure is posted as a message."""
        source, route = result.source, result.route
        ends = f"{pin_letter(route.start)}-{pin_letter(route.end)}"
        name = f"{source.run_name}-step{source.step}-{route.kind}-{ends}.{ending}"

        def write_file(place: Path) -> None:
            try:
                write(place)
            except AEViewerError as error:
                self._latent.session.message_posted.emit(str(error))

        ask_place(self, name, write_file)


def _combo(entries: dict[str, tuple[str, str]], name: str) -> QComboBox:
    combo = QComboBox()
    combo.setAccessibleName(name)
    for key, (title, meaning) in entries.items():
        combo.addItem(title, key)
        combo.setItemData(combo.count() - 1, plain_tip(meaning), Qt.ItemDataRole.ToolTipRole)
    return combo


def _bytes(images: NDArray[np.floating]) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = np.rint(images.clip(0, 1) * 255).astype(np.uint8)
    return pixels
