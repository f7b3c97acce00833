"""A follower reads from a run's folder the events that its trainer yields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.trainers.parallel.small_jobs import job
from trainers.parallel import CheckpointFound, Follower
from trainers.training.trainer import Trainer

if TYPE_CHECKING:
    from pathlib import Path


def test_a_follower_yields_each_loss_and_checkpoint_once(tmp_path: Path) -> None:
    run = job(tmp_path, steps=500).open_run()
    follower = Follower(run)
    assert [*follower.new_events()] == []
    trainer = Trainer(run)
    for _ in trainer:
        if trainer.step > 50:
            trainer.stop()
    first = [*follower.new_events()]
    assert type(first[0]).__name__ == "Started"
    again, stopped = Follower(run), trainer.step
    assert [*follower.new_events()] == []
    trainer = Trainer(run)
    seen: list[object] = []
    for _ in trainer:
        seen += again.new_events()
    seen += again.new_events()
    kinds = [type(event).__name__ for event in seen]
    assert kinds[0] == "Started"
    steps = [s for event in seen if hasattr(event, "losses") for s in event.losses.step.tolist()]
    assert steps == sorted(set(steps))
    assert steps[-1] == 500
    assert stopped < steps[0]
    checkpoints = [event.evaluation.step for event in seen if isinstance(event, CheckpointFound)]
    assert checkpoints == [step for step in (400, 500) if step > stopped]
