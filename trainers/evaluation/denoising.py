"""The error of a model on corrupted images, for which denoising autoencoders are trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from trainers.datasets.corruption import corrupt
from trainers.evaluation.image_errors import squared_errors
from trainers.evaluation.measurement import DenoisedCorruption, Denoising

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from torch import Tensor

    from trainers.datasets.tensors import Images
    from trainers.models.base import Autoencoder

LEVELS = (0.0, 0.1, 0.3, 0.5, 0.8)
"""Standard deviations of Gaussian noise (1 is the step from black to white), or masked shares."""

_CHUNK = 1_000


def measure_denoising(
    model: Autoencoder,
    images: Images,
    levels: Sequence[float] = LEVELS,
    seed: int = 0,
    *,
    corruption: DenoisedCorruption = "gaussian",
) -> Generator[None, None, tuple[Denoising, ...]]:
    """Returns the errors against the clean images after encoding corrupted ones.

    The corruption is that of a training (`trainers.datasets.corruption`). Yields between chunks.

    Parameters
    ----------
    model
        Encodes the corrupted images and decodes their mean codes.
    images
        (N, P), the clean images.
    levels
        Standard deviations of the noise, or shares of masked pixels.
    seed
        The seed of the noise; the same images, levels and seed give the same noise.
    corruption
        The kind of corruption that the model was trained with; Gaussian noise for the others.
    """
    generator = torch.Generator(images.device).manual_seed(seed)
    results = []
    for level in levels:
        input_error = output_error = 0.0
        for clean in images.split(_CHUNK):
            with torch.inference_mode():
                buffer = torch.empty_like(clean)
                noisy = corrupt(clean, corruption, level, generator, buffer)
                output = model.decode(model.encode(noisy))
            input_error += _sum_of_errors(noisy, clean)
            output_error += _sum_of_errors(output, clean)
            yield
        count = len(images)
        results.append(
            Denoising(
                corruption=corruption,
                noise=level,
                input_error=input_error / count,
                squared_error=output_error / count,
            )
        )
    return tuple(results)


def _sum_of_errors(images: Tensor, clean: Tensor) -> float:
    """Returns the squared error of (B, P) images against the clean ones, summed over all."""
    errors = squared_errors(images.cpu().numpy(), clean.cpu().numpy())
    return float(errors.sum(dtype=np.float64))
