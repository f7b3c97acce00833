"""New digits: codes drawn from the prior, or from a density fitted to the codes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

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
from aeviewer.services.asking import Asker
from aeviewer.widgets.digit_list import DigitList
from aeviewer.widgets.empty_state import EmptyState
from aeviewer.widgets.saving import ask_place
from aeviewer.widgets.styled_plot import small
from trainers import films
from trainers.errors import AEViewerError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from PySide6.QtGui import QShowEvent

    from aeviewer.services.compute import Answer, ComputeThread
    from aeviewer.services.exploration import Exploration
    from aeviewer.services.shelf import ModelShelf
    from trainers.runs import Run

Source = Literal["prior", "mixture"]
_SOURCES: dict[Source, tuple[str, str]] = {
    "prior": ("The prior N(0, I)", "What a variational autoencoder is trained to draw from."),
    "mixture": (
        "A density of the codes",
        "A mixture of Gaussians fitted to the codes of the test images, with as many components "
        "as the Bayesian information criterion favours.",
    ),
}
_EMPTY = "Train a run, or choose one: digits are drawn from it here"
_COUNT = 48
_MOST_SEEDS = 999_999


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """(n, d) codes that were drawn, and (n, 28, 28) what they decode to."""

    codes: NDArray[np.float32]
    images: NDArray[np.float32]


class SamplesPanel(QWidget):
    """A sheet of samples; one that is chosen becomes the marked code.

    Parameters
    ----------
    exploration
        Its run is drawn from; its code moves to the sample that is chosen.
    compute
        Draws and decodes.
    """

    def __init__(
        self, exploration: Exploration, compute: ComputeThread, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._exploration = exploration
        self._asker = Asker(compute, "samples", self)
        self._samples: Samples | None = None
        self._run = ""
        self._later = QTimer(self, singleShot=True, interval=0)
        self._later.timeout.connect(self._draw)
        self.source, self.seed = QComboBox(), QSpinBox()
        self.again = QPushButton(theme.icon("dice-multiple-outline"), "Draw others")
        self.save_button = QPushButton("PNG…")
        self.sheet, self.note = DigitList("Samples"), QLabel()
        self._pages = QStackedLayout(self)
        self._build()
        self._connect()
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
        self.again.setToolTip("Draw with the next seed.")
        self.save_button.setToolTip("Save the sheet as a strip of images.")
        self.note.setWordWrap(True)
        self.note.setFont(small(self.font()))
        self.note.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        head, foot = QHBoxLayout(), QHBoxLayout()
        head.addWidget(self.source, 1)
        head.addWidget(self.seed)
        foot.addWidget(self.again)
        foot.addStretch()
        foot.addWidget(self.save_button)
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
        self._exploration.places_changed.connect(self._follow)
        self.source.currentIndexChanged.connect(self._later.start)
        self.seed.valueChanged.connect(self._later.start)
        self.again.clicked.connect(
            lambda: self.seed.setValue((self.seed.value() + 1) % _MOST_SEEDS)
        )
        self.sheet.chosen.connect(self._go_to)
        self.save_button.clicked.connect(self._save)

    def showEvent(self, event: QShowEvent) -> None:
        """Catches up with what came while it was hidden."""
        super().showEvent(event)
        self._follow()

    # -- drawing ---------------------------------------------------------------------------------

    @Slot()
    def _follow(self) -> None:
        """Another run, or another step of it."""
        item, codes = self._exploration.session.current, self._exploration.test_codes
        self._pages.setCurrentIndex(0 if codes is None else 1)
        if item is None or codes is None:
            return
        if item.key != self._run:
            self._run = item.key
            config = item.config
            has_prior = config is not None and config.model.variational
            self.source.setCurrentIndex(0 if has_prior else 1)
        if self.isVisible():
            self._later.start()

    @Slot()
    def _draw(self) -> None:
        session, codes = self._exploration.session, self._exploration.test_codes
        if session.current is None or codes is None or not self.isVisible():
            return
        work = partial(
            drawn,
            run=session.run(session.current.key),
            step=session.step,
            codes=codes,
            source=self.source.currentData(),
            seed=self.seed.value(),
        )
        self._asker.ask("sheet", work, self._take)

    def _take(self, answer: Answer) -> None:
        if answer.problem:
            self._exploration.session.message_posted.emit(answer.problem)
        elif isinstance(answer.result, Samples):
            self._samples = answer.result
            self.sheet.set_images(answer.result.images)
            self.note.setText("Click a sample to see where it lies.")

    # -- the person ------------------------------------------------------------------------------

    @Slot(int)
    def _go_to(self, number: int) -> None:
        codes = self._exploration.test_codes
        found = self._samples
        if found is None or codes is None or found.codes.shape[1:] != codes.shape[1:]:
            return
        self.sheet.set_current(number)
        self._exploration.move(found.codes[number])

    @Slot()
    def _save(self) -> None:
        found, item = self._samples, self._exploration.session.current
        if found is None or item is None:
            return
        images: NDArray[np.uint8] = np.rint(found.images.clip(0, 1) * 255).astype(np.uint8)

        def write(place: Path) -> None:
            try:
                films.write_strip(place, images)
            except AEViewerError as error:
                self._exploration.session.message_posted.emit(str(error))

        ask_place(self, f"{item.name}-samples-seed{self.seed.value()}.png", write)


def drawn(
    shelf: ModelShelf,
    run: Run,
    step: int | None,
    codes: NDArray[np.float32],
    source: Source,
    seed: int,
) -> Generator[Samples | None]:
    """Draws a sheet of codes and decodes it by the model of a step."""
    from trainers.exploration.density import mixture_sample, prior_sample

    if source == "prior":
        found = prior_sample(codes.shape[1], _COUNT, seed)
    else:
        fitting = mixture_sample(codes, _COUNT, seed)
        while True:
            try:
                next(fitting)
            except StopIteration as end:
                found = end.value
                break
            yield None
    yield Samples(found, shelf.at(run, step).decode(found))
