"""Images as tensors, resident or streamed, and the order in which batches take them."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Literal
from weakref import WeakValueDictionary

import numpy as np
import torch
from torch import Tensor

from trainers.datasets import MNIST, open_dataset
from trainers.datasets.mmap import release_pages
from trainers.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from trainers.datasets import Dataset

Part = Literal["train", "test", "validation"]

MOST_RESIDENT_BYTES = 1 << 30
"""Bytes that the images of a split may take as float32; where they are more, they are streamed."""

PARTS: tuple[Part, Part] = ("train", "test")

_EPOCH_PRIME = 1_000_003
_RELEASED_BYTES, _MAPPED_AT_ONCE = 1 << 26, 1 << 20


class StreamedImages:
    """Images that stay in their file: split, indexed and gathered from as a tensor is.

    What was read is let go of again and again, so that a data set of any size takes no more
    memory than a few batches.

    Parameters
    ----------
    images
        (n, ...) uint8, mapped.
    device
        Where batches are wanted.
    """

    def __init__(self, images: NDArray[np.uint8], device: torch.device) -> None:
        self._images = images
        self._unreleased = 0
        self.device = device
        self.shape = (len(images), prod(images.shape[1:]))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | list[int]) -> Tensor:
        """(m, P) float32 of 0..1, on the device."""
        return self._tensor(self._images[rows])

    def part(self, first: int, end: int) -> StreamedImages:
        """Returns some of the images, which stay in their file."""
        return StreamedImages(self._images[first:end], self.device)

    def split(self, size: int) -> Iterator[Tensor]:
        """(size, P) tensors one after another, the last one perhaps smaller."""
        for start in range(0, len(self), size):
            yield self[start : start + size]

    def gather(self, indices: Tensor, out: Tensor) -> None:
        """Writes the images of (m,) indices into (m, P)."""
        rows = indices.cpu().numpy()
        out.copy_(self._tensor(self._images[rows]))

    def new_empty(self, *shape: int) -> Tensor:
        """As a tensor's: float32, on the device."""
        return torch.empty(*shape, device=self.device)

    def new_zeros(self, *shape: int) -> Tensor:
        """As a tensor's: float32, on the device."""
        return torch.zeros(*shape, device=self.device)

    def _tensor(self, images: NDArray[np.uint8]) -> Tensor:
        tensor = torch.from_numpy(np.array(images)).flatten(1).to(self.device).float().div_(255)
        # The system maps up to a megabyte around each that is read.
        self._unreleased += len(images) * max(self.shape[1], _MAPPED_AT_ONCE)
        if self._unreleased > _RELEASED_BYTES:
            release_pages(self._images)
            self._unreleased = 0
        return tensor


Images = Tensor | StreamedImages
"""(n, P) float32 of 0..1."""


_SHARED: WeakValueDictionary[tuple[Part, torch.device, Dataset], Images] = WeakValueDictionary()
"""The images in use, shared by all callers: MNIST takes 220 MB."""


def load_images(name: Part, device: torch.device, dataset: Dataset = MNIST) -> Images:
    """(n, P) of 0..1, on the device; one copy for all callers, and none if it is too large.

    The copy is freed with the last reference to it.

    Raises
    ------
    DataError
        When the data set is not here.
    """
    key = name, device, dataset
    images = _SHARED.get(key)
    if images is None:
        images = _SHARED[key] = _make_tensor(*key)
    return images


def _make_tensor(name: Part, device: torch.device, dataset: Dataset) -> Images:
    data = open_dataset(dataset)
    split = {"train": data.train, "test": data.test, "validation": data.validation}[name]
    if split is None:
        raise DataError(f"The data set {dataset.name!r} has no validation images.")
    images = split.images
    if 4 * images.size > MOST_RESIDENT_BYTES:
        return StreamedImages(images, device)
    return torch.tensor(images).flatten(1).to(device).float().div_(255)


def split_validation(images: Images, held_out: int) -> tuple[Images, Images]:
    """Splits (n, P) training images into those to train on and the last `held_out` ones."""
    count = len(images) - held_out
    if isinstance(images, StreamedImages):
        return images.part(0, count), images.part(count, len(images))
    return images[:count], images[count:]


def gather(images: Images, indices: Tensor, out: Tensor) -> None:
    """Writes the images of (m,) indices into (m, P)."""
    if isinstance(images, StreamedImages):
        images.gather(indices, out)
    else:
        torch.index_select(images, 0, indices, out=out)


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
