"""Images resident on the device, and the order in which batches take them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import torch

from trainers.datasets.mnist import split

if TYPE_CHECKING:
    from typing import Literal

    from torch import Tensor

_EPOCH_PRIME = 1_000_003


@lru_cache(maxsize=4)
def resident(name: Literal["train", "test"], device: torch.device) -> Tensor:
    """(n, 784) float32 of 0..1, on the device; one copy, whoever asks."""
    images = torch.tensor(split(name).images)
    return images.flatten(1).to(device).float().div_(255)


class BatchOrder:
    """Which images a step takes: a permutation an epoch, drawn from (seed, epoch) alone.

    The position in the data is therefore the step's number, and nothing else need be kept to
    resume. The rest of an epoch that fills no batch is left out of it.

    Parameters
    ----------
    images
        How many there are.
    batch_size
        How many a step takes.
    seed
        Decides every permutation.
    device
        Where the indices are wanted.
    """

    def __init__(self, images: int, batch_size: int, seed: int, device: torch.device) -> None:
        self._images = images
        self._batch_size = batch_size
        self._per_epoch = images // batch_size
        self._seed = seed
        self._device = device
        self._epoch = -1
        self._permutation = torch.empty(0)

    def indices(self, step: int) -> Tensor:
        """(batch_size,), the images that the step after `step` steps takes."""
        epoch, batch = divmod(step, self._per_epoch)
        if epoch != self._epoch:
            generator = torch.Generator().manual_seed(self._seed * _EPOCH_PRIME + epoch)
            order = torch.randperm(self._images, generator=generator)
            self._epoch, self._permutation = epoch, order.to(self._device)
        return self._permutation[batch * self._batch_size :][: self._batch_size]
