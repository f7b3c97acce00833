"""A polite kill closes the window, which saves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from trainers import runs
from trainers.presets import preset
from trainers.runs import RunState

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import sys
from pathlib import Path
from aeviewer import app
from trainers.presets import preset

class Training(app.Program):
    def __init__(self, *given):
        super().__init__(*given)
        self.queue.train(preset("elu").replace(hidden=(32,), latent_dim=2), "mine")

app.Program = Training
sys.exit(app.run(Path(sys.argv[1])))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no polite kill")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_closes_the_program_and_saves(tmp_path: Path, name: str) -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)}
    run = runs.Run(tmp_path / "mine")
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    with subprocess.Popen(command, env=environment) as process:
        while process.poll() is None and len(run.metrics().step) < 50:
            time.sleep(0.1)
        process.send_signal(getattr(signal, name))
        assert process.wait(60) == 0
    status = run.status()
    assert status.state == RunState.STOPPED
    assert run.checkpoint().step == status.step
    assert run.config == preset("elu").replace(hidden=(32,), latent_dim=2)
