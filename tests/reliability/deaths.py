"""Kills training processes until their runs are finished, and compares the runs.

``python -m tests.reliability.deaths FOLDER COUNT SEED`` kills COUNT processes in FOLDER, and ends
with status 0 if nothing was lost. A process is killed by SIGKILL at a random time, or before one of
its changes of the disk, so that every moment while a file is written is tried. Each process is a
fork of this one, which has imported torch but has run no parallel operation.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path

import torch

from tests.reliability import small_run
from trainers import runs
from trainers.runs import RunState, losses_csv
from trainers.storage import atomic
from trainers.training.trainer import Trainer

_CHANGES = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_RESUME_SECONDS = 0.01
_MAX_SECONDS = 1.0
_MAX_CHANGES = 60


def _die_at(count: int) -> None:
    """Kills this process before its `count`-th change of the disk."""
    left = [count]

    def change(*_: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def count_change(event: str, arguments: tuple[object, ...]) -> None:
        if event in _CHANGES and (event != "open" or int(str(arguments[2])) & _WRITES):
            change()

    sys.addaudithook(count_change)
    os.fsync = change  # After SIGKILL the system still writes its cache, so fsync is not needed.


def _train(place: Path, dies_at: int) -> None:
    torch.set_num_threads(1)
    os.fsync = lambda _descriptor: None
    trainer = Trainer(runs.open_run(place), resume_seconds=_RESUME_SECONDS)
    if dies_at:
        _die_at(dies_at)
    for _ in trainer:
        pass


def _fork_training(place: Path, dies_at: int = 0) -> int:
    """Starts a training in a fork of this process; returns its process id."""
    child = os.fork()
    if child:
        return child
    try:
        _train(place, dies_at)
    except BaseException:  # noqa: BLE001 - the child must end here after any error
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _wait_killed(child: int) -> bool:
    """Waits for a process; returns whether it was killed.

    Raises
    ------
    RuntimeError
        When it failed.
    """
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    if os.WEXITSTATUS(status):
        raise RuntimeError("A training failed. Its traceback is printed above.")
    return False


def _train_and_kill(place: Path, dice: random.Random) -> bool:
    """Trains until the process is killed or ends; returns whether it was killed."""
    if dice.random() < 0.6:
        return _wait_killed(_fork_training(place, dice.randint(1, _MAX_CHANGES)))
    child = _fork_training(place)
    time.sleep(dice.uniform(0.0, _MAX_SECONDS) ** 2)
    os.kill(child, signal.SIGKILL)  # Its id stays valid until it is waited for.
    return _wait_killed(child)


def _compare(place: Path, whole: Path) -> None:
    """Checks that the files left by a kill can be read, and are those of the uninterrupted run."""
    (run,) = (run for run in runs.find_runs(place.parent) if run.path == place)
    state, expected = run.status().state, small_run.contents(whole)
    assert state in {RunState.NEW, RunState.INTERRUPTED, RunState.FINISHED}, state
    losses = run.metrics()
    assert not losses_csv.missing_steps(losses, len(losses.step))
    assert expected["metrics.csv"].startswith(
        (losses_csv.HEADER + losses_csv.format_rows(losses)).encode() if len(losses.step) else b""
    )
    for checkpoint in run.checkpoints():
        if checkpoint.is_evaluated:
            checkpoint.preview()
            checkpoint.evaluation()
    contents = small_run.contents(place)
    files = {name for name in contents if name != "metrics.csv" and atomic.DRAFT not in name}
    different = [name for name in files if contents[name] != expected.get(name)]
    assert not different, different


def _is_finished(place: Path) -> bool:
    return runs.Run(place).status().state == RunState.FINISHED


def main(folder: Path, count: int, seed: int) -> None:
    """Kills `count` processes, and finishes and compares their runs."""
    dice, deaths, finished = random.Random(seed), 0, 0
    while deaths < count or finished == 0:
        config = small_run.config(dice.choice(small_run.PRESETS))
        whole = folder / "whole" / config.preset
        if not whole.exists():
            uninterrupted = runs.create_run(config, whole.parent, whole.name)
            assert not _wait_killed(_fork_training(uninterrupted.path))
        place = runs.create_run(config, folder / "broken").path
        while deaths < count and not _is_finished(place) and _train_and_kill(place, dice):
            deaths += 1
            _compare(place, whole)
        if not _is_finished(place):
            assert not _wait_killed(_fork_training(place))
        assert _is_finished(place)
        assert runs.Run(place).status().error == ""
        assert small_run.contents(place) == small_run.contents(whole), place
        finished += 1
    sys.stdout.write(f"{deaths} deaths, {finished} runs\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
