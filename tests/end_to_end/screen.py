"""A virtual screen with a window manager, and what is to be seen on it."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from aeviewer.startup import system_check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_TOOLS = ("Xvfb", "xdotool", "openbox")
_ABSENT = [tool for tool in _TOOLS if not shutil.which(tool)]
LACKING = f"a real window needs {', '.join([*_ABSENT, *system_check.missing_packages()])}"
_MANAGER = ["openbox", "--config-file", str(Path(__file__).with_name("openbox.xml"))]
IS_LACKING = bool(_ABSENT or system_check.missing_packages())


@contextmanager
def screen(folder: Path) -> Iterator[str]:
    """The name of a display of 1600 × 1000 that lives inside the `with`; it is kept in `folder`."""
    read, write = os.pipe()
    size = ["-screen", "0", "1600x1000x24", "-fbdir", str(folder)]
    server_command = ["Xvfb", "-displayfd", str(write), *size, "-nolisten", "tcp"]
    with subprocess.Popen(server_command, pass_fds=[write], stderr=subprocess.DEVNULL) as server:
        os.close(write)
        with os.fdopen(read) as told:
            name = f":{told.readline().strip()}"
        environment = {**os.environ, "DISPLAY": name}
        with subprocess.Popen(_MANAGER, env=environment, stderr=subprocess.DEVNULL) as manager:
            yield name
            manager.terminate()
        server.terminate()


@contextmanager
def virtual_screen() -> Iterator[dict[str, str]]:
    """The environment of a program that is to open its window on such a display."""
    with TemporaryDirectory() as folder, screen(Path(folder)) as name:
        yield {**os.environ, "DISPLAY": name, "QT_QPA_PLATFORM": "xcb"}


def seen(folder: Path) -> NDArray[np.uint8]:
    """(1000, 1600, 3), what the screen that is kept in `folder` shows now.

    The server keeps it as an X window dump (version 7): 25 numbers, a name, colours of 12 bytes
    each, then the pixels.
    """
    dump = (folder / "Xvfb_screen0").read_bytes()
    head = np.frombuffer(dump, ">u4", 25)
    height, width, stride, colours = (int(head[at]) for at in (5, 4, 12, 19))
    begin = int(head[0]) + 12 * colours
    rows = np.frombuffer(dump, np.uint8, height * stride, begin).reshape(height, stride)
    return np.ascontiguousarray(rows[:, : 4 * width].reshape(height, width, 4)[..., 2::-1])
