"""A pad to draw on, with the code and the reconstruction of the drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Slot
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from aeviewer import theme
from aeviewer.numbers import local
from aeviewer.palette import CLASS_COLOURS, class_colours
from aeviewer.panels.latent.status_text import show_status
from aeviewer.services.latent.undo_state import Pin
from aeviewer.widgets.displays.class_bars import ClassBars
from aeviewer.widgets.displays.result_line import ResultLine
from aeviewer.widgets.images.drawing_pad import DigitPad
from aeviewer.widgets.images.image_view import ImageView
from aeviewer.widgets.images.thumbnail_list import DigitList
from aeviewer.widgets.labels import PlainLabel, plain_label, plain_tip, quiet_label
from trainers.datasets import MNIST
from trainers.datasets.user_drawings import convert_drawing, convert_image_file
from trainers.errors import AEViewerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QHideEvent, QShowEvent

    from aeviewer.services.latent.drawing import DrawingService
    from aeviewer.services.latent.latent_state import LatentState

_UNLIKE = 0.98
"""The share of test images that are reconstructed better than a drawing that is unlike them."""
_TITLES = ("as MNIST has it", "reconstruction")


class DrawPanel(QWidget):
    """The user draws; the model encodes and reconstructs at once, and the class is estimated.

    Parameters
    ----------
    latent_state
        The code of the drawing, or of a neighbour, is marked and pinned there.
    drawing
        Watched; receives the drawing.
    """

    def __init__(
        self, latent_state: LatentState, drawing: DrawingService, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._latent, self._drawing = latent_state, drawing
        self.pad = DigitPad()
        self.brush = self._button("draw", "Brush: the left button draws")
        self.eraser = self._button("eraser", "Eraser; the right button always erases")
        self.undo = self._button("undo", f"Undo ({QKeySequence('Ctrl+Z').toString()} on the pad)")
        self.clear = self._button("delete-outline", "Clear (Delete)")
        self.paste = self._button("content-paste", "Paste an image or an image file (Ctrl+V)")
        self.mark = self._button("crosshairs-gps", "Mark the code of the drawing")
        self.pin = self._button("pin-outline", "Pin the drawing's code")
        self.views = tuple(ImageView() for _ in _TITLES)
        self.guess, self.bars = plain_label(), ClassBars(CLASS_COLOURS)
        self._dataset = MNIST
        self._given: tuple[NDArray[np.float32], NDArray[np.uint8]] | None = None
        self.neighbours = DigitList("Codes nearest to the drawing", one_row=True)
        shown = (*self.views, self.guess, self.bars, self.neighbours)
        self.line = ResultLine("Encoding the drawing", *shown)
        self._build()
        self._connect()
        self._show()

    def _button(self, glyph: str, meaning: str) -> QToolButton:
        button = QToolButton()
        button.setIcon(theme.icon(glyph))
        button.setToolTip(plain_tip(meaning))
        button.setAccessibleName(meaning.partition(" (")[0].partition(":")[0])
        button.setAutoRaise(True)
        return button

    def _build(self) -> None:
        for button in (self.brush, self.eraser):
            button.setCheckable(True)
            button.setAutoExclusive(True)
        self.brush.setChecked(True)
        tools = QHBoxLayout()
        tools.setSpacing(2)
        for button in (self.brush, self.eraser, self.undo, self.clear, self.paste):
            tools.addWidget(button)
        tools.addStretch()
        tools.addWidget(self.mark)
        tools.addWidget(self.pin)
        self.captions: dict[int, PlainLabel] = {}
        results = QGridLayout()
        results.setSpacing(4)
        for row, (view, title) in enumerate(zip(self.views, _TITLES, strict=True)):
            view.setMinimumSize(56, 56)
            view.setAccessibleName(title.capitalize())
            caption = self.captions[row] = quiet_label(title)
            results.addWidget(view, 2 * row, 0)
            results.addWidget(caption, 2 * row + 1, 0)
            results.setRowStretch(2 * row, 1)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.pad, 3)
        top.addLayout(results, 1)
        self.guess.setWordWrap(True)
        self.guess.setToolTip(
            "The classes of the 15 nearest codes; nearer codes count more (k-nearest neighbours). "
            "They say nothing about whether the drawing is an image of any class: how well the "
            "model reconstructs it does."
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(8)
        layout.addLayout(tools)
        layout.addLayout(top, 1)
        layout.addWidget(self.guess)
        layout.addWidget(self.bars)
        layout.addWidget(self.neighbours)
        layout.addWidget(self.line)

    def _connect(self) -> None:
        self.pad.drawn.connect(self._submit_drawing)
        self.pad.image_given.connect(self._read)
        self.pad.stack.canUndoChanged.connect(self.undo.setEnabled)
        self.undo.setEnabled(False)
        self.brush.toggled.connect(self._choose_tool)
        for button, act in self._button_actions().items():
            button.clicked.connect(act)
        self.neighbours.chosen.connect(self._go_to)
        self._drawing.changed.connect(self._show)
        self._drawing.latest.status_changed.connect(self._show_status)
        self._latent.session.runs_changed.connect(self._show_status)
        self._latent.session.current_changed.connect(self._change_dataset)
        self._change_dataset()

    def _button_actions(self) -> dict[QToolButton, Callable[[], None]]:
        return {
            self.undo: self.pad.stack.undo,
            self.clear: self.pad.clear,
            self.paste: self._paste,
            self.mark: self._mark,
            self.pin: self._pin,
        }

    def showEvent(self, event: QShowEvent) -> None:
        """Submits the drawing again."""
        super().showEvent(event)
        self._submit_drawing(self.pad.ink)

    def hideEvent(self, event: QHideEvent) -> None:
        """Stops encoding the drawing."""
        super().hideEvent(event)
        self._drawing.set_image(None)

    # -- the drawing -----------------------------------------------------------------------------

    @Slot(bool)
    def _choose_tool(self, brush: bool) -> None:
        self.pad.erases = not brush

    @Slot()
    def _change_dataset(self) -> None:
        """Converts the drawing to the data set of the current run."""
        dataset = self._latent.session.dataset
        if dataset != self._dataset:
            self._dataset, self._given = dataset, None
            self.bars.set_classes(dataset.classes, class_colours(len(dataset.classes)))
            self.captions[0].setText(f"as {dataset.title} has it")
            hint = "Draw a digit" if dataset == MNIST else "Draw"
            self.pad.set_hint(hint, centred=dataset.centred)
            self._submit_drawing(self.pad.ink)
            self._show()

    @Slot(object)
    def _submit_drawing(self, ink: NDArray[np.float32]) -> None:
        image = convert_drawing(ink, self._dataset)
        if self._given is not None and np.array_equal(self._given[0], ink):
            image = self._given[1]
        self._drawing.set_image(image if image.any() and self.isVisible() else None)

    @Slot()
    def _paste(self) -> None:
        if not self.pad.paste():
            self._latent.session.message_posted.emit(
                "The clipboard holds no image. Copy an image or an image file, and paste again."
            )

    @Slot(object)
    def _read(self, content: bytes) -> None:
        try:
            image = convert_image_file(content, self._dataset)
            self.pad.set_image(image if image.ndim == 2 else image.mean(2).astype(np.uint8))
            # The pad holds ink only; the model receives the image itself, with its colours.
            self._given = None if self._dataset.centred else (self.pad.ink, image)
            self._submit_drawing(self.pad.ink)
        except AEViewerError as error:
            self._latent.session.message_posted.emit(str(error))

    # -- what is shown ---------------------------------------------------------------------------

    @Slot()
    def _show(self) -> None:
        result = self._drawing.result
        for button in (self.mark, self.pin):
            button.setEnabled(result is not None)
        if result is None:
            for view in self.views:
                view.set_image(None)
            what = "a digit" if self._dataset == MNIST else "an image"
            self.guess.setText(f"Draw, paste or drop {what}.")
            self.bars.set_shares(np.zeros(len(self._dataset.classes)))
            self.neighbours.set_images(np.zeros((0, 28, 28)))
            return
        self.views[0].set_image(result.image)
        self.views[1].set_image(result.reconstruction)
        self._show_guess(result.shares, result.strangeness)
        near, gallery = result.neighbours.tolist(), self._latent.displayed_codes.images
        self.neighbours.set_images(
            gallery.images(near),
            [f"{local(distance):.3g}" for distance in result.distances],
            [gallery.description(index) for index in near],
        )
        self.neighbours.set_current(-1)

    @Slot()
    def _show_status(self) -> None:
        show_status(self.line, self._drawing.latest, self._latent.session)

    def _show_guess(self, shares: NDArray[np.float64], strangeness: float) -> None:
        """Shows the likeliest class, and whether the drawing is like any image at all."""
        classes = self._dataset.classes
        if len(shares) != len(classes):
            self.guess.setText("")  # A data set without labels has no classes.
            return
        likeliest = int(shares.argmax())
        name = f"a {classes[likeliest]}" if self._dataset == MNIST else classes[likeliest]
        weight = f"{local(100 * shares[likeliest]):.0f} % of the weight of its nearest codes"
        better = f"reconstructs {local(100 * strangeness):.0f} % of the test images better"
        self.guess.setText(
            f"It is unlike the test images: the model {better}. The nearest class is {name} "
            f"({weight})."
            if strangeness >= _UNLIKE
            else f"It looks like {name}: {weight}. The model {better}."
        )
        self.bars.set_shares(shares)

    # -- the user --------------------------------------------------------------------------------

    @Slot()
    def _mark(self) -> None:
        if self._drawing.result is not None:
            self._latent.move(self._drawing.result.code)

    @Slot()
    def _pin(self) -> None:
        if self._drawing.result is not None:
            self._latent.pin(Pin(self._drawing.result.code))

    @Slot(int)
    def _go_to(self, number: int) -> None:
        result, codes = self._drawing.result, self._latent.codes
        if result is not None and codes is not None and number < len(result.neighbours):
            self._latent.move(codes[result.neighbours[number]])
