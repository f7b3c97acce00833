from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from send2trash import plat_other

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

        return Trainer(runs.open_run(tmp_path / "runs" / name))

    return make


@pytest.fixture
def trash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A trash of the test's own instead of the system's: where the files in it lie."""
    monkeypatch.setattr(plat_other, "XDG_DATA_HOME", os.fsencode(tmp_path))
    monkeypatch.setattr(plat_other, "HOMETRASH_B", os.fsencode(tmp_path / "trash"))
    return tmp_path / "trash" / "files"


def of_kind(events: list[Event], kind: type) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]
