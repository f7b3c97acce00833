from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
import safetensors.torch
import torch

import trainers
from tests.trainers.conftest import of_kind
from trainers import runs
from trainers.datasets.mnist import load_split
from trainers.errors import DeviceError, RunError
from trainers.events import (
    CheckpointSaved,
    Diverged,
    Finished,
    Preview,
    Progress,
    Started,
    Stopped,
    Working,
)
from trainers.presets import PRESETS
from trainers.runs import RunState
from trainers.training.device import guard
from trainers.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Start = Callable[..., Trainer]
    Again = Callable[[str], Trainer]


def _weights(run: runs.Run, step: int) -> bytes:
    return run.checkpoint(step).model.read_bytes()


_LONG = {"conv-vae", "hinton30"}
"""Presets that take a quarter of a minute to learn."""


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.slow) if n in _LONG else n for n in PRESETS],
)
def test_every_preset_learns_on_mnist(tmp_path: Path, name: str) -> None:
    config = trainers.preset(name).replace(steps=150 if name == "conv-vae" else 300)
    trainer = trainers.train(config, tmp_path)
    saved = of_kind(list(trainer), CheckpointSaved)
    floors = {"elu": 0.0446, "pca": 0.0446, "burda50": 0.0655}
    floor = floors.get(name, 0.055)
    assert saved[-1].evaluation.squared_error_per_pixel < floor
    if name != "pca":
        assert saved[-1].evaluation.test_loss < 0.75 * saved[0].evaluation.test_loss


def test_events_report_every_step_and_checkpoint(start: Start) -> None:
    trainer = start(checkpoints=(0, 30))
    events = list(trainer)
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    assert [e.step for e in of_kind(events, CheckpointSaved)] == [0, 30, 60]
    steps = np.concatenate([e.losses.step for e in of_kind(events, Progress)])
    assert steps.tolist() == list(range(1, 61))
    kept = trainer.run.metrics()
    assert kept.step.tolist() == steps.tolist()
    status = trainer.run.status()
    assert (status.state, status.step, status.device) == (RunState.FINISHED, 60, "cpu")
    assert set(status.versions) == {"python", "aeviewer", "torch", "numpy"}


def test_a_checkpoint_holds_the_values_of_its_event(start: Start) -> None:
    trainer = start(preset="vae")
    last = of_kind(list(trainer), CheckpointSaved)[-1]
    kept = trainer.run.checkpoint(60)
    assert kept.evaluation() == last.evaluation
    assert np.array_equal(kept.preview().codes, last.preview.codes)
    assert np.array_equal(kept.preview().reconstructions, last.preview.reconstructions)
    model = trainers.load(trainer.run.path)
    codes = model.encode(load_split("test").images)
    assert np.allclose(codes, last.preview.codes, atol=1e-5)
    images = model.decode(codes)
    inputs = load_split("test").images / 255
    error = ((images - inputs) ** 2).sum((1, 2)).mean()
    assert error == pytest.approx(last.evaluation.squared_error, rel=1e-4)
    ink = np.clip(images, 1e-9, 1 - 1e-7)
    nats = -(inputs * np.log(ink) + (1 - inputs) * np.log(1 - ink)).sum((1, 2)).mean()
    assert nats == pytest.approx(last.evaluation.reconstruction_at_mean, rel=1e-3)
    assert last.evaluation.loss_at_mean == pytest.approx(
        last.evaluation.reconstruction_at_mean + last.evaluation.kl
    )


@pytest.mark.parametrize("preset", ["vae", "denoising", "conv-vae"])
def test_the_seed_determines_every_bit(start: Start, preset: str) -> None:
    changes = {"preset": preset, "steps": 25}
    first, second = start(**changes), start(**changes)
    other = start(**changes, seed=1)
    for trainer in (first, second, other):
        list(trainer)
    assert _weights(first.run, 25) == _weights(second.run, 25)
    assert _weights(first.run, 25) != _weights(other.run, 25)
    assert (first.run.path / "metrics.csv").read_bytes() == (
        second.run.path / "metrics.csv"
    ).read_bytes()


@pytest.mark.parametrize("preset", ["vae", "denoising", "burda50", "conv-vae"])
@pytest.mark.parametrize("way", ["stop", "close"])
def test_a_stopped_run_ends_like_an_uninterrupted_one(
    start: Start, again: Again, preset: str, way: str
) -> None:
    whole = start(preset=preset, name="whole")
    list(whole)
    broken = start(preset=preset, name="broken")
    events = iter(broken)
    for event in events:
        if isinstance(event, Progress) and event.step >= 20:
            break
    if way == "stop":
        broken.stop()
        rest = list(events)
        assert of_kind(rest, Stopped)
        assert broken.run.checkpoint().is_evaluated
    else:
        events.close()  # type: ignore[attr-defined]
    status = broken.run.status()
    assert status.state == RunState.STOPPED
    assert broken.run.checkpoint().step == status.step == broken.step
    assert broken.run.metrics().step.tolist() == list(range(1, broken.step + 1))
    list(again("broken"))
    assert _weights(broken.run, 60) == _weights(whole.run, 60)
    assert np.array_equal(broken.run.metrics().total, whole.run.metrics().total)
    assert broken.run.status().state == RunState.FINISHED


def test_a_trainer_that_is_not_iterated_is_paused(start: Start) -> None:
    trainer, other = start(name="paused"), start(name="other")
    events = iter(trainer)
    next(e for e in events if isinstance(e, Progress))
    paused_at = trainer.step
    list(other)
    assert trainer.step == paused_at
    assert trainer.run.status().state == RunState.RUNNING
    list(events)
    assert _weights(trainer.run, 60) == _weights(other.run, 60)


@pytest.mark.parametrize("preset", ["elu", "pca"])
def test_a_stop_in_the_last_evaluation_lets_the_run_finish(start: Start, preset: str) -> None:
    trainer = start(preset=preset)
    events = iter(trainer)
    for event in events:
        if trainer.step == trainer.config.steps and isinstance(event, Working):
            trainer.stop()
            break
    assert isinstance(list(events)[-1], Finished)
    assert trainer.run.checkpoint().is_evaluated


@pytest.mark.parametrize("moment", [Started, Progress, Working, CheckpointSaved])
def test_a_stop_takes_effect_before_the_next_measurement(start: Start, moment: type) -> None:
    trainer = start(steps=100_000, checkpoints=(0, 1, 2, 3, 4, 5))
    events = iter(trainer)
    next(e for e in events if isinstance(e, moment))
    trainer.stop()
    rest = list(events)
    stopped = next(i for i, e in enumerate(rest) if isinstance(e, Stopped))
    assert not of_kind(rest[:stopped], Working)
    assert trainer.run.status().state == RunState.STOPPED


def test_a_stop_while_pca_is_solved(start: Start) -> None:
    trainer = start(preset="pca")
    events = iter(trainer)
    next(e for e in events if isinstance(e, Working))
    trainer.stop()
    assert isinstance(list(events)[-1], Stopped)
    assert trainer.run.status().state == RunState.STOPPED


@pytest.mark.parametrize(
    ("end", "state", "changes"),
    [
        (Finished, RunState.FINISHED, {}),
        (Diverged, RunState.DIVERGED, {"preset": "vae", "learning_rate": 10.0, "steps": 5_000}),
    ],
)
def test_closing_the_generator_after_the_end_changes_nothing(
    start: Start, end: type, state: RunState, changes: dict[str, object]
) -> None:
    trainer = start(**changes)
    events = iter(trainer)
    next(e for e in events if isinstance(e, end))
    before = trainer.run.status()
    events.close()  # type: ignore[attr-defined]
    assert trainer.run.status() == before
    assert before.state == state


def _stopped(start: Start) -> Trainer:
    trainer = start(name="mine", steps=5_000, checkpoints=(0,))
    events = iter(trainer)
    next(e for e in events if isinstance(e, Progress) and e.step > 20)
    events.close()  # type: ignore[attr-defined]
    return trainer


def test_a_run_without_its_resume_point_does_not_start_over(start: Start, again: Again) -> None:
    trainer = _stopped(start)
    rows, step = len(trainer.run.metrics().step), trainer.run.status().step
    (trainer.run.path / "resume.safetensors").unlink()
    with pytest.raises(RunError, match="has no resume point"):
        list(again("mine"))
    assert trainer.run.status().step == step
    (trainer.run.path / "status.json").unlink()
    with pytest.raises(RunError, match=r"status\.json is missing"):
        list(again("mine"))
    assert len(trainer.run.metrics().step) == rows


DAMAGE: dict[str, Callable[[dict[str, torch.Tensor]], object]] = {
    "moments of another shape": lambda t: t.update({"optimiser.0.exp_avg": torch.zeros(3)}),
    "no moments": lambda t: [t.pop(name) for name in [*t] if name.startswith("optimiser.")],
    "an unknown name": lambda t: t.update({"optimiser.x.y": torch.zeros(3)}),
    "noise of another size": lambda t: t.update({"noise": torch.zeros(3, dtype=torch.uint8)}),
    "noise of another type": lambda t: t.update({"noise": torch.zeros(3)}),
    "no noise": lambda t: t.pop("noise"),
    "weights of another shape": lambda t: t.update({"model.encoder.0.bias": torch.zeros(3)}),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_resume_point_is_one_message(start: Start, again: Again, damage: str) -> None:
    trainer = _stopped(start)
    path = trainer.run.path / "resume.safetensors"
    tensors = safetensors.torch.load_file(path)
    with safetensors.safe_open(path, "pt") as file:
        position = file.metadata()
    DAMAGE[damage](tensors)
    safetensors.torch.save_file(tensors, path, position)
    rows, step = len(trainer.run.metrics().step), trainer.run.status().step
    with pytest.raises(RunError, match=r"resume\.safetensors"):
        list(again("mine"))
    assert len(trainer.run.metrics().step) == rows
    assert trainer.run.status().step == step


@pytest.mark.parametrize("position", ['{"step": -3, "seconds": 1}', '{"step": 9e9}', "[", "{}"])
def test_an_impossible_position_is_one_message(start: Start, again: Again, position: str) -> None:
    trainer = _stopped(start)
    path = trainer.run.path / "resume.safetensors"
    safetensors.torch.save_file(safetensors.torch.load_file(path), path, {"position": position})
    with pytest.raises(RunError, match=r"resume\.safetensors"):
        list(again("mine"))


def test_a_run_that_another_program_finished_is_left_alone(start: Start, again: Again) -> None:
    first = start(name="shared")
    events = iter(first)
    next(events)
    second = again("shared")
    list(events)
    with pytest.raises(RunError, match="has finished"):
        list(second)
    assert len(first.run.metrics().step) == 60


def test_a_run_that_was_killed_before_its_first_checkpoint_continues(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainers.training.run_writer._STATUS_SECONDS", 0.0)
    whole = start(steps=300, checkpoints=())
    events = iter(whole)
    while len(whole.run.metrics().step) < 20:
        next(events)
    whole.writer.wait()
    left = runs.Run(shutil.copytree(whole.run.path, tmp_path / "left"))
    list(events)
    list(Trainer(left))
    assert _weights(left, 300) == _weights(whole.run, 300)
    assert left.metrics().step.tolist() == list(range(1, 301))


def test_pca_that_is_killed_while_it_is_measured_is_solved_again(
    start: Start, tmp_path: Path
) -> None:
    whole = start(preset="pca")
    events = iter(whole)
    while not whole.run.checkpoints():
        next(events)
    whole.writer.wait()
    left = runs.Run(shutil.copytree(whole.run.path, tmp_path / "left"))
    list(events)
    list(Trainer(left))
    assert _weights(left, 1) == _weights(whole.run, 1)


def test_previews_appear_during_training(tmp_path: Path) -> None:
    config = trainers.preset("elu").replace(
        hidden=(32,), latent_dim=3, steps=100_000, checkpoints=()
    )
    trainer = Trainer(runs.create_run(config, tmp_path), preview_seconds=0.0)
    events = iter(trainer)
    seen = next(e for e in events if isinstance(e, Preview))
    assert seen.codes.shape == (10_000, 3)
    assert seen.reconstructions.shape == (32, 28, 28)
    assert 0 < seen.step <= trainer.step
    trainer.stop()
    list(events)


def test_the_linear_autoencoder_stays_above_pcas_floor(start: Start) -> None:
    saved = of_kind(
        list(start(preset="linear", latent_dim=5, hidden=(64,), steps=1_500, batch_size=100)),
        CheckpointSaved,
    )
    errors = [s.evaluation.squared_error_per_pixel for s in saved]
    assert min(errors) >= 0.044526 - 1e-5
    assert errors[-1] < 0.048


def test_a_loss_that_is_not_finite_ends_the_run_as_diverged(start: Start) -> None:
    trainer = start(preset="vae", learning_rate=10.0, steps=5_000, checkpoints=(0, 1))
    events = list(trainer)
    end = events[-1]
    assert isinstance(end, Diverged)
    kept = trainer.run.metrics()
    assert np.isfinite(kept.total).all()
    assert kept.step[-1] == end.step - 1
    assert trainer.run.checkpoint().step == end.last_good
    assert np.isfinite(trainers.load(trainer.run).encode(load_split("test").images[:5])).all()
    status = trainer.run.status()
    assert status.state == RunState.DIVERGED
    assert f"step {end.step:,}" in status.error
    assert "learning rate" in status.error


def test_a_finished_run_is_not_trained_again(start: Start, again: Again) -> None:
    trainer = start(name="done")
    list(trainer)
    with pytest.raises(RunError, match="has finished at step 60"):
        again("done")


def test_one_run_is_trained_by_one_program_at_a_time(start: Start, again: Again) -> None:
    first = start(name="shared")
    events = iter(first)
    next(events)
    with pytest.raises(RunError, match="being trained by another program"):
        next(iter(again("shared")))
    assert first.run.status().state == RunState.RUNNING
    events.close()  # type: ignore[attr-defined]


def test_an_absent_device_is_named(start: Start) -> None:
    absent = "mps" if not torch.backends.mps.is_available() else "cuda"
    with pytest.raises(DeviceError, match=rf"no {absent} device here; choose auto"):
        start(device=absent)


def test_a_device_without_memory_offers_the_cpu() -> None:
    with (
        pytest.raises(DeviceError, match="Choose the CPU"),
        guard(torch.device("cuda")),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory")


def test_a_folder_that_vanishes_fails_with_one_message(start: Start) -> None:
    trainer = start(steps=100_000)
    events = iter(trainer)
    next(e for e in events if isinstance(e, Progress))
    moved = trainer.run.path.with_name("moved")
    trainer.run.path.rename(moved)
    with pytest.raises(RunError, match=r"can ?not be written.*Its folder is gone") as caught:
        list(events)
    assert str(trainer.run.path) in str(caught.value)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_cuda_learns_as_the_cpu_does(start: Start) -> None:
    errors = [
        of_kind(list(start(device=device, steps=300)), CheckpointSaved)[-1].evaluation.test_loss
        for device in ("cpu", "cuda")
    ]
    assert errors[0] == pytest.approx(errors[1], rel=0.05)
