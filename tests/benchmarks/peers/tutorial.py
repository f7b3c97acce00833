"""The usual training loop, that of pytorch/examples/vae."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from trainers.datasets.mnist import load_split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from trainers.config import RunConfig
    from trainers.models.base import Autoencoder


class Digits(Dataset[tuple["Tensor", int]]):
    """MNIST as torchvision returns it with `ToTensor`."""

    def __init__(self) -> None:
        data = load_split("train")
        self._images, self._labels = torch.tensor(data.images), torch.tensor(data.labels)

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = Image.fromarray(self._images[index].numpy())
        pixels = torch.from_numpy(np.array(image, np.uint8, copy=True))
        channels = pixels.view(28, 28, 1).permute(2, 0, 1).contiguous()
        return channels.to(torch.get_default_dtype()).div(255), int(self._labels[index])


def start(config: RunConfig, model: Autoencoder) -> Callable[[int], float]:
    """Trains with a DataLoader of PIL images and `ToTensor`, plain Adam, and `loss.item()`."""
    noise = torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(model.parameters(), config.training.learning_rate)

    def forever() -> Iterator[Tensor]:
        while True:
            for images, _ in DataLoader(Digits(), config.training.batch_size, shuffle=True):
                yield images.view(-1, 784)

    batches = forever()

    def steps(count: int) -> float:
        train_loss = 0.0
        for _ in range(count):
            images = next(batches)
            optimiser.zero_grad()
            loss = model.loss(images, images, noise).total
            loss.backward()
            train_loss += loss.item()
            optimiser.step()
        return train_loss

    return steps
