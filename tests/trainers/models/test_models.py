from __future__ import annotations

import numpy as np
import pytest
import torch

from trainers.config import ModelConfig
from trainers.datasets.mnist import load_split
from trainers.models import build, families
from trainers.models.base import Autoencoder, Posterior
from trainers.presets import PRESETS, preset
from trainers.training.engines.autograd import Autograd


def _build(config: ModelConfig, seed: int = 0) -> Autoencoder:
    model = build(config)
    model.initialise(torch.Generator().manual_seed(seed), config.activation)
    return model


def _widths(layers: torch.nn.Module) -> list[tuple[int, int]]:
    linear = [part for part in layers.modules() if isinstance(part, torch.nn.Linear)]
    return [(part.in_features, part.out_features) for part in linear]


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("latent_dim", [1, 2, 256])
def test_shapes(name: str, latent_dim: int) -> None:
    model = _build(preset(name).replace(latent_dim=latent_dim).model)
    images = torch.rand(3, 784)
    posterior = model.posterior(images)
    assert posterior.mean.shape == (3, latent_dim)
    assert (posterior.log_variance is not None) == model.variational
    assert model.decode(posterior.mean).shape == (3, 784)
    loss = model.loss(images, images, torch.Generator().manual_seed(1))
    assert all(part.shape == () for part in loss)


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "pca"])
def test_every_weight_receives_a_gradient(name: str) -> None:
    model = _build(preset(name).model)
    images = torch.rand(8, 784, generator=torch.Generator().manual_seed(2))
    model.loss(images, images, torch.Generator().manual_seed(1)).total.backward()
    for label, weight in model.named_parameters():
        assert weight.grad is not None, label
        assert weight.grad.abs().max() > 0, label


def test_gradients_agree_with_finite_differences() -> None:
    config = ModelConfig(
        hidden=(6,), latent_dim=2, variational=True, likelihood="bernoulli", beta=2.5
    )
    model = build(config, pixels=9)
    model.initialise(torch.Generator().manual_seed(3), config.activation)
    model = model.double()
    images = torch.rand(4, 9, dtype=torch.float64)

    def total(weight: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            noise = torch.Generator().manual_seed(4)
        state = {"encoder.0.weight": weight}
        return torch.func.functional_call(
            _Loss(model, noise), {f"model.{k}": v for k, v in state.items()}, (images,)
        )

    weight = model.encoder[0].weight.detach().clone().requires_grad_()
    assert torch.autograd.gradcheck(total, (weight,))


class _Loss(torch.nn.Module):
    def __init__(self, model: Autoencoder, noise: torch.Generator) -> None:
        super().__init__()
        self.model, self.noise = model, noise

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.model.loss(images, images, self.noise).total


def test_the_papers_layers() -> None:
    model = _build(preset("elu").model)
    assert _widths(model.encoder) == [(784, 500), (500, 500), (500, 5)]
    assert _widths(model.decoder) == [(5, 500), (500, 500), (500, 784)]
    assert _widths(_build(preset("vae").model).encoder)[-1] == (500, 10)


def test_the_convolutions_halve_and_double() -> None:
    model = _build(preset("conv-vae").model)
    kinds = (torch.nn.Conv2d, torch.nn.ConvTranspose2d)
    channels = [(p.in_channels, p.out_channels) for p in model.modules() if isinstance(p, kinds)]
    assert channels == [(1, 32), (32, 64), (64, 32), (32, 1)]


def test_the_linear_autoencoder_is_affine() -> None:
    model = _build(preset("linear").model)
    a, b = torch.rand(2, 1, 784)
    between = model.decode(model.encode(0.3 * a + 0.7 * b))
    expected = 0.3 * model.decode(model.encode(a)) + 0.7 * model.decode(model.encode(b))
    assert torch.allclose(between, expected, atol=1e-5)


def test_the_kl_agrees_with_sampling() -> None:
    posterior = Posterior(torch.tensor([[0.5, -1.0]]), torch.tensor([[-0.7, 0.2]]))
    many = Posterior(*(part.expand(200_000, 2) for part in posterior))
    codes = many.sample(torch.Generator().manual_seed(0))
    q = torch.distributions.Normal(posterior.mean, (0.5 * posterior.log_variance).exp())
    p = torch.distributions.Normal(0.0, 1.0)
    sampled = (q.log_prob(codes) - p.log_prob(codes)).sum(1).mean()
    assert float(posterior.kl()) == pytest.approx(float(sampled), abs=0.02)


@torch.no_grad()
def test_beta_weighs_the_kl() -> None:
    images = torch.rand(4, 784)
    losses = [
        _build(preset("vae").replace(beta=beta).model).loss(
            images, images, torch.Generator().manual_seed(0)
        )
        for beta in (0.0, 4.0)
    ]
    assert float(losses[0].total) == pytest.approx(float(losses[0].reconstruction))
    assert float(losses[1].total) == pytest.approx(
        float(losses[1].reconstruction + 4 * losses[1].kl), rel=1e-6
    )


def test_the_seed_determines_the_weights() -> None:
    first, second, other = (_build(preset("vae").model, seed) for seed in (1, 1, 2))
    assert torch.equal(first.encoder[0].weight, second.encoder[0].weight)
    assert not torch.equal(first.encoder[0].weight, other.encoder[0].weight)


@torch.no_grad()
def test_two_sigmoid_layers_do_not_lose_the_signal() -> None:
    images = torch.tensor(load_split("test").images[:500]).flatten(1) / 255
    codes = _build(preset("sigmoid").model).encode(images)
    assert float(codes.std(0).mean()) > 0.1


@pytest.mark.parametrize(("kind", "amount"), [("gaussian", 0.5), ("masking", 0.25)])
def test_the_input_is_corrupted_and_the_target_is_not(kind: str, amount: float) -> None:
    config = preset("denoising").replace(corruption=kind, corruption_amount=amount, hidden=(8,))
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []
    model = _build(config.model)
    loss = model.loss
    model.loss = lambda images, target, noise: (  # type: ignore[method-assign]
        seen.append((images, target)) or loss(images, target, noise)
    )
    Autograd(model, config.training, torch.device("cpu")).run(0, 3)
    inputs, targets = (torch.cat(part) for part in zip(*seen, strict=True))
    clean = np.unique(load_split("train").images)
    assert set((targets * 255).round().unique().int().tolist()) <= set(clean.tolist())
    if kind == "gaussian":
        assert float((inputs - targets).std()) == pytest.approx(amount, rel=0.01)
    else:
        ink = targets > 0
        assert float((inputs[ink] == 0).float().mean()) == pytest.approx(amount, abs=0.02)


def test_every_family_can_be_build() -> None:
    for family in families():
        assert _build(ModelConfig(family=family)).latent_dim == 5
