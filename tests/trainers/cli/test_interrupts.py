"""SIGTERM and SIGHUP end every command as Ctrl-C does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from trainers import runs
from trainers.runs import RunState

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no polite kill")
KINDS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
SMALL = ["--hidden", "16", "--latent-dim", "2", "--batch-size", "20", "--steps", "200000"]

_WORKS = """
import sys, time
from pathlib import Path
from aeviewer import __main__ as program
from trainers.storage import drafts

def work(*given):
    with drafts.locked_draft_folder(Path(sys.argv[-1])) as draft:
        (draft / "file").write_bytes(b"x")
        while True:
            yield 0.0

{patch}
program.main(sys.argv[1:-1])
"""
_PATCHES = {
    "import": (
        "import trainers.datasets.sources as s; s.detect_source = work",
        ["import", "x", "--name", "mine"],
    ),
    "open": ("import trainers.runs.archive as a; a.unpack = work", ["open", "--no-window", "{0}"]),
    "download": (
        "import trainers.datasets.download as d\n"
        "def reports(*given):\n"
        "    for _ in work(): yield d.DownloadProgress('Working', 0.0)\n"
        "d.download_dataset = reports",
        ["download", "usps"],
    ),
}


def await_file(process: subprocess.Popen[str], folder: Path, pattern: str) -> None:
    while process.poll() is None and not [*folder.glob(pattern)]:
        time.sleep(0.02)
    assert process.poll() is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("command", ["train", "resume"])
def test_training_is_saved(tmp_path: Path, kind: signal.Signals, command: str) -> None:
    where = ["--runs", str(tmp_path)]
    arguments = ["train", "elu", *SMALL, "--name", "long"]
    if command == "resume":
        from trainers.presets import preset

        small = {"hidden": (16,), "latent_dim": 2, "batch_size": 20, "steps": 200_000}
        runs.create_run(preset("elu").replace(**small), tmp_path, "long")
        arguments = ["resume", "long"]
    program = [sys.executable, "-m", "aeviewer", *arguments, *where]
    with subprocess.Popen(program, stderr=subprocess.PIPE, text=True) as process:
        await_file(process, tmp_path / "long", "metrics.csv")
        process.send_signal(kind)
        _, printed = process.communicate(timeout=120)
    assert process.returncode == 0, printed
    assert "aeviewer resume long" in printed
    run = runs.open_run(tmp_path / "long")
    assert run.status().state == RunState.STOPPED
    assert run.checkpoint().step == run.status().step


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("command", [*_PATCHES])
def test_no_draft_is_left(tmp_path: Path, kind: signal.Signals, command: str) -> None:
    (tmp_path / "drafts").mkdir()
    (tmp_path / "some.zip").write_bytes(b"")
    patch, arguments = _PATCHES[command]
    arguments = [part.format(tmp_path / "some.zip") for part in arguments]
    program = [sys.executable, "-c", _WORKS.format(patch=patch), *arguments]
    with subprocess.Popen(
        [*program, str(tmp_path / "drafts")], stderr=subprocess.PIPE, text=True
    ) as process:
        await_file(process, tmp_path / "drafts", ".draft-*/file")
        process.send_signal(kind)
        _, printed = process.communicate(timeout=120)
    assert process.returncode == 1, printed
    assert "Traceback" not in printed
    assert [*(tmp_path / "drafts").iterdir()] == []


def test_an_ignored_hangup_stays_ignored(tmp_path: Path) -> None:
    code = (
        "import os, signal\n"
        "from trainers.cli.interrupts import handle_stop_signals, interrupt_on_signals\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "with interrupt_on_signals(), handle_stop_signals(lambda *_: os._exit(3)):\n"
        "    os.kill(os.getpid(), signal.SIGHUP)\n"
        "    os._exit(0)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_child_process_removes_its_drafts_when_it_is_ended(tmp_path: Path) -> None:
    from tests.trainers.cli.working_child import make_draft
    from trainers.child_process import ChildProcess

    child = ChildProcess(make_draft, str(tmp_path))
    assert child.receive() == "made"
    assert [*tmp_path.glob(".draft-*/file")]
    child.end()
    assert [*tmp_path.iterdir()] == []
