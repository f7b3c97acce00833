"""What the program says when it can not open a window."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from aeviewer import preflight
from aeviewer.preflight import ScreenError

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="X11 is Linux's")


@linux_only
def test_no_display_is_one_message() -> None:
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    environment = {k: v for k, v in os.environ.items() if k not in hidden}
    done = subprocess.run(
        [sys.executable, "-m", "aeviewer"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "There is no display" in done.stderr
    assert "Traceback" not in done.stderr


@linux_only
def test_missing_libraries_are_named_with_the_command_that_brings_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setitem(preflight._LIBRARIES, "libnothing.so.7", "libnothing7")
    with pytest.raises(ScreenError, match=r"apt-get install -y .*libnothing7"):
        preflight.check()
