"""How well a model reconstructs the test images, one chunk of images at a time.

The measuring functions are generators: they yield between chunks, so that the caller can do other
work in between, and return their result (`result = yield from ...`).

Shape legend: N images, P pixels, D numbers in a code.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.utils.weak import WeakIdKeyDictionary

from trainers.checkpointing.weights import load_model
from trainers.datasets import MNIST, PREVIEW_DIGITS
from trainers.datasets.spectrum import load_spectrum
from trainers.datasets.tensors import StreamedImages, load_images
from trainers.evaluation.image_errors import HALF_GREY_LEVEL, cross_entropies, squared_errors
from trainers.evaluation.subspace import compare_with_pca
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
"""Images between two yields: some 10 ms of work on a CPU."""
_BINARISATION_SEED = 0xB1
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
    binarised: bool = False,
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
    binarised
        Whether the model is trained on binarised images. If so, its own loss and KL are measured
        on binarised images, too.
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
    generator = torch.Generator(images.device).manual_seed(_BINARISATION_SEED)
    for chunk in images.split(_CHUNK):
        with torch.inference_mode():
            posterior = model.posterior(chunk)
            codes.append(posterior.mean.cpu())
            kl_sums.append(posterior.kl_per_dimension().cpu().double().sum(0))
        yield
        with torch.inference_mode():
            output = model.output(posterior.mean)
            figures.append(_image_figures(model, output, chunk))
        if binarised:
            yield
            with torch.inference_mode():
                pixels = torch.bernoulli(chunk, generator=generator)
                posterior = model.posterior(pixels)
                output = model.output(posterior.mean)
                own_loss = model.reconstruction_loss(output, pixels)
                figures[-1][:, 2] = own_loss.cpu().numpy()
                kl_sums[-1] = posterior.kl_per_dimension().cpu().double().sum(0)
        yield
    all_codes = torch.cat(codes)
    sums = torch.stack(kl_sums).sum(0)
    evaluation = _summarise(
        model, images, np.concatenate(figures), sums, all_codes, labels, step, dataset
    )
    return evaluation, _preview(model, watched, all_codes, step)


def evaluate_test_set(
    model: Autoencoder, run: Run, step: int
) -> Generator[None, None, tuple[Evaluation, Preview]]:
    """Measures a run's model on its test images, on the model's device; yields between chunks."""
    data = run.data()
    return evaluate(
        model,
        load_images("test", model.device, run.dataset),
        data.test.labels,
        step,
        binarised=run.config.is_binarised,
        dataset=run.dataset,
        watched=data.preview,
    )


def _image_figures(model: Autoencoder, output: Tensor, images: Tensor) -> NDArray[np.float64]:
    """Returns (B, 3) float64: squared error, cross-entropy and the model's own loss per image."""
    decoded = (output.sigmoid() if model.likelihood == "bernoulli" else output).cpu().numpy()
    pixels = images.cpu().numpy()
    columns = (
        squared_errors(decoded, pixels),
        cross_entropies(decoded, pixels, clamp=HALF_GREY_LEVEL),
        model.reconstruction_loss(output, images).cpu().numpy(),
    )
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
    """Averages the (N, 3) figures of the images and the (D,) sums of the KL to an evaluation."""
    count, pixels = images.shape
    squared_error, cross_entropy, reconstruction = figures.mean(0).tolist()
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
        reconstruction=reconstruction,
        kl=kl,
        loss=reconstruction + model.beta * kl,
        cross_entropy=cross_entropy,
        explained_variance=_explained_variance(squared_error, images),
        pca_ratio=squared_error / floor if floor else None,
        class_squared_error=tuple(
            float(figures[labels == label, 0].mean()) if (labels == label).any() else math.nan
            for label in range(len(dataset.classes))
        )
        or None,
        active_units=int((variances > ACTIVE_VARIANCE).sum()),
        code_variances=tuple(variances.tolist()),
        kl_per_dimension=tuple(per_dimension) if model.variational else None,
        principal_angles=comparison.principal_angles if comparison else None,
    )


def _explained_variance(squared_error: float, images: Images) -> float | None:
    """Returns 1 - error / variance; None where the images are all the same."""
    variance = _variance(images)
    return 1 - squared_error / variance if variance > _ROUNDING * images.shape[1] else None


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
