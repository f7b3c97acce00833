"""The errors of reconstructions, one number per image, in NumPy. Loads no torch.

Every function computes in the precision of its inputs.

Shape legend: N images, D numbers in a code. An image may have any shape: (P,), (side, side) or
(side, side, 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]

HALF_GREY_LEVEL = 0.5 / 255
"""Half of the step between two grey levels of an image with 8 bits per pixel."""


def squared_errors(reconstructions: Floats, images: Floats) -> Floats:
    """Returns (N,), the squared error of each image, summed over its pixels.

    Parameters
    ----------
    reconstructions, images
        (N, …) of the same shape; 0 is black and 1 is white.
    """
    errors: Floats = _per_image(np.square(reconstructions - images))
    return errors


def cross_entropies(reconstructions: Floats, images: Floats, *, clamp: float) -> Floats:
    """Returns (N,), the Bernoulli cross-entropy of each image in nats, summed over its pixels.

    Grey levels are taken as probabilities: −Σ t·log x + (1 − t)·log(1 − x) for the grey levels t of
    the image and x of the reconstruction.

    Parameters
    ----------
    reconstructions, images
        (N, …) of the same shape; the images' values are in 0..1.
    clamp
        The distance that the reconstructions keep from 0 and 1, where the logarithm is infinite.
        `HALF_GREY_LEVEL` limits a pixel to what an image of 8 bits can tell.
    """
    levels = reconstructions.clip(clamp, 1 - clamp)
    return -_per_image(images * np.log(levels) + (1 - images) * np.log1p(-levels))


def kl_to_prior(mean: Floats, log_variance: Floats) -> Floats:
    """Returns (N,), the KL of each posterior to N(0, I) in nats, summed over its dimensions.

    Kingma & Welling 2014, appendix B.

    Parameters
    ----------
    mean, log_variance
        (N, D), of the Gaussian posteriors.
    """
    kl: Floats = 0.5 * (mean**2 + np.exp(log_variance) - log_variance - 1).sum(axis=1)
    return kl


def misfits(reconstructions: Floats, images: Floats, mean: Floats) -> Floats:
    """Returns (N, 2), how badly each image is reconstructed, by two measures.

    The first is the squared error, which is large for an image with much ink. The second is its
    share of the image's squared distance from the mean image, Σ(r − x)² / Σ(x − mean)², which is
    large for one with little ink in unusual places.

    Parameters
    ----------
    reconstructions, images
        (N, …) of the same shape; 0 is black and 1 is white.
    mean
        (…) the mean of many images.
    """
    errors, distances = squared_errors(reconstructions, images), squared_errors(images, mean)
    smallest = np.finfo(distances.dtype).eps
    return np.stack([errors, errors / np.maximum(distances, smallest)], axis=1)


def _per_image(values: Floats) -> Floats:
    """Returns (N,), the sums of (N, …) values over all axes but the first."""
    sums: Floats = values.reshape(len(values), -1).sum(axis=1)
    return sums
