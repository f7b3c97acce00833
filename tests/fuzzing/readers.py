"""Every reader of something from outside, with files that it takes.

What a reader may do with a file: answer, or raise an error of the project's own whose message names
the file. It raises nothing else, needs no more memory than the file and the project's limits
account for, and writes nowhere but where it is told to.
"""

from __future__ import annotations

import gzip
import io
import shutil
import warnings
import zipfile
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import safetensors.numpy
from PIL import Image

from trainers import archives, formats, loss_rows, runs
from trainers.checkpoints import Checkpoint
from trainers.datasets import drawings, importing, sources, store
from trainers.datasets.conversion import Conversion
from trainers.datasets.description import MNIST, Dataset
from trainers.datasets.flaws import FlawError
from trainers.datasets.sources.folder import read_image
from trainers.errors import AEViewerError
from trainers.evaluation.summary import Evaluation
from trainers.events import Losses
from trainers.exploration import kept_layouts, views
from trainers.exploration.layouts import Layout
from trainers.presets import preset
from trainers.status import Status
from trainers.work import finish

if TYPE_CHECKING:
    from collections.abc import Callable

STEP, CODES, SIDE = 5, (32, 2), 8
_KEY = "k" * 64


@dataclass(frozen=True)
class Reader:
    """One reader.

    Attributes
    ----------
    name
        By which it is called here.
    file
        What its file is called, within a folder of its own.
    read
        Reads that file; told the folder.
    seeds
        Contents that it takes.
    prepare
        Makes what has to lie around the file.
    needs_torch
        Whether it loads torch, which holds half a gigabyte before it begins.
    names_file
        Whether its messages can say which file it was; a clipboard has no name.
    """

    name: str
    file: str
    read: Callable[[Path], object]
    seeds: Callable[[], list[bytes]]
    prepare: Callable[[Path], None] = lambda folder: None
    needs_torch: bool = False
    names_file: bool = True

    @property
    def spoken(self) -> str:
        """What it reads, as the table calls it."""
        return f"`{Path(self.file).name}` ({self.name})"

    def place(self, folder: Path) -> Path:
        """Where its file lies."""
        return folder / self.file

    def begin(self, folder: Path) -> None:
        """Makes its folder."""
        self.place(folder).parent.mkdir(parents=True, exist_ok=True)
        self.prepare(folder)

    def try_(self, content: bytes, folder: Path) -> bool:
        """Has a content read; whether it was taken. Raises what no reader may."""
        place = self.place(folder)
        place.write_bytes(content)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of libraries, about files: nobody sees them
                self.read(folder)
        except (AEViewerError, FlawError) as error:
            self._judge(error)
            return False
        return True

    def _judge(self, error: Exception) -> None:
        told, cause = str(error), error.__cause__ or error.__context__
        assert told, "an error without a message"
        assert len(told) < 2_000, f"a message of {len(told):,} characters"
        assert not isinstance(cause, MemoryError), "it allocated until there was no more"
        if self.names_file and not isinstance(error, FlawError):
            name = Path(self.file).name
            assert name in told, f"the message does not name {name}: {told}"


# -- runs ------------------------------------------------------------------------------------------


def _dataset() -> Dataset:
    return Dataset(name="small", title="Small", side=SIDE, classes=("a", "b"), train=100, test=32)


def _config() -> runs.RunConfig:
    return preset("vae").replace(dataset="small", latent_dim=CODES[1], hidden=(4,), steps=STEP)


def _run_folder(folder: Path) -> None:
    place = folder / "run"
    (place / "checkpoints" / f"{STEP:08d}").mkdir(parents=True, exist_ok=True)
    (place / "config.json").write_text(_config().model_dump_json())
    (place / "dataset.json").write_text(_dataset().model_dump_json())


def _run(folder: Path) -> runs.Run:
    return runs.Run(folder / "run")


def _in_run(
    name: str,
    file: str,
    read: Callable[[Path], object],
    seeds: Callable[[], list[bytes]],
    *,
    needs_torch: bool = False,
) -> Reader:
    return Reader(name, f"run/{file}", read, seeds, _run_folder, needs_torch)


@cache
def _configs() -> list[bytes]:
    conv = preset("conv-vae").replace(channels=(4, 8), checkpoints=(1, 2))
    return [c.model_dump_json().encode() for c in (_config(), conv, preset("pca"))]


@cache
def _statuses() -> list[bytes]:
    told = Status(state="running", step=7, seconds=1.5, versions={"torch": "2"}, error="oh")
    return [told.model_dump_json(indent=2).encode(), b"{}"]


@cache
def _datasets() -> list[bytes]:
    rich = _dataset().model_copy(update={"conversion": Conversion(), "history": "made"})
    return [_dataset().model_dump_json().encode(), rich.model_dump_json().encode()]


@cache
def _metrics() -> list[bytes]:
    steps = np.arange(1, 6)
    losses = np.linspace(1, 0.1, 5).astype(np.float32)
    rows = loss_rows.table(Losses(steps, losses, losses, losses))
    return [(loss_rows.HEADER + rows).encode(), loss_rows.HEADER.encode(), b"", b"1,2,3,4\n"]


@cache
def _evaluations() -> list[bytes]:
    told = Evaluation(
        step=STEP,
        images=32,
        squared_error=1.0,
        squared_error_per_pixel=0.1,
        reconstruction=1.0,
        kl=0.0,
        loss=1.0,
        active_units=2,
        code_variances=(0.1, 0.2),
    )
    return [told.model_dump_json(indent=2).encode()]


@cache
def _codes() -> list[bytes]:
    codes = np.random.default_rng(0).normal(size=CODES).astype(np.float32)
    return [formats.write_codes(codes, kind) for kind in (np.float32, np.float16)]


@cache
def _sheets() -> list[bytes]:
    images = np.random.default_rng(0).integers(0, 256, (32, SIDE, SIDE), dtype=np.uint8)
    return [formats.write_sheet(images, images)]


@cache
def _views() -> list[bytes]:
    pin = views.KeptPin(code=(1.0, 2.0), image=3)
    view = views.View(code=(0.5, 0.5), pins=(pin,), selection=(1, 2), rectangle=(0, 0, 1, 1))
    return [view.model_dump_json(indent=1).encode(), b"{}"]


@cache
def _layouts() -> list[bytes]:
    layout = Layout(np.zeros(CODES, np.float32), 0.5)
    told = {"key": _KEY, "trustworthiness": str(layout.trustworthiness)}
    return [safetensors.numpy.save({"places": layout.places}, told)]


def _read_tail(folder: Path) -> None:
    tail = loss_rows.Tail(folder / "run" / "metrics.csv")
    tail.read()
    tail.skip()


@cache
def _models() -> list[bytes]:
    from trainers.models import build
    from trainers.training.checkpoint import weights

    model = build(_config().model, _dataset().pixels)
    return [weights(model), weights(model, "float16")]


@cache
def _resume_points() -> list[bytes]:
    import torch

    from trainers.models import build
    from trainers.training.adam import Adam
    from trainers.training.checkpoint import ResumePoint

    model = build(_config().model, _dataset().pixels)
    state, noise = dict(model.state_dict()), torch.Generator().get_state()
    moments = Adam(model.parameters(), 0.001).state()
    return [ResumePoint(STEP, 1.0, state, moments, noise).snapshot().to_bytes()]


def _load_model(folder: Path) -> None:
    from trainers.training.checkpoint import load_model

    load_model(_run(folder))


def _resume(folder: Path) -> None:
    import torch

    from trainers.models import build
    from trainers.training.adam import Adam
    from trainers.training.checkpoint import ResumePoint

    place = folder / "run" / "resume.safetensors"
    point = ResumePoint.read(place)
    model = build(_config().model, _dataset().pixels)
    point.restore(model, Adam(model.parameters(), 0.001), torch.Generator(), place)


# -- archives --------------------------------------------------------------------------------------


def _zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, held in files.items():
            archive.writestr(zipfile.ZipInfo(name), held, method)
    return content.getvalue()


@cache
def _archives() -> list[bytes]:
    step = f"mine/checkpoints/{STEP:08d}"
    files = {
        "mine/config.json": _config().model_dump_json().encode(),
        "mine/dataset.json": _datasets()[0],
        "mine/status.json": _statuses()[0],
        "mine/metrics.csv": _metrics()[0],
        "mine/views/one.json": _views()[0],
        f"{step}/codes.npy": _codes()[0],
        f"{step}/evaluation.json": _evaluations()[0],
        f"{step}/reconstructions.png": _sheets()[0],
        f"{step}/model.safetensors": _layouts()[0],
    }
    return [_zipped(files), _zipped(files, zipfile.ZIP_STORED)]


def _unpack(folder: Path) -> None:
    target = folder / "runs"
    try:
        finish(archives.unpack(folder / "mine.zip", target))
    finally:
        found = {path.name for path in folder.iterdir()}
        assert found <= {"mine.zip", "runs"}, f"written outside: {found}"
        shutil.rmtree(target, ignore_errors=True)


# -- images ----------------------------------------------------------------------------------------


def _import(folder: Path, file: str) -> None:
    """Looks at it as the import does, and at some of its images."""
    source = finish(sources.found(folder / file))
    try:
        source.sizes(8)
        importing.usual(source)
        for index in range(min(source.count, 4)):
            source.name(index)
            try:
                source.image(index)
                source.label(index)
            except FlawError:
                continue
    finally:
        source.close()


def _arrays() -> dict[str, np.ndarray]:
    images = np.random.default_rng(0).integers(0, 256, (4, SIDE, SIDE), dtype=np.uint8)
    return {"images": images, "labels": np.array([0, 1, 2, 1])}


def _npy(array: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


@cache
def _npys() -> list[bytes]:
    images = _arrays()["images"]
    return [_npy(images), _npy(images / 255), _npy(np.asfortranarray(images)), _npy(images > 9)]


@cache
def _label_columns() -> list[bytes]:
    kinds = (np.int64, np.float32, np.uint8, ">i2", "U3", "S3", np.bool_)
    return [_npy(np.array([0, 1, 0, 1]).astype(kind)) for kind in kinds]


@cache
def _npzs() -> list[bytes]:
    files = {f"{key}.npy": _npy(array) for key, array in _arrays().items()}
    named = {**files, "classes.npy": _npy(np.array(["a", "b", "c"]))}
    return [_zipped(files), _zipped(named, zipfile.ZIP_STORED)]


@cache
def _idxs() -> list[bytes]:
    images = _arrays()["images"]
    head = b"\0\0\x08\x03" + np.array(images.shape, ">u4").tobytes()
    floats = b"\0\0\x0d\x03" + np.array(images.shape, ">u4").tobytes()
    return [head + images.tobytes(), floats + (images / 255).astype(">f4").tobytes()]


@cache
def _pictures() -> list[bytes]:
    image = Image.fromarray(_arrays()["images"][0])
    made = []
    for kind, mode in (
        ("PNG", "L"),
        ("PNG", "RGBA"),
        ("PNG", "I;16"),
        ("PNG", "P"),
        ("JPEG", "RGB"),
        ("GIF", "P"),
        ("BMP", "RGB"),
        ("WEBP", "RGB"),
        ("TIFF", "F"),
        ("TIFF", "CMYK"),
        ("PPM", "L"),
    ):
        content = io.BytesIO()
        image.convert(mode).save(content, kind)
        made.append(content.getvalue())
    return made


def _npy_with_labels(folder: Path) -> None:
    (folder / "images.npy").write_bytes(_npys()[0])


def _as_given(folder: Path, dataset: Dataset) -> None:
    drawings.as_given((folder / "given").read_bytes(), dataset)


@cache
def _stored() -> list[bytes]:
    dataset, rng = _dataset(), np.random.default_rng(0)
    arrays = {
        f"{part}.{what}": rng.integers(0, top, shape, dtype=np.uint8)
        for part, count in (("train", dataset.train), ("test", dataset.test))
        for what, top, shape in (("images", 256, (count, SIDE, SIDE)), ("labels", 2, (count,)))
    }
    arrays["spectrum.mean"] = np.zeros(SIDE * SIDE)
    return [safetensors.numpy.save(arrays, {"dataset": dataset.model_dump_json()})]


def _open_stored(folder: Path) -> None:
    """As `store.opened`, past what is remembered of files that were read before."""
    header = store._read_header.__wrapped__(folder / "small.safetensors", 0)
    data = store._mapped.__wrapped__(header)
    data.train.images[0].sum()
    for key in header.tensors:
        np.array(header.array(key))


def _npz_around(folder: Path) -> None:
    """An NPZ whose images are the file."""
    inner = (folder / "some.npz").read_bytes()
    (folder / "some.npz").write_bytes(_zipped({"images.npy": inner}, zipfile.ZIP_STORED))
    _import(folder, "some.npz")


READERS = {
    reader.name: reader
    for reader in (
        _in_run("config", "config.json", lambda f: _run(f).config, _configs),
        _in_run("status", "status.json", lambda f: _run(f).status(), _statuses),
        _in_run("dataset", "dataset.json", lambda f: _run(f).dataset, _datasets),
        _in_run("metrics", "metrics.csv", lambda f: _run(f).metrics(), _metrics),
        _in_run("tail", "metrics.csv", _read_tail, _metrics),
        _in_run(
            "evaluation",
            f"checkpoints/{STEP:08d}/evaluation.json",
            lambda f: Checkpoint(f / f"run/checkpoints/{STEP:08d}", _run(f)).evaluation(),
            _evaluations,
        ),
        _in_run(
            "codes",
            f"checkpoints/{STEP:08d}/codes.npy",
            lambda f: Checkpoint(f / f"run/checkpoints/{STEP:08d}", _run(f)).codes(),
            _codes,
        ),
        _in_run(
            "sheet",
            "reconstructions.png",
            lambda f: formats.read_sheet(f / "run/reconstructions.png", (SIDE, SIDE)),
            _sheets,
        ),
        _in_run("view", "views/one.json", lambda f: views.opened(_run(f), "one"), _views),
        _in_run(
            "layout",
            "layout-tsne.safetensors",
            lambda f: kept_layouts.read([f / "run/layout-tsne.safetensors"], _KEY, CODES[0]),
            _layouts,
        ),
        Reader("store", "small.safetensors", _open_stored, _stored),
        Reader("npy", "images.npy", partial(_import, file="images.npy"), _npys),
        Reader(
            "labels",
            "labels.npy",
            partial(_import, file="images.npy"),
            _label_columns,
            _npy_with_labels,
        ),
        Reader("npz", "some.npz", partial(_import, file="some.npz"), _npzs),
        Reader("npz-member", "some.npz", _npz_around, _npys),
        Reader("idx", "some.idx", partial(_import, file="some.idx"), _idxs),
        Reader(
            "idx-gz",
            "some.idx.gz",
            partial(_import, file="some.idx.gz"),
            lambda: [gzip.compress(content, mtime=0) for content in _idxs()],
        ),
        Reader("image", "image", lambda f: read_image(f / "image"), _pictures),
        Reader(
            "drawing",
            "given",
            partial(_as_given, dataset=MNIST),
            _pictures,
            names_file=False,
        ),
        Reader(
            "drawing-of-own",
            "given",
            partial(_as_given, dataset=_dataset()),
            _pictures,
            names_file=False,
        ),
        Reader("archive", "mine.zip", _unpack, _archives),
        _in_run(
            "model",
            f"checkpoints/{STEP:08d}/model.safetensors",
            _load_model,
            _models,
            needs_torch=True,
        ),
        _in_run("resume", "resume.safetensors", _resume, _resume_points, needs_torch=True),
    )
}
"""By name, those that cost least first."""
