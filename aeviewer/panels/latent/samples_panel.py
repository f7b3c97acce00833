"""New images: codes drawn from the prior or from a density of the codes, or a quantile grid."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QPushButton,
    QSpinBox,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from aeviewer import theme
from aeviewer.numbers import join_numbers, local
from aeviewer.panels.latent.axis_names import axis_names
from aeviewer.panels.latent.status_text import show_status
from aeviewer.services.compute.latest_result import LatestResult
from aeviewer.services.latent.samples import SampleRequest, SampleSheet, Source, sheet
from aeviewer.widgets.displays.empty_state import EmptyState
from aeviewer.widgets.displays.result_line import ResultLine
from aeviewer.widgets.images.image_matrix import ImageMatrix
from aeviewer.widgets.inputs.save_dialog import ask_place
from aeviewer.widgets.labels import plain_tip, quiet_label
from aeviewer.widgets.refresh import Refresh
from trainers.errors import AEViewerError
from trainers.figures.image_sheet import GAP, write_sheet

if TYPE_CHECKING:
    from pathlib import Path

    from aeviewer.services.compute.compute_thread import ComputeThread
    from aeviewer.services.latent.latent_state import LatentState

_SOURCES: dict[Source, tuple[str, str]] = {
    "prior": (
        "The prior N(0, I)",
        "The distribution that a variational autoencoder is trained to sample from.",
    ),
    "mixture": (
        "A density of the codes",
        "A mixture of Gaussians fitted to the codes of the test images. The Bayesian information "
        "criterion chooses the number of components.",
    ),
    "quantiles": (
        "Quantile grid",
        "Decoded codes that divide the plane into equally probable parts (Kingma & Welling 2014, "
        "figure 4): by the prior if the model has one, or else by the codes along each axis.",
    ),
}
_EMPTY = "Train a run, or choose one: images sampled from it appear here"
_MOST_SEEDS = 999_999
_FEWEST, _MOST, _SIDE = 2, 30, 10
_LISTED = 6


class SamplesPanel(QWidget):
    """A sheet of images; choosing one marks its code.

    Parameters
    ----------
    latent_state
        Its run is sampled from; its code moves to the chosen image.
    compute
        Samples and decodes.
    """

    def __init__(
        self, latent_state: LatentState, compute: ComputeThread, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._latent = latent_state
        self._latest = LatestResult(
            compute, "samples", latent_state.session.message_posted.emit, self
        )
        self._run = ""
        self._refresh = Refresh(self, self._draw)
        self.source, self.seed, self.side = QComboBox(), QSpinBox(), QSpinBox()
        self.again = QPushButton(theme.icon("dice-multiple-outline"), "Draw again")
        self.png_button, self.svg_button = QPushButton("PNG…"), QPushButton("SVG…")
        self.sheet, self.note = ImageMatrix("Samples", self._code_text), quiet_label()
        self.line = ResultLine("Decoding the samples", self.sheet, self.note)
        self._pages = QStackedLayout(self)
        self._build()
        self._connect()
        self._show_controls()
        self._follow_step()

    def _build(self) -> None:
        for source, (title, meaning) in _SOURCES.items():
            self.source.addItem(title, source)
            index = self.source.count() - 1
            self.source.setItemData(index, plain_tip(meaning), Qt.ItemDataRole.ToolTipRole)
        self.source.setAccessibleName("Drawn from")
        self.seed.setRange(0, _MOST_SEEDS)
        self.seed.setPrefix("seed ")
        self.seed.setAccessibleName("Seed")
        self.seed.setToolTip("The same seed draws the same codes.")
        self.side.setRange(_FEWEST, _MOST)
        self.side.setValue(_SIDE)
        self.side.setPrefix("side ")
        self.side.setAccessibleName("Rows and columns")
        self.side.setToolTip("The number of rows and columns of the grid.")
        self.again.setToolTip("Draw with the next seed.")
        for button, kind in ((self.png_button, "PNG"), (self.svg_button, "SVG")):
            button.setToolTip(plain_tip(f"Save the sheet as {kind}. Every pixel becomes a square."))
        self.note.setWordWrap(True)
        head, foot = QHBoxLayout(), QHBoxLayout()
        head.addWidget(self.source, 1)
        head.addWidget(self.seed)
        head.addWidget(self.side)
        foot.addWidget(self.again)
        foot.addStretch()
        foot.addWidget(self.png_button)
        foot.addWidget(self.svg_button)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(8)
        layout.addLayout(head)
        layout.addWidget(self.sheet, 1)
        layout.addWidget(self.note)
        layout.addWidget(self.line)
        layout.addLayout(foot)
        self._pages.addWidget(EmptyState(_EMPTY))
        self._pages.addWidget(content)

    def _connect(self) -> None:
        self._latent.run_changed.connect(self._clear)
        self._latent.places_changed.connect(self._follow_step)
        self._latent.plane_changed.connect(self._follow_plane)
        self._latent.code_changed.connect(self._follow_anchor)
        self._latest.changed.connect(self._show)
        self._latest.status_changed.connect(self._show_status)
        self._latent.session.runs_changed.connect(self._show_status)
        self.source.currentIndexChanged.connect(self._show_controls)
        for box in (self.seed, self.side):
            box.valueChanged.connect(self._refresh.request)
        self.again.clicked.connect(
            lambda: self.seed.setValue((self.seed.value() + 1) % _MOST_SEEDS)
        )
        self.sheet.chosen.connect(self._go_to)
        self.png_button.clicked.connect(lambda: self._save("png"))
        self.svg_button.clicked.connect(lambda: self._save("svg"))

    # -- what is requested -----------------------------------------------------------------------

    @Slot()
    def _show_controls(self) -> None:
        """Shows the seed or the side, whichever the source has."""
        is_grid = self.source.currentData() == "quantiles"
        self.side.setVisible(is_grid)
        for widget in (self.seed, self.again):
            widget.setVisible(not is_grid)
        self._refresh.request()

    @Slot()
    def _clear(self) -> None:
        """Clears the sheet: it belongs to another run."""
        self._latest.clear()
        self._follow_step()

    @Slot()
    def _follow_step(self) -> None:
        """Draws again for another run or step."""
        session, codes = self._latent.session, self._latent.test_codes
        self._pages.setCurrentIndex(0 if codes is None else 1)
        if session.current is None or codes is None:
            return
        if session.current.key != self._run:
            self._run = session.current.key
            if self.source.currentData() != "quantiles":
                self.source.setCurrentIndex(0 if self._has_prior else 1)
        self._refresh.request()

    @Slot()
    def _follow_plane(self) -> None:
        if self.source.currentData() == "quantiles":
            self._follow_step()

    @Slot()
    def _follow_anchor(self) -> None:
        """Draws again where another marked code changes the images."""
        found, wanted = self._shown_sheet, self._request()
        if found is None or wanted is None or wanted.source != "quantiles":
            return
        if len(wanted.plane.origin) > 2 and found.wanted.plane is wanted.plane:
            before, after = (
                wanted.plane.lift(np.zeros(2), at.anchor) for at in (found.wanted, wanted)
            )
            if not np.allclose(before, after, atol=1e-6):
                self._follow_step()

    @property
    def _has_prior(self) -> bool:
        item = self._latent.session.current
        return item is not None and item.config is not None and item.config.model.has_prior

    def _request(self) -> SampleRequest | None:
        latent_state = self._latent
        codes, plane, anchor = latent_state.test_codes, latent_state.plane, latent_state.anchor
        if codes is None or plane is None or anchor is None:
            return None
        return SampleRequest(
            self.source.currentData(),
            codes,
            self.seed.value(),
            self.side.value(),
            plane,
            anchor,
            self._has_prior,
        )

    # -- what is shown ---------------------------------------------------------------------------

    @Slot()
    def _draw(self) -> None:
        session, wanted = self._latent.session, self._request()
        if session.current is None or wanted is None or not self.isVisible():
            return
        work = partial(
            sheet, run=session.run(session.current.key), step=session.step, wanted=wanted
        )
        question = session.current.key, session.step, *wanted.question
        # The live model changes faster than a density is fitted.
        self._latest.ask(question, work, finishes_first=session.is_live)

    @property
    def _shown_sheet(self) -> SampleSheet | None:
        found: SampleSheet | None = self._latest.value
        return found

    @Slot()
    def _show(self) -> None:
        found = self._shown_sheet
        if found is None:
            self.sheet.clear()
            self.note.clear()
        else:
            self.sheet.set_images(found.images)
            self.note.setText(f"{self._describe_sheet(found)} Click an image to mark its code.")

    @Slot()
    def _show_status(self) -> None:
        show_status(self.line, self._latest, self._latent.session)
        for button in (self.png_button, self.svg_button):
            button.setEnabled(self._latest.value is not None and not self._latest.is_stale)

    def _describe_sheet(self, found: SampleSheet) -> str:
        """Returns what the sheet shows, in a sentence."""
        wanted, (rows, columns) = found.wanted, found.codes.shape[:2]
        if wanted.source == "prior":
            return f"{rows * columns} codes drawn from the prior."
        if wanted.source == "mixture":
            return f"{rows * columns} codes drawn from a density of the codes."
        whose = "Prior quantiles" if wanted.has_prior else "Quantiles of the codes"
        latent_dim = len(wanted.plane.origin)
        if latent_dim == 1:
            return f"{whose} of z₁, row by row."
        x, y = (name.partition(" (")[0] for name in axis_names(wanted.plane))
        others = "" if latent_dim == 2 else ", the other coordinates as in the marked code"
        return f"{whose}: {x} to the right, {y} upwards{others}."

    def _code_text(self, row: int, column: int) -> str:
        """Returns the code of an image as text."""
        found = self._shown_sheet
        if found is None:
            return ""
        code = found.codes[row, column]
        return f"z = ({join_numbers(code, '.3g', _LISTED)})"

    # -- the user --------------------------------------------------------------------------------

    @Slot(int, int)
    def _go_to(self, row: int, column: int) -> None:
        codes = self._latent.test_codes
        found = self._shown_sheet
        if found is not None and codes is not None and found.codes.shape[2:] == codes.shape[1:]:
            self._latent.move(found.codes[row, column])

    def _save(self, ending: str) -> None:
        """Asks for a file name and writes the sheet that is shown."""
        found = self._shown_sheet
        if found is None:
            return
        name, step = found.source.run_name, found.source.step
        rows, columns = found.codes.shape[:2]
        is_grid = found.wanted.source == "quantiles"
        images: NDArray[np.uint8] = np.rint(found.images.clip(0, 1) * 255).astype(np.uint8)
        title = f"{name}, step {local(step):,}. {self._describe_sheet(found)}"
        words = [self._code_text(row, column) for row in range(rows) for column in range(columns)]

        def write(place: Path) -> None:
            try:
                gap = 0 if is_grid else GAP
                write_sheet(place, images, gap=gap, title=title, words=words)
            except AEViewerError as error:
                self._latent.session.message_posted.emit(str(error))

        what = f"quantiles-{rows}x{columns}" if is_grid else f"samples-seed{found.wanted.seed}"
        ask_place(self, f"{name}-step{step}-{what}.{ending}", write)
