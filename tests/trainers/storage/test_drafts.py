"""Drafts that a killed program left are cleared at the next start; those of living ones stay."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.trainers.datasets.sample_images import drafted, shapes
from trainers.datasets import store
from trainers.datasets.sources.source import ScratchFolder
from trainers.storage import drafts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_MAKES = """
import os, sys
from pathlib import Path
from trainers.storage import drafts
with drafts.locked_draft_folder(Path(sys.argv[1])) as draft:
    (draft / "large").write_bytes(bytes(1000))
    print("made", flush=True)
    sys.stdin.read()
"""


def start_maker(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", _MAKES, str(folder)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == b"made"
    return process


def test_a_draft_stays_while_its_program_lives_and_goes_when_it_is_killed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with start_maker(tmp_path) as process:
        assert drafts.clear_drafts(tmp_path, is_ours=True) == 0
        assert len([*tmp_path.glob(".draft-*")]) == 2
        process.kill()
        process.wait()
    with caplog.at_level(logging.INFO):
        assert drafts.clear_drafts(tmp_path) == 1000
    assert [*tmp_path.iterdir()] == []
    assert f"Removed 1 drafts (0.0 MB) that a killed program left in {tmp_path}" in caplog.text


def test_a_draft_that_ends_in_order_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), drafts.locked_draft_folder(tmp_path) as draft:
        (draft / "file").write_bytes(b"x")
        raise KeyboardInterrupt
    assert [*tmp_path.iterdir()] == []


def age(place: Path) -> None:
    os.utime(place, (1e9, 1e9))


def test_drafts_of_earlier_versions_go_when_they_are_a_day_old(tmp_path: Path) -> None:
    for name in (".draft-abcdefgh", ".draft-12345678", ".draft-folder12", ".draft-of_mine1"):
        place = tmp_path / name
        if "f" in name[7:9] or "of" in name:
            (place / ("run" if "folder" in name else "novel")).mkdir(parents=True)
        else:
            place.write_bytes(b"12")
        if "1234" not in name:
            age(place)
    assert drafts.clear_drafts(tmp_path) == 0
    drafts.clear_drafts(tmp_path, is_ours=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".draft-12345678", ".draft-of_mine1"]


@pytest.mark.parametrize("name", [".draft-notes.txt", ".draft-1", "draft-abcdefgh"])
def test_files_of_a_person_are_no_drafts(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"mine")
    (tmp_path / f"{name}.lock").write_bytes(b"")
    age(tmp_path / name)
    assert drafts.clear_drafts(tmp_path, is_ours=True) == 0
    assert (tmp_path / name).exists()


def test_an_import_that_waits_for_an_answer_is_not_cleared(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", shapes(300))
    draft = drafted(tmp_path / "x.npy", "first")
    assert drafts.clear_drafts(store.folder(), is_ours=True) == 0
    drafted(tmp_path / "x.npy", "second").discard()
    discard = threading.Thread(target=draft.discard)  # as the window's thread discards it
    discard.start()
    discard.join()
    assert [*store.folder().iterdir()] == []
    drafted(tmp_path / "x.npy", "third").keep()
    assert [place.name for place in store.folder().iterdir()] == ["third.safetensors"]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    return place


def test_what_was_unpacked_for_an_import_is_cleared(
    temporary: Path, start_scratch: Callable[[Path], None]
) -> None:
    start_scratch(temporary)
    assert len([*temporary.iterdir()]) == 2
    scratch = ScratchFolder()
    assert {p.name for p in temporary.iterdir()} == {
        scratch.folder.name,
        f"{scratch.folder.name}.lock",
    }
    scratch.delete()
    assert [*temporary.iterdir()] == []


@pytest.fixture
def start_scratch() -> Callable[[Path], None]:
    """Returns a function that makes a folder in a process that is killed."""

    def start(folder: Path) -> None:
        code = "import os; from trainers.datasets.sources.source import ScratchFolder as S\n"
        code += "s = S(); (s.folder / 'x').write_bytes(bytes(9)); os.kill(os.getpid(), 9)"
        environment = {**os.environ, "TMPDIR": str(folder)}
        subprocess.run([sys.executable, "-c", code], env=environment, check=False)

    return start
