"""Validation images are held out of training, and choose the checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import trainers
from aeviewer.__main__ import main
from tests.trainers.datasets.sample_images import folder, kept, shapes
from trainers.datasets.description import MNIST
from trainers.datasets.tensors import StreamedImages, load_images, split_validation
from trainers.errors import ConfigError, RunError
from trainers.presets import preset

if TYPE_CHECKING:
    from pathlib import Path

    from trainers.config import RunConfig
    from trainers.runs import Run

_CPU = torch.device("cpu")


@pytest.fixture
def config(tmp_path: Path) -> RunConfig:
    np.save(tmp_path / "spots.npy", shapes(400, 8))
    kept(tmp_path / "spots.npy", "spots")
    changes = {"hidden": (16,), "latent_dim": 2, "steps": 60, "batch_size": 20}
    return preset("elu").replace(dataset="spots", checkpoints=(0, 20, 40), **changes)


def _train(config: RunConfig, tmp_path: Path, name: str) -> Run:
    trainer = trainers.train(config, tmp_path / "runs", name)
    for _ in trainer:
        pass
    return trainer.run


def test_mnist_holds_out_its_last_5000_training_images() -> None:
    assert MNIST.held_out == 5_000
    whole = load_images("train", _CPU)
    train, held_out = split_validation(whole, MNIST.held_out)
    assert torch.equal(train[-1], whole[54_999])  # type: ignore[index]
    assert torch.equal(held_out[0], whole[55_000])  # type: ignore[index]


def test_training_never_sees_the_held_out_images(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    validated = config.replace(validation=True)
    first = _train(validated, tmp_path, "first")
    count = first.dataset.held_out
    assert count == first.dataset.train // 12 > 0
    # The same training with other images in the held-out part has the same weights.
    load = load_images("train", _CPU, first.dataset)
    assert not isinstance(load, StreamedImages)
    before = load[-count:].clone()
    load[-count:] = torch.rand_like(before)
    try:
        second = _train(validated, tmp_path, "second")
    finally:
        load[-count:] = before
    one, other = (run.checkpoint() for run in (first, second))
    assert one.model.read_bytes() == other.model.read_bytes()
    assert one.evaluation().test_loss == other.evaluation().test_loss
    assert one.evaluation().validation_loss != other.evaluation().validation_loss
    whole = _train(config, tmp_path, "whole")
    assert whole.checkpoint().model.read_bytes() != one.model.read_bytes()


def test_the_validation_loss_is_that_of_the_held_out_images(
    config: RunConfig, tmp_path: Path
) -> None:
    run = _train(config.replace(validation=True), tmp_path, "run")
    found, count = run.checkpoint().evaluation(), run.dataset.held_out
    model, images = trainers.load(run), run.data().train.images[-count:]
    errors = np.square(model.decode(model.encode(images)) - images / 255.0).sum((1, 2))
    assert found.validation_images == count
    assert found.validation_squared_error == pytest.approx(errors.mean(), rel=1e-4)
    assert found.validation_loss == pytest.approx(errors.mean(), rel=1e-4)
    assert found.validation_loss != found.test_loss


def test_a_data_set_with_validation_images_of_its_own_is_validated_on_them(
    tmp_path: Path,
) -> None:
    for split, count in (("train", 60), ("valid", 20), ("test", 40)):
        folder(tmp_path / "set" / split, ("a", "b"), count)
    dataset = kept(tmp_path / "set", "mine", side=16)
    assert (dataset.validation, dataset.held_out) == (40, 0)
    changes = {"hidden": (16,), "latent_dim": 2, "steps": 20, "batch_size": 20}
    config = preset("elu").replace(dataset="mine", validation=True, checkpoints=(20,), **changes)
    run = _train(config, tmp_path, "run")
    data, found = run.data(), run.checkpoint().evaluation()
    assert data.validation is not None
    images = data.validation.images
    model = trainers.load(run)
    errors = np.square(model.decode(model.encode(images)) - images / 255.0).sum((1, 2, 3))
    assert found.validation_images == 40
    assert found.validation_squared_error == pytest.approx(errors.mean(), rel=1e-4)


def test_the_best_checkpoint_is_chosen_by_the_validation_images(
    config: RunConfig, tmp_path: Path
) -> None:
    run = _train(config.replace(validation=True), tmp_path, "run")
    found = [c.evaluation() for c in run.checkpoints()]
    lower = found[1].model_copy(update={"validation_loss": 0.5, "test_loss": 1e6})
    path = run.checkpoint(20).path / "evaluation.json"
    path.write_text(lower.model_dump_json())
    assert run.best_checkpoint().step == 20
    options = ["--runs", str(tmp_path / "runs"), "--samples", "1", "--images", "2", "--json"]
    result = CliRunner().invoke(main, ["evaluate", "run", "--best", *options])
    assert '"step": 20' in result.output
    both = CliRunner().invoke(main, ["evaluate", "run", "--best", "--step", "0", *options])
    assert "Give one of them" in both.output


def test_the_list_of_runs_shows_the_validation_error_if_there_is_one(
    config: RunConfig, tmp_path: Path
) -> None:
    _train(config, tmp_path, "plain")
    call = ["runs", "--runs", str(tmp_path / "runs")]
    assert "validation" not in CliRunner().invoke(main, call).output
    run = _train(config.replace(validation=True), tmp_path, "held-out")
    found = run.checkpoint().evaluation().validation_squared_error
    assert found is not None
    text = CliRunner().invoke(main, call).output
    assert "validation" in text
    assert f"{found / 64:.5f}" in text


def test_without_validation_images_there_is_no_best(config: RunConfig, tmp_path: Path) -> None:
    run = _train(config, tmp_path, "run")
    assert run.checkpoint().evaluation().validation_loss is None
    with pytest.raises(RunError, match="Train with --validation, or name a step"):
        run.best_checkpoint()


def test_a_batch_must_fit_the_images_that_are_left(config: RunConfig, tmp_path: Path) -> None:
    from trainers.datasets import store

    count = store.dataset_named("spots").train
    trainers.train(config.replace(batch_size=count), tmp_path / "runs")
    with pytest.raises(ConfigError, match="it is more than the"):
        trainers.train(config.replace(batch_size=count, validation=True), tmp_path / "runs")


def test_a_closed_form_is_solved_without_them_too(config: RunConfig, tmp_path: Path) -> None:
    changed = preset("pca").replace(dataset="spots", latent_dim=2)
    whole, part = (
        _train(changed.replace(validation=validation), tmp_path, f"pca-{validation}")
        for validation in (False, True)
    )
    assert whole.checkpoint().model.read_bytes() != part.checkpoint().model.read_bytes()
