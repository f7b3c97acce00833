"""A bot that waits for the program as long as a machine under load may need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytestqt.qtbot import QtBot

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 240_000
"""Milliseconds. Only a test that fails waits for so long."""


class PatientBot(QtBot):
    """Waits for states and signals by default as long as a machine under load may need."""

    def waitUntil(self, callback: Callable[[], object], *, timeout: int = PATIENCE) -> None:
        """Waits until a callback is true; see `QtBot.waitUntil`."""
        super().waitUntil(callback, timeout=timeout)

    def waitSignal(self, signal: Any, *, timeout: int = PATIENCE, **more: Any) -> Any:
        """Waits for a signal; see `QtBot.waitSignal`."""
        return super().waitSignal(signal, timeout=timeout, **more)

    def waitSignals(self, signals: Any, *, timeout: int = PATIENCE, **more: Any) -> Any:
        """Waits for all signals; see `QtBot.waitSignals`."""
        return super().waitSignals(signals, timeout=timeout, **more)

    def waitExposed(self, widget: Any, *, timeout: int = PATIENCE) -> Any:
        """Waits until a window is on the screen; see `QtBot.waitExposed`."""
        return super().waitExposed(widget, timeout=timeout)
