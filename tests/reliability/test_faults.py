"""What goes wrong while a run is trained: one message, and the run goes on as if it had not."""

from __future__ import annotations

import errno
import os
import random
import shutil
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from tests.reliability import spots
from tests.reliability.injected import full, refused
from trainers import runs
from trainers.checkpointing.weights import ResumePoint, load_model
from trainers.datasets import store
from trainers.errors import AEViewerError, DataError, DeviceError, RunError
from trainers.events import Diverged, Finished, Progress
from trainers.parallel.follower import Follower
from trainers.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from trainers.events import Event

    Record = Callable[[str, object], None]

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture(scope="module", autouse=True)
def no_waiting() -> Iterator[None]:
    """Nothing here is of what a power cut leaves: the disk need not be waited for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _descriptor: None)
        yield


class Scene:
    """What an unbroken run came to, and a run of the same config in which something goes wrong."""

    def __init__(self, folder: Path, whole: Path) -> None:
        self.whole = spots.contents(whole)
        self.run = runs.create_run(runs.open_run(whole).config, folder / "runs", "mine")

    def begun(self, step: int = 100) -> tuple[Trainer, Iterator[Event]]:
        """Training, at that step; from there on every slice is followed by a resume point."""
        trainer = Trainer(self.run)
        trainer.slice_seconds = 0.0
        events = iter(trainer)
        next(e for e in events if isinstance(e, Progress) and e.step >= step)
        trainer.slice_seconds, trainer.writer._resume_seconds = 0.02, 0.0
        return trainer, events

    def goes_on(self) -> None:
        """All is well again: the run ends as the unbroken one."""
        assert isinstance(list(Trainer(runs.open_run(self.run.path)))[-1], Finished)
        found = spots.contents(self.run.path)
        assert {name: found.get(name) for name in self.whole} == self.whole
        status = self.run.status()
        assert (status.state, status.error) == ("finished", "")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data set, unbroken runs, and one that was stopped at step 100."""
    folder = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AEVIEWER_DATASETS", str(folder / "datasets"))
        spots.imported(folder)
        for preset in ("elu", "conv-vae"):
            list(Trainer(runs.create_run(spots.config(preset), folder / "whole", preset)))
        Scene(folder, folder / "whole" / "elu").begun()[1].close()  # type: ignore[attr-defined]
    yield folder


@pytest.fixture(autouse=True)
def data(template: Path, tmp_path: Path, own_store: None) -> None:
    shutil.copytree(template / "datasets", tmp_path / "datasets")
    shutil.copy(template / "spots.npy", tmp_path)


@pytest.fixture
def scene(tmp_path: Path, template: Path) -> Scene:
    return Scene(tmp_path, template / "whole" / "elu")


# -- the disk --------------------------------------------------------------------------------------


@on_linux
@pytest.mark.parametrize(
    "name",
    [
        "metrics.csv",
        "resume.safetensors",
        "model.safetensors",
        "codes.npy",
        "evaluation.json",
        "status.json",
    ],
)
def test_a_full_disk(scene: Scene, name: str) -> None:
    _, events = scene.begun()
    with (
        full(name) as torn,
        pytest.raises(RunError, match=r"No space left on device.*mine") as told,
    ):
        list(events)
    assert torn
    assert "Free some space, and go on with the run" in str(told.value)
    if name != "status.json":
        status = scene.run.status()
        assert (status.state, status.error) == ("failed", str(told.value))
    scene.goes_on()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs the limits of POSIX")
def test_a_file_that_may_not_grow(scene: Scene) -> None:
    """The system's own limit, so that it is the write itself that fails."""
    import resource

    _, events = scene.begun()
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, most))
    try:
        with pytest.raises(RunError, match=r"File too large.*Free some space"):
            list(events)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    assert scene.run.status().state == "failed"
    scene.goes_on()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_folder_that_becomes_read_only(scene: Scene, number: int) -> None:
    _, events = scene.begun()
    with (
        refused(scene.run.path, number),
        pytest.raises(RunError, match=r"See that you may write to its folder, and go on"),
    ):
        list(events)
    assert scene.run.status().state == "interrupted"
    scene.goes_on()


def test_a_folder_that_is_taken_away_and_brought_back(scene: Scene) -> None:
    _, events = scene.begun()
    away = scene.run.path.rename(scene.run.path.with_name("away"))
    with pytest.raises(RunError, match=r"Its folder is gone; put it back and go on"):
        list(events)
    assert not scene.run.path.exists()
    away.rename(scene.run.path)
    scene.goes_on()


def test_nothing_is_written_that_counts_on_what_was_not(scene: Scene) -> None:
    """A resume point whose rows of losses did not get to the disk would go on without them."""
    trainer, events = scene.begun()
    trainer.writer.wait()
    before = (scene.run.path / "resume.safetensors").read_bytes()
    append, scene.run.append_metrics = scene.run.append_metrics, _refuse  # type: ignore[method-assign]
    with pytest.raises(RunError, match="no room"):
        list(events)
    scene.run.append_metrics = append  # type: ignore[method-assign]
    assert (scene.run.path / "resume.safetensors").read_bytes() == before
    scene.goes_on()


def _refuse(_losses: object) -> None:
    raise RunError("no room")


# -- damaged files ---------------------------------------------------------------------------------


def _cut(place: Path) -> None:
    place.write_bytes(place.read_bytes()[: place.stat().st_size // 2])


def _empty(place: Path) -> None:
    place.write_bytes(b"")


def _folder(place: Path) -> None:
    place.unlink()
    place.mkdir()


def _gone(place: Path) -> None:
    place.unlink()


DAMAGE = {"cut": _cut, "empty": _empty, "a folder": _folder, "gone": _gone}
_OF_60 = "checkpoints/00000060"


@pytest.fixture
def stopped(tmp_path: Path, template: Path) -> runs.Run:
    return runs.Run(shutil.copytree(template / "runs" / "mine", tmp_path / "runs" / "mine"))


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
    whole = spots.contents(template / "whole" / "elu")
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
        kept = runs.Run(stopped.path)
        if file not in {"config.json", "dataset.json"}:
            assert len(load_model(kept, 60)[0].state_dict()) > 0
        return
    assert isinstance(events[-1], Finished)
    found = spots.contents(run.path)
    assert {n: found[n] for n in whole if n not in {name, "metrics.csv"}} == {
        n: whole[n] for n in whole if n not in {name, "metrics.csv"}
    }
    if file == "metrics.csv":
        assert run.metrics().step[-1] == 240
        assert "metrics.csv was damaged: the losses of steps" in run.status().error
    elif name.startswith(_OF_60):
        with pytest.raises(RunError, match=rf"{file}|no checkpoint at 60"):
            kept = run.checkpoint(60)
            load_model(run, 60), kept.evaluation(), kept.preview()
    else:
        assert found["metrics.csv"] == whole["metrics.csv"]


@pytest.mark.parametrize("name", ["resume.safetensors", f"{_OF_60}/model.safetensors"])
def test_a_flipped_bit(stopped: runs.Run, name: str, record_property: Record) -> None:
    place, dice = stopped.path / name, random.Random(3)
    sound, kept = place.read_bytes(), place.with_name("sound")
    kept.write_bytes(sound)
    told = ResumePoint.read(place) if name.startswith("resume") else None
    for _ in range(200):
        at = dice.randrange(8 * len(sound))
        broken = bytearray(sound)
        broken[at // 8] ^= 1 << at % 8
        place.write_bytes(broken)
        with pytest.raises(RunError, match=place.name):
            if told is None:
                load_model(stopped, 60)
            else:
                ResumePoint.read(place)
    record_property("tried", 200)


def test_rows_before_and_after_a_damaged_one_are_read(stopped: runs.Run) -> None:
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


# -- clocks and others -----------------------------------------------------------------------------


def test_a_clock_that_is_set_back(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer, events = scene.begun()
    trainer.writer.wait()
    follower = Follower(scene.run)
    ahead = time.time() + 1e6
    for file in scene.run.path.rglob("*"):
        os.utime(file, (ahead, ahead))
    later = [ahead]

    def back() -> float:
        later[0] -= 3_600
        return later[0]

    monkeypatch.setattr("time.time", back)
    told = list(follower.new_events())
    while trainer.step < 200:
        next(events)
    trainer.writer.wait()
    told += follower.new_events()
    assert [e for e in told if isinstance(e, Progress)]
    events.close()  # type: ignore[attr-defined]
    assert [run.name for run in runs.find_runs(scene.run.path.parent)] == ["mine"]
    scene.goes_on()


def test_two_programs_name_a_run_at_the_same_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, free = spots.config("elu"), runs.free_name
    first = runs.create_run(config, tmp_path / "runs")
    stale = [first.name]
    monkeypatch.setattr(runs, "free_name", lambda *a: stale.pop() if stale else free(*a))
    second = runs.create_run(config, tmp_path / "runs")
    assert second.name == f"{first.name}-2"
    assert [run.config for run in runs.find_runs(tmp_path / "runs")] == [config, config]


def test_another_program_takes_a_run_away_while_the_list_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        runs.create_run(spots.config("elu"), tmp_path / "runs", name)
    made_at = runs._made_at

    def taken(place: Path) -> float:
        shutil.rmtree(tmp_path / "runs" / "b", ignore_errors=True)
        return made_at(place)

    monkeypatch.setattr(runs, "_made_at", taken)
    assert {run.name for run in runs.find_runs(tmp_path / "runs")} >= {"a"}


def test_a_data_set_that_changes_under_a_run(scene: Scene, tmp_path: Path) -> None:
    scene.begun()[1].close()  # type: ignore[attr-defined]
    store.remove("spots")
    np.save(tmp_path / "other.npy", np.load(tmp_path / "spots.npy")[::-1])
    spots.drafted(tmp_path / "other.npy", "spots").keep()
    with pytest.raises(DataError, match=r"checksum"):
        list(Trainer(runs.open_run(scene.run.path)))
    store.remove("spots")
    spots.imported(tmp_path)
    scene.goes_on()


# -- models and devices ----------------------------------------------------------------------------


def test_an_exception_in_a_model(
    tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, template / "whole" / "conv-vae")
    trainer, events = scene.begun()
    monkeypatch.setattr(trainer.model.decoder[0], "forward", lambda _codes: 1 / 0)  # type: ignore[union-attr]
    with pytest.raises(ZeroDivisionError):
        list(events)
    status = scene.run.status()
    assert (status.state, status.error) == ("failed", "ZeroDivisionError: division by zero")
    scene.goes_on()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "has not enough"),
        (
            RuntimeError("CUDA error: unspecified launch failure\nCompile with TORCH_USE_CUDA_DSA"),
            r"does not answer any more \(CUDA error: unspecified launch failure\).*start the",
        ),
        (torch.AcceleratorError("the device was lost"), "does not answer any more"),
    ],
)
def test_a_device_that_fails(scene: Scene, error: RuntimeError, told: str) -> None:
    trainer, events = scene.begun()

    def failing(_first: int, _count: int) -> torch.Tensor:
        raise error

    trainer.engine.run = failing  # type: ignore[method-assign]
    with pytest.raises(DeviceError, match=told) as caught:
        list(events)
    status = scene.run.status()
    assert (status.state, status.error) == ("failed", str(caught.value))
    scene.goes_on()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_no_numbers_are_not_kept(scene: Scene, value: float) -> None:
    trainer, events = scene.begun(120)
    with torch.no_grad():
        next(iter(trainer.model.parameters())).fill_(value)
    end = list(events)[-1]
    assert isinstance(end, Diverged)
    assert end.last_good == 60
    for checkpoint in scene.run.checkpoints():
        state = load_model(scene.run, checkpoint.step)[0].state_dict()
        assert all(bool(torch.isfinite(tensor).all()) for tensor in state.values())
    status = scene.run.status()
    assert status.state == "diverged"
    assert "ceased to be a number" in status.error


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_losses_that_are_no_numbers_are_not_kept(scene: Scene, value: float) -> None:
    trainer, events = scene.begun()
    run, at = trainer.engine.run, trainer.step

    def failing(first: int, count: int) -> torch.Tensor:
        losses = run(first, count).clone()
        losses[-1, 1] = value
        return losses

    trainer.engine.run = failing  # type: ignore[method-assign]
    end = list(events)[-1]
    assert isinstance(end, Diverged)
    assert end.step == at + 1
    assert scene.run.metrics().step[-1] == at
    assert np.isfinite(scene.run.metrics().total).all()
