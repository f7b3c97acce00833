"""How well a model reconstructs the test images, one chunk of images at a time.

The measuring functions are generators: they yield between chunks, so that the caller can do other
work in between, and return their result (`result = yield from ...`).

Shape legend: N images, P pixels, D numbers in a code.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch.utils.weak import WeakIdKeyDictionary

from trainers.checkpointing.weights import load_model
from trainers.datasets import MNIST, PREVIEW_DIGITS
from trainers.datasets.spectrum import load_spectrum
from trainers.datasets.tensors import StreamedImages, load_images, split_validation
from trainers.evaluation.image_errors import cross_entropies, squared_errors, standard_error
from trainers.evaluation.sampled_objective import SampledObjective
from trainers.evaluation.subspace import compare_with_pca
from trainers.events import Preview
from trainers.generators import finish
from trainers.runs.metrics import ACTIVE_VARIANCE, Evaluation

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from trainers.config import RunConfig
    from trainers.datasets import Dataset
    from trainers.datasets.tensors import Images
    from trainers.models.base import Autoencoder
    from trainers.runs import Run

_CHUNK = 500
"""Images between two yields: some 10 ms of work on a CPU."""
_MOST_AT_ONCE = 10_000_000
"""The most pixels that are converted to double precision at a time; MNIST has fewer."""
_ROUNDING = 1e-15
"""The variance of a pixel below which it is rounding alone."""
_VARIANCES = WeakIdKeyDictionary()
"""The variance by images tensor; an entry does not keep its tensor alive."""


def compute_preview(
    model: Autoencoder, images: Images, watched: Sequence[int], step: int
) -> Generator[None, None, Preview]:
    """Returns the codes of (N, P) test images and the reconstructions of the watched ones.

    Yields between chunks.

    Parameters
    ----------
    model
        Encodes and decodes.
    images
        (N, P) of 0..1, on the model's device.
    watched
        The indices of the images to reconstruct.
    step
        The training steps of the model.
    """
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
    config: RunConfig | None = None,
    dataset: Dataset = MNIST,
    watched: Sequence[int] = PREVIEW_DIGITS,
) -> Generator[None, None, tuple[Evaluation, Preview]]:
    """Measures a model on (N, P) images, each reconstructed from its mean code.

    Parameters
    ----------
    model
        The model to measure. Its squared error is that of the decoded mean image for every
        likelihood.
    images
        (N, P) of 0..1, on the model's device.
    labels
        (N,) uint8, the class of each image.
    step
        The training steps of the model.
    config
        The config of its training, which says whether the test loss is that of binary pixels or
        corrupted inputs; None for neither. If training binarises, the loss at the mean and the KL
        are those of binary pixels, too.
    dataset
        The data set of the images.
    watched
        The indices of the images that the preview holds.

    Returns
    -------
    The evaluation, summed in double precision, and the preview.
    """
    codes: list[Tensor] = []
    kl_sums: list[Tensor] = []
    figures: list[NDArray[np.float64]] = []
    objective = SampledObjective(model, config)
    for chunk in images.split(_CHUNK):
        found = yield from _measure_chunk(model, objective, chunk)
        codes.append(found.codes)
        kl_sums.append(found.kl_sums)
        figures.append(found.figures)
        yield
    all_codes = torch.cat(codes)
    sums = torch.stack(kl_sums).sum(0)
    evaluation = _summarise(
        model, images, np.concatenate(figures), sums, all_codes, labels, step, dataset
    )
    return evaluation, _preview(model, watched, all_codes, step)


class _ChunkFigures(NamedTuple):
    """The figures of B images.

    Attributes
    ----------
    codes
        (B, D), their mean codes.
    kl_sums
        (D,), the KL of each dimension, summed over the images.
    figures
        (B, 5): squared error, cross-entropy, reconstruction term at the mean code, and the
        reconstruction term and the KL of the objective.
    """

    codes: Tensor
    kl_sums: Tensor
    figures: NDArray[np.float64]


def _measure_chunk(
    model: Autoencoder, objective: SampledObjective, images: Tensor
) -> Generator[None, None, _ChunkFigures]:
    """Measures (B, P) images; yields between the passes through the model."""
    with torch.inference_mode():
        posterior = model.posterior(images)
        codes = posterior.mean.cpu()
    yield
    with torch.inference_mode():
        output = model.output(posterior.mean)
        grey = _grey_figures(model, output, images)
        target = images
    if objective.is_binarised:
        yield
        with torch.inference_mode():
            target = objective.binarise(images)
            posterior = model.posterior(target)
            output = model.output(posterior.mean)
    with torch.inference_mode():
        at_mean = model.reconstruction_loss(output, target)
        kl = posterior.kl_per_dimension().cpu().double().sum(0)
        terms = at_mean, posterior.kl()
    if objective.draws_noise:
        yield
        with torch.inference_mode():
            terms = objective.measure(target)
    figures = [grey, *(_column(values) for values in (at_mean, *terms))]
    return _ChunkFigures(codes, kl, np.concatenate(figures, axis=1))


def _column(values: Tensor) -> NDArray[np.float64]:
    """Returns (B, 1) float64 of (B,) values."""
    column: NDArray[np.float64] = values.cpu().double().numpy()[:, None]
    return column


def evaluate_test_set(
    model: Autoencoder, run: Run, step: int
) -> Generator[None, None, tuple[Evaluation, Preview]]:
    """Measures a run's model on its test images, on the model's device; yields between chunks.

    A run that validates is measured on its validation images, too.
    """
    data, device, dataset = run.data(), model.device, run.dataset
    measure = partial(evaluate, model, step=step, config=run.config, dataset=dataset)
    images = load_images("test", device, dataset)
    evaluation, preview = yield from measure(images, data.test.labels, watched=data.preview)
    if run.config.training.validation:
        if data.validation is not None:
            held_out, labels = load_images("validation", device, dataset), data.validation.labels
        else:
            whole, count = load_images("train", device, dataset), dataset.held_out
            held_out, labels = split_validation(whole, count)[1], data.train.labels[-count:]
        found, _ = yield from measure(held_out, labels, watched=(0,))
        evaluation = evaluation.with_validation(found)
    return evaluation, preview


def _grey_figures(model: Autoencoder, output: Tensor, images: Tensor) -> NDArray[np.float64]:
    """Returns (B, 2) float64: squared error and cross-entropy of the grey images."""
    decoded = (output.sigmoid() if model.likelihood == "bernoulli" else output).cpu().numpy()
    pixels = images.cpu().numpy()
    columns = squared_errors(decoded, pixels), cross_entropies(decoded, pixels)
    return np.stack(columns, axis=1).astype(np.float64)


def _summarise(
    model: Autoencoder,
    images: Images,
    figures: NDArray[np.float64],
    kl_sums: Tensor,
    codes: Tensor,
    labels: NDArray[np.uint8],
    step: int,
    dataset: Dataset,
) -> Evaluation:
    """Averages the (N, 5) figures of the images and the (D,) sums of the KL to an evaluation."""
    count, pixels = images.shape
    squared_error, cross_entropy, at_mean, *parts = figures.mean(0).tolist()
    losses = figures[:, 3] + model.beta * figures[:, 4]
    per_dimension = (kl_sums / count).tolist()
    kl = sum(per_dimension)
    variances = codes.double().var(0, unbiased=False)
    spectrum = load_spectrum(dataset)
    floor = spectrum.floor(model.latent_dim) if spectrum else None
    comparison = compare_with_pca(model, spectrum, squared_error) if spectrum and floor else None
    return Evaluation(
        step=step,
        images=count,
        squared_error=squared_error,
        squared_error_per_pixel=squared_error / pixels,
        squared_error_se=standard_error(figures[:, 0]),
        reconstruction_at_mean=at_mean,
        kl=kl,
        loss_at_mean=at_mean + model.beta * kl,
        test_reconstruction=parts[0],
        test_kl=parts[1],
        test_loss=float(losses.mean()),
        test_loss_se=standard_error(losses),
        cross_entropy=cross_entropy,
        explained_variance=_explained_variance(squared_error, images),
        pca_ratio=squared_error / floor if floor else None,
        class_squared_error=tuple(
            float(figures[labels == label, 0].mean()) if (labels == label).any() else math.nan
            for label in range(len(dataset.classes))
        )
        or None,
        active_units=int((variances > ACTIVE_VARIANCE).sum()) if model.variational else None,
        effective_dimensions=effective_dimensions(codes.double().numpy()),
        code_variances=tuple(variances.tolist()),
        kl_per_dimension=tuple(per_dimension) if model.variational else None,
        principal_angles=comparison.principal_angles if comparison else None,
    )


def _explained_variance(squared_error: float, images: Images) -> float | None:
    """Returns 1 - error / variance; None where the images are all the same."""
    variance = _variance(images)
    return 1 - squared_error / variance if variance > _ROUNDING * images.shape[1] else None


def effective_dimensions(codes: NDArray[np.float64]) -> float:
    """Returns how many directions (N, D) codes use, from 1 to D; 0 if all codes are equal.

    The participation ratio (Σλ)²/Σλ² of the eigenvalues of their covariance: it does not change
    when the codes are rotated or scaled.
    """
    eigenvalues = np.linalg.eigvalsh(np.atleast_2d(np.cov(codes.T))).clip(min=0)
    squares = float(np.square(eigenvalues).sum())
    return float(eigenvalues.sum() ** 2 / squares) if squares else 0.0


def _variance(images: Images) -> float:
    """Returns the mean squared distance of an image from the mean image, cached by images."""
    variance: float | None = _VARIANCES.get(images)
    if variance is None:
        variance = _VARIANCES[images] = _compute_variance(images)
    return variance


def _compute_variance(images: Images) -> float:
    if isinstance(images, StreamedImages) or images.numel() > _MOST_AT_ONCE:
        total = torch.zeros(2, images.shape[1], dtype=torch.float64)
        for chunk in images.split(_CHUNK):
            values = chunk.cpu().double()
            total += torch.stack([values.sum(0), values.square().sum(0)])
        mean, square = total / len(images)
        return float((square - mean.square()).sum())
    return float(images.cpu().double().var(0, unbiased=False).sum())


def _to_bytes(images: Tensor, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Returns (N, P) images as (N, *shape) uint8, clipped to 0..1 and rounded."""
    scaled = (images.clamp(0, 1) * 255).round().to("cpu", torch.uint8)
    array: NDArray[np.uint8] = scaled.view(-1, *shape).numpy()
    return array


def _preview(model: Autoencoder, watched: Sequence[int], codes: Tensor, step: int) -> Preview:
    with torch.inference_mode():
        decoded = model.decode(codes[list(watched)].to(model.device))
        return Preview(step, codes.float().numpy(), _to_bytes(decoded, model.image_shape))


def evaluate_run(run: Run, step: int | None = None) -> Evaluation:
    """Returns the evaluation of a run's checkpoint, measured from its weights.

    Raises
    ------
    RunError
        When the run has no such checkpoint, or the checkpoint is damaged.
    """
    model, loaded_step = load_model(run, step)
    return finish(evaluate_test_set(model, run, loaded_step))[0]
