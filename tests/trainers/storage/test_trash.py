from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from trainers.errors import AEViewerError
from trainers.storage.trash import move_to_trash

if TYPE_CHECKING:
    from pathlib import Path


def test_a_missing_file_is_said_to_be_gone(tmp_path: Path) -> None:
    with pytest.raises(AEViewerError, match=r"'a run' is gone: it was moved or deleted .*gone"):
        move_to_trash(tmp_path / "gone", "a run")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems create the trash themselves")
def test_a_trash_is_created_for_an_account_without_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from send2trash import plat_other

    home = tmp_path / "not" / "yet"
    monkeypatch.setattr("trainers.storage.trash.send2trash", plat_other.send2trash)
    monkeypatch.setattr(plat_other, "get_dev", lambda _path: 0)  # One file system.
    monkeypatch.setattr(plat_other, "XDG_DATA_HOME", os.fsencode(home))
    monkeypatch.setattr(plat_other, "HOMETRASH_B", os.fsencode(home / "Trash"))
    (tmp_path / "run").mkdir()
    move_to_trash(str(tmp_path / "run"), "run")
    assert not (tmp_path / "run").exists()
    assert (home / "Trash" / "files" / "run").is_dir()
