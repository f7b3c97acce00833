"""Weights are used only with their checksum, and only if they are numbers that were trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import safetensors.numpy

import trainers
from trainers import runs
from trainers.errors import RunError
from trainers.runs.archive import unpack
from trainers.storage import safetensors_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from trainers.training.trainer import Trainer


@pytest.fixture
def stopped(start: Callable[..., Trainer]) -> runs.Run:
    trainer = start(steps=60, name="mine")
    events = iter(trainer)
    next(events)
    trainer.stop()
    list(events)
    return trainer.run


def arrays_of(place: Path) -> safetensors_file.Arrays:
    return safetensors.numpy.load(place.read_bytes())


def test_weights_without_a_checksum_are_refused(stopped: runs.Run) -> None:
    place = stopped.checkpoint().model
    place.write_bytes(safetensors.numpy.save(arrays_of(place)))
    with pytest.raises(RunError, match=r"model\.safetensors has no checksum"):
        trainers.load(stopped)


def test_a_resume_point_without_a_checksum_is_refused(
    stopped: runs.Run, again: Callable[[str], Trainer]
) -> None:
    place = stopped.path / "resume.safetensors"
    header = safetensors_file.read_header(place)
    del header["checksum"]
    place.write_bytes(safetensors.numpy.save(arrays_of(place), header))
    with pytest.raises(RunError, match=r"resume\.safetensors has no checksum"):
        list(again("mine"))


@pytest.mark.parametrize("kind", [np.int32, np.bool_, np.uint8, np.int64, np.float64])
@pytest.mark.parametrize("part", ["model.", "optimiser."])
def test_weights_of_another_kind_are_refused(
    stopped: runs.Run, again: Callable[[str], Trainer], kind: type[np.generic], part: str
) -> None:
    place = stopped.checkpoint().model
    place.write_bytes(
        safetensors_file.pack({name: a.astype(kind) for name, a in arrays_of(place).items()})
    )
    with pytest.raises(RunError, match=rf"numbers of the kind {kind.__name__.strip('_')}"):
        trainers.load(stopped)
    place = stopped.path / "resume.safetensors"
    header = safetensors_file.read_header(place)
    del header["checksum"]
    arrays = {
        name: array.astype(kind) if name.startswith(part) else array
        for name, array in arrays_of(place).items()
    }
    place.write_bytes(safetensors_file.pack(arrays, header))
    with pytest.raises(RunError, match=rf"numbers of the kind {kind.__name__.strip('_')}"):
        list(again("mine"))


def test_the_demo_has_checksums_and_goes_elsewhere(tmp_path: Path) -> None:
    from trainers.exporting.export import export_run
    from trainers.exporting.exporters import choose_exporters
    from trainers.generators import finish

    with runs.demo_run() as demo:
        for checkpoint in demo.checkpoints():
            trainers.load(demo, checkpoint.step)
        (file,) = finish(export_run(demo, choose_exporters(["zip"]), tmp_path))
    assert trainers.load(finish(unpack(file, tmp_path / "runs"))).latent_dim == 2
