from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from trainers import runs
from trainers.checkpointing.weights import load_model
from trainers.errors import RunError
from trainers.events import Losses
from trainers.presets import preset
from trainers.runs import RunState, runs_folder
from trainers.storage import atomic

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainers.training.trainer import Trainer

CONFIG = preset("vae").replace(latent_dim=2)


def _losses(first: int, count: int) -> Losses:
    values = np.linspace(3, 1, count, dtype=np.float32)
    return Losses(np.arange(first, first + count), values, values / 2, values / 2)


def test_a_run_names_itself(tmp_path: Path) -> None:
    names = [runs.create_run(CONFIG, tmp_path).name for _ in range(3)]
    assert names == ["vae-d2", "vae-d2-2", "vae-d2-3"]
    assert [run.name for run in runs.find_runs(tmp_path)] == names
    assert runs.open_run(tmp_path / "vae-d2").config == CONFIG


def test_a_taken_or_impossible_name_is_refused(tmp_path: Path) -> None:
    runs.create_run(CONFIG, tmp_path, "mine")
    with pytest.raises(RunError, match="already"):
        runs.create_run(CONFIG, tmp_path, "mine")
    for name in ("../up", "a/b", ".hidden", "CON", "x" * 81, "dot.", ""):
        with pytest.raises(RunError, match="cannot name a run"):
            runs_folder.checked_name(name)


def test_metrics_are_appended_and_cut(tmp_path: Path) -> None:
    run = runs.create_run(CONFIG, tmp_path)
    assert len(run.metrics().step) == 0
    run.append_metrics(_losses(1, 5))
    run.append_metrics(_losses(6, 5))
    assert run.metrics().step.tolist() == list(range(1, 11))
    assert run.metrics().kl[0] == pytest.approx(1.5)
    run.cut_metrics(7)
    assert run.metrics().step.tolist() == list(range(1, 8))


def test_a_torn_row_is_left_out(tmp_path: Path) -> None:
    run = runs.create_run(CONFIG, tmp_path)
    run.append_metrics(_losses(1, 3))
    with (run.path / "metrics.csv").open("a") as file:
        file.write("4,0.5,0.")
    assert run.metrics().step.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "tail", ["\x00" * 40 + "\n", "\n\n", "4,x,1,1\n", "4,nan,1,1\n", "9,1,1,1\n"]
)
def test_rows_are_read_up_to_the_first_damaged_one(tmp_path: Path, tail: str) -> None:
    run = runs.create_run(CONFIG, tmp_path)
    run.append_metrics(_losses(1, 3))
    with (run.path / "metrics.csv").open("a") as file:
        file.write(tail + "4,1,1,1\n5,1,1,1\n")
    assert run.metrics().step.tolist()[:3] == [1, 2, 3]
    assert np.isfinite(run.metrics().total).all()
    run.cut_metrics(2)
    assert run.metrics().step.tolist() == [1, 2]


def test_what_a_crash_left_half_written_is_swept_away(tmp_path: Path) -> None:
    run = runs.create_run(CONFIG, tmp_path)
    (run.path / "checkpoints" / ".draft-x").mkdir(parents=True)
    (run.path / ".draft-status.json").write_text("{")
    with run.hold_for_training():
        assert not list(run.path.rglob(".draft-*"))


def test_a_checkpoint_that_is_written_again_replaces_the_old_one(tmp_path: Path) -> None:
    run = runs.create_run(CONFIG, tmp_path)
    for content in (b"first", b"second"):
        kept = run.write_checkpoint(7, content)
        assert kept.model.read_bytes() == content
        assert [p.name for p in kept.path.iterdir()] == ["model.safetensors"]
    assert [c.step for c in run.checkpoints()] == [7]


def test_a_file_that_a_reader_has_open_is_replaced_as_soon_as_it_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows lets nobody replace it until then."""
    replace, refusals = Path.replace, [PermissionError("in use")] * 3

    def refusing(draft: Path, place: Path) -> Path:
        if refusals:
            raise refusals.pop()
        return replace(draft, place)

    monkeypatch.setattr(Path, "replace", refusing)
    atomic.replace_file(tmp_path / "status.json", b"{}")
    assert (tmp_path / "status.json").read_bytes() == b"{}"
    refusals = [PermissionError("in use")] * 1_000
    with pytest.raises(PermissionError):
        atomic.replace_file(tmp_path / "status.json", b"[]")
    assert [place.name for place in tmp_path.iterdir()] == ["status.json"]


def test_a_picture_must_be_a_png(start: Callable[..., Trainer]) -> None:
    trainer = start()
    list(trainer)
    kept = trainer.run.checkpoint()
    for kind in ("bmp", "gif"):
        Image.new("L", (896, 56)).save(kept.path / "reconstructions.png", kind)
        with pytest.raises(RunError, match=r"reconstructions\.png is damaged"):
            kept.preview()


@pytest.mark.parametrize(
    "codes",
    [
        np.zeros((10_000, 3), np.float32),
        np.zeros((100, 2), np.float32),
        np.full((10_000, 2), 3e38, np.float32),
        np.full((10_000, 2), np.nan, np.float32),
        np.zeros((10_000, 2), np.complex64),
        np.zeros((10_000, 2), "datetime64[s]"),
    ],
    ids=["dimension", "count", "large", "nan", "complex", "dates"],
)
def test_codes_must_be_those_of_the_run(start: Callable[..., Trainer], codes: np.ndarray) -> None:
    trainer = start()
    list(trainer)
    kept = trainer.run.checkpoint()
    np.save(kept.path / "codes.npy", codes)
    with pytest.raises(RunError, match=r"codes\.npy is damaged"):
        kept.preview()


def test_a_header_that_promises_too_much_allocates_nothing(start: Callable[..., Trainer]) -> None:
    trainer = start()
    list(trainer)
    kept = trainer.run.checkpoint()
    path = kept.path / "codes.npy"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"(10000, 2)", b"(99999999999, 9)"[:10]))
    with pytest.raises(RunError, match=r"codes\.npy is damaged"):
        kept.preview()


def test_a_torn_checkpoint_is_not_seen(start: Callable[..., Trainer]) -> None:
    trainer = start()
    list(trainer)
    folder = trainer.run.path / "checkpoints"
    (folder / ".draft-xyz").mkdir()
    (folder / "00000099").mkdir()
    (folder / "notes").mkdir()
    assert trainer.run.checkpoint().step == 60


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", b"{"),
        ("config.json", b'{"model": {"latent_dim": 999}}'),
        ("config.json", b"\xff\xfe"),
    ],
)
def test_a_damaged_config_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    run = runs.create_run(CONFIG, tmp_path)
    (run.path / name).write_bytes(content)
    with pytest.raises(RunError, match=r"config\.json is damaged"):
        runs.open_run(run.path)


def test_damaged_files_of_a_checkpoint_are_named(start: Callable[..., Trainer]) -> None:
    trainer = start()
    list(trainer)
    kept = trainer.run.checkpoint()
    for name, read in [
        ("evaluation.json", kept.evaluation),
        ("codes.npy", kept.preview),
        ("reconstructions.png", kept.preview),
        ("model.safetensors", lambda: load_model(trainer.run)),
    ]:
        path = kept.path / name
        whole = path.read_bytes()
        for damaged in (whole[: len(whole) // 2], b"", b"nonsense" * 9):
            path.write_bytes(damaged)
            with pytest.raises(RunError, match=name.replace(".", r"\.")):
                read()
        path.write_bytes(whole)
        read()


def test_weights_of_another_model_are_refused(start: Callable[..., Trainer]) -> None:
    first, second = start(name="a"), start(name="b", latent_dim=3)
    list(first), list(second)
    first.run.checkpoint().model.write_bytes(second.run.checkpoint().model.read_bytes())
    with pytest.raises(RunError, match="does not fit"):
        load_model(first.run)


def test_a_run_that_nobody_trains_was_interrupted(tmp_path: Path) -> None:
    run = runs.create_run(CONFIG, tmp_path)
    run.write_status(runs.Status(state=RunState.RUNNING, step=7))
    assert run.status().state == RunState.INTERRUPTED
    with run.hold_for_training():
        assert run.status().state == RunState.RUNNING
        assert runs.Run(run.path).status().state == RunState.RUNNING


def test_a_missing_checkpoint_names_those_there_are(start: Callable[..., Trainer]) -> None:
    trainer = start(checkpoints=(0,))
    with pytest.raises(RunError, match="no checkpoint yet"):
        trainer.run.checkpoint()
    list(trainer)
    with pytest.raises(RunError, match="no checkpoint at 7; it has 0, 60"):
        trainer.run.checkpoint(7)


def test_an_unwritable_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunError, match="No run can be made"):
        runs.create_run(CONFIG, tmp_path / "file")


def test_a_full_disk_is_told_and_what_was_written_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.create_run(CONFIG, tmp_path)
    before = (run.path / "status.json").read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RunError, match="No space left on device") as caught:
        run.write_status(runs.Status(step=3))
    assert "Free some space" in str(caught.value)
    assert (run.path / "status.json").read_bytes() == before


def test_renaming(tmp_path: Path) -> None:
    run = runs.create_run(CONFIG, tmp_path, "before")
    runs.create_run(CONFIG, tmp_path, "taken")
    renamed = run.rename("after")
    assert renamed.config == CONFIG
    assert not run.path.exists()
    with pytest.raises(RunError, match="already"):
        renamed.rename("taken")
    with renamed.hold_for_training(), pytest.raises(RunError, match="stop it"):
        renamed.write_status(runs.Status(state=RunState.RUNNING))
        renamed.rename("later")


def test_the_demo_is_whole_and_read_only() -> None:
    with runs.demo_run() as run:
        assert run.status().state == RunState.FINISHED
        assert run.config.model.latent_dim == 2
        assert run.config.model.variational
        for kept in run.checkpoints():
            assert kept.preview().codes.shape == (10_000, 2)
        assert len(run.checkpoints()) >= 5
        assert run.checkpoint().evaluation().loss_at_mean < 150
        size = sum(f.stat().st_size for f in run.path.rglob("*") if f.is_file())
        assert size < 5_000_000
        with pytest.raises(RunError, match="read-only"), run.hold_for_training():
            pass
        with pytest.raises(RunError, match="read-only"):
            run.rename("mine")


def test_half_precision_is_kept_where_asked(start: Callable[..., Trainer]) -> None:
    trainer = start(precision="float16")
    list(trainer)
    kept = trainer.run.checkpoint()
    assert np.load(kept.path / "codes.npy").dtype == np.float16
    header = kept.model.read_bytes()
    length = int.from_bytes(header[:8], "little")
    told = json.loads(header[8 : 8 + length])
    assert set(told.pop("__metadata__")) == {"checksum"}
    kinds = {e["dtype"] for e in told.values()}
    assert kinds == {"F16"}


def _write_as_version_0_1(run: runs.Run) -> None:
    """Writes the newest evaluation without a test loss, with the keys of version 0.1."""
    kept = run.checkpoint()
    values = kept.evaluation().model_dump(exclude_none=True)
    values = {k: v for k, v in values.items() if not k.startswith("test_")}
    values["loss"], values["reconstruction"] = (
        values.pop("loss_at_mean"),
        values.pop("reconstruction_at_mean"),
    )
    (kept.path / "evaluation.json").write_text(json.dumps(values))


@pytest.mark.parametrize("preset", ["elu", "vae", "denoising"])
def test_an_older_loss_at_the_mean_is_the_test_loss_only_without_noise(
    start: Callable[..., Trainer], preset: str
) -> None:
    trainer = start(preset=preset, steps=5)
    for _ in trainer:
        pass
    before = trainer.run.checkpoint().evaluation()
    _write_as_version_0_1(trainer.run)
    found = trainer.run.checkpoint().evaluation()
    assert found.loss_at_mean == before.loss_at_mean
    assert found.test_loss == (before.test_loss if preset == "elu" else None)
    (trainer.run.path / "config.json").write_text("{")
    damaged = runs.Run(trainer.run.path).checkpoint().evaluation()
    assert (damaged.loss_at_mean, damaged.test_loss) == (before.loss_at_mean, None)
