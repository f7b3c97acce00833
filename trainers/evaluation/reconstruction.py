"""How well a model gives the test images back, a chunk of images at a time.

The measuring functions are generators that yield between chunks, so that whoever drives them may
serve others in between, and return their result (`result = yield from ...`).

Shape legend: N images, P pixels, D numbers in a code.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional
from torch.utils.weak import WeakIdKeyDictionary

from trainers.checkpointing.weights import load_model
from trainers.datasets import MNIST, PREVIEW_DIGITS
from trainers.datasets.spectrum import spectrum_of
from trainers.datasets.tensors import Streamed, resident
from trainers.evaluation.subspace import subspace
from trainers.events import Preview
from trainers.generators import finish
from trainers.runs.metrics import ACTIVE_VARIANCE, Evaluation

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from trainers.datasets import Dataset
    from trainers.datasets.tensors import Images
    from trainers.models.base import Autoencoder
    from trainers.runs import Run

_CHUNK = 500
"""Images between two moments at which somebody else may be answered: some 10 ms on a CPU."""
_BINARISATION_SEED = 0xB1
_MOST_AT_ONCE = 10_000_000
"""Numbers of test images that are made double at a time; MNIST has fewer."""
_HALF_A_LEVEL = 0.5 / 255
_VARIANCES = WeakIdKeyDictionary()
"""By images, which are not kept alive for it."""


def preview(
    model: Autoencoder, images: Images, watched: Sequence[int], step: int
) -> Generator[None, None, Preview]:
    """The codes of (N, P) test images, and reconstructions of those that are watched."""
    codes = []
    for chunk in images.split(_CHUNK):
        with torch.inference_mode():
            codes.append(model.encode(chunk).cpu())
        yield
    return _preview(model, watched, torch.cat(codes), step)


def evaluate(
    model: Autoencoder,
    images: Images,
    labels: NDArray[np.uint8],
    step: int,
    *,
    binarised: bool = False,
    dataset: Dataset = MNIST,
    watched: Sequence[int] = PREVIEW_DIGITS,
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
        (N,) uint8, the class of each.
    step
        Training steps that the model has behind it.
    binarised
        The model is trained on binarised images: its own loss is measured on such.
    dataset
        What the images are of.
    watched
        Numbers of the images that the preview holds.

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
    evaluation = _summed(model, images, found, sums, every_code, labels, step, dataset)
    return evaluation, _preview(model, watched, every_code, step)


def evaluate_test_set(
    model: Autoencoder, run: Run, step: int
) -> Generator[None, None, tuple[Evaluation, Preview]]:
    """The test figures and the preview of a run's model, where it lies."""
    data = run.data()
    return evaluate(
        model,
        resident("test", model.device, run.dataset),
        data.test.labels,
        step,
        binarised=run.config.is_binarised,
        dataset=run.dataset,
        watched=data.preview,
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
    images: Images,
    figures: NDArray[np.float64],
    divergences: Tensor,
    codes: Tensor,
    labels: NDArray[np.uint8],
    step: int,
    dataset: Dataset,
) -> Evaluation:
    """The figures of all images from those of each, (N, 3), and the (D,) sums of the KL."""
    count, pixels = images.shape
    squared_error, cross_entropy, reconstruction = figures.mean(0).tolist()
    per_dimension = (divergences / count).tolist()
    kl = sum(per_dimension)
    variances = codes.double().var(0, unbiased=False)
    spectrum = spectrum_of(dataset)
    floor = spectrum.floor(model.latent_dim) if spectrum else None
    plane = subspace(model, spectrum, squared_error) if spectrum and floor else None
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
        pca_ratio=squared_error / floor if floor else None,
        class_squared_error=tuple(
            float(figures[labels == label, 0].mean()) if (labels == label).any() else math.nan
            for label in range(len(dataset.classes))
        )
        or None,
        active_units=int((variances > ACTIVE_VARIANCE).sum()),
        code_variances=tuple(variances.tolist()),
        kl_per_dimension=tuple(per_dimension) if model.variational else None,
        principal_angles=plane.principal_angles if plane else None,
    )


def _variance(images: Images) -> float:
    """Squared distance of an image from the mean image, on average; once for the same images."""
    found: float | None = _VARIANCES.get(images)
    if found is None:
        found = _VARIANCES[images] = _measured_variance(images)
    return found


def _measured_variance(images: Images) -> float:
    if isinstance(images, Streamed) or images.numel() > _MOST_AT_ONCE:
        total = torch.zeros(2, images.shape[1], dtype=torch.float64)
        for chunk in images.split(_CHUNK):
            values = chunk.cpu().double()
            total += torch.stack([values.sum(0), values.square().sum(0)])
        mean, square = total / len(images)
        return float((square - mean.square()).sum())
    return float(images.cpu().double().var(0, unbiased=False).sum())


def _to_bytes(images: Tensor, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """(N, P) images → (N, *shape) uint8, clipped to 0..1 and rounded."""
    scaled = (images.clamp(0, 1) * 255).round().to("cpu", torch.uint8)
    array: NDArray[np.uint8] = scaled.view(-1, *shape).numpy()
    return array


def _preview(model: Autoencoder, watched: Sequence[int], codes: Tensor, step: int) -> Preview:
    with torch.inference_mode():
        decoded = model.decode(codes[list(watched)].to(model.device))
        return Preview(step, codes.float().numpy(), _to_bytes(decoded, model.image_shape))


def evaluated(run: Run, step: int | None = None) -> Evaluation:
    """The test figures of a run's checkpoint, measured anew from its weights.

    Raises
    ------
    RunError
        When there is no such checkpoint, or it is damaged.
    """
    model, found = load_model(run, step)
    return finish(evaluate_test_set(model, run, found))[0]
