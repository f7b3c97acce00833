"""The dialog that previews a figure, edits its caption, and saves it as PNG or SVG."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QStandardPaths, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication, QPainter, QPalette
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from aeviewer.numbers import local
from aeviewer.widgets.displays.figure_export import Drawable, Figure, keep, png
from aeviewer.widgets.inputs.save_dialog import PlainFileDialog
from aeviewer.widgets.labels import quiet_label, replace_controls, shorten

if TYPE_CHECKING:
    from PySide6.QtGui import QImage, QPaintEvent

_FORMATS = {
    "PNG, 2 pixels to one": ("png", 2),
    "PNG, 3 pixels to one": ("png", 3),
    "SVG": ("svg", 1),
}
_REDRAW_MILLISECONDS, _MOST_LETTERS = 200, 4_000


class _Preview(QWidget):
    """A picture, reduced so that all of it is visible."""

    def __init__(self) -> None:
        super().__init__()
        self._image: QImage | None = None
        self.setMinimumSize(480, 240)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_image(self, image: QImage) -> None:
        """Sets the picture."""
        self._image = image
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draws the picture in the middle, with a hairline around it."""
        if self._image is None:
            return
        ratio = self.devicePixelRatioF()
        room = (self.size() * ratio).boundedTo(self._image.size())
        shown = self._image.scaled(
            room, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        shown.setDevicePixelRatio(ratio)
        place = self.rect()
        size = shown.deviceIndependentSize().toSize()
        place.setSize(size)
        place.moveCenter(self.rect().center())
        painter = QPainter(self)
        painter.drawImage(place.topLeft(), shown)
        painter.setPen(self.palette().color(QPalette.ColorRole.Mid))
        painter.drawRect(place.adjusted(0, 0, -1, -1))
        painter.end()


class FigureDialog(QDialog):
    """Shows the figure as it will be saved; its caption can be edited, copied or left out.

    Parameters
    ----------
    drawing
        What is seen.
    caption
        What is proposed.
    name
        The suggested file name, without folder and ending.
    """

    kept = Signal(str)
    """Emitted with the path of a file that was written."""
    failed = Signal(str)

    def __init__(self, drawing: Drawable, caption: str, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export figure")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._drawing, self._name = drawing, name
        self.preview = _Preview()
        self.caption = QPlainTextEdit(shorten(replace_controls(caption), _MOST_LETTERS))
        self.caption.setAccessibleName("Caption")
        self.caption.setTabChangesFocus(True)
        self.caption.setFixedHeight(96)
        self.draws_caption = QCheckBox("Caption below the figure")
        self.draws_caption.setChecked(True)
        self.format = QComboBox()
        self.format.setAccessibleName("Format")
        self.format.addItems(list(_FORMATS))
        self.size_label = quiet_label()
        self._redraw = QTimer(self, singleShot=True, interval=_REDRAW_MILLISECONDS)
        self._redraw.timeout.connect(self._show)
        self.caption.textChanged.connect(self._redraw.start)
        self.draws_caption.toggled.connect(self._show)
        self.format.currentIndexChanged.connect(self._tell_size)
        self._build()
        self.resize(860, 640)
        self._show()

    def _build(self) -> None:
        copy, cancel, save = (QPushButton(t) for t in ("Copy caption", "Cancel", "Save…"))
        self.copy_button, self.save_button = copy, save
        save.setDefault(True)
        for button in (copy, cancel):
            button.setAutoDefault(False)
        copy.clicked.connect(self._copy)
        cancel.clicked.connect(self.reject)
        save.clicked.connect(self._ask_where)
        foot = QHBoxLayout()
        foot.addWidget(self.draws_caption)
        foot.addWidget(copy)
        foot.addStretch(1)
        foot.addWidget(self.size_label)
        foot.addWidget(self.format)
        foot.addWidget(cancel)
        foot.addWidget(save)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        layout.addWidget(self.preview, 1)
        layout.addWidget(self.caption)
        layout.addLayout(foot)

    @property
    def figure(self) -> Figure:
        """Returns the figure with the current caption."""
        caption = self.caption.toPlainText().strip() if self.draws_caption.isChecked() else ""
        return Figure(self._drawing, caption, self.font(), self.palette())

    @Slot()
    def _show(self) -> None:
        self.preview.set_image(self.figure.image(2))
        self._tell_size()

    @Slot()
    def _tell_size(self) -> None:
        ending, factor = _FORMATS[self.format.currentText()]
        size = self.figure.size * factor
        unit = "pixels" if ending == "png" else "units, plots as pictures"
        self.size_label.setText(f"{local(size.width()):,} × {local(size.height()):,} {unit}")

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.caption.toPlainText().strip())
        self.size_label.setText("Caption copied")

    @Slot()
    def _ask_where(self) -> None:
        ending, _ = _FORMATS[self.format.currentText()]
        dialog = PlainFileDialog(self, "Export figure")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(f"{ending.upper()} image (*.{ending})")
        dialog.setDefaultSuffix(ending)
        pictures = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
        dialog.setDirectory(pictures if Path(pictures).is_dir() else str(Path.home()))
        dialog.selectFile(f"{self._name}.{ending}")
        dialog.fileSelected.connect(self.save)
        dialog.open()

    @Slot(str)
    def save(self, path: str) -> None:
        """Writes the figure, and copies its caption to the clipboard."""
        ending, factor = _FORMATS[self.format.currentText()]
        figure = self.figure
        content = png(figure.image(factor)) if ending == "png" else figure.svg(self._name)
        if keep(path, content, self.failed.emit):
            QGuiApplication.clipboard().setText(self.caption.toPlainText().strip())
            self.kept.emit(path)
            self.accept()
