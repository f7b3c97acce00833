"""Which plane of the latent space is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QPalette, QStandardItemModel
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QListView, QToolButton, QWidget
from superqt import QElidingLabel

from aeviewer.numbers import local
from aeviewer.panels.latent.layers_menu import LayersButton
from aeviewer.theme import icon
from aeviewer.widgets.fonts import small
from trainers.embeddings.embedding import RECIPES, missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeviewer.services.latent.undo_state import PlaneKind
    from aeviewer.widgets.plots.plane_plot import Mode
    from trainers.exploration.planes import Plane

_NARROWEST, _NARROWEST_AXIS = 48, 74
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def coordinate(index: int) -> str:
    """The name of a coordinate, counted from 0: z₁, z₂, ..."""
    return f"z{str(index + 1).translate(_SUBSCRIPTS)}"


_KINDS: dict[PlaneKind, str] = {
    "coordinates": "Coordinates",
    "principal": "PCA of the codes",
    "three-points": "Three pins",
    "t-sne": "t-SNE",
    "umap": "UMAP",
}
_FLAT: frozenset[PlaneKind] = frozenset({"coordinates", "t-sne", "umap"})
"""What there is for codes of two numbers, which all lie in one plane."""
_MODES: dict[Mode, tuple[str, str]] = {
    "point": (
        "cursor-default-outline",
        "Point: press or drag to decode, click a code to see it (D)",
    ),
    "lasso": ("lasso", "Lasso: circle codes to select them (L); Shift with a drag does so too"),
    "rectangle": ("selection", "Rectangle: select the codes in it (R, arrows, R)"),
}


class PlaneBar(QWidget):
    """The row above the plot: plane, axes, what the mouse does, layers, show everything."""

    plane_changed = Signal()
    mode_changed = Signal(str)
    reset_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._latent_dim = 0
        self.kind = self._combo(
            "Plane",
            "Two coordinates of the code, the plane in which the codes vary most, or the one "
            "through the first three pins; or a map by t-SNE or UMAP, in which neighbours stay "
            "neighbours and nothing can be decoded between points.",
        )
        for kind, name in _KINDS.items():
            self.kind.addItem(name, kind)
        self._wished: PlaneKind = "coordinates"
        self._pins = 0
        self.x_axis = self._combo(
            "Coordinate on x", "The coordinate of the code that runs along x."
        )
        self.y_axis = self._combo(
            "Coordinate on y", "The coordinate of the code that runs along y."
        )
        for axis in (self.x_axis, self.y_axis):
            axis.setMinimumWidth(_NARROWEST_AXIS)
        self.note = QElidingLabel()
        self.modes = {mode: self._mode_button(*entry, mode) for mode, entry in _MODES.items()}
        self.layers = LayersButton()
        self.reset = self._button("Show all", "Show all codes, and follow them (A).")
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
        self.note.setFont(small(self.font()))
        self.note.setForegroundRole(QPalette.ColorRole.PlaceholderText)
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

    def _combo(self, name: str, meaning: str) -> QComboBox:
        combo = QComboBox()
        combo.setAccessibleName(name)
        combo.setToolTip(meaning)
        combo.setMinimumWidth(_NARROWEST)
        return combo

    def _button(self, name: str, meaning: str) -> QToolButton:
        button = QToolButton()
        button.setText(name)
        button.setAutoRaise(True)
        button.setAccessibleName(name)
        button.setToolTip(meaning)
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
        """The kind of plane; for codes of one number there is nothing to choose."""
        kind: PlaneKind = self.kind.currentData() if self._latent_dim > 1 else "coordinates"
        return kind

    @property
    def axes(self) -> tuple[int, int]:
        """The coordinates on x and y, counted from 0."""
        return max(0, self.x_axis.currentIndex()), max(0, self.y_axis.currentIndex())

    def choose(self, kind: PlaneKind, axes: tuple[int, int]) -> None:
        """Shows another plane as chosen; tells nobody."""
        combos = self.kind, self.x_axis, self.y_axis
        blockers = [QSignalBlocker(combo) for combo in combos]
        for combo, index in zip(combos, (self.kind.findData(kind), *axes), strict=True):
            if 0 <= index < combo.count():
                combo.setCurrentIndex(index)
        del blockers
        self._wished = kind
        self._show_controls()

    def set_mode(self, mode: Mode) -> None:
        """What the left button does."""
        for name, button in self.modes.items():
            button.setChecked(name == mode)
        self.mode_changed.emit(mode)

    def set_pins(self, count: int) -> None:
        """Offers the plane through three pins where there are three."""
        self._pins = count
        self._offer_kinds()

    def _offer_kinds(self) -> None:
        """Enables what there is; of the rest, those that could be there say what is missing."""
        model, view = self.kind.model(), self.kind.view()
        if not isinstance(model, QStandardItemModel) or not isinstance(view, QListView):
            return
        for row, kind in enumerate(_KINDS):
            reason = self._reason(kind)
            model.item(row).setEnabled(not reason)
            model.item(row).setToolTip(reason)
            view.setRowHidden(row, self._latent_dim == 2 and kind not in _FLAT)

    def _reason(self, kind: PlaneKind) -> str:
        """Why a kind can not be chosen; empty where it can."""
        if kind == "t-sne" or kind == "umap":
            return missing(RECIPES[kind])
        if self._latent_dim == 2 and kind not in _FLAT:
            return "Codes of two numbers all lie in one plane."
        if kind == "three-points" and self._pins < 3:
            return "Pin three codes first: P, or Ctrl and a click."
        return ""

    @staticmethod
    def axis_names(plane: Plane) -> tuple[str, str]:
        """What is along x and y of a plane."""
        which = "aligned " if plane.is_aligned else ""
        if plane.is_picked:
            return f"{which}from A towards B", f"{which}towards C"
        if plane.shares is None:
            x, y = (f"{which}{coordinate(axis)}" for axis in plane.axes)
        elif plane.is_aligned:
            x, y = (f"aligned PC {axis + 1} of the last codes" for axis in plane.axes)
        else:
            named = zip(plane.axes, plane.shares, strict=True)
            x, y = (
                f"PC {a + 1} of the codes ({local(share):.0%} of variance)" for a, share in named
            )
        return x, y

    def set_latent_dim(self, latent_dim: int) -> None:
        """Offers the planes that codes of so many numbers have."""
        if latent_dim == self._latent_dim:
            return
        self._latent_dim = latent_dim
        names = [coordinate(index) for index in range(latent_dim)]
        self._fill(self.x_axis, names, 0)
        self._fill(self.y_axis, names, 1)
        x = self.x_axis.currentIndex()
        if latent_dim > 1 and self.y_axis.currentIndex() == x:
            with QSignalBlocker(self.y_axis):
                self.y_axis.setCurrentIndex((x + 1) % latent_dim)
        self.kind.setVisible(latent_dim > 1)
        self._offer_kinds()
        kind = self._wished if latent_dim > 2 or self._wished in _FLAT else "coordinates"
        with QSignalBlocker(self.kind):
            self.kind.setCurrentIndex(self.kind.findData(kind))
        self._show_controls()

    @Slot(bool)
    def set_following(self, follows: bool) -> None:
        """Offers to show everything where the view does not follow."""
        self.reset.setDisabled(follows)

    # -- inside ----------------------------------------------------------------------------------

    def _fill(self, combo: QComboBox, names: Sequence[str], fallback: int) -> None:
        # Where nothing can be chosen, what was chosen for another run does not count.
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
        rest = rest if self.chosen_kind == "coordinates" else "What is off this plane stays"
        self.note.setText(f"{rest} as in the marked code." if several else "")
        self.note.setToolTip(self.note.text())

    @Slot()
    def _change_kind(self) -> None:
        self._wished = self.kind.currentData()
        self._show_controls()
        self.plane_changed.emit()

    @Slot()
    def _change_axis(self) -> None:
        """Two axes never show the same coordinate: the other one gives way."""
        if self.x_axis.currentIndex() == self.y_axis.currentIndex():
            other = self.y_axis if self.sender() is self.x_axis else self.x_axis
            with QSignalBlocker(other):
                other.setCurrentIndex((other.currentIndex() + 1) % self._latent_dim)
        self.plane_changed.emit()
