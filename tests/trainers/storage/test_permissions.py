"""Files and folders get the permissions that the user's umask gives, and no others."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner

from aeviewer.__main__ import main
from tests.trainers.datasets.sample_images import kept, shapes
from trainers.datasets import store
from trainers.exporting.export import export_run
from trainers.exporting.exporters import choose_exporters
from trainers.generators import finish
from trainers.runs.archive import unpack
from trainers.storage import atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from trainers.training.trainer import Trainer

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")


@pytest.fixture(params=[0o077, 0o022, 0o002])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def refuse_other_modes(folder: Path, umask: int) -> None:
    for place in [folder, *folder.rglob("*")]:
        mode, whole = stat.S_IMODE(place.stat().st_mode), 0o777 if place.is_dir() else 0o666
        if place.name != "lock":  # filelock makes it, for its user alone
            assert mode == whole & ~umask, (place, oct(mode))


def test_a_run_its_export_and_its_archive_keep_the_umask(
    start: Callable[..., Trainer], tmp_path: Path, umask: int
) -> None:
    trainer = start(steps=20, name="mine")
    list(trainer)
    refuse_other_modes(trainer.run.path, umask)
    exporters = choose_exporters(["zip", "safetensors", "metrics"])
    finish(export_run(trainer.run, exporters, tmp_path / "out"))
    refuse_other_modes(tmp_path / "out", umask)
    opened = finish(unpack(tmp_path / "out" / "mine.aeviewer.zip", tmp_path / "others"))
    refuse_other_modes(opened.path, umask)


def test_a_data_set_keeps_the_umask(tmp_path: Path, umask: int) -> None:
    np.save(tmp_path / "spots.npy", shapes(300))
    kept(tmp_path / "spots.npy", "spots")
    refuse_other_modes(store.folder(), umask)
    assert CliRunner().invoke(main, ["datasets"]).exit_code == 0


def test_a_draft_keeps_the_umask(tmp_path: Path, umask: int) -> None:
    with atomic.draft_folder(tmp_path) as draft:
        (draft / "file").write_bytes(b"")
        refuse_other_modes(draft, umask)
    assert not draft.exists()
