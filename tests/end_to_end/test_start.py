"""What the program says when it cannot open a window."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from aeviewer.startup import system_check
from aeviewer.startup.system_check import ScreenError

if TYPE_CHECKING:
    from pathlib import Path

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
    monkeypatch.setitem(system_check.PACKAGES, "libnothing.so.7", "libnothing7")
    with pytest.raises(ScreenError, match=r"apt-get install -y .*libnothing7"):
        system_check.check_screen()


def test_a_finished_run_is_on_the_screen_before_torch_is_loaded(tmp_path: Path) -> None:
    """Its process is a fresh one: here torch is loaded long since."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.starting", "opened", str(tmp_path / "runs")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert not told["torch"]
    assert told["runs"] == 1
    assert told["losses"] == told["steps"] > 0
    assert told["curves"] == ["vae-d2-demo"]
    assert told["codes"] == told["points"] == 10_000
    assert told["pictures"] == 32


@linux_only
@pytest.mark.parametrize(
    ("given", "settled"),
    [
        ({}, {"LC_CTYPE": "C.UTF-8"}),
        ({"LANG": "C"}, {"LANG": "C", "LC_CTYPE": "C.UTF-8"}),
        ({"LC_ALL": "POSIX", "LANG": "de_DE.UTF-8"}, {"LC_ALL": "C.UTF-8", "LANG": "de_DE.UTF-8"}),
        ({"LANG": "de_DE.UTF-8"}, {"LANG": "de_DE.UTF-8"}),
        ({"LC_CTYPE": "de_DE", "LANG": "C"}, {"LC_CTYPE": "de_DE", "LANG": "C"}),
    ],
)
def test_text_is_utf8_where_nobody_said_how(given: dict[str, str], settled: dict[str, str]) -> None:
    system_check.set_default_encoding(given)
    assert given == settled
