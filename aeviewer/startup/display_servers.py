"""Asks the display servers whether they answer, before Qt aborts or waits for one without end."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PATIENCE_S = 10.0
"""Seconds after which a server that accepts a connection and says nothing counts as silent."""
X11, WAYLAND = "xcb", "wayland"
VARIABLES = {X11: "DISPLAY", WAYLAND: "WAYLAND_DISPLAY"}
"""Qt's platforms that need a server, and the variables that name the server."""
_SERVERLESS = frozenset("offscreen minimal minimalegl eglfs linuxfb vnc vkkhrdisplay".split())


def preferred_platforms(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Returns the platforms that Qt tries, in Qt's order; none where no server is named."""
    chosen = environment.get("QT_QPA_PLATFORM", "")
    if chosen:
        return [name for name in chosen.split(";") if name]
    wants_wayland = environment.get("XDG_SESSION_TYPE") == "wayland"
    found = [WAYLAND] if environment.get("WAYLAND_DISPLAY") or wants_wayland else []
    return [*found, X11] if environment.get("DISPLAY") else found


def platform_kind(platform: str) -> str:
    """Returns the name of a platform without its variant and its options."""
    return platform.partition(":")[0].partition("-")[0]


def can_open_window(platform: str, patience: float = PATIENCE_S) -> bool:
    """Returns whether the server of a platform answers; True for one of Qt's that needs no server.

    Parameters
    ----------
    platform
        The name of a platform as `QT_QPA_PLATFORM` has it: "xcb", "wayland-egl", "offscreen".
    patience
        Seconds to wait for an answer.
    """
    kind = platform_kind(platform)
    connect = {X11: _connect_to_x11, WAYLAND: _connect_to_wayland}.get(kind)
    return kind in _SERVERLESS if connect is None else _returns_true(connect, patience)


def _returns_true(call: Callable[[], bool], patience: float) -> bool:
    """Returns the result of a call; False where it fails, or does not end in time."""
    results: list[bool] = []

    def work() -> None:
        with suppress(OSError, AttributeError):  # Without the library Qt cannot connect either.
            results.append(call())

    # A daemon does not keep the program from ending while it waits for a silent server.
    thread = Thread(target=work, name="display server", daemon=True)
    thread.start()
    thread.join(patience)
    return results == [True]


def _connect_to_x11() -> bool:
    """Returns whether the X server that DISPLAY names accepts a connection of this user."""
    library = ctypes.CDLL("libxcb.so.1")
    library.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(library.xcb_connect(None, None))
    has_failed = bool(library.xcb_connection_has_error(connection))
    library.xcb_disconnect(connection)
    return not has_failed


def _connect_to_wayland() -> bool:
    """Returns whether the compositor that WAYLAND_DISPLAY names answers a request."""
    library = ctypes.CDLL("libwayland-client.so.0")
    library.wl_display_connect.restype = ctypes.c_void_p
    display = ctypes.c_void_p(library.wl_display_connect(None))
    if not display:
        return False
    has_answered = library.wl_display_roundtrip(display) >= 0
    library.wl_display_disconnect(display)
    return bool(has_answered)
