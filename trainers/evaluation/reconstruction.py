"""How well a model gives the test images back, a chunk of images at a time.

Both functions are generators that yield between chunks, so that whoever drives them may serve
others in between, and return their result (`result = yield from ...`).

Shape legend: N images, P pixels, D numbers in a code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from trainers.datasets import PREVIEW_DIGITS
from trainers.evaluation.summary import Evaluation
from trainers.events import Preview
from trainers.training.checkpoint import load_model
from trainers.training.data import resident

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray
    from torch import Tensor

    from trainers.models.base import Autoencoder
    from trainers.runs import Run

_CHUNK = 1_000


def preview(model: Autoencoder, images: Tensor, step: int) -> Generator[None, None, Preview]:
    """The codes of (N, P) test images, and reconstructions of the preview digits."""
    codes = []
    for chunk in images.split(_CHUNK):
        with torch.inference_mode():
            codes.append(model.encode(chunk).cpu())
        yield
    return _preview(model, images, torch.cat(codes), step)


def evaluate(
    model: Autoencoder, images: Tensor, step: int
) -> Generator[None, None, tuple[Evaluation, Preview]]:
    """The test figures over (N, P) images, each reconstructed from its mean code, and the preview.

    Sums are kept in double precision; squared error is of the decoded mean image, whatever the
    likelihood.
    """
    codes, sums = [], torch.zeros(3, dtype=torch.float64)
    for chunk in images.split(_CHUNK):
        with torch.inference_mode():
            posterior = model.posterior(chunk)
            codes.append(posterior.mean.cpu())
            kl = posterior.kl().sum()
        yield
        with torch.inference_mode():
            output = model.output(posterior.mean)
            reconstruction = model.reconstruction_loss(output, chunk).sum()
            image = output.sigmoid() if model.likelihood == "bernoulli" else output
            error = ((image - chunk) ** 2).sum()
            sums += torch.stack([error, reconstruction, kl]).cpu().double()
        yield
    count, pixels = images.shape
    squared_error, nats, divergence = (sums / count).tolist()
    evaluation = Evaluation(
        step=step,
        images=count,
        squared_error=squared_error,
        squared_error_per_pixel=squared_error / pixels,
        reconstruction=nats,
        kl=divergence,
        loss=nats + model.beta * divergence,
    )
    return evaluation, _preview(model, images, torch.cat(codes), step)


def to_bytes(images: Tensor) -> NDArray[np.uint8]:
    """(N, P) images → (N, h, w) uint8, clipped to 0..1 and rounded."""
    side = int(images.shape[1] ** 0.5)
    scaled = (images.clamp(0, 1) * 255).round().to("cpu", torch.uint8)
    array: NDArray[np.uint8] = scaled.view(-1, side, side).numpy()
    return array


def _preview(model: Autoencoder, images: Tensor, codes: Tensor, step: int) -> Preview:
    with torch.inference_mode():
        digits = codes[list(PREVIEW_DIGITS)].to(images.device)
        return Preview(step, codes.float().numpy(), to_bytes(model.decode(digits)))


def evaluated(run: Run, step: int | None = None) -> Evaluation:
    """The test figures of a run's checkpoint, measured anew from its weights.

    Raises
    ------
    RunError
        When there is no such checkpoint, or it is damaged.
    """
    device = torch.device("cpu")
    model, found = load_model(run, step)
    work = evaluate(model, resident("test", device), found)
    while True:
        try:
            next(work)
        except StopIteration as done:
            result: Evaluation = done.value[0]
            return result
