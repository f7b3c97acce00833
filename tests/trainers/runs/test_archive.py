"""A run as one archive, and back; archives that mean harm or are damaged leave nothing."""

from __future__ import annotations

import struct
import warnings
import zipfile
from typing import TYPE_CHECKING

import pytest

from trainers import runs
from trainers.errors import ExportError
from trainers.exploration import views
from trainers.exporting.export import export_run
from trainers.exporting.exporters import choose_exporters
from trainers.generators import finish
from trainers.runs import RunState
from trainers.runs import archive as archives
from trainers.runs.archive import unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from trainers.training.trainer import Trainer


@pytest.fixture
def demo() -> Iterator[runs.Run]:
    with runs.demo_run() as run:
        yield run


@pytest.fixture
def archive(tmp_path: Path, demo: runs.Run) -> Path:
    """The demo run, archived."""
    (place,) = finish(export_run(demo, choose_exporters(["zip"]), tmp_path / "out"))
    return place


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A runs folder somewhere else."""
    place = tmp_path / "elsewhere" / "runs"
    place.mkdir(parents=True)
    return place


def _files(run: runs.Run) -> dict[str, bytes]:
    return {
        path.relative_to(run.path).as_posix(): path.read_bytes()
        for path in run.path.rglob("*")
        if path.is_file()
    }


def _refused(file: Path, folder: Path) -> str:
    """The message, and nothing but the message."""
    before = sorted(folder.parent.rglob("*"))
    with pytest.raises(ExportError) as told:
        finish(unpack(file, folder))
    assert sorted(folder.parent.rglob("*")) == before
    return str(told.value)


# -- there and back --------------------------------------------------------------------------------


def test_a_run_comes_back_whole(archive: Path, folder: Path, demo: runs.Run) -> None:
    assert archive.name == "vae-d2-demo.aeviewer.zip"
    run = finish(unpack(archive, folder))
    assert run.path == folder / "vae-d2-demo"
    assert _files(run) == _files(demo)
    assert [found.name for found in runs.find_runs(folder)] == ["vae-d2-demo"]
    assert [path.name for path in folder.iterdir()] == ["vae-d2-demo"]


def test_a_second_one_gets_another_name(archive: Path, folder: Path) -> None:
    names = [finish(unpack(archive, folder)).name for _ in range(3)]
    assert names == ["vae-d2-demo", "vae-d2-demo-2", "vae-d2-demo-3"]


def test_a_stopped_run_goes_on_elsewhere_as_if_never_moved(
    start: Callable[..., Trainer], folder: Path, tmp_path: Path
) -> None:
    from trainers.training.trainer import Trainer

    trainer = start(name="mine", steps=60)
    for event in trainer:
        if getattr(event, "step", 0) >= 20:
            trainer.stop()
    views.save_view(trainer.run, "seven", views.View())
    (trainer.run.path / "notes.txt").write_text("of no run")
    (place,) = finish(export_run(trainer.run, choose_exporters(["zip"]), tmp_path / "out"))
    moved = finish(unpack(place, folder))
    assert moved.status().state == RunState.STOPPED
    assert views.view_names(moved) == ["seven"]
    assert not {"lock", "lease", "notes.txt"} & {*_files(moved)}
    for run in (trainer.run, moved):
        for _ in Trainer(runs.open_run(run.path)):
            pass
    ours, theirs = (run.checkpoint(60).model.read_bytes() for run in (trainer.run, moved))
    assert ours == theirs


def test_an_archive_that_others_packed_again_is_opened(
    tmp_path: Path, folder: Path, demo: runs.Run
) -> None:
    """Without a folder around the run, pressed, and with what systems add by themselves."""
    place = tmp_path / "again.zip"
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _files(demo).items():
            archive.writestr(name, content)
        for name in ("__MACOSX/._config.json", ".DS_Store", "views/config.json", "run.pkl"):
            archive.writestr(name, b"{}")
        archive.mkdir("checkpoints/empty")
    run = finish(unpack(place, folder))
    assert run.name == "again"
    assert {*_files(run)} == {*_files(demo), "views/config.json"}


def test_it_yields_how_far_it_is(archive: Path, folder: Path) -> None:
    shares = [*unpack(archive, folder)]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(shares) > 5


def test_what_is_given_up_leaves_nothing(archive: Path, folder: Path) -> None:
    work = unpack(archive, folder)
    for _ in range(4):
        next(work)
    assert [*folder.iterdir()]
    assert not runs.find_runs(folder)  # what is half there is listed by nobody
    work.close()
    assert not [*folder.iterdir()]


# -- archives that mean harm -----------------------------------------------------------------------


def _with(archive: Path, name: str, content: bytes = b"{}", mode: int = 0o100644) -> Path:
    """The archive with one entry more."""
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    with warnings.catch_warnings(), zipfile.ZipFile(archive, "a") as file:
        warnings.simplefilter("ignore")  # of a name that is there twice
        file.writestr(info, content)
    return archive


@pytest.mark.parametrize(
    "name",
    [
        "../escaped.json",
        "vae-d2-demo/../../escaped.json",
        "/tmp/escaped.json",
        "vae-d2-demo/views/../../../escaped.json",
        "C:/escaped.json",
        "vae-d2-demo\\..\\..\\escaped.json",
        "\\\\server\\share\\escaped.json",
    ],
)
def test_no_path_leaves_the_folder(archive: Path, folder: Path, name: str) -> None:
    told = _refused(_with(archive, name), folder)
    assert "leaves the run's folder" in told
    assert repr(name) in told


def test_a_name_of_any_length_is_told_shortly(archive: Path, folder: Path) -> None:
    told = _refused(_with(archive, f"../{'long' * 10_000}"), folder)
    assert "holds the path '../longlong" in told
    assert len(told) < 500


def test_no_file_is_without_a_name(archive: Path, folder: Path) -> None:
    content = _with(archive, "nameless").read_bytes()
    entry = content.rindex(b"PK\x01\x02")
    length = content[entry + 28 : entry + 30]
    assert int.from_bytes(length, "little") == len("nameless")
    # The name is said to be empty, and its letters to be a comment.
    comment = content[: entry + 28] + b"\0\0" + content[entry + 30 : entry + 32] + length
    archive.write_bytes(comment + content[entry + 34 :])
    assert "holds a file without a name" in _refused(archive, folder)


def test_no_link_is_made(archive: Path, folder: Path) -> None:
    told = _refused(_with(archive, "vae-d2-demo/views/a.json", b"/etc/passwd", 0o120777), folder)
    assert "holds a link or device, 'vae-d2-demo/views/a.json'" in told


def test_no_name_is_there_twice(archive: Path, folder: Path) -> None:
    told = _refused(_with(archive, "vae-d2-demo/config.json"), folder)
    assert "holds 'vae-d2-demo/config.json' twice" in told


def test_nothing_but_what_a_run_consists_of_is_unpacked(archive: Path, folder: Path) -> None:
    for name in ("model.pkl", "model.pt", "run.py", "autorun.inf", "con.json", "a/b/c/d.json"):
        _with(archive, f"vae-d2-demo/{name}", b"harm")
    run = finish(unpack(archive, folder))
    assert b"harm" not in _files(run).values()


def test_what_would_fill_the_disk_is_refused_before_it_begins(
    archive: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "ALLOWANCE", 1 << 20)
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr("vae-d2-demo/views/zeros.json", bytes(80 << 20))
    told = _refused(archive, folder)
    assert "would unpack to 84 MB; from its size 7" in told
    assert "are allowed. Such archives are made to fill disks" in told


def test_an_archive_may_not_say_less_than_it_holds(archive: Path, folder: Path) -> None:
    """Its table says 10 bytes of what is more: zipfile reads no further, and its checksum fails."""
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr("vae-d2-demo/views/zeros.json", bytes(1 << 20))
    content = bytearray(archive.read_bytes())
    entry = content.rfind(b"PK\x01\x02")
    struct.pack_into("<I", content, entry + 24, 10)
    archive.write_bytes(content)
    assert "no sound archive" in _refused(archive, folder)


def test_a_table_of_a_million_files_is_not_read(
    archive: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST_FILES", 20)
    assert "holds more files than a run: up to 20 are" in _refused(archive, folder)


def test_room_that_is_not_there_is_told(
    archive: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = 1 << 20

    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _place: Usage)
    told = _refused(archive, folder)
    assert "needs 4 MB, but 1 MB are free" in told
    assert "Free some space, or choose another runs folder" in told


def test_an_archive_may_not_be_endless(
    archive: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "LARGEST", 2 << 20)
    assert "vae-d2-demo.aeviewer.zip has 4 MB; archives have up to 2 MB" in _refused(
        archive, folder
    )


# -- archives that are damaged ---------------------------------------------------------------------


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _flipped(content: bytes) -> bytes:
    """A bit of some weights is another."""
    at = content.find(b"decoder.0.weight") + 100_000
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (_cut, "its end is missing"),
        (_flipped, "Bad CRC-32"),
        (lambda _content: b"", "its end is missing"),
        (lambda _content: b"GIF89a" * 100, "its end is missing"),
    ],
)
def test_damage_is_one_message(
    archive: Path, folder: Path, harm: Callable[[bytes], bytes], told: str
) -> None:
    archive.write_bytes(harm(archive.read_bytes()))
    message = _refused(archive, folder)
    assert "vae-d2-demo.aeviewer.zip cannot be opened: it is no sound archive" in message
    assert told in message
    assert "Have it made, or sent, again" in message


def test_every_cut_and_every_flip_is_told(archive: Path, folder: Path) -> None:
    content = archive.read_bytes()
    for at in range(0, len(content), len(content) // 40):
        archive.write_bytes(content[:at])
        _refused(archive, folder)
    end = content.rfind(b"PK\x05\x06")
    for at in range(end, len(content)):
        archive.write_bytes(content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :])
        try:
            finish(unpack(archive, folder))
        except ExportError:
            continue


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("config.json", b"{", "config.json is damaged"),
        ("status.json", b'{"state": "flying"}', "status.json is damaged"),
        ("checkpoints/00000200/model.safetensors", b"\x80\x04pickled", "model.safetensors is"),
        ("checkpoints/00000200/codes.npy", b"\x93NUMPY\x01\x00", "codes.npy is damaged"),
        ("checkpoints/00000200/reconstructions.png", b"\x89PNG", "reconstructions.png is damaged"),
        ("checkpoints/00000200/evaluation.json", b"[]", "evaluation.json is damaged"),
    ],
)
def test_a_damaged_run_in_a_sound_archive_is_told(
    tmp_path: Path, folder: Path, demo: runs.Run, name: str, content: bytes, told: str
) -> None:
    place = tmp_path / "broken.zip"
    with zipfile.ZipFile(place, "w") as archive:
        for path, whole in _files(demo).items():
            archive.writestr(f"run/{path}", content if path == name else whole)
    message = _refused(place, folder)
    assert "broken.zip holds a damaged run" in message
    assert told in message
    assert ".draft" not in message


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ([], "holds no run (no config.json)"),
        (["photo.png", "deep/down/config.json"], "holds no run"),
        (["a/config.json", "b/config.json"], "holds 2 runs"),
    ],
)
def test_what_is_no_run_is_told(
    tmp_path: Path, folder: Path, entries: list[str], told: str
) -> None:
    place = tmp_path / "other.zip"
    with zipfile.ZipFile(place, "w") as archive:
        for name in entries:
            archive.writestr(name, b"{}")
    message = _refused(place, folder)
    assert told in message
    assert "`aeviewer export RUN zip`" in message


def test_a_file_that_is_not_there_is_told(tmp_path: Path, folder: Path) -> None:
    assert "none.zip cannot be opened (No such file" in _refused(tmp_path / "none.zip", folder)
