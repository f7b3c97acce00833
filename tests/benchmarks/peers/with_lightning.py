"""Lightning's loop around our model; the images are in memory, progress bar and loggers off."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING

import lightning
import torch
from torch.utils.data import DataLoader, TensorDataset

from tests.benchmarks.peers.stepping import step_through
from trainers.datasets.mnist import load_split

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from trainers.config import RunConfig
    from trainers.models.base import Autoencoder


class Module(lightning.LightningModule):
    """An autoencoder as a Lightning module."""

    def __init__(self, model: Autoencoder, learning_rate: float, on_step: Callable[[], None]):
        super().__init__()
        self.model, self._rate, self._on_step = model, learning_rate, on_step
        self._noise = torch.Generator().manual_seed(0)

    def training_step(self, batch: list[Tensor]) -> Tensor:
        return self.model.loss(batch[0], batch[0], self._noise).total

    def on_train_batch_end(self, *_: object) -> None:
        self._on_step()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), self._rate)


def start(config: RunConfig, model: Autoencoder) -> Callable[[int], None]:
    """Trains with `Trainer.fit`."""
    images = torch.tensor(load_split("train").images).view(-1, 784).float().div_(255)
    loader = DataLoader(TensorDataset(images), config.training.batch_size, shuffle=True)

    def fit(on_step: Callable[[], None]) -> None:
        logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
        warnings.filterwarnings("ignore", module="lightning")
        trainer = lightning.Trainer(
            accelerator="cpu",
            max_epochs=-1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(Module(model, config.training.learning_rate, on_step), loader)

    return step_through(fit)
