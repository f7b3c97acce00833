from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from trainers.child_process import ChildFailure, ChildProcess
from trainers.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from trainers.child_process import ParentPipe


def double_the_message(parent: ParentPipe, factor: int) -> int:
    parent.send("ready")
    number: int = parent.receive()
    for step in range(5):
        parent.report(step, 60)  # Only the first report is sent within a minute.
    return factor * number


def fail(_parent: ParentPipe) -> None:
    raise DataError("The file is damaged.")


def crash(_parent: ParentPipe) -> None:
    os._exit(1)


def run_for_ever(parent: ParentPipe) -> None:
    parent.send("ready")
    while True:
        time.sleep(60)


def report_for_ever(parent: ParentPipe) -> None:
    while True:
        parent.report("busy", 0.01)


def test_messages_and_the_result_arrive_in_order() -> None:
    child = ChildProcess(double_the_message, 2)
    assert child.receive() == "ready"
    assert list(child.received_messages()) == []
    child.send(21)
    assert [child.receive(), child.receive()] == [0, 42]
    child.end()
    assert list(child.received_messages()) == []
    child.end()


def test_an_error_for_the_user_is_the_last_message() -> None:
    child = ChildProcess(fail)
    assert child.receive() == ChildFailure("The file is damaged.")
    child.end()


def test_a_crash_ends_the_messages() -> None:
    child = ChildProcess(crash)
    with pytest.raises((EOFError, OSError)):
        child.receive()
    child.end()


def test_a_process_that_does_not_stop_by_itself_can_be_ended() -> None:
    child = ChildProcess(run_for_ever)
    assert child.receive() == "ready"
    child.end()
    with pytest.raises(ValueError, match="closed"):
        child.process.is_alive()


def test_a_process_ends_when_its_pipe_is_closed() -> None:
    child = ChildProcess(report_for_ever)
    assert child.receive() == "busy"
    child.connection.close()
    child.process.join()
    assert child.process.exitcode == 0


def test_a_process_ends_when_its_parent_crashes(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import os\n"
        "from tests.trainers.test_child_process import run_for_ever\n"
        "from trainers.child_process import ChildProcess\n"
        "if __name__ == '__main__':\n"
        "    ChildProcess(run_for_ever).receive()\n"
        "    os._exit(0)\n"
    )
    # Its standard output is closed when the last process that has it open has ended.
    parent = subprocess.run(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert parent.returncode == 0
