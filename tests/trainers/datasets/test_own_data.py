from __future__ import annotations

import csv
import errno
import gc
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

import trainers
from tests.trainers.datasets.sample_images import call, drafted, folder, kept, shapes
from trainers import runs
from trainers.datasets import download, open_dataset, store, tensors
from trainers.datasets.catalogue import find_entry
from trainers.datasets.importing.importer import ImportRequest, default_conversion, import_images
from trainers.datasets.tensors import StreamedImages, load_images
from trainers.errors import ConfigError, DataError
from trainers.evaluation.measure_all import measure_checkpoint
from trainers.evaluation.reconstruction import _variance, evaluate_run
from trainers.generators import finish
from trainers.models import build
from trainers.presets import preset

if TYPE_CHECKING:
    from trainers.runs import Run

_CPU = torch.device("cpu")
_SMALL = {"latent_dim": 2, "steps": 20, "batch_size": 20, "hidden": (16,), "channels": (4, 8, 8)}


def _trained(tmp_path: Path, dataset: str, family: str = "vae", **changes: object) -> Run:
    config = preset(family).replace(dataset=dataset, **{**_SMALL, **changes})
    trainer = trainers.train(config, tmp_path / "runs")
    for _event in trainer:
        pass
    return trainer.run


def test_import_train_and_evaluate_colours_on_the_command_line(tmp_path: Path, trash: Path) -> None:
    place = folder(tmp_path / "pictures", ("cat", "dog"), 80)
    (place / "cat" / "readme.md").write_text("passed over")
    (place / "cat" / "none.png").write_text("no image")
    code, text = call("import", str(place), "--name", "pets", "--size", "16")
    assert code == 1
    assert "cat/none.png: no image" in text
    assert "1 other file is passed over: 1 .md." in text
    assert "To leave them out, add --yes" in text
    code, text = call("import", str(place), "--name", "pets", "--size", "16", "--yes")
    assert code == 0
    assert "16 × 16 RGB, 2 classes" in text
    options = ["--steps", "20", "--batch-size", "20", "--latent-dim", "2", "--channels", "4,8"]
    folder_option = ["--runs", str(tmp_path / "runs")]
    code, text = call("train", "conv-vae", "--dataset", "pets", *options, *folder_option)
    assert code == 0
    run = runs.open_run(tmp_path / "runs" / "pets-conv-vae-d2")
    assert run.dataset == store.dataset_named("pets")
    assert run.checkpoint().preview().reconstructions.shape == (32, 16, 16, 3)
    code, text = call("evaluate", run.name, "--samples", "4", "--images", "8", *folder_option)
    assert code == 0
    assert "cat" in text
    assert "768 bytes of an image" in text
    assert "raw pixels" not in text
    code, text = call("datasets", "--check")
    assert "pets 16 × 16 RGB 2 classes" in text
    assert "whole" in text
    code, text = call("datasets", "--remove", "pets")
    assert (code, text) == (0, "pets is in the trash.")
    assert [place.name for place in trash.iterdir()] == ["pets.safetensors"]
    code, text = call("train", "vae", "--dataset", "pets", *folder_option)
    assert code == 1
    assert "There is no data set 'pets' here" in text


def test_images_without_labels_are_measured(tmp_path: Path) -> None:
    np.save(tmp_path / "spots.npy", shapes(300))
    kept(tmp_path / "spots.npy", "spots")
    run = _trained(tmp_path, "spots")
    found = finish(measure_checkpoint(run, samples=4, images=8))
    assert found.reconstruction.class_squared_error is None
    assert found.codes.codes is None
    assert found.reconstruction.pca_ratio is not None
    assert found.reconstruction.images == 32


@pytest.mark.parametrize("family", ["vae", "elu", "conv-vae", "pca"])
@pytest.mark.parametrize("grey", [0, 200])
def test_images_that_are_all_the_same_are_trained_on(
    tmp_path: Path, family: str, grey: int
) -> None:
    np.save(tmp_path / "blank.npy", np.full((120, 16, 16), grey, np.uint8))
    draft = drafted(tmp_path / "blank.npy", "blank")
    assert "All images are the same" in draft.warnings[0]
    draft.keep()
    run = _trained(tmp_path, "blank", family)
    found = finish(measure_checkpoint(run, samples=4, images=8))
    assert run.checkpoint().evaluation().explained_variance is None
    assert run.checkpoint().evaluation().pca_ratio is None
    assert found.reconstruction.images == 32


@pytest.mark.usefixtures("trash")
def test_a_run_knows_its_data_set_without_it_and_refuses_another(tmp_path: Path) -> None:
    np.save(tmp_path / "spots.npy", shapes(300))
    kept(tmp_path / "spots.npy", "spots")
    run = _trained(tmp_path, "spots")
    store.remove("spots")
    again = runs.open_run(run.path)
    assert trainers.load(again).decode(np.zeros((1, 2))).shape == (1, 16, 16)
    with pytest.raises(DataError, match="There is no data set 'spots' here"):
        again.data()
    np.save(tmp_path / "spots.npy", shapes(300, seed=9))
    kept(tmp_path / "spots.npy", "spots")
    with pytest.raises(DataError, match="is not the one that the run was trained on"):
        again.data()


def test_without_a_trash_a_data_set_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: object) -> None:
        raise OSError(errno.EACCES, "Permission denied")

    np.save(tmp_path / "spots.npy", shapes(300))
    kept(tmp_path / "spots.npy", "spots")
    monkeypatch.setattr("trainers.storage.trash.send2trash", refuse)
    code, text = call("datasets", "--remove", "spots")
    assert code == 1
    assert "The system has no trash for 'spots' (Permission denied). Delete it yourself:" in text
    assert store.dataset_names() == ("mnist", "spots")


def test_runs_of_before_there_were_data_sets_are_of_mnist(tmp_path: Path) -> None:
    run = runs.create_run(preset("elu"), tmp_path, "old")
    assert not (run.path / "dataset.json").exists()
    text = (run.path / "config.json").read_text()
    (run.path / "config.json").write_text(text.replace('"dataset": "mnist",', ""))
    old = runs.open_run(run.path)
    assert old.config == preset("elu")
    assert old.dataset.name == "mnist"
    assert old.data().train.images.shape == (60_000, 28, 28)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"batch_size": 500}, "batch_size: 500: it is more than the 270 training images"),
        (
            {"family": "conv", "channels": (4,) * 4},
            "18 pixels can be halved 1 time.",
        ),
    ],
)
def test_what_does_not_fit_the_data_is_told(
    tmp_path: Path, changes: dict[str, object], told: str
) -> None:
    np.save(tmp_path / "spots.npy", shapes(302, 18))
    kept(tmp_path / "spots.npy", "spots")
    with pytest.raises(ConfigError, match=told):
        runs.create_run(preset("vae").replace(dataset="spots", **changes), tmp_path / "runs")


def test_convolutions_keep_the_colours_of_a_pixel_together() -> None:
    config = preset("conv-vae").replace(channels=(4, 8), dense=16).model
    model = build(config, 8 * 8 * 3, 3)
    assert model.image_shape == (8, 8, 3)
    images = torch.rand(2, 8 * 8 * 3)
    planes = model.encoder[0](images)  # type: ignore[attr-defined]
    assert torch.equal(planes[1, 2], images[1].reshape(8, 8, 3)[..., 2])
    back = model.decoder[-1](planes)  # type: ignore[attr-defined]
    assert torch.equal(back, images)
    assert model.decode(torch.zeros(3, config.latent_dim)).shape == (3, 192)


def test_streamed_images_train_to_the_very_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "spots.npy", shapes(300))
    kept(tmp_path / "spots.npy", "spots")
    whole = _trained(tmp_path, "spots")
    monkeypatch.setattr(tensors, "MOST_RESIDENT_BYTES", 1_000)
    monkeypatch.setattr(tensors, "_RELEASED_BYTES", 5_000)
    assert isinstance(load_images("train", _CPU, whole.dataset), StreamedImages)
    streamed = _trained(tmp_path, "spots")
    for kind in ("model.safetensors", "evaluation.json", "codes.npy"):
        one, other = (run.checkpoint().path / kind for run in (whole, streamed))
        if kind != "evaluation.json":
            assert one.read_bytes() == other.read_bytes()
    one, other = evaluate_run(whole), evaluate_run(streamed)
    assert one.test_loss == other.test_loss
    assert one.explained_variance == pytest.approx(other.explained_variance, rel=1e-9)


def test_images_are_held_once_and_as_long_as_somebody_wants_them(tmp_path: Path) -> None:
    np.save(tmp_path / "spots.npy", shapes(300))
    dataset = kept(tmp_path / "spots.npy", "spots")
    one, other = (load_images("train", _CPU, dataset) for _ in range(2))
    assert one is other
    gone = weakref.ref(one)
    del one, other
    gc.collect()
    assert gone() is None


def test_a_variance_does_not_keep_its_images() -> None:
    images = torch.rand(20, 9)
    assert _variance(images) == _variance(images)
    gone = weakref.ref(images)
    del images
    gc.collect()
    assert gone() is None


def test_streamed_images_are_what_a_tensor_is() -> None:
    images = shapes(50, 8, 3)
    streamed = StreamedImages(images, _CPU)
    whole = torch.tensor(images).flatten(1).float().div_(255)
    assert torch.equal(torch.cat([*streamed.split(7)]), whole)
    assert torch.equal(streamed[3:9], whole[3:9])
    out, chosen = torch.empty(4, 192), torch.tensor([40, 3, 3, 11])
    streamed.gather(chosen, out)
    assert torch.equal(out, whole[chosen])
    assert _variance(streamed) == pytest.approx(_variance(whole), rel=1e-9)


def test_the_codes_of_a_table_have_the_names_of_their_classes(tmp_path: Path) -> None:
    labels = np.array(["Ängel, small", "b"] * 60)
    np.savez(tmp_path / "a.npz", images=shapes(120), labels=labels)
    kept(tmp_path / "a.npz", "named")
    run = _trained(tmp_path, "named")
    code, _text = call("export", str(run.path), "csv", "--to", str(tmp_path / "out"))
    assert code == 0
    (table,) = (tmp_path / "out").rglob("codes.csv")
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = [run.dataset.classes[label] for label in run.data().test.labels]
    assert [row["class"] for row in rows] == names
    assert {row["class"] for row in rows} == {"Ängel, small", "b"}


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person who answers questions."""
    monkeypatch.setattr("trainers.cli.datasets_command._is_terminal", lambda: True)


@pytest.mark.usefixtures("terminal")
def test_a_person_agrees_before_anything_is_written(tmp_path: Path) -> None:
    np.save(tmp_path / "spots.npy", shapes(300))
    arguments = ("import", str(tmp_path / "spots.npy"), "--name", "spots")
    code, text = call(*arguments, answers="n\n")
    assert code == 1
    assert text.index("300 images: 268 for training, 32 for testing") < text.index("Import?")
    assert "Nothing is imported" in text
    assert not store.folder().exists()
    code, _text = call(*arguments, answers="y\n")
    assert code == 0
    assert store.dataset_names() == ("mnist", "spots")


@pytest.mark.usefixtures("terminal")
def test_a_person_gives_an_unknown_range(tmp_path: Path) -> None:
    np.save(tmp_path / "z.npy", (shapes(120) / 255 * 3.2 - 0.4).astype(np.float32))
    code, text = call("import", str(tmp_path / "z.npy"), "--name", "z", answers="-0.4\n2.8\ny\n")
    assert code == 0
    assert "the range of these images is -0.4 to 2.8" in text
    assert "-0.4 becomes black and 2.8 white" in text


def test_a_download_keeps_splits_labels_and_names() -> None:
    entry = find_entry("emnist-letters")

    class Letters:
        def __init__(self, _root: str, *, train: bool, download: bool, split: str) -> None:
            assert download
            assert split == "letters"
            count = 150 if train else 50
            self.data = shapes(count, 12, seed=count)
            self.targets = np.arange(count) % 3 + 24
            self.data[:, 5, 0] = self.targets

    source = download._read_source(entry, Letters, Path("unused"))
    finish(source.measure_range())
    wanted = ImportRequest("letters", conversion=default_conversion(source), classes=entry.classes)
    data = open_dataset(finish(import_images(source, wanted)).keep())
    assert data.dataset.classes == ("X", "Y", "Z")
    assert (len(data.train), len(data.test)) == (150, 50)
    for split in (data.train, data.test):
        assert (split.images[:, 0, 5] == split.labels + 24).all()
