"""Faults of the disk during training: one message, and the run ends as an uninterrupted one."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

import pytest

from tests.reliability.injected import full, refused
from trainers.errors import RunError
from trainers.runs import RunState

if TYPE_CHECKING:
    from tests.reliability.scene import Scene

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


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
    _, events = scene.train_to()
    with (
        full(name) as torn,
        pytest.raises(RunError, match=r"No space left on device.*mine") as caught,
    ):
        list(events)
    assert torn
    assert "Free some space" in str(caught.value)
    if name != "status.json":
        status = scene.run.status()
        assert (status.state, status.error) == (RunState.FAILED, str(caught.value))
    scene.finish()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs the limits of POSIX")
def test_a_file_that_cannot_grow(scene: Scene) -> None:
    """The system's limit of a file's size makes the write itself fail."""
    import resource

    _, events = scene.train_to()
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, most))
    try:
        with pytest.raises(RunError, match=r"File too large.*Free some space"):
            list(events)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    assert scene.run.status().state == RunState.FAILED
    scene.finish()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_folder_that_becomes_read_only(scene: Scene, number: int) -> None:
    _, events = scene.train_to()
    with (
        refused(scene.run.path, number),
        pytest.raises(RunError, match=r"See that you may write to its folder"),
    ):
        list(events)
    assert scene.run.status().state == RunState.INTERRUPTED
    scene.finish()


def test_a_folder_that_is_moved_away_and_brought_back(scene: Scene) -> None:
    _, events = scene.train_to()
    away = scene.run.path.rename(scene.run.path.with_name("away"))
    with pytest.raises(RunError, match=r"[Ff]older"):
        list(events)
    assert not scene.run.path.exists()
    away.rename(scene.run.path)
    scene.finish()


def test_no_resume_point_is_written_after_losses_that_could_not_be(scene: Scene) -> None:
    """A run that resumes from such a point would lack these losses."""
    trainer, events = scene.train_to()
    trainer.writer.wait()
    before = (scene.run.path / "resume.safetensors").read_bytes()
    append, scene.run.append_metrics = scene.run.append_metrics, _fail  # type: ignore[method-assign]
    with pytest.raises(RunError, match="no room"):
        list(events)
    scene.run.append_metrics = append  # type: ignore[method-assign]
    assert (scene.run.path / "resume.safetensors").read_bytes() == before
    scene.finish()


def _fail(_losses: object) -> None:
    raise RunError("no room")
