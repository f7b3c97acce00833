"""A named pipe, a device or a socket under the name of a file is refused, and never waited for."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from trainers import runs
from trainers.checkpointing import weights
from trainers.datasets import sources, store
from trainers.datasets.http import fetch_file
from trainers.datasets.importing.image_files import open_image
from trainers.datasets.importing.import_errors import FlawError
from trainers.datasets.sources.folder import FolderSource
from trainers.embeddings import embedding_cache
from trainers.errors import AEViewerError, DataError, ExportError, RunError
from trainers.exploration import views
from trainers.generators import finish
from trainers.runs.archive import unpack
from trainers.storage import atomic, safetensors_file
from trainers.storage.regular_files import (
    NotRegularFileError,
    check_regular_file,
    open_for_appending,
    open_regular_file,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainers.training.trainer import Trainer

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes"),
    pytest.mark.timeout(60),
]
NULL = Path("/dev/zero")


@pytest.fixture(params=["a named pipe", "a device", "a socket"])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Path], Path]:
    """Returns a function that puts something else than a file at a place."""

    def put(place: Path) -> Path:
        place.unlink(missing_ok=True)
        match request.param:
            case "a named pipe":
                os.mkfifo(place)
            case "a device":
                place.symlink_to(NULL)
            case _:
                here = Path(tmp_path.anchor, "tmp", f"aeviewer-{os.getpid()}-{id(request)}")
                with socket.socket(socket.AF_UNIX) as end:
                    end.bind(str(here))
                here.replace(place)
        return place

    return put


@pytest.mark.parametrize("use", [open_regular_file, open_for_appending, check_regular_file])
def test_what_is_no_file_is_refused_by_its_kind(
    use: Callable[[Path], object], other: Callable[[Path], Path], tmp_path: Path
) -> None:
    place = other(tmp_path / "some")
    with pytest.raises(NotRegularFileError, match=r"it is a (named pipe|device|socket), not a"):
        use(place)


def test_a_file_that_is_replaced_while_it_is_opened_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    before = os.open
    monkeypatch.setattr(os, "open", lambda _place, *more: before(tmp_path / "pipe", *more))
    with pytest.raises(NotRegularFileError, match="a named pipe"):
        open_regular_file(plain)


def test_files_and_folders_are_opened_as_ever(tmp_path: Path) -> None:
    (tmp_path / "some").write_bytes(b"content")
    (tmp_path / "link").symlink_to("some")
    with open_regular_file(tmp_path / "link") as file:
        assert file.read() == b"content"
    with pytest.raises(IsADirectoryError):
        open_regular_file(tmp_path)
    with pytest.raises(FileNotFoundError):
        open_regular_file(tmp_path / "missing")
    atomic.append_to_file(tmp_path / "new", b"row\n", b"head\n")
    atomic.append_to_file(tmp_path / "new", b"row\n", b"head\n")
    assert (tmp_path / "new").read_bytes() == b"head\nrow\nrow\n"
    assert (tmp_path / "new").stat().st_mode & 0o111 == 0


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.idx", "x-idx3-ubyte.gz", "x"])
def test_no_source_waits(name: str, other: Callable[[Path], Path], tmp_path: Path) -> None:
    place = other(tmp_path / name)
    with pytest.raises(DataError, match=name):
        finish(sources.detect_source(place))


def test_no_list_of_labels_waits(other: Callable[[Path], Path], tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((100, 8, 8), np.uint8))
    for name in ("labels.txt", "labels.npy", "labels.idx"):
        with pytest.raises(DataError, match=name):
            finish(sources.detect_source(tmp_path / "x.npy", other(tmp_path / name)))


def test_among_images_it_is_no_image(other: Callable[[Path], Path], tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    place = other(tmp_path / "images" / "a.png")
    with pytest.raises(FlawError, match="not a file") as caught, open_image(place):
        pass
    assert caught.value.kind == "no image"
    if not place.is_symlink():  # It is passed over by its kind, and named.
        Image.new("L", (8, 8)).save(tmp_path / "images" / "b.png")
        source = FolderSource(tmp_path / "images")
        assert source.count == 1
        assert "1 other file is passed over: 1 .png." in source.notes


def test_no_archive_and_no_data_set_waits(
    other: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ExportError, match="not a file"):
        finish(unpack(other(tmp_path / "some.zip"), tmp_path / "runs"))
    monkeypatch.setenv("AEVIEWER_DATASETS", str(tmp_path))
    other(tmp_path / f"small{store.SUFFIX}")
    with pytest.raises(DataError, match="not a file"):
        store.dataset_named("small")
    other(tmp_path / "fetched.part")
    with pytest.raises(DataError, match="no address"):
        finish(fetch_file(["ftp://nowhere"], other(tmp_path / "fetched"), "0"))


def test_no_file_of_a_run_is_waited_for(
    other: Callable[[Path], Path], start: Callable[..., Trainer]
) -> None:
    trainer = start(steps=20, name="small")
    list(trainer)
    run, checkpoint = trainer.run, trainer.run.checkpoint()
    views.save_view(run, "mine", views.View())
    other(views.place_of(run, "mine"))
    for name in ("metrics.csv", "status.json", "config.json", "resume.safetensors"):
        other(run.path / name)
    for name in ("evaluation.json", "codes.npy", "reconstructions.png", "model.safetensors"):
        other(checkpoint.path / name)
    readers: list[Callable[[], object]] = [
        lambda: runs.Run(run.path).config,
        runs.Run(run.path).metrics,
        runs.Run(run.path).status,
        checkpoint.evaluation,
        checkpoint.codes,
        checkpoint.preview,
        lambda: weights._read(checkpoint.model),
        lambda: weights.ResumePoint.read(run.path / "resume.safetensors"),
        lambda: safetensors_file.read_header(checkpoint.model),
        lambda: views.open_view(run, "mine"),
    ]
    for read in readers:
        with pytest.raises(RunError, match="not a file"):
            read()
    with pytest.raises(AEViewerError), run.report_write_errors():
        atomic.append_to_file(run.path / "metrics.csv", b"1,2,3,4\n")
    assert embedding_cache.read([run.path / "resume.safetensors"], "key", 5) is None
