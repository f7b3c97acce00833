"""Training does not wait for the disk, and the files are written in order."""

from __future__ import annotations

import os
from dataclasses import replace
from threading import Event, current_thread
from typing import TYPE_CHECKING

import pytest
import torch

import trainers
from trainers import runs
from trainers.checkpointing import weights as checkpoints
from trainers.errors import RunError
from trainers.events import CheckpointSaved, Finished, Progress, Started, Stopped
from trainers.runs import RunState
from trainers.training.background_writer import BackgroundWriter
from trainers.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def writer() -> Iterator[BackgroundWriter]:
    writer = BackgroundWriter()
    yield writer
    writer.close()


def small(folder: Path, steps: int = 100_000, checkpoints: tuple[int, ...] = (0, 5)) -> Trainer:
    config = trainers.preset("elu").replace(
        hidden=(32,), latent_dim=2, steps=steps, checkpoints=checkpoints, batch_size=20
    )
    return Trainer(runs.create_run(config, folder))


def refuse() -> None:
    raise RunError("no room")


def test_the_writer_writes_in_order_in_one_other_thread(writer: BackgroundWriter) -> None:
    done: list[tuple[int, str]] = []
    for number in range(50):
        writer.put(lambda number=number: done.append((number, current_thread().name)))  # type: ignore[misc]
    writer.wait()
    assert [number for number, _ in done] == [*range(50)]
    assert {name for _, name in done} == {"writer_0"}


def test_the_caller_does_not_wait_for_the_write(writer: BackgroundWriter) -> None:
    may_continue = Event()
    first = writer.put(lambda: None if may_continue.wait(60) else refuse())
    second = writer.put(lambda: None)
    writer.check()
    assert not first.done() and not second.done()
    may_continue.set()
    writer.wait()
    assert first.done() and second.done()


def test_a_failure_is_raised_by_a_later_call_and_only_once(writer: BackgroundWriter) -> None:
    writer.put(refuse)
    with pytest.raises(RunError, match="no room"):
        writer.wait()
    writer.put(lambda: None)
    writer.wait()


def test_training_continues_while_the_disk_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = small(tmp_path, checkpoints=(0,))
    events = iter(trainer)
    assert isinstance(next(events), Started)
    disk_answers, fsync = Event(), os.fsync

    def hanging(descriptor: int) -> None:
        disk_answers.wait(60)
        fsync(descriptor)

    monkeypatch.setattr("os.fsync", hanging)
    while trainer.step < 200:
        assert not isinstance(next(events), CheckpointSaved)
    # No event announces a checkpoint before it is complete.
    assert not trainer.run.checkpoints()
    disk_answers.set()
    assert next(e for e in events if isinstance(e, CheckpointSaved)).step == 0
    assert trainer.run.checkpoint(0).is_evaluated
    trainer.stop()
    assert Stopped in {type(e) for e in events}


def test_a_full_disk_ends_the_training_with_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = small(tmp_path)
    events = iter(trainer)
    assert isinstance(next(events), Started)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RunError, match=r"No space left on device.*Free some space"):
        for _ in events:
            pass
    assert not trainer.run.checkpoints()


def test_the_last_event_comes_when_everything_is_written(tmp_path: Path) -> None:
    trainer = small(tmp_path, steps=20, checkpoints=(0, 5, 20))
    events = []
    for event in trainer:
        events.append(event)
        if isinstance(event, CheckpointSaved):
            assert trainer.run.checkpoint(event.step).is_evaluated
        if isinstance(event, Finished):
            assert trainer.run.written_status().state == RunState.FINISHED
            assert len(trainer.run.metrics().step) == 20
            assert not (trainer.run.path / "resume.safetensors").exists()
    assert [e.step for e in events if isinstance(e, CheckpointSaved)] == [0, 5, 20]


def test_a_snapshot_does_not_change_while_training_continues(tmp_path: Path) -> None:
    trainer = small(tmp_path, checkpoints=())
    events = iter(trainer)
    while trainer.step < 5:
        next(events)

    def point() -> checkpoints.ResumePoint:
        point = trainer.model_state.resume_point()
        assert point is not None
        return replace(point, seconds=1.5)

    step, snapshot = trainer.step, point().snapshot()
    expected = {name: tensor.clone() for name, tensor in trainer.model.state_dict().items()}
    while trainer.step < 2 * step + 5:
        assert isinstance(next(events), Progress)
    place = tmp_path / "resume.safetensors"
    place.write_bytes(snapshot.to_bytes())
    read = checkpoints.ResumePoint.read(place)
    assert (read.step, read.seconds) == (step, 1.5)
    assert read.model.keys() == expected.keys()
    assert all(torch.equal(read.model[name], expected[name]) for name in expected)
    now = trainer.model.state_dict()
    assert not all(torch.equal(now[name], expected[name]) for name in expected)
    assert {name: t.dtype for name, t in read.optimiser.items()} == {
        name: t.dtype for name, t in point().optimiser.items()
    }
    events.close()  # type: ignore[attr-defined]
