"""How well a model gives the test images back, a chunk of images at a time.

The measuring functions are generators that yield between chunks, so that whoever drives them may
serve others in between, and return their result (`result = yield from ...`).

Shape legend: N images, P pixels, D numbers in a code.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from trainers.datasets import PREVIEW_DIGITS
from trainers.datasets.mnist import CLASSES, split
from trainers.evaluation.spectrum import spectrum
from trainers.evaluation.subspace import subspace
from trainers.evaluation.summary import ACTIVE_VARIANCE, Evaluation
from trainers.events import Preview
from trainers.training.checkpoint import load_model
from trainers.training.data import resident
from trainers.work import finish

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray
    from torch import Tensor

    from trainers.config import RunConfig
    from trainers.models.base import Autoencoder
    from trainers.runs import Run

_CHUNK = 500
"""Images between two moments at which somebody else may be answered: some 10 ms on a CPU."""
_BINARISATION_SEED = 0xB1
_HALF_A_LEVEL = 0.5 / 255


def preview(model: Autoencoder, images: Tensor, step: int) -> Generator[None, None, Preview]:
    """The codes of (N, P) test images, and reconstructions of the preview digits."""
    codes = []
    for chunk in images.split(_CHUNK):
        with torch.inference_mode():
            codes.append(model.encode(chunk).cpu())
        yield
    return _preview(model, images, torch.cat(codes), step)


def evaluate(
    model: Autoencoder,
    images: Tensor,
    labels: NDArray[np.uint8],
    step: int,
    *,
    binarised: bool = False,
) -> Generator[None, None, tuple[Evaluation, Preview]]:
    """The test figures over (N, P) grey images, each reconstructed from its mean code.

    Parameters
    ----------
    model
        Whose figures they are; its squared error is of the decoded mean image, whatever the
        likelihood.
    images
        (N, P) of 0..1, on the model's device.
    labels
        (N,) uint8, the digit on each.
    step
        Training steps that the model has behind it.
    binarised
        The model is trained on binarised images: its own loss is measured on such.

    Returns
    -------
    The figures, sums kept in double precision, and the preview.
    """
    codes, figures, divergences = [], [], []
    dice = torch.Generator(images.device).manual_seed(_BINARISATION_SEED)
    for chunk in images.split(_CHUNK):
        with torch.inference_mode():
            posterior = model.posterior(chunk)
            codes.append(posterior.mean.cpu())
            divergences.append(posterior.kl_per_dimension().cpu().double().sum(0))
        yield
        with torch.inference_mode():
            output = model.output(posterior.mean)
            figures.append(_figures(model, output, chunk))
        if binarised:
            yield
            with torch.inference_mode():
                pixels = torch.bernoulli(chunk, generator=dice)
                posterior = model.posterior(pixels)
                output = model.output(posterior.mean)
                figures[-1][:, 2] = model.reconstruction_loss(output, pixels).cpu().double()
                divergences[-1] = posterior.kl_per_dimension().cpu().double().sum(0)
        yield
    every_code = torch.cat(codes)
    sums = torch.stack(divergences).sum(0)
    found = torch.cat(figures).numpy()
    evaluation = _summed(model, images, found, sums, every_code, labels, step)
    return evaluation, _preview(model, images, every_code, step)


def evaluate_test_set(
    model: Autoencoder, config: RunConfig, step: int
) -> Generator[None, None, tuple[Evaluation, Preview]]:
    """The test figures and the preview of a model trained as `config` says, where it lies."""
    return evaluate(
        model,
        resident("test", model.device),
        split("test").labels,
        step,
        binarised=config.is_binarised,
    )


def _figures(model: Autoencoder, output: Tensor, images: Tensor) -> Tensor:
    """(B, 3) float64 on the CPU: squared error, cross-entropy, the likelihood's own, per image."""
    decoded = output.sigmoid() if model.likelihood == "bernoulli" else output
    ink = decoded.clamp(_HALF_A_LEVEL, 1 - _HALF_A_LEVEL)
    squared_error = (decoded - images).square().sum(1)
    cross_entropy = functional.binary_cross_entropy(ink, images, reduction="none").sum(1)
    own = model.reconstruction_loss(output, images)
    return torch.stack([squared_error, cross_entropy, own], 1).cpu().double()


def _summed(
    model: Autoencoder,
    images: Tensor,
    figures: NDArray[np.float64],
    divergences: Tensor,
    codes: Tensor,
    labels: NDArray[np.uint8],
    step: int,
) -> Evaluation:
    """The figures of all images from those of each, (N, 3), and the (D,) sums of the KL."""
    count, pixels = images.shape
    squared_error, cross_entropy, reconstruction = figures.mean(0).tolist()
    per_dimension = (divergences / count).tolist()
    kl = sum(per_dimension)
    variances = codes.double().var(0, unbiased=False)
    plane = subspace(model, spectrum(), squared_error)
    return Evaluation(
        step=step,
        images=count,
        squared_error=squared_error,
        squared_error_per_pixel=squared_error / pixels,
        reconstruction=reconstruction,
        kl=kl,
        loss=reconstruction + model.beta * kl,
        cross_entropy=cross_entropy,
        explained_variance=1 - squared_error / _variance(images),
        pca_ratio=squared_error / float(spectrum().test_errors[model.latent_dim]),
        class_squared_error=tuple(
            float(figures[labels == digit, 0].mean()) if (labels == digit).any() else math.nan
            for digit in range(CLASSES)
        ),
        active_units=int((variances > ACTIVE_VARIANCE).sum()),
        code_variances=tuple(variances.tolist()),
        kl_per_dimension=tuple(per_dimension) if model.variational else None,
        principal_angles=plane.principal_angles if plane else None,
    )


@lru_cache(maxsize=2)
def _variance(images: Tensor) -> float:
    """Squared distance of an image from the mean image, on average; once for the same images."""
    return float(images.cpu().double().var(0, unbiased=False).sum())


def _to_bytes(images: Tensor) -> NDArray[np.uint8]:
    """(N, P) images → (N, h, w) uint8, clipped to 0..1 and rounded."""
    side = int(images.shape[1] ** 0.5)
    scaled = (images.clamp(0, 1) * 255).round().to("cpu", torch.uint8)
    array: NDArray[np.uint8] = scaled.view(-1, side, side).numpy()
    return array


def _preview(model: Autoencoder, images: Tensor, codes: Tensor, step: int) -> Preview:
    with torch.inference_mode():
        digits = codes[list(PREVIEW_DIGITS)].to(images.device)
        return Preview(step, codes.float().numpy(), _to_bytes(model.decode(digits)))


def evaluated(run: Run, step: int | None = None) -> Evaluation:
    """The test figures of a run's checkpoint, measured anew from its weights.

    Raises
    ------
    RunError
        When there is no such checkpoint, or it is damaged.
    """
    model, found = load_model(run, step)
    return finish(evaluate_test_set(model, run.config, found))[0]
