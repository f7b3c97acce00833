"""A button with a small form: what is shown behind the codes, and how the points are coloured."""

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
from aeviewer.widgets.labels import plain_tip
from trainers.glossary import explain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeviewer.services.latent.overlay import Layer

LAYERS: Mapping[Layer, tuple[str, str]] = {
    "none": ("None", "Only the decoded images behind the points."),
    "density": (
        "Density of the codes",
        "The number of codes at each place, on a logarithmic scale.",
    ),
    "prior": (
        "Codes against the prior",
        "log density of the codes − log density of the prior N(0, I): above 0 there are more codes "
        "than the prior expects.",
    ),
    "magnification": (
        "Magnification",
        explain("magnification"),
    ),
    "cycle": (
        "Cycle error",
        "‖encode(decode(z)) − z‖: the distance of a code from the code of its decoded image.",
    ),
    "classes": (
        "Class regions",
        "The class of most of the 15 nearest codes, and their share.",
    ),
}
_WIDTH = 220


@dataclass(frozen=True, slots=True)
class Layers:
    """The user's choice.

    Attributes
    ----------
    mosaic
        Whether decoded images are shown behind the points, with `opacity` (0..1); `fades` makes
        them fainter where there are no codes.
    layer
        The overlay behind the points.
    prior
        Whether circles at 1 and 2 standard deviations of the prior are shown.
    points
        The opacity of the points, 0..1.
    training
        Whether the codes of the training images are shown too.
    colour
        The quantity that colours the points.
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
    """Opens the form; `chosen` holds its values."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chosen = Layers()
        self.setText("Layers")
        self.setIcon(icon("layers-outline"))
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setAutoRaise(True)
        self.setToolTip(
            "What is shown behind the points: decoded images (M), density, magnification…"
        )
        self.setAccessibleName("Layers")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.mosaic, self.fades = (
            QCheckBox("Decoded images"),
            QCheckBox("Fade where there are no codes"),
        )
        self.prior = QCheckBox("Circles of the prior")
        self.training = QCheckBox("Training images too")
        self.training.setToolTip("The codes of the training images, at checkpoints.")
        self.opacity, self.points = _strength("decoded images"), _strength("codes")
        self.layer, self.colour = QComboBox(), QComboBox()
        self._build()
        self._show_chosen()
        for box in (self.mosaic, self.fades, self.prior, self.training):
            box.toggled.connect(self._read_form)
        for slider in (self.opacity, self.points):
            slider.valueChanged.connect(self._read_form)
        for combo in (self.layer, self.colour):
            combo.currentIndexChanged.connect(self._read_form)

    def _build(self) -> None:
        self.mosaic.setToolTip("The decoded image of every place in the plane (M).")
        self.fades.setToolTip(
            "Images far from every code are invented by the decoder, and are shown faintly."
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
        """The user's choice."""
        return self._chosen

    def choose(self, **changes: Any) -> None:
        """Changes some values, as if they were chosen in the form."""
        self._chosen = replace(self._chosen, **changes)
        self._show_chosen()
        self.changed.emit()

    def set_available(self, *, has_prior: bool, is_plane: bool) -> None:
        """Enables the circles of the prior and the images where they can be shown."""
        self.prior.setEnabled(has_prior and is_plane)
        for box in (self.mosaic, self.fades, self.opacity, self.layer):
            box.setEnabled(is_plane)

    def _show_chosen(self) -> None:
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
    def _read_form(self) -> None:
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
    slider.setToolTip(plain_tip(f"The opacity of the {what}."))
    return slider


def _fill(combo: QComboBox, entries: Mapping[Any, tuple[str, str]]) -> None:
    for key, (title, meaning) in entries.items():
        combo.addItem(title, key)
        combo.setItemData(combo.count() - 1, plain_tip(meaning), Qt.ItemDataRole.ToolTipRole)
