"""What a model makes of noisy digits: the question that denoising autoencoders are trained for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from trainers.evaluation.measurement import Denoising

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from trainers.datasets.tensors import Images
    from trainers.models.base import Autoencoder

LEVELS = (0.0, 0.1, 0.3, 0.5, 0.8)
"""Standard deviations of the noise; full ink is 1."""

_CHUNK = 1_000


def measure_denoising(
    model: Autoencoder, images: Images, levels: Sequence[float] = LEVELS, seed: int = 0
) -> Generator[None, None, tuple[Denoising, ...]]:
    """Error against the clean images after encoding noisy ones; yields between chunks.

    The noise is Gaussian and not clipped, as it is in training (Vincent et al. 2008).

    Parameters
    ----------
    model
        Encodes the noisy images and decodes their mean codes.
    images
        (N, P), the clean ones.
    levels
        Standard deviations of the noise.
    seed
        Of the noise: the same images and levels get the same.
    """
    dice = torch.Generator(images.device).manual_seed(seed)
    found = []
    for level in levels:
        given = back = 0.0
        for clean in images.split(_CHUNK):
            with torch.inference_mode():
                noise = torch.empty_like(clean).normal_(0, 1, generator=dice) * level
                again = model.decode(model.encode(clean + noise))
                given += float(noise.square().sum(1).cpu().double().sum())
                back += float((again - clean).square().sum(1).cpu().double().sum())
            yield
        count = len(images)
        found.append(Denoising(noise=level, input_error=given / count, squared_error=back / count))
    return tuple(found)
