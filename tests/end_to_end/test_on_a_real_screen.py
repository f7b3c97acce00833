"""Runs a person's sessions in a process of their own, in a real window on a virtual screen."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aeviewer import preflight
from tests import screen as screens
from tests.screen import virtual_screen

if TYPE_CHECKING:
    from collections.abc import Iterator

ABSENT = [*screens.ABSENT, *(tool for tool in ("xdotool",) if not shutil.which(tool))]
HERE = Path(__file__).parent


@pytest.fixture
def screen() -> Iterator[dict[str, str]]:
    """The environment of a virtual screen with a window manager."""
    with virtual_screen() as environment:
        yield environment


@pytest.mark.skipif(bool(ABSENT), reason=f"a real window needs {', '.join(ABSENT)}")
@pytest.mark.skipif(bool(preflight.missing()), reason=f"missing: {preflight.missing()}")
@pytest.mark.timeout(400)
@pytest.mark.parametrize("session", ["session_on_screen.py", "exploring_on_screen.py"])
def test_a_session_in_a_real_window(session: str, screen: dict[str, str], tmp_path: Path) -> None:
    environment = {
        **screen,
        "XDG_RUNTIME_DIR": str(tmp_path),
        "AEVIEWER_PICTURES": os.environ.get("AEVIEWER_PICTURES", str(tmp_path)),
    }
    command = [sys.executable, "-m", "pytest", "-x", "-q", str(HERE / session)]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=380, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
