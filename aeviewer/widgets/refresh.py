"""Draws a widget once for many requests, and only while it is visible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer, Signal, Slot

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget


class Refresh(QObject):
    """Joins many requests to draw a widget into one call, in the next turn of the event loop.

    While the widget is hidden the request waits. When the widget is shown, the call is made before
    the widget is painted.

    Parameters
    ----------
    widget
        The widget that is drawn. It owns this object.
    draw
        Draws the widget. A bound method does not keep its object alive.
    """

    _due = Signal()

    def __init__(self, widget: QWidget, draw: Callable[[], object]) -> None:
        super().__init__(widget)
        self._widget = widget
        self._is_pending = False
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self._draw_if_visible)
        # A signal, because PySide holds the object of a connected method weakly.
        self._due.connect(draw)
        widget.installEventFilter(self)

    @property
    def is_pending(self) -> bool:
        """Whether a request waits to be drawn."""
        return self._is_pending

    @Slot()
    def request(self) -> None:
        """Requests that the widget is drawn."""
        self._is_pending = True
        if self._widget.isVisible():
            self._timer.start()

    @Slot()
    def _draw_if_visible(self) -> None:
        if self._is_pending and self._widget.isVisible():
            self._timer.stop()
            self._is_pending = False
            self._due.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Draws a widget that is being shown, if a request waits."""
        if event.type() == QEvent.Type.Show:
            self._draw_if_visible()
        return super().eventFilter(watched, event)
