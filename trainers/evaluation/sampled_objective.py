"""The training objective of test images, with the noise of the training.

Training draws binary pixels, corrupts the input and samples a code. So does this module, once per
image and from fixed seeds, on the CPU: every checkpoint and every device gets the same noise.

Shape legend: B images in a chunk, P pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from trainers.datasets.corruption import corrupt

if TYPE_CHECKING:
    from torch import Tensor

    from trainers.config import RunConfig
    from trainers.models.base import Autoencoder

_PIXELS_SEED, _NOISE_SEED = 0xB1, 0xB2


class SampledObjective:
    """Measures the objective of consecutive chunks of images.

    Parameters
    ----------
    model
        The model, whose β weighs the KL.
    config
        The config of its training; None for a training without binarisation and corruption.
    """

    def __init__(self, model: Autoencoder, config: RunConfig | None) -> None:
        self._model = model
        self._training = config.training if config else None
        self.is_binarised = config is not None and config.is_binarised
        self.draws_noise = model.variational or (config is not None and config.draws_noise)
        self._pixels = torch.Generator().manual_seed(_PIXELS_SEED)
        self._noise = torch.Generator().manual_seed(_NOISE_SEED)

    def binarise(self, images: Tensor) -> Tensor:
        """Returns (B, P) binary pixels, drawn with the grey levels as probabilities."""
        return torch.bernoulli(images.cpu(), generator=self._pixels).to(images.device)

    def measure(self, target: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the reconstruction term and the KL of each image, (B,) each, on the device.

        Parameters
        ----------
        target
            (B, P), the clean images; binary ones if the training binarises.
        """
        posterior = self._model.posterior(self._corrupt(target))
        output = self._model.output(posterior.sample(self._noise))
        return self._model.reconstruction_loss(output, target), posterior.kl()

    def _corrupt(self, images: Tensor) -> Tensor:
        training = self._training
        if training is None or training.corruption == "none":
            return images
        clean = images.cpu()
        kind, amount = training.corruption, training.corruption_amount
        return corrupt(clean, kind, amount, self._noise, torch.empty_like(clean)).to(images.device)
