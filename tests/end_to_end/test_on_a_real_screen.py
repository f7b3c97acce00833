"""Runs a person's sessions in a process of their own, in a real window on a virtual screen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.screen import IS_LACKING, LACKING, screen

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent


@pytest.fixture
def display(tmp_path: Path) -> Iterator[str]:
    """A virtual screen with a window manager."""
    with screen(tmp_path) as name:
        yield name


@pytest.mark.skipif(IS_LACKING, reason=LACKING)
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("session", ["session_on_screen.py", "exploring_on_screen.py"])
def test_a_session_in_a_real_window(session: str, display: str, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DISPLAY": display,
        "QT_QPA_PLATFORM": "xcb",
        "XDG_RUNTIME_DIR": str(tmp_path),
        "AEVIEWER_PICTURES": os.environ.get("AEVIEWER_PICTURES", str(tmp_path)),
    }
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n0", str(HERE / session)]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=1100, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
