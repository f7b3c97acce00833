from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import trainers
from trainers import runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from trainers.events import Event
    from trainers.training.trainer import Trainer

SMALL = {"hidden": (32,), "latent_dim": 2, "steps": 60, "batch_size": 50}


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., Trainer]:
    """Makes a trainer of a small model; keyword arguments change its config."""

    def make(preset: str = "elu", name: str = "", **changes: object) -> Trainer:
        config = trainers.preset(preset).replace(**{**SMALL, **changes})
        return trainers.train(config, tmp_path / "runs", name)

    return make


@pytest.fixture
def again(tmp_path: Path) -> Callable[[str], Trainer]:
    """Makes a trainer that goes on with the run of that name."""

    def make(name: str) -> Trainer:
        from trainers.training.trainer import Trainer

        return Trainer(runs.opened(tmp_path / "runs" / name))

    return make


def of_kind(events: list[Event], kind: type) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]
