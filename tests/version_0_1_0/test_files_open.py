"""Files that version 0.1.0 wrote are opened: a run folder, an archive, a data set, the settings."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QDockWidget

from aeviewer.__main__ import main
from aeviewer.app import Program
from aeviewer.settings import Settings
from trainers import datasets, runs
from trainers.generators import finish
from trainers.inference import load
from trainers.runs.archive import unpack
from trainers.training.trainer import Trainer

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

DATA = Path(__file__).parent / "data"


@pytest.fixture(autouse=True)
def spots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The data set of the runs, in a store of its own."""
    store = tmp_path / "store"
    store.mkdir()
    shutil.copy(DATA / "spots.safetensors", store)
    monkeypatch.setenv("AEVIEWER_DATASETS", str(store))


def test_a_data_set_opens() -> None:
    data = datasets.open_dataset(datasets.dataset_named("spots"))
    assert data.train.images.shape == (120, 8, 8)
    assert data.test.images.shape == (40, 8, 8)
    assert data.dataset.classes == ("0", "1", "2")


def test_a_stopped_run_opens_and_is_trained_to_its_end(tmp_path: Path) -> None:
    shutil.copytree(DATA / "stopped", tmp_path / "stopped")
    run = runs.open_run(tmp_path / "stopped")
    assert run.status().state == "stopped"
    assert [checkpoint.step for checkpoint in run.checkpoints()] == [0, 1]
    assert run.checkpoint(1).preview().codes.shape == (40, 3)
    assert len(run.metrics().step) == 1
    for _event in Trainer(run):
        pass
    assert run.status().state == "finished"
    assert run.metrics().step.tolist() == list(range(1, 61))


def test_an_archive_opens_with_the_same_codes(tmp_path: Path) -> None:
    run = finish(unpack(DATA / "old.aeviewer.zip", tmp_path))
    assert run.status().state == "finished"
    images = run.data().test.images
    for checkpoint in run.checkpoints():
        codes = load(run, checkpoint.step).encode(images)
        np.testing.assert_allclose(codes, checkpoint.codes(), atol=1e-5)
        assert checkpoint.evaluation().step == checkpoint.step


def test_figures_that_version_did_not_write_are_measured_on_demand(tmp_path: Path) -> None:
    run = finish(unpack(DATA / "old.aeviewer.zip", tmp_path))
    assert any(checkpoint.evaluation().test_loss_se is None for checkpoint in run.checkpoints())
    done = CliRunner().invoke(main, ["evaluate", str(run.path), "--complete", "--images", "10"])
    assert done.exit_code == 0, done.output
    for checkpoint in run.checkpoints():
        found = checkpoint.evaluation()
        assert found.test_loss is not None
        assert found.test_loss_se is not None


def test_the_settings_and_the_arrangement_of_the_window_are_kept(
    tmp_path: Path, qtbot: QtBot
) -> None:
    place = shutil.copy(DATA / "settings.ini", tmp_path)
    settings = Settings(QSettings(str(place), QSettings.Format.IniFormat))
    assert settings.theme == "dark"
    assert settings.side_by_side == 2
    assert settings.checkpoint_spacing == 500
    assert settings.metric == "squared_error"
    program = Program(tmp_path / "runs", settings)
    qtbot.addWidget(program.window)
    program.window.show()
    qtbot.waitExposed(program.window)
    floating = [
        dock.objectName() for dock in program.window.findChildren(QDockWidget) if dock.isFloating()
    ]
    program.window.close()
    program.close()
    assert floating == ["Latent space"]
