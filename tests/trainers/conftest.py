from __future__ import annotations

import shutil
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
    """Returns a function that creates a trainer of a small model, with changes of its config."""

    def create(preset: str = "elu", name: str = "", **changes: object) -> Trainer:
        config = trainers.preset(preset).replace(**{**SMALL, **changes})
        return trainers.train(config, tmp_path / "runs", name)

    return create


@pytest.fixture
def again(tmp_path: Path) -> Callable[[str], Trainer]:
    """Returns a function that creates a trainer that continues the run of that name."""

    def create(name: str) -> Trainer:
        from trainers.training.trainer import Trainer

        return Trainer(runs.open_run(tmp_path / "runs" / name))

    return create


@pytest.fixture
def trash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Replaces the system's trash by a folder of the test, and returns the folder."""
    folder = tmp_path / "trash"
    folder.mkdir()
    monkeypatch.setattr("trainers.storage.trash.send2trash", lambda path: shutil.move(path, folder))
    return folder


def of_kind(events: list[Event], kind: type) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]
