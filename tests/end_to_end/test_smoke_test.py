"""The program's own smoke test, from source; `test_package.py` runs that of the built program."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

BROKEN = """
import sys
from aeviewer import smoke_test
from aeviewer.main_window import MainWindow

def fail(self):
    raise ZeroDivisionError("as the window opened")

MainWindow._share_space = fail
sys.exit(smoke_test.run())
"""


def _smoke_test(home: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(home)}
    return subprocess.run(
        [sys.executable, *command],
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config) -> None:
    """Lets the program be found from any folder."""
    monkeypatch.setenv("PYTHONPATH", str(pytestconfig.rootpath))


@pytest.mark.usefixtures("source")
def test_the_smoke_test_uses_the_program_and_leaves_nothing(tmp_path: Path) -> None:
    done = _smoke_test(tmp_path, "-m", "aeviewer", "--smoke-test")
    assert done.returncode == 0, done.stdout + done.stderr
    for told in (
        "from source",
        "Opened the window",
        "50 steps of the VAE on MNIST",
        "Decoded a click in the latent space",
        "by t-SNE, in a process of its own",
        "50 losses",
        "The smoke test passed.",
    ):
        assert told in done.stdout
    assert not done.stderr
    assert not [*tmp_path.rglob("*.json")]


@pytest.mark.usefixtures("source")
def test_a_traceback_fails_the_smoke_test(tmp_path: Path) -> None:
    done = _smoke_test(tmp_path, "-c", BROKEN)
    assert done.returncode == 1
    assert "ZeroDivisionError: as the window opened" in done.stderr
    assert "The smoke test failed." in done.stderr
    assert "passed" not in done.stdout
