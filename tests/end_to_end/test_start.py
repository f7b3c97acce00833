"""What the program says when it cannot open a window."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aeviewer.startup import display_servers, system_check
from aeviewer.startup.system_check import ScreenError

if TYPE_CHECKING:
    from collections.abc import Iterator

needs_libraries = pytest.mark.skipif(
    sys.platform != "linux" or bool(system_check.missing_packages()),
    reason="the system libraries of a window are needed",
)
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


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server on this machine that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def start_with(**environment: str) -> subprocess.CompletedProcess[str]:
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "XDG_SESSION_TYPE"}
    kept = {k: v for k, v in os.environ.items() if k not in hidden}
    return subprocess.run(
        [sys.executable, "-m", "aeviewer"],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@needs_libraries
@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"DISPLAY": ":987"}, "DISPLAY is ':987'"),
        ({"DISPLAY": "nowhere.invalid:0"}, "DISPLAY is 'nowhere.invalid:0'"),
        ({"DISPLAY": "no display"}, "DISPLAY is 'no display'"),
        ({"WAYLAND_DISPLAY": "gone-7"}, "WAYLAND_DISPLAY is 'gone-7'"),
        ({"WAYLAND_DISPLAY": "gone-7", "DISPLAY": ":987"}, "DISPLAY is ':987'"),
        ({"QT_QPA_PLATFORM": "xcb"}, "DISPLAY is not set"),
        ({"QT_QPA_PLATFORM": "nonsense"}, "QT_QPA_PLATFORM is 'nonsense'"),
    ],
)
def test_a_display_that_does_not_answer_is_one_message(
    environment: dict[str, str], named: str
) -> None:
    done = start_with(**environment)
    assert done.returncode == 1
    assert named in " ".join(done.stderr.replace("│", "").split())
    assert "Traceback" not in done.stderr
    assert "qt.qpa" not in done.stderr


@needs_libraries
def test_a_silent_x_server_is_given_up(silent_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if silent_port < 6_000:
        pytest.skip("X11 displays have ports from 6,000")
    monkeypatch.setenv("DISPLAY", f"127.0.0.1:{silent_port - 6_000}")
    assert not display_servers.can_open_window("xcb", patience=0.2)


@needs_libraries
def test_a_silent_compositor_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "w"))
        server.listen()
        monkeypatch.setenv("WAYLAND_DISPLAY", str(tmp_path / "w"))
        assert not display_servers.can_open_window("wayland-egl", patience=0.2)


@pytest.mark.parametrize(
    ("environment", "platforms"),
    [
        ({}, []),
        ({"DISPLAY": ":0"}, ["xcb"]),
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, ["wayland", "xcb"]),
        ({"XDG_SESSION_TYPE": "wayland", "DISPLAY": ":0"}, ["wayland", "xcb"]),
        ({"QT_QPA_PLATFORM": "wayland;xcb", "DISPLAY": ":0"}, ["wayland", "xcb"]),
        ({"QT_QPA_PLATFORM": "offscreen"}, ["offscreen"]),
    ],
)
def test_the_platforms_are_those_that_qt_tries(
    environment: dict[str, str], platforms: list[str]
) -> None:
    assert display_servers.preferred_platforms(environment) == platforms


@linux_only
def test_qt_uses_the_platform_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "nonsense;offscreen")
    system_check.check_screen()
    assert os.environ["QT_QPA_PLATFORM"] == "offscreen"


def test_what_needs_no_window_in_the_readme_opens_none() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    commands = readme.partition("## Without a window")[2].partition("```")[2].partition("```")[0]
    opened = [line for line in commands.splitlines() if "aeviewer open" in line]
    assert opened
    assert all("--no-window" in line for line in opened)


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
