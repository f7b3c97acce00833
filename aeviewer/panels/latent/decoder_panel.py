"""The decoded image of the code, and sliders that change the code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QPushButton,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from aeviewer import theme
from aeviewer.panels.export.pictures_menu import picture_name
from aeviewer.panels.latent.status_text import source_text
from aeviewer.widgets.displays.empty_state import EmptyState
from aeviewer.widgets.displays.picture_export import PictureActions
from aeviewer.widgets.images.image_view import ImageView
from aeviewer.widgets.inputs.code_sliders import CodeSliders
from aeviewer.widgets.labels import quiet_eliding_label

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from aeviewer.services.latent.latent_state import LatentState

_EMPTY = "Press in the latent space: the point is decoded here"
_LEAST_TEXT = 40
_WIDEST = (1 << 24) - 1
"""Qt's QWIDGETSIZE_MAX, which Qt for Python does not define."""


class DecoderPanel(QWidget):
    """Shows the session's code and image; its sliders choose another code.

    Parameters
    ----------
    latent_state
        Receives the code that is chosen here; its session is watched.
    """

    def __init__(self, latent_state: LatentState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        session = latent_state.session
        self.latent_state, self._session = latent_state, session
        self.empty = EmptyState(_EMPTY, action="Decode the mean code")
        self.empty.triggered.connect(self._choose_mean)
        self.view = ImageView()
        self.view.setAccessibleName("Decoded image")
        self.view.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.view.setToolTip("The decoded code. The context menu copies and saves it.")
        self.sliders = CodeSliders()
        self.sliders.setAccessibleName("Code")
        self.origin = quiet_eliding_label()
        self.origin.setMinimumWidth(_LEAST_TEXT)
        self.reset_button = QPushButton("Reset")
        self.reset_button.setAccessibleName("Reset the code")
        self.reset_button.setToolTip(
            "Set every dimension to the mean of the codes of the test images."
        )
        self._make_menu()
        self._arrange()
        self.sliders.code_edited.connect(self._move_code)
        self.reset_button.clicked.connect(self._choose_mean)
        session.preview_changed.connect(self._show_codes)
        session.code_changed.connect(self._show_code)
        session.image_changed.connect(self._show_image)
        session.current_changed.connect(self._show_codes)
        session.runs_changed.connect(self._show_origin)
        self._show_codes()
        self._show_code()
        self._show_image()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Places the sliders beside the image where the panel is wide."""
        is_wide = self.width() > 1.5 * self.height()
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._parts.setDirection(across if is_wide else down)
        self._parts.setStretch(0, 2 if is_wide else 3)
        self.view.setMaximumWidth(self.height() if is_wide else _WIDEST)
        super().resizeEvent(event)

    def _arrange(self) -> None:
        foot = QHBoxLayout()
        foot.addWidget(self.origin, 1)
        for action in (self.copy_action, self.save_action):
            button = QToolButton()
            button.setDefaultAction(action)
            button.setAccessibleName(action.iconText())
            foot.addWidget(button)
        foot.addWidget(self.reset_button)
        controls = QVBoxLayout()
        controls.setSpacing(8)
        controls.addWidget(self.sliders, 1)
        controls.addLayout(foot)
        content = QWidget()
        self._parts = QBoxLayout(QBoxLayout.Direction.TopToBottom, content)
        self._parts.setContentsMargins(8, 8, 8, 8)
        self._parts.setSpacing(8)
        self._parts.addWidget(self.view, 3)
        self._parts.addLayout(controls, 2)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(content)

    def _make_menu(self) -> None:
        self.picture = PictureActions(
            self.view, self._picture_name, self._session.message_posted.emit
        )
        self.copy_action, self.save_action = self.picture.copy_action, self.picture.png_action
        self.copy_action.setIcon(theme.icon("content-copy"))
        self.save_action.setIcon(theme.icon("content-save-outline"))
        self.copy_code_action = QAction("Copy code as text", self)
        self.copy_code_action.triggered.connect(self.copy_code)
        self.paste_code_action = QAction("Paste code", self)
        self.paste_code_action.setToolTip("Numbers, separated by commas or spaces.")
        self.paste_code_action.triggered.connect(self.paste_code)
        self.view.addActions([self.copy_code_action, self.paste_code_action])

    def _picture_name(self) -> str:
        """Returns the name of the model that decoded the image, which a newer step may follow."""
        source = self._session.image_source
        if source is None:
            return picture_name(self._session, "decoded")
        return f"{source.run_name}-step{source.step}-decoded"

    # -- what is shown ---------------------------------------------------------------------------

    @Slot()
    def _show_codes(self) -> None:
        preview = self._session.preview
        self.empty.button.setVisible(preview is not None)
        if preview is not None:
            self.sliders.set_codes(preview.codes)
        self._show_origin()

    @Slot()
    def _show_code(self) -> None:
        code = self._session.code
        if code is not None:
            self.sliders.set_code(code)
        self._pages.setCurrentIndex(0 if code is None else 1)

    @Slot()
    def _show_image(self) -> None:
        self.view.set_image(self._session.image)
        for action in self.picture.actions:
            action.setEnabled(self._session.image is not None)
        self._show_origin()

    @Slot()
    def _show_origin(self) -> None:
        session = self._session
        source = session.image_source
        if session.image is None:
            self.origin.setText("The image appears when the model is loaded…")
        else:
            self.origin.setText("" if source is None else source_text(session, source))

    @Slot(object)
    def _move_code(self, code: NDArray[np.float32]) -> None:
        self.latent_state.move(code, "sliders", in_bursts=True)

    @Slot()
    def _choose_mean(self) -> None:
        if len(self.sliders.mean):
            self.latent_state.move(self.sliders.mean)

    # -- copy and paste -------------------------------------------------------------------------

    @Slot()
    def copy_code(self) -> None:
        """Copies the code to the clipboard as numbers, separated by commas."""
        QGuiApplication.clipboard().setText(self.latent_state.code_text())

    @Slot()
    def paste_code(self) -> None:
        """Marks the code that the text of the clipboard holds."""
        self.latent_state.take_text(QGuiApplication.clipboard().text())
