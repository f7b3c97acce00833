"""The learning rate and the pixels of a training step."""

from __future__ import annotations

import math

import pytest
import torch

from trainers.datasets.tensors import load_images
from trainers.models import build
from trainers.presets import preset
from trainers.training.engines import Engine, choose_engine

_CPU = torch.device("cpu")


def _engine(name: str, **changes: object) -> Engine:
    config = preset(name).replace(hidden=(8,), latent_dim=2, steps=100, **changes)
    model = build(config.model)
    model.initialise(torch.Generator().manual_seed(0), config.model.activation)
    return choose_engine(config.training.engine, model, _CPU)(model, config.training, _CPU)


@pytest.mark.parametrize(
    ("schedule", "step", "share"),
    [
        ("constant", 0, 1.0),
        ("constant", 99, 1.0),
        ("linear", 0, 1.0),
        ("linear", 75, 0.25),
        ("cosine", 0, 1.0),
        ("cosine", 50, 0.5),
        ("cosine", 75, (1 + math.cos(0.75 * math.pi)) / 2),
    ],
)
@pytest.mark.parametrize("name", ["autograd", "layerwise"])
def test_the_learning_rate_of_a_step(name: str, schedule: str, step: int, share: float) -> None:
    engine = _engine("elu", engine=name, schedule=schedule, learning_rate=0.01)
    engine.run(step, 1)
    assert engine.optimiser.rate == pytest.approx(0.01 * share)


def test_dynamic_binarisation_draws_pixels_from_their_grey_level(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = _engine("vae", engine="autograd", binarisation="dynamic", batch_size=10_000)
    seen = []
    loss = engine.model.loss

    def record(images: torch.Tensor, target: torch.Tensor, noise: torch.Generator) -> object:
        seen.append((images, target))
        return loss(images, target, noise)

    monkeypatch.setattr(engine.model, "loss", record)
    engine.run(0, 6)
    pixels = torch.cat([target for _, target in seen])
    assert all(images is target for images, target in seen)
    assert pixels.unique().tolist() == [0, 1]
    grey = load_images("train", _CPU).mean(0)
    # Over 60,000 images the standard error of a pixel's mean is at most 0.002.
    assert (pixels.mean(0) - grey).abs().max() < 0.01
    engine.run(6, 1)
    assert not torch.equal(seen[0][1], seen[-1][1])
