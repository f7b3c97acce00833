"""Damaged files of a run: the error names them, and everything else can still be read."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.reliability import small_run
from trainers import runs
from trainers.checkpointing.weights import ResumePoint, load_model
from trainers.errors import AEViewerError, RunError
from trainers.events import Finished
from trainers.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Record = Callable[[str, object], None]


def _cut(place: Path) -> None:
    place.write_bytes(place.read_bytes()[: place.stat().st_size // 2])


def _empty(place: Path) -> None:
    place.write_bytes(b"")


def _replace_by_folder(place: Path) -> None:
    place.unlink()
    place.mkdir()


def _delete(place: Path) -> None:
    place.unlink()


DAMAGE = {"cut": _cut, "empty": _empty, "a folder": _replace_by_folder, "gone": _delete}
_OF_60 = "checkpoints/00000060"


@pytest.mark.parametrize(
    "damage",
    ["cut", "a folder", *(pytest.param(d, marks=pytest.mark.slow) for d in ("empty", "gone"))],
)
@pytest.mark.parametrize(
    "name",
    [
        "config.json",
        "dataset.json",
        "status.json",
        "metrics.csv",
        "resume.safetensors",
        f"{_OF_60}/model.safetensors",
        f"{_OF_60}/evaluation.json",
        f"{_OF_60}/codes.npy",
        f"{_OF_60}/reconstructions.png",
    ],
)
def test_a_damaged_file(stopped: runs.Run, template: Path, name: str, damage: str) -> None:
    expected = small_run.contents(template / "whole" / "elu")
    DAMAGE[damage](stopped.path / name)
    assert [run.name for run in runs.find_runs(stopped.path.parent)] == ["mine"]
    file = name.rsplit("/", 1)[-1]
    try:
        run = runs.open_run(stopped.path)
        events = list(Trainer(run))
    except AEViewerError as error:
        assert file in str(error) or (file, damage) == ("resume.safetensors", "gone")
        assert file not in {"evaluation.json", "codes.npy", "reconstructions.png"}
        assert file != "status.json" or damage == "a folder"
        if file not in {"config.json", "dataset.json"}:
            assert len(load_model(runs.Run(stopped.path), 60)[0].state_dict()) > 0
        return
    assert isinstance(events[-1], Finished)
    contents = small_run.contents(run.path)
    others = expected.keys() - {name, "metrics.csv"}
    assert {n: contents[n] for n in others} == {n: expected[n] for n in others}
    if file == "metrics.csv":
        assert run.metrics().step[-1] == 240
        assert "metrics.csv was damaged: the losses of steps" in run.status().error
    elif name.startswith(_OF_60):
        with pytest.raises(RunError, match=rf"{file}|no checkpoint at 60"):
            checkpoint = run.checkpoint(60)
            load_model(run, 60), checkpoint.evaluation(), checkpoint.preview()
    else:
        assert contents["metrics.csv"] == expected["metrics.csv"]


@pytest.mark.parametrize("name", ["resume.safetensors", f"{_OF_60}/model.safetensors"])
def test_a_flipped_bit(stopped: runs.Run, name: str, record_property: Record) -> None:
    place, dice = stopped.path / name, random.Random(3)
    sound = place.read_bytes()
    for _ in range(200):
        bit = dice.randrange(8 * len(sound))
        broken = bytearray(sound)
        broken[bit // 8] ^= 1 << bit % 8
        place.write_bytes(broken)
        with pytest.raises(RunError, match=place.name):
            if name.startswith("resume"):
                ResumePoint.read(place)
            else:
                load_model(stopped, 60)
    record_property("tried", 200)


def test_all_rows_except_damaged_ones_are_read(stopped: runs.Run) -> None:
    place = stopped.path / "metrics.csv"
    lines = place.read_text().splitlines(keepends=True)
    lines[41], lines[60] = "41,0.5,0.\x00\n", "999,1,1,1\n"
    place.write_text("".join(lines))
    step = runs.open_run(stopped.path).metrics().step.tolist()
    assert step == [n for n in range(1, step[-1] + 1) if n not in {41, 60}]
    list(Trainer(runs.open_run(stopped.path)))
    assert stopped.status().error == (
        "metrics.csv was damaged: the losses of steps 41, 60 are lost."
    )
