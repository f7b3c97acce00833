"""Codes as compression: how few bytes a code needs, and how much error that adds.

An image of MNIST has 784 bytes, one per pixel. What decoding needs beside the code is not counted:
the decoder, and for 8 bits the range of each dimension (two numbers per dimension and model).

Shape legend: N images, P pixels, D numbers in a code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from trainers.evaluation.image_errors import squared_errors
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
    """Returns the size and the error of each way to store a code; yields between chunks.

    Parameters
    ----------
    model
        Decodes the stored codes.
    codes
        (N, D), the mean codes of the test images.
    images
        (N, P), the test images.
    ranges
        The lowest and the highest value of each dimension on the training images, (D,) each. The
        levels of 8-bit codes lie between them; test codes beyond them are clipped.
    """
    low, high = (bound.to(codes.device) for bound in ranges)
    ways: dict[str, tuple[int, Callable[[Tensor], Tensor]]] = {
        "float32": (4, lambda values: values),
        "float16": (2, lambda values: values.half().float()),
        "8 bits": (1, lambda values: _quantise(values, low, high)),
    }
    errors = {}
    for storage, (_, store) in ways.items():
        errors[storage] = yield from _squared_error(model, store(codes), images)
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
    """Returns codes rounded to 256 even levels between the bounds of each dimension."""
    width = (high - low).clamp(min=torch.finfo(low.dtype).tiny)
    levels = ((codes - low) / width * _LEVELS).round().clamp(0, _LEVELS)
    return low + levels / _LEVELS * width


def _squared_error(
    model: Autoencoder, codes: Tensor, images: Images
) -> Generator[None, None, float]:
    """Returns the mean squared error per image of the decoded codes; yields between chunks."""
    total = 0.0
    for code, image in zip(codes.split(_CHUNK), images.split(_CHUNK), strict=True):
        with torch.inference_mode():
            decoded = model.decode(code).cpu().numpy()
        total += float(squared_errors(decoded, image.cpu().numpy()).sum(dtype=np.float64))
        yield
    return total / len(images)
