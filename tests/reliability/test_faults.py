"""Faults of clocks, other programs, models and devices while a run is trained."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.reliability import small_run
from tests.reliability.scene import Scene
from trainers import runs
from trainers.checkpointing.weights import load_model
from trainers.datasets import store
from trainers.errors import DataError, DeviceError
from trainers.events import Diverged, Progress
from trainers.parallel.follower import Follower
from trainers.runs import RunState, runs_folder
from trainers.training.trainer import Trainer

pytestmark = pytest.mark.usefixtures("data")


# -- clocks and other programs ---------------------------------------------------------------------


def test_a_clock_that_is_set_back(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer, events = scene.train_to()
    trainer.writer.wait()
    follower = Follower(scene.run)
    ahead = time.time() + 1e6
    for file in scene.run.path.rglob("*"):
        os.utime(file, (ahead, ahead))
    now = [ahead]

    def backward_clock() -> float:
        now[0] -= 3_600
        return now[0]

    monkeypatch.setattr("time.time", backward_clock)
    followed = list(follower.new_events())
    while trainer.step < 200:
        next(events)
    trainer.writer.wait()
    followed += follower.new_events()
    assert [e for e in followed if isinstance(e, Progress)]
    events.close()
    assert [run.name for run in runs.find_runs(scene.run.path.parent)] == ["mine"]
    scene.finish()


def test_two_programs_that_name_a_run_at_once_get_two_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, free_name = small_run.config("elu"), runs_folder.free_name
    first = runs.create_run(config, tmp_path / "runs")
    stale = [first.name]
    monkeypatch.setattr(
        "trainers.runs.run_store.free_name", lambda *a: stale.pop() if stale else free_name(*a)
    )
    second = runs.create_run(config, tmp_path / "runs")
    assert second.name == f"{first.name}-2"
    assert [run.config for run in runs.find_runs(tmp_path / "runs")] == [config, config]


def test_a_run_that_another_program_removes_does_not_break_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run b is removed while the list reads a: before b was found, and after."""
    stat, config_reads = Path.stat, 0

    def remove_b(place: Path, **options: bool) -> os.stat_result:
        nonlocal config_reads
        config_reads += place == folder / "a" / "config.json"
        if config_reads == removed_at:
            shutil.rmtree(folder / "b", ignore_errors=True)
        return stat(place, **options)

    for removed_at in (1, 2):
        folder, config_reads = tmp_path / str(removed_at), 0
        for name in ("a", "b"):
            runs.create_run(small_run.config("elu"), folder, name)
        with monkeypatch.context() as patch:
            patch.setattr(Path, "stat", remove_b)
            assert {run.name for run in runs.find_runs(folder)} >= {"a"}
        assert config_reads >= removed_at
        assert not (folder / "b").exists()


def test_a_run_refuses_a_data_set_that_has_changed(scene: Scene, tmp_path: Path) -> None:
    scene.train_to()[1].close()
    store.remove("spots")
    np.save(tmp_path / "other.npy", np.load(tmp_path / "spots.npy")[::-1])
    small_run.import_images(tmp_path / "other.npy")
    with pytest.raises(DataError, match=r"checksum"):
        list(Trainer(runs.open_run(scene.run.path)))
    store.remove("spots")
    small_run.import_spots(tmp_path)
    scene.finish()


# -- models and devices ----------------------------------------------------------------------------


def test_an_exception_in_a_model(
    tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, template / "whole" / "conv-vae")
    trainer, events = scene.train_to()
    monkeypatch.setattr(trainer.model.decoder[0], "forward", lambda _codes: 1 / 0)  # type: ignore[union-attr]
    with pytest.raises(ZeroDivisionError):
        list(events)
    status = scene.run.status()
    assert (status.state, status.error) == (RunState.FAILED, "ZeroDivisionError: division by zero")
    scene.finish()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
            "not have enough memory",
        ),
        (
            RuntimeError("CUDA error: unspecified launch failure\nCompile with TORCH_USE_CUDA_DSA"),
            r"CUDA error: unspecified launch failure",
        ),
        (torch.AcceleratorError("the device was lost"), "the device was lost"),
    ],
)
def test_a_device_that_fails(scene: Scene, error: RuntimeError, message: str) -> None:
    trainer, events = scene.train_to()

    def fail(_first: int, _count: int) -> torch.Tensor:
        raise error

    trainer.engine.run = fail  # type: ignore[method-assign]
    with pytest.raises(DeviceError, match=message) as caught:
        list(events)
    status = scene.run.status()
    assert (status.state, status.error) == (RunState.FAILED, str(caught.value))
    scene.finish()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_checkpoint_without_finite_weights_is_not_saved(scene: Scene, value: float) -> None:
    trainer, events = scene.train_to(120)
    with torch.no_grad():
        next(iter(trainer.model.parameters())).fill_(value)
    end = list(events)[-1]
    assert isinstance(end, Diverged)
    assert end.last_good == 60
    for checkpoint in scene.run.checkpoints():
        state = load_model(scene.run, checkpoint.step)[0].state_dict()
        assert all(bool(torch.isfinite(tensor).all()) for tensor in state.values())
    status = scene.run.status()
    assert status.state == RunState.DIVERGED
    assert "ceased to be a number" in status.error


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_losses_that_are_not_finite_are_not_saved(scene: Scene, value: float) -> None:
    trainer, events = scene.train_to()
    run, last_step = trainer.engine.run, trainer.step

    def diverge(first: int, count: int) -> torch.Tensor:
        losses = run(first, count).clone()
        losses[-1, 1] = value
        return losses

    trainer.engine.run = diverge  # type: ignore[method-assign]
    end = list(events)[-1]
    assert isinstance(end, Diverged)
    assert end.step == last_step + 1
    assert scene.run.metrics().step[-1] == last_step
    assert np.isfinite(scene.run.metrics().total).all()
