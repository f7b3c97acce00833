"""The errors of reconstructions, one number per image, in NumPy. Loads no torch.

Images may be bytes of 0..255 or floats of 0..1; white is 1 in every error. Floats are computed in
their own precision, bytes in single precision.

Shape legend: N images. An image may have any shape: (P,), (side, side) or
(side, side, 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]
    Pixels = NDArray[np.floating] | NDArray[np.uint8]

HALF_GREY_LEVEL = 0.5 / 255
"""Half of the step between two grey levels of an image with 8 bits per pixel.

Reconstructions keep this distance from 0 and 1 in a cross-entropy, whose logarithm is infinite
there. An image of 8 bits cannot tell smaller steps.
"""


def squared_errors(reconstructions: Pixels, images: Pixels) -> Floats:
    """Returns (N,), the squared error of each image, summed over its pixels.

    Parameters
    ----------
    reconstructions, images
        (N, …) of the same shape: bytes, or floats where 0 is black and 1 is white.
    """
    errors: Floats = _per_image(np.square(_levels(reconstructions) - _levels(images)))
    return errors


def cross_entropies(reconstructions: Pixels, images: Pixels) -> Floats:
    """Returns (N,), the Bernoulli cross-entropy of each image in nats, summed over its pixels.

    Grey levels are taken as probabilities: −Σ t·log x + (1 − t)·log(1 − x) for the grey levels t of
    the image and x of the reconstruction, which is kept `HALF_GREY_LEVEL` away from 0 and 1.

    Parameters
    ----------
    reconstructions, images
        (N, …) of the same shape: bytes, or floats where 0 is black and 1 is white. The images'
        values are in 0..1.
    """
    target = _levels(images)
    levels = _levels(reconstructions).clip(HALF_GREY_LEVEL, 1 - HALF_GREY_LEVEL)
    return -_per_image(target * np.log(levels) + (1 - target) * np.log1p(-levels))


def standard_error(values: Floats) -> float | None:
    """Returns the standard error of the mean of (N,) values; None for fewer than two."""
    if len(values) < 2:
        return None
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))


def _levels(images: Pixels) -> Floats:
    """Returns the grey levels of bytes or floats as floats."""
    if images.dtype == np.uint8:
        return images.astype(np.float32) / np.float32(255)
    return cast("Floats", images)


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
