"""Kills a training process again and again until its run is finished, and compares.

``python -m tests.reliability.deaths FOLDER COUNT SEED`` does so COUNT times in FOLDER, and ends
with status 0 where nothing was lost. A death is SIGKILL: by the clock, or before one of the
process's own changes of the disk, so that every place inside the writing of a file is tried. Each
process is a fork of this one, which has imported torch and done next to nothing with it.
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
from trainers.runs import losses_csv
from trainers.storage import atomic
from trainers.training.trainer import Trainer

_CHANGES = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_RESUME_SECONDS = 0.01
_LONGEST = 1.0
_MOST_CHANGES = 60


def _die_at(count: int) -> None:
    """Kills this process before the change of the disk that comes as the `count`-th."""
    left = [count]

    def change(*_: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        if event in _CHANGES and (event != "open" or int(str(arguments[2])) & _WRITES):
            change()

    sys.addaudithook(hear)
    os.fsync = change  # a kill takes nothing that the system has: the disk need not be waited for


def _train(place: Path, dies_at: int) -> None:
    torch.set_num_threads(1)
    os.fsync = lambda _descriptor: None
    trainer = Trainer(runs.open_run(place), resume_seconds=_RESUME_SECONDS)
    if dies_at:
        _die_at(dies_at)
    for _ in trainer:
        pass


def _forked(place: Path, dies_at: int = 0) -> int:
    child = os.fork()
    if child:
        return child
    try:
        _train(place, dies_at)
    except BaseException:  # noqa: BLE001 - whatever it is, the child must not go on as its parent
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _ended(child: int) -> bool:
    """Waits for a process; whether it was killed.

    Raises
    ------
    RuntimeError
        When it failed by itself.
    """
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    if os.WEXITSTATUS(status):
        raise RuntimeError("a training failed; its traceback stands above")
    return False


def _dies(place: Path, dice: random.Random) -> bool:
    """Trains until death or the end; whether it died."""
    if dice.random() < 0.6:
        return _ended(_forked(place, dice.randint(1, _MOST_CHANGES)))
    child = _forked(place)
    time.sleep(dice.uniform(0.0, _LONGEST) ** 2)
    os.kill(child, signal.SIGKILL)  # it is ours until it is waited for, whether or not it ended
    return _ended(child)


def _compare(place: Path, whole: Path) -> None:
    """What a death left can be read, and is of the unbroken run."""
    (run,) = (run for run in runs.find_runs(place.parent) if run.path == place)
    state, wanted = run.status().state, small_run.contents(whole)
    assert state in {"new", "interrupted", "finished"}, state
    losses = run.metrics()
    assert not losses_csv.missing(losses, len(losses.step))
    assert wanted["metrics.csv"].startswith(
        (losses_csv.HEADER + losses_csv.table(losses)).encode() if len(losses.step) else b""
    )
    for checkpoint in run.checkpoints():
        if checkpoint.is_evaluated:
            checkpoint.preview()
            checkpoint.evaluation()
    found = small_run.contents(place)
    kept = {name for name in found if name != "metrics.csv" and atomic.DRAFT not in name}
    odd = [name for name in kept if found[name] != wanted.get(name)]
    assert not odd, odd


def _is_finished(place: Path) -> bool:
    return runs.Run(place).status().state == "finished"


def main(folder: Path, count: int, seed: int) -> None:
    """Tries that many deaths."""
    dice, deaths, finished = random.Random(seed), 0, 0
    while deaths < count or finished == 0:
        config = small_run.config(dice.choice(small_run.PRESETS))
        whole = folder / "whole" / config.preset
        if not whole.exists():
            assert not _ended(_forked(runs.create_run(config, whole.parent, whole.name).path))
        place = runs.create_run(config, folder / "broken").path
        while deaths < count and not _is_finished(place) and _dies(place, dice):
            deaths += 1
            _compare(place, whole)
        if not _is_finished(place):
            assert not _ended(_forked(place))
        assert _is_finished(place)
        assert runs.Run(place).status().error == ""
        assert small_run.contents(place) == small_run.contents(whole), place
        finished += 1
    sys.stdout.write(f"{deaths} deaths, {finished} runs\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
