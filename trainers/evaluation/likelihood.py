"""The likelihood of the test images under a variational model: ELBO, its two terms, and log p.

There are three protocols, whose values must not be compared with each other
(`trainers.evaluation.measurement.Protocol`): grey levels taken as probabilities, binary pixels
drawn from the grey levels, and grey levels with a Gaussian around the decoded image.

Shape legend: B images in a chunk, K codes per image, P pixels, D numbers in a code.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from trainers.evaluation.image_errors import standard_error
from trainers.evaluation.measurement import LikelihoodFigures, Protocol

if TYPE_CHECKING:
    from collections.abc import Generator

    from torch import Tensor

    from trainers.config import RunConfig
    from trainers.models.base import Autoencoder, Posterior

SAMPLES = 128
"""The default number of codes per image."""

_DECODED_AT_ONCE = 6_400


def protocol_of(config: RunConfig) -> Protocol | None:
    """Returns the protocol of a run's likelihood; None if the model has no likelihood.

    A model without a posterior has none. Neither has one with squared error and β = 0, because the
    variance of its Gaussian, β/2, would be 0.
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
    """Returns the ELBO and the importance-weighted log p of images; yields between chunks.

    The ELBO does not include the β of the training: both terms have weight 1. It is averaged over
    the same codes as log p.

    Parameters
    ----------
    model
        A variational model with the likelihood of the protocol.
    images
        (N, P) grey levels of 0..1, on the model's device.
    protocol
        What to measure. "binarised Bernoulli" draws the pixels once, from the seed.
    samples
        K, the codes per image. log p is a lower bound that rises with K (Burda et al. 2015, eq. 8).
    seed
        The seed of pixels and codes.
    """
    generator = torch.Generator(images.device).manual_seed(seed)
    if protocol == "binarised Bernoulli":
        images = torch.bernoulli(images, generator=generator)
    parts = []
    for chunk in images.split(max(1, _DECODED_AT_ONCE // samples)):
        with torch.inference_mode():
            posterior = model.posterior(chunk)
            codes, log_ratio = _draw_codes(posterior, samples, generator)
            target = chunk.expand(samples, -1, -1).flatten(0, 1)
            output = model.output(codes.flatten(0, 1))
            log_p = _log_density(model, output, target, protocol).view(samples, -1)
            weights = log_p + log_ratio
            bound = torch.logsumexp(weights, 0) - math.log(samples)
            parts.append(torch.stack([log_p.mean(0), posterior.kl().double(), bound]).cpu())
        yield
    return _summarise_likelihood(torch.cat(parts, 1), protocol, samples)


def _summarise_likelihood(parts: Tensor, protocol: Protocol, samples: int) -> LikelihoodFigures:
    """Averages (3, N): reconstruction term, KL and bound on log p of each image."""
    reconstruction, kl, bound = (row.numpy() for row in parts)
    elbo = reconstruction - kl
    return LikelihoodFigures(
        protocol=protocol,
        elbo=elbo.mean(),
        reconstruction=reconstruction.mean(),
        kl=kl.mean(),
        log_likelihood=bound.mean(),
        samples=samples,
        images=len(elbo),
        elbo_se=standard_error(elbo),
        reconstruction_se=standard_error(reconstruction),
        kl_se=standard_error(kl),
        log_likelihood_se=standard_error(bound),
    )


def _draw_codes(
    posterior: Posterior, samples: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Returns (K, B, D) codes of a posterior, and their (K, B) float64 log p(z) - log q(z|x)."""
    mean, log_variance = posterior
    if log_variance is None:
        raise ValueError("A model without a posterior has no likelihood.")
    noise = torch.empty(samples, *mean.shape, device=mean.device).normal_(generator=generator)
    codes = mean + (0.5 * log_variance).exp() * noise
    # The terms with 2π are equal in both densities and cancel.
    log_prior = -0.5 * codes.double().square().sum(2)
    log_posterior = -0.5 * (noise.double().square() + log_variance.double()).sum(2)
    return codes, log_prior - log_posterior


def _log_density(model: Autoencoder, output: Tensor, target: Tensor, protocol: Protocol) -> Tensor:
    """Returns (B,) float64, log p(x|z) in nats.

    It is the negative loss; for the Gaussian also scaled and normalised, because squared error +
    β·KL is 2σ² times a negative ELBO with the variance σ² = β/2.
    """
    loss = model.reconstruction_loss(output, target).double()
    if protocol != "grey Gaussian":
        return -loss
    variance = model.beta / 2
    return -loss / (2 * variance) - 0.5 * target.shape[1] * math.log(2 * math.pi * variance)
