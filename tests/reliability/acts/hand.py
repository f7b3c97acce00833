"""A mouse and a keyboard that are the X server's, worked without ever waiting for them."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtCore import QPoint

_TELL, _DONE = "exec echo done", b"done"
"""At the end of every gesture, and what is heard then."""


class Hand:
    """One long-lived xdotool: a gesture is written to it and happens while the window lives on."""

    def __init__(self) -> None:
        self._take_up()

    def _take_up(self) -> None:
        self._tool = subprocess.Popen(
            ["xdotool", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._tool.stdout is not None
        os.set_blocking(self._tool.stdout.fileno(), False)
        self._begun = self._ended = 0

    def close(self) -> None:
        """Lets go."""
        assert self._tool.stdin is not None and self._tool.stdout is not None
        with suppress(BrokenPipeError):
            self._tool.stdin.close()
        self._tool.wait()
        self._tool.stdout.close()

    def _renew(self) -> None:
        """Takes up another tool where one has ended: it does at a window that has gone."""
        if self._tool.poll() is not None:
            self.close()
            self._take_up()

    @property
    def is_idle(self) -> bool:
        """Whether every gesture has been made, or cannot be made any more."""
        self._renew()
        assert self._tool.stdout is not None
        self._ended += (self._tool.stdout.read() or b"").count(_DONE)
        return self._ended == self._begun

    def press(self, *keys: str) -> None:
        """Keys, one after the other, each as `ctrl+shift+e`."""
        self._do(*(f"key {key}" for key in keys))

    def write(self, text: str) -> None:
        """Text into whatever has the keyboard; letters, digits, and what a path is made of."""
        self._do(f"type --delay 4 '{text}'")

    def click(
        self, place: QPoint, *, button: int = 1, times: int = 1, held: str = "", window: int = 0
    ) -> None:
        """Clicks at a place of a window, or of the screen, while a key is held."""
        self._do(
            _to(place, window),
            *([f"keydown {held}"] if held else []),
            *([f"click {button}"] * times),
            *([f"keyup {held}"] if held else []),
        )

    def drag(self, places: list[QPoint], *, button: int = 1, held: str = "") -> None:
        """Presses at the first place, goes through the others, lets go at the last."""
        moves = [_to(place) for place in places]
        self._do(
            moves[0],
            *([f"keydown {held}"] if held else []),
            f"mousedown {button}",
            *(line for move in moves[1:] for line in (move, "sleep 0.02")),
            f"mouseup {button}",
            *([f"keyup {held}"] if held else []),
        )

    def _do(self, *lines: str) -> None:
        self._renew()
        assert self._tool.stdin is not None
        self._begun += 1
        with suppress(BrokenPipeError):
            self._tool.stdin.write("\n".join([*lines, _TELL, ""]).encode())
            self._tool.stdin.flush()


def _to(place: QPoint, window: int = 0) -> str:
    """The move to a place; left of the screen and above it there is nothing to go to."""
    if window:
        return f"mousemove --window {window} {place.x()} {place.y()}"
    return f"mousemove {max(0, place.x())} {max(0, place.y())}"
