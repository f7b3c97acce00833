"""Readers of what a run folder holds, of the archive of a run, and files that they take."""

from __future__ import annotations

import shutil
import zipfile
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import safetensors.numpy

from tests.fuzzing.readers.reader import Reader
from tests.fuzzing.readers.small import SIDE, small_dataset, zipped
from trainers import runs
from trainers.datasets.importing.conversion import Conversion
from trainers.embeddings import embedding_cache
from trainers.embeddings.embedding import Embedding
from trainers.events import Losses
from trainers.exploration import views
from trainers.generators import finish
from trainers.presets import preset
from trainers.runs import RunState, archive, formats, losses_csv
from trainers.runs.checkpoint import Checkpoint
from trainers.runs.metrics import Evaluation
from trainers.runs.status import Status

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


STEP, CODES = 5, (32, 2)
_KEY = "k" * 64


def _config() -> runs.RunConfig:
    return preset("vae").replace(dataset="small", latent_dim=CODES[1], hidden=(4,), steps=STEP)


def _run_folder(folder: Path) -> None:
    place = folder / "run"
    (place / "checkpoints" / f"{STEP:08d}").mkdir(parents=True, exist_ok=True)
    (place / "config.json").write_text(_config().model_dump_json())
    (place / "dataset.json").write_text(small_dataset().model_dump_json())


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
    told = Status(state=RunState.RUNNING, step=7, seconds=1.5, versions={"torch": "2"}, error="oh")
    return [told.model_dump_json(indent=2).encode(), b"{}"]


@cache
def _datasets() -> list[bytes]:
    rich = small_dataset().model_copy(update={"conversion": Conversion(), "history": "made"})
    return [small_dataset().model_dump_json().encode(), rich.model_dump_json().encode()]


@cache
def _metrics() -> list[bytes]:
    steps = np.arange(1, 6)
    losses = np.linspace(1, 0.1, 5).astype(np.float32)
    rows = losses_csv.format_rows(Losses(steps, losses, losses, losses))
    return [(losses_csv.HEADER + rows).encode(), losses_csv.HEADER.encode(), b"", b"1,2,3,4\n"]


@cache
def _evaluations() -> list[bytes]:
    told = Evaluation(
        step=STEP,
        images=32,
        squared_error=1.0,
        squared_error_per_pixel=0.1,
        reconstruction_at_mean=1.0,
        test_reconstruction=1.0,
        kl=0.0,
        test_kl=0.0,
        loss_at_mean=1.0,
        test_loss=1.0,
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
    layout = Embedding(np.zeros(CODES, np.float32), 0.5)
    told = {"key": _KEY, "trustworthiness": str(layout.trustworthiness)}
    return [safetensors.numpy.save({"places": layout.places}, told)]


def _read_tail(folder: Path) -> None:
    tail = losses_csv.Tail(folder / "run" / "metrics.csv")
    tail.read()
    tail.skip()


@cache
def _models() -> list[bytes]:
    from trainers.checkpointing.weights import weights_to_bytes
    from trainers.models import build

    model = build(_config().model, small_dataset().pixels)
    return [weights_to_bytes(model), weights_to_bytes(model, "float16")]


@cache
def _resume_points() -> list[bytes]:
    import torch

    from trainers.checkpointing.weights import ResumePoint
    from trainers.models import build
    from trainers.training.adam import Adam

    model = build(_config().model, small_dataset().pixels)
    state, noise = dict(model.state_dict()), torch.Generator().get_state()
    moments = Adam(model.parameters(), 0.001).state()
    return [ResumePoint(STEP, 1.0, state, moments, noise).snapshot().to_bytes()]


def _load_model(folder: Path) -> None:
    from trainers.checkpointing.weights import load_model

    load_model(_run(folder))


def _resume(folder: Path) -> None:
    import torch

    from trainers.checkpointing.weights import ResumePoint
    from trainers.models import build
    from trainers.training.adam import Adam

    place = folder / "run" / "resume.safetensors"
    point = ResumePoint.read(place)
    model = build(_config().model, small_dataset().pixels)
    point.restore(model, Adam(model.parameters(), 0.001), torch.Generator(), place)


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
    return [zipped(files), zipped(files, zipfile.ZIP_STORED)]


def _unpack(folder: Path) -> None:
    target = folder / "runs"
    try:
        finish(archive.unpack(folder / "mine.zip", target))
    finally:
        found = {path.name for path in folder.iterdir()}
        assert found <= {"mine.zip", "runs"}, f"written outside: {found}"
        shutil.rmtree(target, ignore_errors=True)


RUNS = (
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
    _in_run("view", "views/one.json", lambda f: views.open_view(_run(f), "one"), _views),
    _in_run(
        "layout",
        "layout-tsne.safetensors",
        lambda f: embedding_cache.read([f / "run/layout-tsne.safetensors"], _KEY, CODES[0]),
        _layouts,
    ),
)
ARCHIVES = (Reader("archive", "mine.zip", _unpack, _archives),)
WITH_TORCH = (
    _in_run(
        "model",
        f"checkpoints/{STEP:08d}/model.safetensors",
        _load_model,
        _models,
        needs_torch=True,
    ),
    _in_run("resume", "resume.safetensors", _resume, _resume_points, needs_torch=True),
)
