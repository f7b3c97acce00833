"""After a power cut at any moment of a training, no reported checkpoint is lost."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.reliability import small_run
from tests.reliability.power import Disk
from trainers import runs
from trainers.events import CheckpointSaved, Finished, Started
from trainers.runs import RunState
from trainers.runs.status import Status
from trainers.storage import atomic, safetensors_file
from trainers.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.reliability.power import Moment

    Record = Callable[[str, object], None]


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_run.import_spots(tmp_path)
    # A `Disk` replaces os.fsync; the training after a cut need not wait for the disk.
    monkeypatch.setattr("os.fsync", lambda _descriptor: None)


def _steps_of(moment: Moment, run: str, folder: Path) -> tuple[int, list[int]]:
    """Returns the step of the safe resume point, and the steps of the safe checkpoints."""
    moment.write_tree(folder)
    place = folder / run
    point = place / "resume.safetensors"
    position = safetensors_file.read_header(point)["position"] if point.exists() else "{}"
    checkpoints = [c.step for c in runs.Run(place).checkpoints() if c.is_evaluated]
    return Status.model_validate_json(position).step, checkpoints


class PowerCutScene:
    """A run that is trained while the disk is watched, and continued after power cuts."""

    def __init__(self, folder: Path, preset: str) -> None:
        self.folder = folder
        (folder / "runs").mkdir()
        self.reported: list[tuple[int, int]] = []
        with Disk(folder / "runs").watch() as disk:
            run = runs.create_run(small_run.config(preset), folder / "runs", "mine")
            self.first_moment = len(disk.moments)
            for event in Trainer(run, resume_seconds=0.0):
                if isinstance(event, CheckpointSaved):
                    self.reported.append((len(disk.moments), event.step))
        self.expected, self.moments = small_run.contents(run.path), disk.moments
        self.tried = 0

    def cut(self, at: int, dice: random.Random | None) -> None:
        """Cuts the power at a moment, continues the run, and compares its end."""
        self.tried += 1
        left = self.folder / f"cut-{self.tried}"
        self.moments[at].write_tree(left, dice)
        if at < self.first_moment and not (left / "mine" / "config.json").exists():
            return  # `create_run` had not returned yet.
        (run,) = runs.find_runs(left)
        safe_step, safe = _steps_of(self.moments[at], "mine", self.folder / f"safe-{self.tried}")
        reported = {step for moment, step in self.reported if moment <= at}
        assert reported <= {c.step for c in run.checkpoints() if c.is_evaluated}
        assert reported <= {*safe}
        if run.status().state != RunState.FINISHED:
            events = list(Trainer(runs.open_run(run.path)))
            assert isinstance(events[0], Started) and events[0].step >= safe_step
            assert isinstance(events[-1], Finished)
        assert small_run.contents(run.path) == self.expected
        assert run.status().error == ""
        assert not [*run.path.rglob(f"{atomic.DRAFT}*")]


def test_a_cut_at_some_moments(tmp_path: Path, record_property: Record) -> None:
    scene, dice = PowerCutScene(tmp_path, "elu"), random.Random(1)
    for at in dice.sample(range(len(scene.moments)), 4):
        scene.cut(at, None)
        scene.cut(at, dice)
    record_property("tried", scene.tried)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("preset", ["vae", "conv-vae", "pca"])
def test_a_cut_at_every_moment(tmp_path: Path, preset: str, record_property: Record) -> None:
    scene, dice = PowerCutScene(tmp_path, preset), random.Random(2)
    for at in range(len(scene.moments)):
        scene.cut(at, None if at % 3 else dice)
    record_property("tried", scene.tried)


def test_without_synchronisation_a_cut_loses_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other tests rely on it that the simulation removes unsafe data."""
    monkeypatch.setattr(atomic, "sync_folder", lambda _folder: None)
    scene = PowerCutScene(tmp_path, "elu")
    assert scene.reported
    with pytest.raises((AssertionError, ValueError)):
        scene.cut(len(scene.moments) - 1, None)


def test_only_synchronised_data_is_safe(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    with Disk(tmp_path / "disk").watch() as disk:
        (tmp_path / "disk" / "unsafe").write_bytes(b"lost")
        atomic.replace_file(tmp_path / "disk" / "safe", b"kept")
        atomic.append_to_file(tmp_path / "disk" / "safe", b", too")
        with (tmp_path / "disk" / "safe").open("ab") as file:
            file.write(b" lost")
        (tmp_path / "disk" / "other").write_bytes(b"")
    disk.moments[-1].write_tree(tmp_path / "left")
    assert (tmp_path / "left" / "safe").read_bytes() == b"kept, too"
    assert not (tmp_path / "left" / "other").exists()
    assert (tmp_path / "left" / "unsafe").read_bytes() == b""
    left = set()
    for seed in range(40):
        disk.moments[-1].write_tree(tmp_path / str(seed), random.Random(seed))
        left.add((tmp_path / str(seed) / "safe").read_bytes())
    assert {b"kept, too", b"kept, too lost"} < left
    assert all(content.startswith(b"kept, too") for content in left)
