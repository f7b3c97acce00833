"""Mouse and keyboard of the X server, used without waiting for them."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtCore import QPoint

_REPORT_DONE, _DONE = "exec echo done", b"done"
"""The last command of every gesture, and its output."""


class Hand:
    """One xdotool process; it performs gestures while the window keeps running."""

    def __init__(self) -> None:
        self._start_tool()

    def _start_tool(self) -> None:
        self._tool = subprocess.Popen(
            ["xdotool", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._tool.stdout is not None
        os.set_blocking(self._tool.stdout.fileno(), False)
        self._sent = self._completed = 0

    def close(self) -> None:
        """Ends the process."""
        assert self._tool.stdin is not None and self._tool.stdout is not None
        with suppress(BrokenPipeError):
            self._tool.stdin.close()
        self._tool.wait()
        self._tool.stdout.close()

    def _restart_tool(self) -> None:
        """Starts another process if this one has ended, as it does when its window is closed."""
        if self._tool.poll() is not None:
            self.close()
            self._start_tool()

    @property
    def is_idle(self) -> bool:
        """Whether every gesture is complete, or its process has ended."""
        self._restart_tool()
        assert self._tool.stdout is not None
        self._completed += (self._tool.stdout.read() or b"").count(_DONE)
        return self._completed == self._sent

    def press(self, *keys: str) -> None:
        """Presses keys one after the other, each in the form `ctrl+shift+e`."""
        self._send(*(f"key {key}" for key in keys))

    def write(self, text: str) -> None:
        """Types text into the focused widget: letters, digits, and the characters of paths."""
        self._send(f"type --delay 4 '{text}'")

    def click(
        self, place: QPoint, *, button: int = 1, times: int = 1, modifier: str = "", window: int = 0
    ) -> None:
        """Clicks at a point of a window, or of the screen, with a modifier key pressed."""
        self._send(
            _move_to(place, window),
            *([f"keydown {modifier}"] if modifier else []),
            *([f"click {button}"] * times),
            *([f"keyup {modifier}"] if modifier else []),
        )

    def drag(self, places: list[QPoint], *, button: int = 1, modifier: str = "") -> None:
        """Presses the button at the first point, moves through the others, and releases it."""
        moves = [_move_to(place) for place in places]
        self._send(
            moves[0],
            *([f"keydown {modifier}"] if modifier else []),
            f"mousedown {button}",
            *(line for move in moves[1:] for line in (move, "sleep 0.02")),
            f"mouseup {button}",
            *([f"keyup {modifier}"] if modifier else []),
        )

    def _send(self, *lines: str) -> None:
        self._restart_tool()
        assert self._tool.stdin is not None
        self._sent += 1
        with suppress(BrokenPipeError):
            self._tool.stdin.write("\n".join([*lines, _REPORT_DONE, ""]).encode())
            self._tool.stdin.flush()


def _move_to(place: QPoint, window: int = 0) -> str:
    """Returns the command that moves the mouse; points outside the screen are clamped to 0."""
    if window:
        return f"mousemove --window {window} {place.x()} {place.y()}"
    return f"mousemove {max(0, place.x())} {max(0, place.y())}"
