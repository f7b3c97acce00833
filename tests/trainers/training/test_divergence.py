"""A loss that explodes but stays finite is a divergence; a jump that returns is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

import trainers
from tests.trainers.conftest import of_kind
from trainers.datasets.mnist import load_split
from trainers.events import CheckpointSaved, Diverged, Finished, Stopped
from trainers.runs.status import RunState
from trainers.training.divergence import WINDOW, ExplosionMonitor

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainers.training.trainer import Trainer

    Start = Callable[..., Trainer]
    Again = Callable[[str], Trainer]


def _sound(*blocks: np.ndarray) -> int:
    """The steps before the divergence, of losses in slices."""
    monitor, total = ExplosionMonitor(), 0
    for block in blocks:
        count = monitor.count_sound(block)
        total += count
        if count < len(block):
            break
    return total


def test_losses_above_the_bound_for_half_a_window_are_a_divergence() -> None:
    losses = np.full(400, 5.0)
    losses[0], losses[150:] = 1.0, 10.1
    assert _sound(losses) == 150 + WINDOW // 2
    assert _sound(np.where(losses > 10, 9.9, losses)) == 400


def test_a_jump_that_returns_is_no_divergence() -> None:
    losses = np.full(400, 1.0)
    losses[100 : 100 + WINDOW // 2] = 1e6
    assert _sound(losses) == 400
    losses[320] = 1e30
    assert _sound(losses) == 400


@pytest.mark.parametrize("size", [1, 7, 100, 333])
def test_slices_do_not_decide(size: int) -> None:
    random = np.random.default_rng(2)
    losses = np.where(random.random(1_000) < np.linspace(0, 1, 1_000), 11.0, 1.0)
    losses[0] = 1.0
    whole = _sound(losses)
    assert 300 < whole < 700
    assert _sound(*np.split(losses, range(size, 1_000, size))) == whole


def _explode(trainer: Trainer, at: int, loss: float = 2e14) -> None:
    """Replaces the weights and the losses from a step on by those of an exploded training."""
    engine = trainer.engine
    assert engine is not None
    run = engine.run

    def explode(first: int, count: int) -> torch.Tensor:
        losses = run(first, count).clone()
        late = torch.arange(first, first + count) >= at
        losses[late, :2] = loss
        if late.any():
            with torch.no_grad():
                for weights in trainer.model.parameters():
                    weights.fill_(1e4)
        return losses

    engine.run = explode  # type: ignore[method-assign]


def test_an_exploded_loss_ends_the_run_at_its_last_good_checkpoint(start: Start) -> None:
    trainer = start(steps=400, checkpoints=(0, 50, 120))
    _explode(trainer, at=100)
    events = list(trainer)
    end = events[-1]
    assert isinstance(end, Diverged)
    # The checkpoint of step 120 is due before the losses of half a window have exploded.
    assert (end.step, end.last_good) == (121, 50)
    assert [e.step for e in of_kind(events, CheckpointSaved)] == [0, 50]
    assert trainer.run.checkpoint().step == 50
    status = trainer.run.status()
    assert status.state == RunState.DIVERGED
    assert "The loss exploded" in status.error
    assert "learning rate below 0.001" in status.error
    codes = trainers.load(trainer.run).encode(load_split("test").images[:5])
    assert np.abs(codes).max() < 1e3


def test_a_run_that_ends_exploded_is_not_finished(start: Start) -> None:
    trainer = start(steps=60, checkpoints=(0,))
    _explode(trainer, at=30)
    assert isinstance(list(trainer)[-1], Diverged)
    assert trainer.run.checkpoint().step == 0


def test_between_checkpoints_the_losses_decide(start: Start) -> None:
    trainer = start(steps=3_000, checkpoints=(0, 50))
    _explode(trainer, at=100)
    end = list(trainer)[-1]
    assert isinstance(end, Diverged)
    assert (end.step, end.last_good) == (100 + WINDOW // 2 + 1, 50)
    assert trainer.run.metrics().step[-1] == end.step - 1
    assert "The loss exploded to 2e+14, more than 10 times the" in trainer.run.status().error


def test_a_stop_saves_no_exploded_model(start: Start) -> None:
    trainer = start(steps=3_000, checkpoints=(0, 50))
    _explode(trainer, at=100)
    trainer.slice_seconds = 0.0
    events = []
    for event in trainer:
        events.append(event)
        if trainer.step == 110:
            trainer.stop()
    assert not of_kind(events, Stopped)
    assert isinstance(events[-1], Diverged)
    assert trainer.run.checkpoint().step == 50


def test_a_continued_run_remembers_the_loss_of_its_first_step(start: Start, again: Again) -> None:
    trainer = start(name="two", steps=200, checkpoints=(0,))
    for _ in trainer:
        if trainer.step >= 100:
            trainer.stop()
    second = again("two")
    iterator = iter(second)
    next(iterator)
    assert second._monitor.first == trainer.run.metrics().total[0]
    iterator.close()


@pytest.mark.parametrize("preset", ["elu", "linear", "sigmoid", "relu", "vae", "burda50"])
def test_a_sound_training_is_left_alone(start: Start, preset: str) -> None:
    assert isinstance(list(start(preset=preset, steps=150))[-1], Finished)
