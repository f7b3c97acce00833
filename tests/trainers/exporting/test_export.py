"""What is carried away is opened by the program it is meant for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from torch import nn

import trainers
from aeviewer.__main__ import main
from trainers import optional_packages, runs, tensorboard
from trainers.checkpointing.weights import weights_to_bytes
from trainers.datasets import load_split
from trainers.errors import ExportError
from trainers.exporting import exporters, onnx_exporter
from trainers.exporting.export import export_run
from trainers.generators import finish
from trainers.models import build
from trainers.models.base import ACTIVATIONS
from trainers.presets import preset
from trainers.runs.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trainers.training.trainer import Trainer


@pytest.fixture
def demo() -> Iterator[runs.Run]:
    with runs.demo_run() as run:
        yield run


def _carried(run: runs.Run, folder: Path, *names: str, step: int | None = None) -> list[Path]:
    return [*finish(export_run(run, exporters.choose_exporters(names), folder, step))]


def _drawn(folder: Path, name: str, **changes: object) -> runs.Run:
    """A run whose only checkpoint holds weights as they are drawn, or anything but zeros."""
    config = preset(name).replace(latent_dim=3, **changes)
    run = runs.create_run(config, folder)
    model = build(config.model)
    random = torch.Generator().manual_seed(5)
    model.initialise(random, config.model.activation)
    for tensor in model.state_dict().values():
        tensor += 0.02 * torch.randn(tensor.shape, generator=random)
    run.write_checkpoint(7, weights_to_bytes(model))
    return run


# -- models ----------------------------------------------------------------------------------------

_FAMILIES: dict[str, dict[str, object]] = {
    "vae": {"hidden": (32,)},
    "relu": {"hidden": (16, 8)},
    "conv-vae": {"channels": (4, 8), "dense": 16},
    "pca": {},
}
_LOADS = """
import json, runpy, sys
for name in ("safetensors", "trainers", "aeviewer", "onnx"):
    sys.modules[name] = None  # whoever imports it fails
import torch
for place in sys.argv[1:]:
    found = runpy.run_path(place)
    pixels = torch.linspace(0, 1, 2 * 784).reshape(2, 784)
    with torch.inference_mode():
        codes = found["encoder"](pixels)
        print(json.dumps([codes.tolist(), found["decoder"](codes[:, :3]).tolist()]))
"""


def test_the_script_loads_the_weights_by_torch_alone(tmp_path: Path) -> None:
    made = {name: _drawn(tmp_path / name, name, **c) for name, c in _FAMILIES.items()}
    for name, run in made.items():
        _carried(run, tmp_path / name / "out", "safetensors")
    scripts = [str(tmp_path / name / "out" / "load_model.py") for name in made]
    told = subprocess.run(
        [sys.executable, "-c", _LOADS, *scripts], capture_output=True, text=True, check=True
    )
    pixels = np.linspace(0, 1, 2 * 784, dtype=np.float32).reshape(2, 784)
    for run, line in zip(made.values(), told.stdout.splitlines(), strict=True):
        codes, images = (np.array(values) for values in json.loads(line))
        model = trainers.load(run)
        mean, log_variance = model.posterior(pixels)
        expected = mean if log_variance is None else np.hstack([mean, log_variance])
        assert codes == pytest.approx(expected, abs=1e-5)
        assert images.reshape(2, 28, 28) == pytest.approx(model.decode(mean), abs=1e-5)


def test_the_script_has_ten_lines(tmp_path: Path, demo: runs.Run) -> None:
    _carried(demo, tmp_path, "safetensors")
    words = (tmp_path / "load_model.py").read_text().split('"""')[2]
    assert len([line for line in words.splitlines() if line.strip()]) == 10


def test_a_layer_that_torch_does_not_know_is_named(
    tmp_path: Path, demo: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Own(nn.Module):
        pass

    stacks = nn.Sequential(Own()), nn.Sequential()
    monkeypatch.setattr("trainers.models.base.Network.layers", lambda _model: stacks)
    with pytest.raises(ExportError, match="a layer that torch alone does not know: Own"):
        _carried(demo, tmp_path / "new" / "out", "safetensors")
    assert not (tmp_path / "new").exists()


_ACTIVATIONS = ("linear", "sigmoid", "tanh", "relu", "elu", "gelu", "silu")


@pytest.mark.parametrize("name", list(_FAMILIES))
def test_onnx_is_run_by_onnxruntime_and_held_against_torch(tmp_path: Path, name: str) -> None:
    _compare_onnx(_drawn(tmp_path, name, **_FAMILIES[name]), tmp_path / "out")


@pytest.mark.parametrize("activation", _ACTIVATIONS)
def test_every_activation_has_a_translation(tmp_path: Path, activation: str) -> None:
    run = _drawn(tmp_path, "vae", hidden=(9,), activation=activation)
    _compare_onnx(run, tmp_path / "out")


def test_no_activation_is_left_out() -> None:
    assert set(_ACTIVATIONS) == {*ACTIVATIONS}


def test_a_layer_without_a_translation_is_named() -> None:
    with pytest.raises(ExportError, match="without a translation to ONNX: Softplus"):
        onnx_exporter.translate(nn.Sequential(nn.Softplus()), "x", "codes", ["images"], 2, "")


def _compare_onnx(run: runs.Run, folder: Path) -> None:
    import onnxruntime

    _carried(run, folder, "onnx")
    encoder, decoder = (
        onnxruntime.InferenceSession(folder / f"{name}.onnx") for name in ("encoder", "decoder")
    )
    model = trainers.load(run)
    for count in (1, 9):  # a batch of any size
        images = load_split("test").images[:count].reshape(count, 784).astype(np.float32) / 255
        mean, log_variance = model.posterior(images)
        names = [output.name for output in encoder.get_outputs()]
        found = dict(zip(names, encoder.run(names, {"images": images}), strict=True))
        assert found["mean"] == pytest.approx(mean, abs=1e-4)
        assert ("log_variance" in found) == (log_variance is not None)
        if log_variance is not None:
            assert found["log_variance"] == pytest.approx(log_variance, abs=1e-4)
        (decoded,) = decoder.run(None, {"codes": mean})
        assert decoded.reshape(-1, 28, 28) == pytest.approx(model.decode(mean), abs=1e-4)
    _, other = build(run.config.model).layers()
    with pytest.raises(ExportError, match=r"decoder\.onnx cannot be trusted: .* 0\.0001 is"):
        onnx_exporter.check(other, torch.ones(4, 3), folder / "decoder.onnx")


# -- codes -----------------------------------------------------------------------------------------


def test_codes_and_labels_are_read_by_pandas_and_numpy(tmp_path: Path, demo: runs.Run) -> None:
    _carried(demo, tmp_path, "csv", "npy", step=3000)
    codes, labels = demo.checkpoint(3000).codes(), load_split("test").labels
    found = pd.read_csv(tmp_path / "codes.csv")
    assert list(found) == ["image", "label", "class", "z1", "z2"]
    assert (found["image"] == np.arange(10_000)).all()
    assert (found["label"] == labels).all()
    assert (found["class"] == labels).all()
    assert (found[["z1", "z2"]].to_numpy(np.float32) == codes).all()
    assert (np.load(tmp_path / "codes.npy") == codes).all()
    assert (np.load(tmp_path / "labels.npy") == labels).all()


def test_the_projector_finds_codes_labels_and_sprite(tmp_path: Path, demo: runs.Run) -> None:
    from google.protobuf import text_format
    from tensorboard.plugins.projector import metadata as names
    from tensorboard.plugins.projector import projector_plugin
    from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

    _carried(demo, tmp_path, "projector")
    folder = tmp_path / "projector"
    text = (folder / names.PROJECTOR_FILENAME).read_text()
    (embedding,) = text_format.Parse(text, ProjectorConfig()).embeddings
    assert embedding.tensor_name == "vae-d2-demo, step 20000"
    places = projector_plugin._read_tensor_tsv_file(str(folder / embedding.tensor_path))
    assert places == pytest.approx(demo.checkpoint().codes())
    metadata = pd.read_csv(folder / embedding.metadata_path, sep="\t")
    assert (metadata["label"] == load_split("test").labels).all()
    across, down = embedding.sprite.single_image_dim
    with Image.open(folder / embedding.sprite.image_path) as picture:
        sheet = np.asarray(picture)
    assert max(sheet.shape) <= 8192  # the projector takes no larger one
    row, column = divmod(4321, sheet.shape[1] // across)
    tile = sheet[row * down : (row + 1) * down, column * across : (column + 1) * across]
    assert (tile == load_split("test").images[4321]).all()


# -- figures ---------------------------------------------------------------------------------------


def test_metrics_are_read_by_pandas(tmp_path: Path, demo: runs.Run) -> None:
    _carried(demo, tmp_path, "metrics")
    losses = pd.read_csv(tmp_path / "losses.csv")
    kept = demo.metrics()
    assert (losses["step"] == kept.step).all()
    assert losses["reconstruction"].to_numpy() == pytest.approx(kept.reconstruction)
    found = pd.read_csv(tmp_path / "checkpoints.csv")
    assert list(found) == ["step", *METRICS]
    assert list(found["step"]) == [c.step for c in demo.checkpoints()]
    last = demo.checkpoint().evaluation()
    assert found["pca_ratio"].iloc[-1] == last.pca_ratio
    assert found["largest_angle"].isna().all()  # its decoder is not linear


def test_events_are_read_by_tensorboard(tmp_path: Path, demo: runs.Run) -> None:
    _carried(demo, tmp_path, "tensorboard")
    read = _read_events(tmp_path / "tensorboard")
    kept = demo.metrics()
    losses = read.Scalars("train/loss")
    assert [scalar.step for scalar in losses] == kept.step.tolist()
    assert [scalar.value for scalar in losses] == pytest.approx(kept.total.tolist())
    tested = {s.step: s.value for s in read.Scalars("test/squared_error")}
    evaluations = [c.evaluation() for c in demo.checkpoints()]
    assert tested == pytest.approx({e.step: e.squared_error for e in evaluations})
    pictures = read.Images("test/reconstructions")
    assert (pictures[-1].width, pictures[-1].height) == (32 * 28, 2 * 28)
    assert (
        pictures[-1].encoded_image_string
        == (demo.checkpoint().path / "reconstructions.png").read_bytes()
    )
    lasts = losses[-1].wall_time - losses[0].wall_time
    status = demo.status()
    assert lasts == pytest.approx(status.seconds * (1 - 1 / status.step))


def _read_events(folder: Path):  # type: ignore[no-untyped-def]
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0})
    read.Reload()
    return read


def test_events_are_written_while_a_run_is_trained(
    start: Callable[..., Trainer], again: Callable[[str], Trainer]
) -> None:
    trainer = start(name="live", steps=60)
    tensorboard.request_events(trainer.run)
    for event in trainer:
        if getattr(event, "step", 0) >= 20:
            trainer.stop()
    folder = trainer.run.path / tensorboard.FOLDER
    stopped = trainer.run.metrics().step[-1]
    read = _read_events(folder)
    assert [s.step for s in read.Scalars("train/loss")] == list(range(1, stopped + 1))
    for _ in again("live"):
        pass
    read = _read_events(folder)
    losses = read.Scalars("train/loss")
    assert [s.step for s in losses] == list(range(1, 61))
    assert [s.value for s in losses] == pytest.approx(
        trainer.run.metrics().total.tolist(), rel=1e-5
    )
    kept = [c.step for c in trainer.run.checkpoints() if c.is_evaluated]
    assert [s.step for s in read.Scalars("test/test_loss")] == kept
    assert len([*folder.iterdir()]) == 2


def test_who_asks_for_events_of_a_run_that_is_half_done_gets_all(
    start: Callable[..., Trainer],
) -> None:
    trainer = start(steps=30)
    asked = False
    for event in trainer:
        if getattr(event, "step", 0) >= 10 and not asked:
            tensorboard.request_events(trainer.run)
            asked = True
    read = _read_events(trainer.run.path / tensorboard.FOLDER)
    assert [s.step for s in read.Scalars("train/kl")] == list(range(1, 31))


def test_nobody_who_does_not_ask_gets_events(start: Callable[..., Trainer]) -> None:
    trainer = start(steps=20)
    for _ in trainer:
        pass
    assert not (trainer.run.path / tensorboard.FOLDER).exists()


# -- the table and the command ---------------------------------------------------------------------


def test_every_exporter_writes_what_the_table_says(tmp_path: Path, demo: runs.Run) -> None:
    for exporter in exporters.EXPORTERS.values():
        files = _carried(demo, tmp_path / exporter.name, exporter.name)
        found = {file.relative_to(tmp_path / exporter.name).as_posix() for file in files}
        assert found == {*exporter.places(demo)}
        assert {*(tmp_path / exporter.name).rglob("*")} >= {*files}


def test_the_readme_shows_the_table() -> None:
    readme = Path(__file__).parents[3] / "README.md"
    assert exporters.markdown() in readme.read_text()


def test_what_is_given_up_leaves_whole_files_only(tmp_path: Path, demo: runs.Run) -> None:
    work = export_run(demo, exporters.choose_exporters(["metrics", "zip"]), tmp_path / "out")
    while next(work).label != "The whole run":
        pass
    next(work)
    work.close()
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"losses.csv", "checkpoints.csv"}
    work = export_run(demo, exporters.choose_exporters(["zip"]), tmp_path / "other" / "deep")
    next(work)
    next(work)
    work.close()
    assert not (tmp_path / "other").exists()


def _call(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["export", *arguments])
    return result.exit_code, " ".join(result.output.replace("│", " ").split())


def test_the_command_writes_and_names_the_files(tmp_path: Path, demo: runs.Run) -> None:
    out = tmp_path / "out"
    options = [str(demo.path), "npy", "metrics", "--step", "200", "--to", str(out)]
    code, text = _call(*options)
    assert code == 0, text
    for name in ("codes.npy", "labels.npy", "losses.csv", "checkpoints.csv"):
        assert str(out / name) in text
        assert (out / name).is_file()
    assert (np.load(out / "codes.npy") == demo.checkpoint(200).codes()).all()
    code, text = _call(*options)
    assert code == 1
    assert "codes.npy and 3 more would be replaced. Choose another folder, or" in text
    assert _call(*options, "--force")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["csv", "--step", "77"], "has no checkpoint at 77; it has 0, 50"),
        (["pickle"], "'pickle' is not one of 'onnx', 'safetensors', 'csv'"),
        ([], "Nothing was chosen. There are: onnx, safetensors, csv"),
    ],
)
def test_bad_requests_get_one_message(
    tmp_path: Path, demo: runs.Run, arguments: list[str], told: str
) -> None:
    code, text = _call(str(demo.path), *arguments, "--to", str(tmp_path / "out"))
    assert code != 0
    assert told in text
    assert not (tmp_path / "out").exists()


def test_missing_packages_are_named(
    tmp_path: Path, demo: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        optional_packages, "find_spec", lambda name: None if "onnx" in name else name
    )
    code, text = _call(str(demo.path), "onnx", "--to", str(tmp_path / "out"))
    assert code == 1
    assert "ONNX needs the packages onnx, onnxruntime, which are not installed" in text
    assert "uv sync --extra export" in text
    assert _call(str(demo.path), "npy", "--to", str(tmp_path / "out"))[0] == 0


def test_a_folder_that_can_not_be_written_is_told(tmp_path: Path, demo: runs.Run) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match=r"cannot be written .* choose a folder that"):
        _carried(demo, tmp_path / "file" / "out", "npy")


def test_help_lists_every_export() -> None:
    text = _call("--help")[1]
    assert all(name in text for name in exporters.EXPORTERS)
