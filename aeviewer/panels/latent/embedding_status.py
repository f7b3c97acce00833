"""The line beneath a layout of the codes: what may be read off it, or how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QSizePolicy, QToolButton, QWidget

from aeviewer.numbers import local
from aeviewer.theme import icon
from aeviewer.widgets.fonts import small
from trainers.embeddings.embedding import JUDGED, NAMES, TSNE

if TYPE_CHECKING:
    from aeviewer.services.latent.embedding import Embeddings, EmbeddingStatus
    from trainers.embeddings.embedding import Recipe

_BAR = QSize(120, 6)
_SOURCES = {"t-sne": "van der Maaten & Hinton 2008", "umap": "McInnes, Healy & Melville 2018"}


class LayoutStrip(QWidget):
    """Is there while a layout is shown, or is to be.

    Parameters
    ----------
    layouts
        Watched, stopped, and made to go on.
    """

    def __init__(self, layouts: Embeddings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layouts = layouts
        self.words, self.bar, self.button = QLabel(), QProgressBar(), QToolButton()
        self._build()
        layouts.changed.connect(self._show)
        self.button.clicked.connect(self._press)
        self._show()

    def _build(self) -> None:
        font = small(self.font())
        self.words.setFont(font)
        self.words.setWordWrap(True)
        self.words.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.words.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.bar.setFixedSize(_BAR)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the layout")
        self.button.setFont(font)
        self.button.setAutoRaise(True)
        self.button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setMinimumHeight(self.button.sizeHint().height())  # whether it is there or not
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        line.addWidget(self.words, 1)
        line.addWidget(self.bar)
        line.addWidget(self.button)

    @Slot()
    def _show(self) -> None:
        status = self._layouts.status
        self.setVisible(status.phase != "off")
        self.words.setText(told(status))
        self.words.setToolTip(explained(status, self._layouts.recipes[status.method]))
        computes = status.phase == "computing"
        self.bar.setVisible(computes)
        # Before there is a share it is busy: neighbours are searched, a compiler is at work.
        self.bar.setRange(0, 100 if status.share else 0)
        self.bar.setValue(round(100 * (status.share or 0)))
        self.button.setVisible(computes or status.phase == "stopped")
        self.button.setText("Stop" if computes else "Lay out")
        self.button.setIcon(icon("stop" if computes else "play"))
        self.button.setToolTip(
            "Stops it; what is done of it is lost." if computes else "Computes it after all."
        )

    @Slot()
    def _press(self) -> None:
        if self._layouts.status.phase == "computing":
            self._layouts.stop()
        else:
            self._layouts.go_on()


def told(status: EmbeddingStatus) -> str:
    """What is there, in a sentence or two."""
    name, at = NAMES[status.method], f"step {local(status.making or 0):,}"
    match status.phase:
        case "off":
            return ""
        case "missing":
            return status.problem
        case "waiting":
            return f"{name}: the first checkpoint's codes will be laid out."
        case "computing" if status.step is not None:
            return f"{_map(status.step)} {name} of {at}{_share(status)}"
        case "computing":
            return f"{name} of the codes of {at}{_share(status)}"
        case "stopped":
            shown = "" if status.step is None else f"{_map(status.step)} "
            return f"{shown}{name} of {at} was stopped."
    return _map(status.step or 0)


def explained(status: EmbeddingStatus, recipe: Recipe) -> str:
    """What may be read off a layout, and how far it may be trusted."""
    if status.phase in {"off", "missing"}:
        return ""
    name, source = NAMES[status.method], _SOURCES[status.method]
    made = (
        f"perplexity {local(recipe.perplexity):g}"
        if isinstance(recipe, TSNE)
        else f"{recipe.neighbours} neighbours, least distance {local(recipe.least_distance):g}"
    )
    words = [
        f"{name} ({source}), {made}: codes that are near each other lie near each other. Axes, "
        "scale and the distances between clusters mean nothing.",
        "What is no image's code itself (a pin, the star, a code made with the sliders) is shown "
        "at the code nearest to it.",
    ]
    if status.trustworthiness is not None:
        words.append(
            f"Trustworthiness {local(status.trustworthiness):.3f} of 1: how many of the 10 nearest "
            f"here are near in the latent space, for {local(JUDGED):,} codes (Venna & Kaski 2001)."
        )
    return "<p>" + "</p><p>".join(words) + "</p>"


def _map(step: int) -> str:
    return (
        f"A map of the codes of step {local(step):,}: between points nothing can be decoded; a "
        "click decodes the nearest code."
    )


def _share(status: EmbeddingStatus) -> str:
    return f": {local(status.share):.0%}" if status.share else "…"
