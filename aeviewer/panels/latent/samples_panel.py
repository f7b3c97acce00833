"""New digits: codes drawn from the prior or from a density of the codes, or a grid of quantiles."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from aeviewer import theme
from aeviewer.numbers import listed, local
from aeviewer.panels.latent.plane_bar import PlaneBar
from aeviewer.services.compute.compute_client import ComputeClient
from aeviewer.services.latent.samples import SampleRequest, SampleSheet, Source, sheet
from aeviewer.widgets.displays.empty_state import EmptyState
from aeviewer.widgets.fonts import small
from aeviewer.widgets.images.image_matrix import ImageMatrix
from aeviewer.widgets.inputs.save_dialog import ask_place
from trainers.errors import AEViewerError
from trainers.figures.image_sheet import GAP, write_sheet

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QShowEvent

    from aeviewer.services.compute.compute_thread import ComputeThread
    from aeviewer.services.latent.latent_state import LatentState

_SOURCES: dict[Source, tuple[str, str]] = {
    "prior": ("The prior N(0, I)", "What a variational autoencoder is trained to draw from."),
    "mixture": (
        "A density of the codes",
        "A mixture of Gaussians fitted to the codes of the test images, with as many components "
        "as the Bayesian information criterion favours.",
    ),
    "quantiles": (
        "Quantile grid",
        "What codes decode to that divide the plane into equally probable parts (Kingma & Welling "
        "2014, figure 4): by the prior where there is one, else by the codes along either axis.",
    ),
}
_EMPTY = "Train a run, or choose one: digits are drawn from it here"
_MOST_SEEDS = 999_999
_FEWEST, _MOST, _SIDE = 2, 30, 10
_LISTED = 6


class SamplesPanel(QWidget):
    """A sheet of images; one that is chosen becomes the marked code.

    Parameters
    ----------
    exploration
        Its run is drawn from; its code moves to the image that is chosen.
    compute
        Draws and decodes.
    """

    def __init__(
        self, latent_state: LatentState, compute: ComputeThread, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._latent = latent_state
        self._client = ComputeClient(
            compute, "samples", latent_state.session.message_posted.emit, self
        )
        self._sheet: SampleSheet | None = None
        self._run = ""
        self._is_working = self._is_outdated = False
        self._later = QTimer(self, singleShot=True, interval=0)
        self._later.timeout.connect(self._draw)
        self.source, self.seed, self.side = QComboBox(), QSpinBox(), QSpinBox()
        self.again = QPushButton(theme.icon("dice-multiple-outline"), "Draw others")
        self.png_button, self.svg_button = QPushButton("PNG…"), QPushButton("SVG…")
        self.sheet, self.note = ImageMatrix("Samples", self._told), QLabel()
        self._pages = QStackedLayout(self)
        self._build()
        self._connect()
        self._offer()
        self._follow()

    def _build(self) -> None:
        for source, (title, meaning) in _SOURCES.items():
            self.source.addItem(title, source)
            index = self.source.count() - 1
            self.source.setItemData(index, meaning, Qt.ItemDataRole.ToolTipRole)
        self.source.setAccessibleName("Drawn from")
        self.seed.setRange(0, _MOST_SEEDS)
        self.seed.setPrefix("seed ")
        self.seed.setAccessibleName("Seed")
        self.seed.setToolTip("The same seed draws the same.")
        self.side.setRange(_FEWEST, _MOST)
        self.side.setValue(_SIDE)
        self.side.setPrefix("side ")
        self.side.setAccessibleName("Rows and columns")
        self.side.setToolTip("Rows and columns of the grid.")
        self.again.setToolTip("Draw with the next seed.")
        for button, kind in ((self.png_button, "PNG"), (self.svg_button, "SVG")):
            button.setToolTip(f"Save the sheet as {kind}, every pixel a whole square.")
        self.note.setWordWrap(True)
        self.note.setFont(small(self.font()))
        self.note.setForegroundRole(QPalette.ColorRole.PlaceholderText)
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
        layout.addLayout(foot)
        self._pages.addWidget(EmptyState(_EMPTY))
        self._pages.addWidget(content)
        self.setBackgroundRole(QPalette.ColorRole.Base)
        self.setAutoFillBackground(True)

    def _connect(self) -> None:
        self._latent.run_changed.connect(self._follow)
        self._latent.places_changed.connect(self._follow)
        self._latent.plane_changed.connect(self._follow_plane)
        self._latent.code_changed.connect(self._follow_anchor)
        self.source.currentIndexChanged.connect(self._offer)
        for box in (self.seed, self.side):
            box.valueChanged.connect(self._restart)
        self.again.clicked.connect(
            lambda: self.seed.setValue((self.seed.value() + 1) % _MOST_SEEDS)
        )
        self.sheet.chosen.connect(self._go_to)
        self.png_button.clicked.connect(lambda: self._save("png"))
        self.svg_button.clicked.connect(lambda: self._save("svg"))

    def showEvent(self, event: QShowEvent) -> None:
        """Catches up with what came while it was hidden."""
        super().showEvent(event)
        self._follow()

    # -- what is wanted --------------------------------------------------------------------------

    @Slot()
    def _offer(self) -> None:
        """Another source: it has a seed, or a side."""
        is_grid = self.source.currentData() == "quantiles"
        self.side.setVisible(is_grid)
        for widget in (self.seed, self.again):
            widget.setVisible(not is_grid)
        self._restart()

    @Slot()
    def _restart(self) -> None:
        """Something else is wanted: what is being drawn no longer matters."""
        self._is_working = False
        self._later.start()

    @Slot()
    def _follow(self) -> None:
        """Another run, or another step of it."""
        session, codes = self._latent.session, self._latent.test_codes
        self._pages.setCurrentIndex(0 if codes is None else 1)
        if session.current is None or codes is None:
            return
        if session.current.key != self._run:
            self._run = session.current.key
            self._is_working = False
            if self.source.currentData() != "quantiles":
                self.source.setCurrentIndex(0 if self._has_prior else 1)
        if self._is_working and session.is_live:
            # A density that is being fitted is fitted to its end, or it never would be.
            self._is_outdated = True
        elif self.isVisible():
            self._later.start()

    @Slot()
    def _follow_plane(self) -> None:
        if self.source.currentData() == "quantiles":
            self._follow()

    @Slot()
    def _follow_anchor(self) -> None:
        """Off the plane, another code means other images."""
        found, wanted = self._sheet, self._wanted()
        if found is None or wanted is None or wanted.source != "quantiles":
            return
        if len(wanted.plane.origin) > 2 and found.wanted.plane is wanted.plane:
            before, after = (
                wanted.plane.lift(np.zeros(2), at.anchor) for at in (found.wanted, wanted)
            )
            if not np.allclose(before, after, atol=1e-6):
                self._follow()

    @property
    def _has_prior(self) -> bool:
        item = self._latent.session.current
        return item is not None and item.config is not None and item.config.model.has_prior

    def _wanted(self) -> SampleRequest | None:
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
        session, wanted = self._latent.session, self._wanted()
        self._is_outdated = False
        if session.current is None or wanted is None or not self.isVisible():
            return
        work = partial(
            sheet, run=session.run(session.current.key), step=session.step, wanted=wanted
        )
        self._is_working = True
        self._client.submit("sheet", work, self._show_result, on_end=self._end)

    def _show_result(self, found: SampleSheet) -> None:
        self._sheet = found
        self.sheet.set_images(found.images)
        self.note.setText(f"{self._meaning(found)} Click an image to mark its code.")

    def _end(self) -> None:
        self._is_working = False
        if self._is_outdated:
            self._draw()

    def _meaning(self, found: SampleSheet) -> str:
        """What the sheet shows, in a sentence."""
        wanted, (rows, columns) = found.wanted, found.codes.shape[:2]
        if wanted.source == "prior":
            return f"{rows * columns} codes drawn from the prior."
        if wanted.source == "mixture":
            return f"{rows * columns} codes drawn from a density of the codes."
        whose = "Prior quantiles" if wanted.has_prior else "Quantiles of the codes"
        latent_dim = len(wanted.plane.origin)
        if latent_dim == 1:
            return f"{whose} of z₁, row by row."
        x, y = (name.partition(" (")[0] for name in PlaneBar.axis_names(wanted.plane))
        others = "" if latent_dim == 2 else ", all else as in the marked code"
        return f"{whose}: {x} to the right, {y} upwards{others}."

    def _told(self, row: int, column: int) -> str:
        """The code of an image."""
        if self._sheet is None:
            return ""
        code = self._sheet.codes[row, column]
        return f"z = ({listed(code, '.3g', _LISTED)})"

    # -- the person ------------------------------------------------------------------------------

    @Slot(int, int)
    def _go_to(self, row: int, column: int) -> None:
        codes = self._latent.test_codes
        found = self._sheet
        if found is not None and codes is not None and found.codes.shape[2:] == codes.shape[1:]:
            self._latent.move(found.codes[row, column])

    def _save(self, ending: str) -> None:
        """Asks where to, and writes the sheet that is shown now."""
        found, item = self._sheet, self._latent.session.current
        if found is None or item is None:
            return
        rows, columns = found.codes.shape[:2]
        is_grid = found.wanted.source == "quantiles"
        images: NDArray[np.uint8] = np.rint(found.images.clip(0, 1) * 255).astype(np.uint8)
        title = f"{item.name}, step {local(found.step):,}. {self._meaning(found)}"
        words = [self._told(row, column) for row in range(rows) for column in range(columns)]

        def write(place: Path) -> None:
            try:
                gap = 0 if is_grid else GAP
                write_sheet(place, images, gap=gap, title=title, words=words)
            except AEViewerError as error:
                self._latent.session.message_posted.emit(str(error))

        what = f"quantiles-{rows}x{columns}" if is_grid else f"samples-seed{found.wanted.seed}"
        ask_place(self, f"{item.name}-step{found.step}-{what}.{ending}", write)
