from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.reliability import small_run
from tests.reliability.scene import Scene
from trainers import runs
from trainers.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def no_fsync() -> Iterator[None]:
    """Skips fsync in tests without a power cut, which need not wait for the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _descriptor: None)
        yield


@pytest.fixture(scope="module")
def template(no_fsync: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data set, uninterrupted runs in `whole`, and a run that was stopped at step 100."""
    folder = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AEVIEWER_DATASETS", str(folder / "datasets"))
        small_run.import_spots(folder)
        for preset in ("elu", "conv-vae"):
            list(Trainer(runs.create_run(small_run.config(preset), folder / "whole", preset)))
        Scene(folder, folder / "whole" / "elu").train_to()[1].close()
    yield folder


@pytest.fixture
def data(template: Path, tmp_path: Path, own_store: None) -> None:
    """A copy of the data set in the test's own store."""
    shutil.copytree(template / "datasets", tmp_path / "datasets")
    shutil.copy(template / "spots.npy", tmp_path)


@pytest.fixture
def scene(data: None, tmp_path: Path, template: Path) -> Scene:
    return Scene(tmp_path, template / "whole" / "elu")


@pytest.fixture
def stopped(data: None, tmp_path: Path, template: Path) -> runs.Run:
    """A copy of the run that was stopped at step 100."""
    return runs.Run(shutil.copytree(template / "runs" / "mine", tmp_path / "runs" / "mine"))
