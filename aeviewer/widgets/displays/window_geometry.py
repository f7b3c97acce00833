"""The place and size of a window, as they were stored and as the screens of today allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

if TYPE_CHECKING:
    from PySide6.QtCore import QByteArray, QSize
    from PySide6.QtWidgets import QWidget

_LEAST_WIDTH, _LEAST_HEIGHT = 240, 120
"""Pixels of a window that a screen must show, so that a person can move the window."""


def restore_geometry(window: QWidget, geometry: QByteArray) -> bool:
    """Puts a window where it was; returns whether that was possible.

    Otherwise the window has the size that it had before the call, in the middle of its screen: the
    stored bytes cannot be read, or the screen is gone.

    Parameters
    ----------
    window
        The window, with its default size.
    geometry
        What `QWidget.saveGeometry` returned; empty at the first start.
    """
    size = window.size()
    if geometry.isEmpty():
        return True
    if window.restoreGeometry(geometry) and _is_on_a_screen(window):
        return True
    _centre(window, size)
    return False


def _is_on_a_screen(window: QWidget) -> bool:
    """Returns whether a screen shows the title of a window and enough of the rest."""
    seen = [
        screen.availableGeometry().intersected(window.geometry())
        for screen in QGuiApplication.screens()
    ]
    return any(part.width() >= _LEAST_WIDTH and part.height() >= _LEAST_HEIGHT for part in seen)


def _centre(window: QWidget, size: QSize) -> None:
    room = window.screen().availableGeometry()
    window.setWindowState(Qt.WindowState.WindowNoState)
    window.resize(size.boundedTo(room.size()))
    window.move(room.center() - window.rect().center())
