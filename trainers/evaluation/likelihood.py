"""How probable a variational model holds the test images: the ELBO, its parts, and log p itself.

Three protocols, never to be compared with each other (`trainers.evaluation.measurement.Protocol`):
grey levels as if they were probabilities, binary pixels drawn from the grey levels, and grey levels
with a Gaussian around the decoded image.

Shape legend: B images in a chunk, K codes an image, P pixels, D numbers in a code.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from trainers.evaluation.measurement import LikelihoodFigures, Protocol

if TYPE_CHECKING:
    from collections.abc import Generator

    from torch import Tensor

    from trainers.config import RunConfig
    from trainers.models.base import Autoencoder, Posterior

SAMPLES = 128
"""Codes an image, where nothing else is asked for."""

_DECODED_AT_ONCE = 6_400


def protocol_of(config: RunConfig) -> Protocol | None:
    """What a run's likelihood is the likelihood of; None where it has none.

    Without a posterior there is none, nor with a squared error whose β is 0: its Gaussian would
    have no width.
    """
    model = config.model
    if not model.variational or model.family == "pca":
        return None
    if model.likelihood == "bernoulli":
        return "binarised Bernoulli" if config.is_binarised else "grey Bernoulli"
    return "grey Gaussian" if model.beta > 0 else None


def measure_likelihood(
    model: Autoencoder,
    images: Tensor,
    *,
    protocol: Protocol,
    samples: int = SAMPLES,
    seed: int = 0,
) -> Generator[None, None, LikelihoodFigures]:
    """The ELBO and the importance-weighted log p of images; yields between chunks.

    The ELBO is that of the model, whatever β it was trained with: both terms count once. It is
    averaged over the same codes as the weights of log p are.

    Parameters
    ----------
    model
        A variational one, whose likelihood is the protocol's.
    images
        (N, P) grey levels of 0..1, where the model is.
    protocol
        What is measured. "binarised Bernoulli" draws the pixels once, from the seed.
    samples
        K, codes an image. log p is a lower bound that rises with K (Burda et al. 2015, eq. 8).
    seed
        Of pixels and codes.
    """
    dice = torch.Generator(images.device).manual_seed(seed)
    if protocol == "binarised Bernoulli":
        images = torch.bernoulli(images, generator=dice)
    sums = torch.zeros(3, dtype=torch.float64)
    for chunk in images.split(max(1, _DECODED_AT_ONCE // samples)):
        with torch.inference_mode():
            posterior = model.posterior(chunk)
            codes, log_ratio = _draw_codes(posterior, samples, dice)
            target = chunk.expand(samples, -1, -1).flatten(0, 1)
            output = model.output(codes.flatten(0, 1))
            log_p = _log_density(model, output, target, protocol).view(samples, -1)
            weights = log_p + log_ratio
            bound = torch.logsumexp(weights, 0) - math.log(samples)
            parts = [log_p.mean(0).sum(), posterior.kl().double().sum(), bound.sum()]
            sums += torch.stack(parts).cpu()
        yield
    reconstruction, kl, log_p_of_all = (sums / len(images)).tolist()
    return LikelihoodFigures(
        protocol=protocol,
        elbo=reconstruction - kl,
        reconstruction=reconstruction,
        kl=kl,
        log_likelihood=log_p_of_all,
        samples=samples,
        images=len(images),
    )


def _draw_codes(posterior: Posterior, samples: int, dice: torch.Generator) -> tuple[Tensor, Tensor]:
    """(K, B, D) codes of a posterior, and (K, B) float64 log p(z) - log q(z|x) of each."""
    mean, log_variance = posterior
    if log_variance is None:
        raise ValueError("A model without a posterior has no likelihood.")
    noise = torch.empty(samples, *mean.shape, device=mean.device).normal_(generator=dice)
    codes = mean + (0.5 * log_variance).exp() * noise
    # The terms of 2π are the same in both densities.
    log_prior = -0.5 * codes.double().square().sum(2)
    log_posterior = -0.5 * (noise.double().square() + log_variance.double()).sum(2)
    return codes, log_prior - log_posterior


def _log_density(model: Autoencoder, output: Tensor, target: Tensor, protocol: Protocol) -> Tensor:
    """(B,) float64, log p(x|z) in nats: the loss is its negative, but for the Gaussian's scale.

    Squared error + β·KL is 2σ² times a negative ELBO with the variance σ² = β/2.
    """
    loss = model.reconstruction_loss(output, target).double()
    if protocol != "grey Gaussian":
        return -loss
    variance = model.beta / 2
    return -loss / (2 * variance) - 0.5 * target.shape[1] * math.log(2 * math.pi * variance)
