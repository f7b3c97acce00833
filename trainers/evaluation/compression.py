"""Codes as compression: how small a code can be stored, and what that costs.

An image of MNIST is 784 bytes, one a pixel. What decoding needs beside the code (the decoder, and
for 8 bits the range of each dimension: two numbers a dimension, once a model) is not counted.

Shape legend: N images, P pixels, D numbers in a code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from trainers.evaluation.measurement import StoredCode

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from torch import Tensor

    from trainers.datasets.tensors import Images
    from trainers.models.base import Autoencoder

_CHUNK = 1_000
_LEVELS = 255


def measure_compression(
    model: Autoencoder, codes: Tensor, images: Images, ranges: tuple[Tensor, Tensor]
) -> Generator[None, None, tuple[StoredCode, ...]]:
    """What each way to store a code costs; yields between chunks.

    Parameters
    ----------
    model
        Decodes.
    codes
        (N, D), the mean codes of the test images.
    images
        (N, P), the test images.
    ranges
        Lowest and highest value of each dimension, (D,) each, on the training images: what an
        8-bit code counts between. Test codes beyond are clipped.
    """
    low, high = (bound.to(codes.device) for bound in ranges)
    ways: dict[str, tuple[int, Callable[[Tensor], Tensor]]] = {
        "float32": (4, lambda found: found),
        "float16": (2, lambda found: found.half().float()),
        "8 bits": (1, lambda found: _quantise(found, low, high)),
    }
    errors = {}
    for storage, (_, keep) in ways.items():
        errors[storage] = yield from _squared_error(model, keep(codes), images)
    return tuple(
        StoredCode(
            storage=storage,
            code_bytes=size * codes.shape[1],
            ratio=images.shape[1] / (size * codes.shape[1]),
            squared_error=errors[storage],
            added_error=errors[storage] - errors["float32"],
        )
        for storage, (size, _) in ways.items()
    )


def _quantise(codes: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Codes rounded to 256 even levels between the bounds of each dimension."""
    width = (high - low).clamp(min=torch.finfo(low.dtype).tiny)
    levels = ((codes - low) / width * _LEVELS).round().clamp(0, _LEVELS)
    return low + levels / _LEVELS * width


def _squared_error(model: Autoencoder, codes: Tensor, images: Images) -> Generator[None, None, float]:
    """Squared error per image of what codes decode to."""
    total = 0.0
    for code, image in zip(codes.split(_CHUNK), images.split(_CHUNK), strict=True):
        with torch.inference_mode():
            total += float((model.decode(code) - image).square().sum(1).cpu().double().sum())
        yield
    return total / len(images)
