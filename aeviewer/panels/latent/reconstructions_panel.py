"""The same 32 test images at every step: input, reconstruction, difference."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPoint, Slot
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from aeviewer.numbers import local
from aeviewer.panels.export.pictures_menu import picture_name
from aeviewer.panels.latent.status_text import source_text
from aeviewer.services.runs.model_source import ModelSource
from aeviewer.widgets.displays.empty_state import EmptyState
from aeviewer.widgets.displays.picture_export import PictureActions
from aeviewer.widgets.images.image_grid import ImageGrid, ImageRow
from aeviewer.widgets.images.image_view import DivergingBar
from aeviewer.widgets.labels import quiet_eliding_label
from aeviewer.widgets.plots.hover_card import HoverCard
from trainers.errors import AEViewerError
from trainers.evaluation.image_errors import squared_errors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aeviewer.services.runs.session import Session
    from trainers.datasets import Data

_EMPTY = "Reconstructions appear here: train a run, or choose one in the list"
_LEAST_TEXT = 40
_CARD_OVERLAP = 12


class ReconstructionsPanel(QWidget):
    """Shows the session's reconstructions as they change.

    Parameters
    ----------
    session
        Watched for previews of the current run.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._errors: NDArray[np.floating] = np.empty(0)
        self._data_shown: Data | None = None
        self.grid = ImageGrid()
        self.grid.setAccessibleName("Input, reconstruction and difference of 32 test images")
        self.grid.hovered.connect(self._show_card)
        self.figure = quiet_eliding_label()
        self.figure.setMinimumWidth(_LEAST_TEXT)
        self.figure.setToolTip("Squared error summed over the pixels of an image; full ink is 1.")
        self._empty = EmptyState(_EMPTY)
        self._arrange()
        self.card = HoverCard(self)
        self._make_menu()
        session.preview_changed.connect(self._show)
        session.current_changed.connect(self._show)
        self._show()

    def _arrange(self) -> None:
        content = QWidget()
        foot = QHBoxLayout()
        foot.addWidget(self.figure, 1)
        foot.addWidget(DivergingBar())
        column = QVBoxLayout(content)
        column.setContentsMargins(8, 8, 8, 4)
        column.setSpacing(8)
        column.addWidget(self.grid, 1)
        column.addLayout(foot)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self._empty)
        self._pages.addWidget(content)

    def _make_menu(self) -> None:
        name = partial(picture_name, self._session, "reconstructions")
        self.picture = PictureActions(self.grid, name, self._session.message_posted.emit)

    # -- what is shown ---------------------------------------------------------------------------

    @Slot()
    def _show(self) -> None:
        preview = self._session.preview
        data = None if preview is None else self._data()
        inputs = None if data is None else data.test.images[list(data.preview)]
        outputs = None if preview is None else preview.reconstructions
        if preview is None or inputs is None or outputs is None or outputs.shape != inputs.shape:
            self.grid.set_rows(())
            self._pages.setCurrentIndex(0)
            return
        difference = outputs.astype(np.int16) - inputs
        self._data_shown = data
        self._errors = squared_errors(outputs, inputs)
        if difference.ndim == 4:  # The difference of a colour image is the mean over its colours.
            difference = np.rint(difference.mean(axis=3)).astype(np.int16)
        self.grid.set_rows(
            (
                ImageRow("input", inputs),
                ImageRow("reconstruction", outputs),
                ImageRow("difference", difference),
            )
        )
        session = self._session
        name = session.current.name if session.current else ""
        self.figure.setText(
            f"squared error {local(self._errors.mean()):.1f} (mean of {len(self._errors)})"
            f" · {source_text(session, ModelSource(name, preview.step, session.is_live))}"
        )
        self._pages.setCurrentIndex(1)
        self._show_card(self.grid.current)

    def _data(self) -> Data | None:
        """Returns the images of the data set; None where they cannot be read."""
        try:
            return self._session.data()
        except AEViewerError as error:
            self._session.message_posted.emit(str(error))
            return None

    @Slot(int)
    def _show_card(self, index: int) -> None:
        preview = self._session.preview
        data = self._data_shown  # it stays as it was, though its file may have gone
        if index < 0 or preview is None or data is None:
            self.card.hide()
            return
        pair = np.hstack([data.test.images[data.preview[index]], preview.reconstructions[index]])
        self.card.raise_()
        self.card.show_at(self._beside(index), pair, self._card_text(data, index))

    def _beside(self, index: int) -> QPoint:
        """Returns the place of the card, on the side of the column that has more room."""
        column = self.grid.place(index)
        is_left = column.center().x() < self.grid.width() / 2
        edge = column.right() - _CARD_OVERLAP if is_left else column.left() + _CARD_OVERLAP
        return self.grid.mapTo(self, QPoint(edge, column.top()))

    def _card_text(self, data: Data, index: int) -> str:
        image = data.preview[index]
        name = data.dataset.class_name(int(data.test.labels[image]))
        return (
            f"test {image}{f' · {name}' if name else ''}\n"
            f"squared error\n{local(self._errors[index]):.1f} per image"
        )
