"""Runs whose training process is killed many times end as uninterrupted ones."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.reliability import small_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Record = Callable[[str, object], None]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")


def _kill(folder: Path, count: int, seed: int) -> str:
    """Kills `count` training processes in a process of its own; returns its output."""
    small_run.import_spots(folder)
    command = [sys.executable, "-m", "tests.reliability.deaths", str(folder), str(count), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_few_deaths(tmp_path: Path, record_property: Record) -> None:
    assert _kill(tmp_path, 4, 1).startswith("4 deaths")
    record_property("tried", 4)


@pytest.mark.slow
def test_a_hundred_deaths(tmp_path: Path, record_property: Record) -> None:
    assert _kill(tmp_path, 100, 2).startswith("100 deaths")
    record_property("tried", 100)
