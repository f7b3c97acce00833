"""Lists the system libraries that Qt needs to open a window, before Qt aborts without them."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import TYPE_CHECKING

from aeviewer.startup.display_servers import (
    VARIABLES,
    can_open_window,
    platform_kind,
    preferred_platforms,
)
from trainers.errors import AEViewerError

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

PACKAGES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}
"""The libraries that Qt's X11 platform loads, and the Debian packages that contain them."""


_ELSEWHERE = "Start AE Viewer on a desktop, or use a command that needs no window: aeviewer --help"


class ScreenError(AEViewerError):
    """No window can be opened on this system."""


def check_screen() -> None:
    """Checks that a window can be opened.

    Raises
    ------
    ScreenError
        When there is no display, when it does not answer, or when system libraries are missing;
        the message says what to do.
    """
    if sys.platform != "linux":
        return
    platforms = preferred_platforms()
    if not platforms:
        raise ScreenError(
            f"There is no display: neither DISPLAY nor WAYLAND_DISPLAY is set. {_ELSEWHERE}"
        )
    if _needs_libraries(platforms):
        _check_libraries()
    _choose_answering_platform(platforms)


def _needs_libraries(platforms: Sequence[str]) -> bool:
    """Returns whether one of the platforms is X11 or Wayland, whose libraries are the system's."""
    return any(platform_kind(platform) in VARIABLES for platform in platforms)


def _check_libraries() -> None:
    absent = missing_packages()
    if absent:
        raise ScreenError(
            "The window needs system libraries that are missing. On Debian or Ubuntu, run: "
            f"sudo apt-get install -y {' '.join(absent)}"
        )


def _choose_answering_platform(
    platforms: Sequence[str], environment: MutableMapping[str, str] = os.environ
) -> None:
    """Makes Qt use the first platform whose server answers.

    Raises
    ------
    ScreenError
        When none answers.
    """
    for platform in platforms:
        if can_open_window(platform):
            # Qt would wait for a silent server without end, though another one answers.
            if platform != platforms[0]:
                environment["QT_QPA_PLATFORM"] = platform
            return
    names = [VARIABLES[kind] for kind in map(platform_kind, platforms) if kind in VARIABLES]
    if not names:
        raise ScreenError(
            f"QT_QPA_PLATFORM is {';'.join(platforms)!r}, which Qt does not know. Unset it, or "
            "choose xcb, wayland or offscreen."
        )
    values = {name: environment.get(name) for name in names}
    servers = ", ".join(f"{n} is {v!r}" if v else f"{n} is not set" for n, v in values.items())
    raise ScreenError(
        f"No display answers: {servers}. Check that the display server runs and that you may use "
        f"it. {_ELSEWHERE}"
    )


def set_default_encoding(environment: MutableMapping[str, str] = os.environ) -> None:
    """Sets UTF-8 where no encoding is set; Qt would do the same with a warning."""
    names = [name for name in ("LC_ALL", "LC_CTYPE", "LANG") if environment.get(name)]
    first = names[0] if names else "LC_CTYPE"
    if sys.platform == "linux" and environment.get(first, "") in {"", "C", "POSIX"}:
        environment["LC_CTYPE" if first == "LANG" else first] = "C.UTF-8"


def missing_packages() -> list[str]:
    """Returns the Debian packages of the libraries that cannot be loaded."""
    return [package for library, package in PACKAGES.items() if not _can_load(library)]


def _can_load(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
