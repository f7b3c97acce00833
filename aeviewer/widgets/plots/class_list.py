"""A searchable list of classes with check boxes, where a legend has no room for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QListView, QPushButton, QVBoxLayout

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from PySide6.QtWidgets import QWidget

_WIDTH, _HEIGHT = 280, 360
_Index = QModelIndex | QPersistentModelIndex


class ClassModel(QAbstractListModel):
    """The classes by name, each with its colour and whether it is shown."""

    changed = Signal()

    def __init__(
        self,
        names: Sequence[str],
        colours: Sequence[str],
        visible: NDArray[np.bool_],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._names, self._colours = tuple(names), tuple(colours)
        self.visible = visible.copy()

    def rowCount(self, _parent: _Index | None = None) -> int:
        """Returns the number of classes."""
        return len(self._names)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Returns the name, the colour or the check mark of a class."""
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._names[index.row()]
            case Qt.ItemDataRole.DecorationRole:
                return QColor(self._colours[index.row()])
            case Qt.ItemDataRole.CheckStateRole:
                is_shown = self.visible[index.row()]
                return Qt.CheckState.Checked if is_shown else Qt.CheckState.Unchecked
        return None

    def setData(self, index: _Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Shows or hides a class."""
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        self.visible[index.row()] = Qt.CheckState(value) == Qt.CheckState.Checked
        self.dataChanged.emit(index, index, [role])
        self.changed.emit()
        return True

    def flags(self, _index: _Index) -> Qt.ItemFlag:
        """Every class can be checked."""
        flag = Qt.ItemFlag
        return flag.ItemIsEnabled | flag.ItemIsSelectable | flag.ItemIsUserCheckable

    def set_rows(self, rows: Sequence[int], *, are_visible: bool) -> None:
        """Shows or hides some classes."""
        self.visible[list(rows)] = are_visible
        last = self.index(len(self._names) - 1)
        self.dataChanged.emit(self.index(0), last, [Qt.ItemDataRole.CheckStateRole])
        self.changed.emit()


class ClassList(QFrame):
    """A popup with the classes: search for some, show or hide them.

    "Show" and "Hide" act on all classes that the search finds.

    Parameters
    ----------
    model
        The classes.
    """

    def __init__(self, model: ClassModel, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.model = model
        self.found = QSortFilterProxyModel(self)
        self.found.setSourceModel(model)
        self.found.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.search = QLineEdit(placeholderText="Search classes", clearButtonEnabled=True)
        self.view = QListView(uniformItemSizes=True)
        self.view.setModel(self.found)
        self.show_button, self.hide_button = QPushButton("Show these"), QPushButton("Hide these")
        across = QHBoxLayout()
        across.addWidget(self.show_button)
        across.addWidget(self.hide_button)
        down = QVBoxLayout(self)
        down.addWidget(self.search)
        down.addWidget(self.view, 1)
        down.addLayout(across)
        self.resize(_WIDTH, _HEIGHT)
        self.search.textChanged.connect(self.found.setFilterFixedString)
        self.show_button.clicked.connect(self._show_found)
        self.hide_button.clicked.connect(self._hide_found)

    @Slot()
    def _show_found(self) -> None:
        self.model.set_rows(self._found_rows(), are_visible=True)

    @Slot()
    def _hide_found(self) -> None:
        self.model.set_rows(self._found_rows(), are_visible=False)

    def _found_rows(self) -> list[int]:
        found = self.found
        return [found.mapToSource(found.index(at, 0)).row() for at in range(found.rowCount())]
