"""The likelihood of models whose exact likelihood is known."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from trainers.evaluation.likelihood import measure_likelihood, protocol_of
from trainers.generators import finish
from trainers.models.base import Autoencoder, Posterior
from trainers.presets import preset

if TYPE_CHECKING:
    from trainers.evaluation.measurement import LikelihoodFigures, Protocol

_PIXELS, _CODES, _BETA = 6, 2, 0.5
_VARIANCE = _BETA / 2


class _LinearGaussian(Autoencoder):
    """x = W·z + b + noise of variance σ²: p(x) is N(b, W·Wᵀ + σ²·I), and q may be exact.

    Parameters
    ----------
    error
        The error of the posterior's mean.
    stretch
        The factor by which its standard deviation is wrong.
    """

    def __init__(self, error: float = 0.0, stretch: float = 1.0) -> None:
        super().__init__(
            latent_dim=_CODES, variational=True, likelihood="squared-error", beta=_BETA
        )
        generator = torch.Generator().manual_seed(3)
        self.register_buffer("w", torch.randn(_PIXELS, _CODES, generator=generator))
        self.register_buffer("b", torch.randn(_PIXELS, generator=generator))
        # Orthogonal columns make the exact posterior a diagonal one.
        self.w = torch.linalg.qr(self.w).Q * torch.tensor([1.5, 0.6])
        self.error, self.stretch = error, stretch

    def posterior(self, images: torch.Tensor) -> Posterior:
        precision = 1 + self.w.square().sum(0) / _VARIANCE
        mean = (images - self.b) @ self.w / _VARIANCE / precision
        spread = -precision.log() + 2 * math.log(self.stretch)
        return Posterior(mean + self.error, spread.expand_as(mean))

    def output(self, codes: torch.Tensor) -> torch.Tensor:
        return codes @ self.w.T + self.b

    def exact(self, images: torch.Tensor) -> float:
        covariance = self.w @ self.w.T + _VARIANCE * torch.eye(_PIXELS)
        return float(stats.multivariate_normal(self.b, covariance).logpdf(images).mean())


class _Bernoulli(Autoencoder):
    """One code with logits linear in it; p(x) is an integral over one variable."""

    def __init__(self) -> None:
        super().__init__(latent_dim=1, variational=True, likelihood="bernoulli", beta=3.0)
        self.register_buffer("w", torch.linspace(-2, 2, _PIXELS)[:, None])

    def posterior(self, images: torch.Tensor) -> Posterior:
        mean = (images - 0.5) @ self.w * 0.3
        return Posterior(mean, torch.full_like(mean, math.log(0.5)))

    def output(self, codes: torch.Tensor) -> torch.Tensor:
        return codes @ self.w.T

    def exact(self, image: torch.Tensor) -> float:
        def density(z: float) -> float:
            output = self.output(torch.tensor([[z]]))
            log_p = -float(self.reconstruction_loss(output, image[None]))
            return math.exp(log_p) * float(stats.norm.pdf(z))

        return math.log(integrate.quad(density, -9, 9)[0])


def _measure(
    model: Autoencoder, images: torch.Tensor, protocol: Protocol, **options: int
) -> LikelihoodFigures:
    return finish(measure_likelihood(model, images, protocol=protocol, **options))


def _gaussian_images(count: int = 200) -> torch.Tensor:
    return torch.randn(count, _PIXELS, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("samples", [1, 7])
def test_with_the_exact_posterior_both_bounds_are_the_likelihood(samples: int) -> None:
    model, images = _LinearGaussian(), _gaussian_images()
    found = _measure(model, images, "grey Gaussian", samples=samples)
    assert found.log_likelihood == pytest.approx(model.exact(images), abs=1e-3)
    if samples == 1:
        return
    # All weights are equal then, so the ELBO differs only by the noise of its samples.
    many = _measure(model, images, "grey Gaussian", samples=2_000)
    assert many.elbo == pytest.approx(model.exact(images), abs=0.02)


def test_a_wrong_posterior_lowers_the_elbo_by_its_kl_and_not_log_p() -> None:
    model, images = _LinearGaussian(error=0.1, stretch=1.3), _gaussian_images()
    found = [_measure(model, images, "grey Gaussian", samples=k) for k in (1, 8, 4_000)]
    exact = model.exact(images)
    bounds = [f.log_likelihood for f in found]
    assert bounds == sorted(bounds)
    assert bounds[-1] == pytest.approx(exact, abs=0.02)
    precision = 1 + model.w.square().sum(0) / _VARIANCE
    # KL(q || exact posterior) of two Gaussians, a dimension after another.
    ratio = 1.3**2
    gap = 0.5 * (ratio - 1 - math.log(ratio) + 0.1**2 * precision)
    assert found[-1].elbo == pytest.approx(exact - float(gap.sum()), abs=0.02)


def test_the_elbo_is_its_parts() -> None:
    found = _measure(_LinearGaussian(stretch=2), _gaussian_images(), "grey Gaussian", samples=5)
    assert found.elbo == pytest.approx(found.reconstruction - found.kl)
    assert (found.samples, found.images) == (5, 200)


def test_grey_bernoulli_is_the_integral_over_the_prior() -> None:
    model = _Bernoulli()
    image = torch.tensor([0.0, 0.2, 0.9, 0.4, 1.0, 1.0])
    found = _measure(model, image[None], "grey Bernoulli", samples=20_000)
    assert found.log_likelihood == pytest.approx(model.exact(image), abs=0.01)
    assert found.elbo < found.log_likelihood


def test_binarised_bernoulli_is_a_probability_of_binary_images() -> None:
    model = _Bernoulli()
    every = torch.tensor(list(np.ndindex(*(2,) * _PIXELS)), dtype=torch.float32)
    # Binary images are drawn from themselves; over all of them p sums to one.
    found = [
        _measure(model, image[None], "binarised Bernoulli", samples=2_000).log_likelihood
        for image in every
    ]
    assert sum(math.exp(value) for value in found) == pytest.approx(1, abs=0.02)
    one = every[37]
    assert found[37] == pytest.approx(model.exact(one), abs=0.05)


def test_the_protocols_differ_and_the_seed_determines_the_pixels() -> None:
    model, images = _Bernoulli(), torch.full((50, _PIXELS), 0.5)
    grey = _measure(model, images, "grey Bernoulli", samples=50)
    drawn = [_measure(model, images, "binarised Bernoulli", samples=50, seed=s) for s in (0, 0, 1)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]
    assert drawn[0].reconstruction != grey.reconstruction
    assert (grey.protocol, drawn[0].protocol) == ("grey Bernoulli", "binarised Bernoulli")


def test_which_protocol_a_run_has() -> None:
    vae = preset("vae")
    assert protocol_of(vae) == "grey Bernoulli"
    assert protocol_of(preset("burda50")) == "binarised Bernoulli"
    assert protocol_of(vae.replace(likelihood="squared-error")) == "grey Gaussian"
    assert protocol_of(vae.replace(likelihood="squared-error", beta=0.0)) is None
    assert protocol_of(preset("elu")) is None
    assert protocol_of(preset("hinton30")) is None
    assert protocol_of(preset("pca").replace(variational=True)) is None
