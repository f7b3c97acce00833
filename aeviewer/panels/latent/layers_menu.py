"""What is shown behind the codes, and how the points are coloured: one button, one small form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QMenu,
    QSlider,
    QToolButton,
    QWidget,
    QWidgetAction,
)

from aeviewer.services.latent.point_colours import MEANINGS, By
from aeviewer.theme import icon
from trainers.glossary import explained

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeviewer.services.latent.overlay import Layer

LAYERS: Mapping[Layer, tuple[str, str]] = {
    "none": ("None", "Nothing behind the points but the images."),
    "density": ("Density of the codes", "How many codes lie where, on a logarithmic scale."),
    "prior": (
        "Codes against the prior",
        "log density of the codes − log density of the prior N(0, I): above 0 there are more codes "
        "than the prior expects.",
    ),
    "magnification": (
        "Magnification",
        explained("magnification"),
    ),
    "cycle": (
        "Cycle error",
        "‖encode(decode(z)) − z‖: how far a code is from the code of its own image.",
    ),
    "classes": (
        "Class regions",
        "Which class most of the 15 nearest codes are of, and what share of them.",
    ),
}
_WIDTH = 220


@dataclass(frozen=True, slots=True)
class Layers:
    """What is chosen.

    Attributes
    ----------
    mosaic
        The decoder's images behind the points; `opacity` says how strong, 0..1; `fades` whether
        less where no codes are.
    layer
        What is coloured behind the points.
    prior
        Circles at 1 and 2 standard deviations of the prior.
    points
        How strong the points are, 0..1.
    training
        Whether the training images' codes are shown too.
    colour
        What the points are coloured by.
    """

    mosaic: bool = True
    opacity: float = 0.6
    fades: bool = True
    layer: Layer = "none"
    prior: bool = False
    points: float = 0.7
    training: bool = False
    colour: By = "class"


class LayersButton(QToolButton):
    """Opens the form; `chosen` is what it says."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chosen = Layers()
        self.setText("Layers")
        self.setIcon(icon("layers-outline"))
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setAutoRaise(True)
        self.setToolTip("What lies behind the points: decoded images (M), density, magnification…")
        self.setAccessibleName("Layers")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.mosaic, self.fades = QCheckBox("Decoded images"), QCheckBox("Fade where no codes are")
        self.prior = QCheckBox("Circles of the prior")
        self.training = QCheckBox("Training images too")
        self.training.setToolTip("The codes of the training images, at checkpoints.")
        self.opacity, self.points = _strength("decoded images"), _strength("codes")
        self.layer, self.colour = QComboBox(), QComboBox()
        self._build()
        self._show()
        for box in (self.mosaic, self.fades, self.prior, self.training):
            box.toggled.connect(self._take)
        for slider in (self.opacity, self.points):
            slider.valueChanged.connect(self._take)
        for combo in (self.layer, self.colour):
            combo.currentIndexChanged.connect(self._take)

    def _build(self) -> None:
        self.mosaic.setToolTip("The decoder's image of every place in the plane (M).")
        self.fades.setToolTip(
            "Images far from any code are the decoder's invention: they are shown faintly."
        )
        self.prior.setToolTip("Circles at 1 and 2 standard deviations of the prior N(0, I).")
        self.layer.setAccessibleName("Layer")
        _fill(self.layer, LAYERS)
        self.colour.setAccessibleName("Colour of the codes")
        _fill(self.colour, {by: (m.title, m.tooltip) for by, m in MEANINGS.items()})
        content = QWidget()
        content.setMinimumWidth(_WIDTH)
        form = QFormLayout(content)
        form.setContentsMargins(12, 8, 12, 8)
        form.setVerticalSpacing(8)
        form.addRow("Codes", self.points)
        form.addRow("Colour", self.colour)
        form.addRow(self.training)
        form.addRow(self.mosaic)
        form.addRow("Strength", self.opacity)
        form.addRow(self.fades)
        form.addRow("Layer", self.layer)
        form.addRow(self.prior)
        menu = QMenu(self)
        action = QWidgetAction(menu)
        action.setDefaultWidget(content)
        menu.addAction(action)
        self.setMenu(menu)

    @property
    def chosen(self) -> Layers:
        """What is shown."""
        return self._chosen

    def choose(self, **changes: Any) -> None:
        """Shows something else, as if it were chosen in the form."""
        self._chosen = replace(self._chosen, **changes)
        self._show()
        self.changed.emit()

    def offer(self, *, has_prior: bool, is_plane: bool) -> None:
        """Offers what there is: a prior's circles, and images where there is a plane."""
        self.prior.setEnabled(has_prior and is_plane)
        for box in (self.mosaic, self.fades, self.opacity, self.layer):
            box.setEnabled(is_plane)

    def _show(self) -> None:
        chosen = self._chosen
        boxes = self.mosaic, self.fades, self.prior, self.training
        widgets = *boxes, self.points, self.opacity, self.layer, self.colour
        blockers = [QSignalBlocker(widget) for widget in widgets]
        self.mosaic.setChecked(chosen.mosaic)
        self.fades.setChecked(chosen.fades)
        self.points.setValue(round(100 * chosen.points))
        self.prior.setChecked(chosen.prior)
        self.training.setChecked(chosen.training)
        self.opacity.setValue(round(100 * chosen.opacity))
        self.layer.setCurrentIndex(self.layer.findData(chosen.layer))
        self.colour.setCurrentIndex(self.colour.findData(chosen.colour))
        del blockers

    @Slot()
    def _take(self) -> None:
        self._chosen = Layers(
            self.mosaic.isChecked(),
            self.opacity.value() / 100,
            self.fades.isChecked(),
            self.layer.currentData(),
            self.prior.isChecked(),
            self.points.value() / 100,
            self.training.isChecked(),
            self.colour.currentData(),
        )
        self.changed.emit()


def _strength(what: str) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(0, 100)
    slider.setAccessibleName(f"Strength of the {what}")
    slider.setToolTip(f"How strong the {what} are.")
    return slider


def _fill(combo: QComboBox, entries: Mapping[Any, tuple[str, str]]) -> None:
    for key, (title, meaning) in entries.items():
        combo.addItem(title, key)
        combo.setItemData(combo.count() - 1, meaning, Qt.ItemDataRole.ToolTipRole)
