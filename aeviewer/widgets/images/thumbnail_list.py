"""Small images in rows, each with a short text; one of them can be chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QModelIndex, QSize, Qt, Signal, Slot
from PySide6.QtGui import QIcon, QPixmap, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QFrame, QListView

from aeviewer.widgets.fonts import small, tabular
from aeviewer.widgets.images.image_view import enlarge, gray_image
from aeviewer.widgets.labels import plain_tip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PySide6.QtWidgets import QWidget

_SCALE = 2
_SIDE = 28


class DigitList(QListView):
    """Images side by side, wrapped into as many rows as they need, or in one row that scrolls.

    Qt's own list in its icon mode: arrow keys, Enter, wheel and screen readers work as anywhere.
    """

    chosen = Signal(int)
    """The number of the image that was clicked, or chosen by Enter."""

    def __init__(self, name: str, *, one_row: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._items = QStandardItemModel(self)
        self._has_words = False
        self.setModel(self._items)
        self.setAccessibleName(name)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setWrapping(not one_row)
        self.setUniformItemSizes(True)
        self.setWordWrap(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setFont(tabular(small(self.font())))
        self.setIconSize(QSize(_SIDE * _SCALE, _SIDE * _SCALE))
        self.setSpacing(2)
        if one_row:
            self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            self.setFixedHeight(_SIDE * _SCALE + self.fontMetrics().height() + 26)
        self.clicked.connect(self._choose)
        self.activated.connect(self._choose)

    @property
    def count(self) -> int:
        """The number of images."""
        return self._items.rowCount()

    def set_images(
        self,
        images: NDArray[Any],
        words: Sequence[str] = (),
        tooltips: Sequence[str] = (),
    ) -> None:
        """Shows (n, ...) images as `gray_image` takes them, each with a text and a tool tip."""
        current = self.currentIndex().row()
        self._items.clear()
        self.setSpacing(2 if words else 0)
        for number, image in enumerate(images):
            item = QStandardItem(self._icon(image), words[number] if words else "")
            item.setToolTip(plain_tip(tooltips[number]) if tooltips else "")
            if not words:
                item.setSizeHint(self.iconSize() + QSize(4, 4))
            item.setData(Qt.AlignmentFlag.AlignHCenter, Qt.ItemDataRole.TextAlignmentRole)
            self._items.appendRow(item)
        self.set_current(current if current < len(images) else -1)

    def set_current(self, number: int) -> None:
        """Marks an image and scrolls to it; −1 marks none."""
        self.setCurrentIndex(self._items.index(number, 0) if number >= 0 else QModelIndex())

    def _icon(self, image: NDArray[Any]) -> QIcon:
        ratio = self.devicePixelRatioF()
        drawn, side = gray_image(image), round(_SIDE * _SCALE * ratio)
        factor = side // drawn.width()
        if factor >= 1:
            drawn = enlarge(drawn, factor)
        else:
            drawn = drawn.scaled(side, side, mode=Qt.TransformationMode.SmoothTransformation)
        drawn.setDevicePixelRatio(ratio)
        pixmap = QPixmap.fromImage(drawn)
        icon = QIcon(pixmap)
        # A chosen image is framed, not tinted.
        icon.addPixmap(pixmap, QIcon.Mode.Selected)
        return icon

    @Slot(QModelIndex)
    def _choose(self, index: QModelIndex) -> None:
        self.chosen.emit(index.row())
