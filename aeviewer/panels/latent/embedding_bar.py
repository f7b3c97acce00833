"""The line below a t-SNE or UMAP embedding: what may be concluded from it, or its progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QSizePolicy, QToolButton, QWidget

from aeviewer.numbers import local
from aeviewer.theme import icon
from aeviewer.widgets.fonts import small
from aeviewer.widgets.labels import plain_tip, quiet_label
from trainers.embeddings.embedding import METHOD_NAMES, TRUSTWORTHINESS_CODES, TSNE

if TYPE_CHECKING:
    from aeviewer.services.latent.embedding import Embeddings, EmbeddingStatus
    from trainers.embeddings.embedding import Recipe

_BAR = QSize(120, 6)
_SOURCES = {"t-sne": "van der Maaten & Hinton 2008", "umap": "McInnes, Healy & Melville 2018"}


class EmbeddingBar(QWidget):
    """Visible while an embedding is shown, computed or requested.

    Parameters
    ----------
    embeddings
        Watched, stopped and resumed.
    """

    def __init__(self, embeddings: Embeddings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._embeddings = embeddings
        self.text, self.bar, self.button = quiet_label(wraps=True), QProgressBar(), QToolButton()
        self._build()
        embeddings.changed.connect(self._show)
        self.button.clicked.connect(self._press)
        self._show()

    def _build(self) -> None:
        self.text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.bar.setFixedSize(_BAR)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the embedding")
        self.button.setFont(small(self.font()))
        self.button.setAutoRaise(True)
        self.button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setMinimumHeight(
            self.button.sizeHint().height()
        )  # The height stays when the button is hidden.
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        line.addWidget(self.text, 1)
        line.addWidget(self.bar)
        line.addWidget(self.button)

    @Slot()
    def _show(self) -> None:
        status = self._embeddings.status
        self.setVisible(status.phase != "off")
        self.text.setText(status_text(status))
        tip = status_tooltip(status, self._embeddings.recipes[status.method])
        self.text.setToolTip(plain_tip(tip))
        computes = status.phase == "computing"
        self.bar.setVisible(computes)
        # Without a share the bar shows that it is busy: the neighbours are searched first.
        self.bar.setRange(0, 100 if status.share else 0)
        self.bar.setValue(round(100 * (status.share or 0)))
        self.button.setVisible(computes or status.phase == "stopped")
        self.button.setText("Stop" if computes else "Compute")
        self.button.setIcon(icon("stop" if computes else "play"))
        self.button.setToolTip(
            "Stop computing; the unfinished embedding is lost."
            if computes
            else "Compute the embedding."
        )

    @Slot()
    def _press(self) -> None:
        if self._embeddings.status.phase == "computing":
            self._embeddings.stop()
        else:
            self._embeddings.resume()


def status_text(status: EmbeddingStatus) -> str:
    """Returns the state of the embedding in one or two sentences."""
    name, at = METHOD_NAMES[status.method], f"step {local(status.making or 0):,}"
    match status.phase:
        case "off":
            return ""
        case "missing":
            return status.problem
        case "waiting":
            return f"{name} is computed when the first checkpoint has been saved."
        case "computing" if status.step is not None:
            return f"{_map(status.step)} {name} of {at}{_share(status)}"
        case "computing":
            return f"{name} of the codes of {at}{_share(status)}"
        case "stopped":
            shown = "" if status.step is None else f"{_map(status.step)} "
            return f"{shown}{name} of {at} was stopped."
    return _map(status.step or 0)


def status_tooltip(status: EmbeddingStatus, recipe: Recipe) -> str:
    """Returns what may be concluded from an embedding, and how far it can be trusted."""
    if status.phase in {"off", "missing"}:
        return ""
    name, source = METHOD_NAMES[status.method], _SOURCES[status.method]
    parameters = (
        f"perplexity {local(recipe.perplexity):g}"
        if isinstance(recipe, TSNE)
        else f"{recipe.neighbours} neighbours, least distance {local(recipe.least_distance):g}"
    )
    words = [
        f"{name} ({source}), {parameters}: codes that are close in the latent space are close "
        "here. Axes, scale and distances between clusters have no meaning.",
        "A code that belongs to no image (a pin, the star, a code set with the sliders) is shown "
        "at the nearest code of an image.",
    ]
    if status.trustworthiness is not None:
        words.append(
            f"Trustworthiness {local(status.trustworthiness):.3f} of 1: how many of the 10 nearest "
            f"codes here are close in the latent space, for {local(TRUSTWORTHINESS_CODES):,} codes "
            "(Venna & Kaski 2001)."
        )
    return "\n\n".join(words)


def _map(step: int) -> str:
    return (
        f"An embedding of the codes of step {local(step):,}. Nothing can be decoded between "
        "points; a click decodes the nearest code."
    )


def _share(status: EmbeddingStatus) -> str:
    return f": {local(status.share):.0%}" if status.share else "…"
