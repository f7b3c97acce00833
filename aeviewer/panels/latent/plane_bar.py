"""The row above the latent space: its plane, what the mouse does, and its layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QListView, QToolButton, QWidget

from aeviewer.panels.latent.axis_names import coordinate_name
from aeviewer.panels.latent.layers_menu import LayersButton
from aeviewer.theme import icon
from aeviewer.widgets.labels import plain_tip, quiet_eliding_label
from trainers.embeddings.embedding import RECIPES, missing_package

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QResizeEvent

    from aeviewer.services.latent.undo_state import PlaneKind
    from aeviewer.widgets.plots.plane_plot import Mode

_NARROWEST, _NARROWEST_AXIS = 48, 74


_KINDS: dict[PlaneKind, str] = {
    "coordinates": "Coordinates",
    "principal": "PCA of the codes",
    "three-points": "Three pins",
    "t-sne": "t-SNE",
    "umap": "UMAP",
}
_FLAT: frozenset[PlaneKind] = frozenset({"coordinates", "t-sne", "umap"})
"""The kinds that two-dimensional codes have; all of them lie in one plane."""
_MODES: dict[Mode, tuple[str, str]] = {
    "point": (
        "cursor-default-outline",
        "Point: press or drag to decode, click a code to mark it (D)",
    ),
    "lasso": ("lasso", "Lasso: circle codes to select them (L, or drag with Shift)"),
    "rectangle": ("selection", "Rectangle: drag to select the codes in it (R, arrow keys, R)"),
}


class PlaneBar(QWidget):
    """Chooses the plane, the axes, the mode of the mouse and the layers, and shows all codes."""

    plane_changed = Signal()
    mode_changed = Signal(str)
    reset_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._latent_dim = 0
        self.kind = self._combo(
            "Plane",
            "Two coordinates of the code, the plane in which the codes vary most, or the plane "
            "through the first three pins; or an embedding by t-SNE or UMAP, which keeps "
            "neighbours together and in which nothing can be decoded between points.",
        )
        for kind, name in _KINDS.items():
            self.kind.addItem(name, kind)
        self._preferred_kind: PlaneKind = "coordinates"
        self._pins = 0
        self.x_axis = self._combo("Coordinate on x", "The coordinate of the code on the x axis.")
        self.y_axis = self._combo("Coordinate on y", "The coordinate of the code on the y axis.")
        for axis in (self.x_axis, self.y_axis):
            axis.setMinimumWidth(_NARROWEST_AXIS)
        self.note = quiet_eliding_label()
        self.modes = {mode: self._mode_button(*entry, mode) for mode, entry in _MODES.items()}
        self.layers = LayersButton()
        self.reset = self._button("Show all", "Show all codes, and keep them in view (A).")
        self.reset.setIcon(icon("fit-to-screen-outline"))
        self.reset.setDisabled(True)
        self._build()
        self.kind.currentIndexChanged.connect(self._change_kind)
        self.x_axis.currentIndexChanged.connect(self._change_axis)
        self.y_axis.currentIndexChanged.connect(self._change_axis)
        self.set_mode("point")
        self.set_pins(0)
        self.reset.clicked.connect(self.reset_requested)

    def _build(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for widget in (self.kind, self.x_axis, self.y_axis):
            layout.addWidget(widget)
        layout.addWidget(self.note, 1)
        modes = QHBoxLayout()
        modes.setSpacing(0)
        for button in self.modes.values():
            modes.addWidget(button)
        layout.addLayout(modes)
        layout.addWidget(self.layers)
        layout.addWidget(self.reset)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leaves out the word beside the layers' icon where the kind of plane needs the room."""
        super().resizeEvent(event)
        words = Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        self.layers.setToolButtonStyle(words)
        # The note may be elided; it does not count.
        note = 0 if self.note.isHidden() else self.note.sizeHint().width()
        if self.sizeHint().width() - note > self.width():
            self.layers.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)

    def _combo(self, name: str, meaning: str) -> QComboBox:
        combo = QComboBox()
        combo.setAccessibleName(name)
        combo.setToolTip(plain_tip(meaning))
        combo.setMinimumWidth(_NARROWEST)
        return combo

    def _button(self, name: str, meaning: str) -> QToolButton:
        button = QToolButton()
        button.setText(name)
        button.setAutoRaise(True)
        button.setAccessibleName(name)
        button.setToolTip(plain_tip(meaning))
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        return button

    def _mode_button(self, glyph: str, meaning: str, mode: Mode) -> QToolButton:
        button = self._button("", meaning)
        button.setIcon(icon(glyph))
        button.setAccessibleName(meaning.split(":")[0])
        button.setCheckable(True)
        button.clicked.connect(lambda: self.set_mode(mode))
        return button

    # -- what is chosen --------------------------------------------------------------------------

    @property
    def chosen_kind(self) -> PlaneKind:
        """The kind of plane; one-dimensional codes have no choice."""
        kind: PlaneKind = self.kind.currentData() if self._latent_dim > 1 else "coordinates"
        return kind

    @property
    def axes(self) -> tuple[int, int]:
        """The coordinates on x and y, counted from 0."""
        return max(0, self.x_axis.currentIndex()), max(0, self.y_axis.currentIndex())

    def choose(self, kind: PlaneKind, axes: tuple[int, int]) -> None:
        """Shows another plane as chosen; emits no signal."""
        combos = self.kind, self.x_axis, self.y_axis
        blockers = [QSignalBlocker(combo) for combo in combos]
        for combo, index in zip(combos, (self.kind.findData(kind), *axes), strict=True):
            if 0 <= index < combo.count():
                combo.setCurrentIndex(index)
        del blockers
        self._preferred_kind = kind
        self._show_controls()

    def set_mode(self, mode: Mode) -> None:
        """Sets what the left button does."""
        for name, button in self.modes.items():
            button.setChecked(name == mode)
        self.mode_changed.emit(mode)

    def set_pins(self, count: int) -> None:
        """Sets the number of pins; three pins enable the plane through them."""
        self._pins = count
        self._enable_kinds()

    def _enable_kinds(self) -> None:
        """Enables the available kinds; the tool tip of the others says what is missing."""
        model, view = self.kind.model(), self.kind.view()
        if not isinstance(model, QStandardItemModel) or not isinstance(view, QListView):
            return
        for row, kind in enumerate(_KINDS):
            reason = self._reason_against(kind)
            model.item(row).setEnabled(not reason)
            model.item(row).setToolTip(plain_tip(reason))
            view.setRowHidden(row, self._latent_dim == 2 and kind not in _FLAT)

    def _reason_against(self, kind: PlaneKind) -> str:
        """Returns why a kind cannot be chosen; empty where it can."""
        if kind == "t-sne" or kind == "umap":
            return missing_package(RECIPES[kind])
        if self._latent_dim == 2 and kind not in _FLAT:
            return "All two-dimensional codes lie in one plane."
        if kind == "three-points" and self._pins < 3:
            return "Pin three codes first: P, or Ctrl and click."
        return ""

    def set_latent_dim(self, latent_dim: int) -> None:
        """Sets the dimension of the codes, which decides the planes to choose from."""
        if latent_dim == self._latent_dim:
            return
        self._latent_dim = latent_dim
        names = [coordinate_name(index) for index in range(latent_dim)]
        self._fill(self.x_axis, names, 0)
        self._fill(self.y_axis, names, 1)
        x = self.x_axis.currentIndex()
        if latent_dim > 1 and self.y_axis.currentIndex() == x:
            with QSignalBlocker(self.y_axis):
                self.y_axis.setCurrentIndex((x + 1) % latent_dim)
        self.kind.setVisible(latent_dim > 1)
        self._enable_kinds()
        kind = (
            self._preferred_kind
            if latent_dim > 2 or self._preferred_kind in _FLAT
            else "coordinates"
        )
        with QSignalBlocker(self.kind):
            self.kind.setCurrentIndex(self.kind.findData(kind))
        self._show_controls()

    @Slot(bool)
    def set_following(self, follows: bool) -> None:
        """Enables the button that shows all codes where the view does not follow them."""
        self.reset.setDisabled(follows)

    # -- private ---------------------------------------------------------------------------------

    def _fill(self, combo: QComboBox, names: Sequence[str], fallback: int) -> None:
        # Two-dimensional codes have no choice, so the choice made for another run is dropped.
        kept = combo.currentIndex() if len(names) > 2 else fallback
        with QSignalBlocker(combo):
            combo.clear()
            combo.addItems([f"{'x' if combo is self.x_axis else 'y'}: {name}" for name in names])
            combo.setCurrentIndex(kept if 0 <= kept < len(names) else min(fallback, len(names) - 1))

    def _show_controls(self) -> None:
        several = self._latent_dim > 2
        for combo in (self.x_axis, self.y_axis):
            combo.setVisible(several and self.chosen_kind == "coordinates")
        several = several and self.chosen_kind not in RECIPES
        others = self._latent_dim - 2
        rest = "The other coordinate stays" if others == 1 else f"The other {others} stay"
        rest = rest if self.chosen_kind == "coordinates" else "The code off this plane stays"
        self.note.setText(f"{rest} as in the marked code." if several else "")
        self.note.setToolTip(plain_tip(self.note.text()))

    @Slot()
    def _change_kind(self) -> None:
        self._preferred_kind = self.kind.currentData()
        self._show_controls()
        self.plane_changed.emit()

    @Slot()
    def _change_axis(self) -> None:
        """Changes the other axis where both axes would show the same coordinate."""
        if self.x_axis.currentIndex() == self.y_axis.currentIndex():
            other = self.y_axis if self.sender() is self.x_axis else self.x_axis
            with QSignalBlocker(other):
                other.setCurrentIndex((other.currentIndex() + 1) % self._latent_dim)
        self.plane_changed.emit()
