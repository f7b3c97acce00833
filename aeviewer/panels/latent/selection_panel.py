"""The selected codes: their number in each class, their mean, and their export as CSV."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Slot
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from aeviewer.numbers import localise
from aeviewer.palette import CLASS_COLOURS, class_colours
from aeviewer.services.compute.compute_client import ComputeClient
from aeviewer.widgets.displays.class_bars import ClassBars
from aeviewer.widgets.displays.empty_state import EmptyState
from aeviewer.widgets.fonts import tabular
from aeviewer.widgets.images.image_view import ImageView
from aeviewer.widgets.images.thumbnail_list import DigitList
from aeviewer.widgets.inputs.save_dialog import ask_place
from aeviewer.widgets.labels import plain_label, plain_tip, quiet_label
from aeviewer.widgets.refresh import Refresh
from trainers.datasets import MNIST
from trainers.errors import AEViewerError
from trainers.exploration import selection as selections
from trainers.plurals import count_of

if TYPE_CHECKING:
    from pathlib import Path

    from aeviewer.services.compute.compute_thread import ComputeThread
    from aeviewer.services.compute.model_cache import ModelCache
    from aeviewer.services.latent.latent_state import LatentState
    from trainers.datasets import Dataset
    from trainers.runs import Run

_EMPTY = "Circle codes (drag with Shift): what they have in common appears here"
_TITLES = ("mean image", "decoded mean code", "nearest to the mean")
_SHOWN = 200


class SelectionPanel(QWidget):
    """Describes the selection, which stays the same for all checkpoints and runs.

    Parameters
    ----------
    latent_state
        Holds the selection.
    compute
        Decodes its mean code.
    """

    def __init__(
        self, latent_state: LatentState, compute: ComputeThread, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._latent = latent_state
        self._client = ComputeClient(
            compute, "selection", latent_state.session.message_posted.emit, self
        )
        self._summary: selections.Summary | None = None
        self._refresh = Refresh(self, self._show)
        self.headline = plain_label()
        self.bars = ClassBars(CLASS_COLOURS)
        self._dataset = MNIST
        self.views = tuple(ImageView() for _ in _TITLES)
        self.images = DigitList("Selected images")
        self.clear_button, self.csv_button = QPushButton("Clear"), QPushButton("CSV…")
        self._pages = QStackedLayout(self)
        self._build()
        latent_state.selection_changed.connect(self._refresh.request)
        latent_state.places_changed.connect(self._refresh.request)
        latent_state.run_changed.connect(self._clear_mean)
        self.images.chosen.connect(self._go_to)
        self.clear_button.clicked.connect(self._clear)
        self.csv_button.clicked.connect(self._save)
        self._show()

    def _build(self) -> None:
        tiles = QGridLayout()
        tiles.setSpacing(4)
        for column, (view, title) in enumerate(zip(self.views, _TITLES, strict=True)):
            view.setMinimumSize(56, 56)
            view.setMaximumHeight(112)
            view.setAccessibleName(title.capitalize())
            caption = quiet_label(title, wraps=True)
            tiles.addWidget(view, 0, column)
            tiles.addWidget(caption, 1, column)
            tiles.setColumnStretch(column, 1)
        self.headline.setFont(tabular(self.font()))
        self.clear_button.setToolTip("Select nothing (Esc)")
        self.csv_button.setToolTip("Save the numbers, classes and codes of the selected images.")
        foot = QHBoxLayout()
        foot.addStretch()
        foot.addWidget(self.csv_button)
        foot.addWidget(self.clear_button)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(8)
        layout.addWidget(self.headline)
        layout.addWidget(self.bars)
        layout.addLayout(tiles)
        layout.addWidget(self.images, 1)
        layout.addLayout(foot)
        self._pages.addWidget(EmptyState(_EMPTY))
        self._pages.addWidget(content)

    @property
    def _known_selection(self) -> NDArray[np.intp]:
        """The selected images whose codes are known."""
        chosen, codes = self._latent.selection, self._latent.codes
        return chosen[: 0 if codes is None else int(np.searchsorted(chosen, len(codes)))]

    @Slot()
    def _show(self) -> None:
        chosen, codes = self._known_selection, self._latent.codes
        self._pages.setCurrentIndex(1 if len(chosen) else 0)
        if not len(chosen) or codes is None:
            self._summary = None
            return
        gallery = self._latent.displayed_codes.images
        self._set_classes(gallery.data.dataset)
        labels = np.array([gallery.label(index) for index in chosen.tolist()])
        images = gallery.images(chosen.tolist())
        classes = max(1, len(self._dataset.classes))
        found = selections.summarise(images, labels, codes[chosen], classes)
        self._summary = found
        count = len(chosen)
        self.headline.setText(f"{localise(count_of(count, 'image'))} selected")
        if self._dataset.is_labelled:
            self.bars.set_counts(found.counts)
        self.views[0].set_image(found.mean_image)
        self.views[2].set_image(images[found.nearest])
        self.views[2].setToolTip(plain_tip(gallery.description(int(chosen[found.nearest]))))
        tooltips = [gallery.description(index) for index in chosen[:_SHOWN].tolist()]
        self.images.set_images(images[:_SHOWN], tooltips=tooltips)
        self._decode(found.mean_code)

    def _set_classes(self, dataset: Dataset) -> None:
        if dataset != self._dataset:
            self._dataset = dataset
            self.bars.set_classes(dataset.classes, class_colours(len(dataset.classes)))

    @Slot()
    def _clear_mean(self) -> None:
        """Clears the decoded mean: it belongs to another run."""
        self._client.cancel("mean")
        self.views[1].set_image(None)
        self._refresh.request()

    def _decode(self, code: NDArray[np.floating]) -> None:
        session = self._latent.session
        if session.current is None:
            return
        run = session.run(session.current.key)
        self._client.submit(
            "mean",
            partial(decode_code, run=run, step=session.step, code=code),
            self.views[1].set_image,
        )

    # -- the user --------------------------------------------------------------------------------

    @Slot(int)
    def _go_to(self, number: int) -> None:
        chosen, codes = self._known_selection, self._latent.codes
        if codes is not None and number < len(chosen):
            self._latent.move(codes[chosen[number]])

    @Slot()
    def _clear(self) -> None:
        self._latent.select(np.zeros(0, np.intp))

    @Slot()
    def _save(self) -> None:
        chosen, codes = self._known_selection, self._latent.codes
        run = self._latent.session.current
        if codes is None or run is None or not len(chosen):
            return
        gallery = self._latent.displayed_codes.images
        labels = [gallery.class_name(index) for index in chosen.tolist()]
        names = [gallery.name(index) for index in chosen.tolist()]
        kept = codes[chosen]

        def write(place: Path) -> None:
            try:
                selections.write_csv(place, names, labels, kept)
            except AEViewerError as error:
                self._latent.session.message_posted.emit(str(error))

        ask_place(self, f"{run.name}-selection.csv", write)


def decode_code(
    models: ModelCache, run: Run, step: int | None, code: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Returns the image of a code by the model of a step."""
    image: NDArray[np.float32] = models.at(run, step).decode(code[None])[0]
    return image
