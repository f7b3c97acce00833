"""pythae's trainer on our layers; the images are in memory."""

from __future__ import annotations

import logging
import tempfile
from typing import TYPE_CHECKING

import torch
from pythae.data.datasets import BaseDataset
from pythae.models import AE, VAE, AEConfig, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.trainers import BaseTrainer, BaseTrainerConfig
from pythae.trainers.training_callbacks import TrainingCallback

from tests.benchmarks.peers.stepping import step_through
from trainers.datasets.mnist import load_split

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from trainers.config import RunConfig
    from trainers.models.base import Autoencoder

_FOR_EVER = 1_000_000


class Encoder(BaseEncoder):
    """Our encoder as a pythae encoder."""

    def __init__(self, model: Autoencoder) -> None:
        super().__init__()
        self._model = model

    def forward(self, images: Tensor) -> ModelOutput:
        mean, log_variance = self._model.posterior(images)
        if log_variance is None:
            return ModelOutput(embedding=mean)
        return ModelOutput(embedding=mean, log_covariance=log_variance)


class Decoder(BaseDecoder):
    """Our decoder as a pythae decoder."""

    def __init__(self, model: Autoencoder) -> None:
        super().__init__()
        self._model = model

    def forward(self, codes: Tensor) -> ModelOutput:
        return ModelOutput(reconstruction=self._model.decode(codes))


class StepCallback(TrainingCallback):
    """Calls a function after each step."""

    def __init__(self, on_step: Callable[[], None]) -> None:
        self._on_step = on_step

    def on_train_step_end(self, *_: object, **__: object) -> None:
        self._on_step()


def start(config: RunConfig, model: Autoencoder) -> Callable[[int], None]:
    """Trains with `BaseTrainer`."""
    logging.disable(logging.WARNING)
    images = torch.tensor(load_split("train").images).view(-1, 784).float().div_(255)
    parts = {"encoder": Encoder(model), "decoder": Decoder(model)}
    shape = {"input_dim": (784,), "latent_dim": config.model.latent_dim}
    if config.model.variational:
        is_bernoulli = config.model.likelihood == "bernoulli"
        loss = "bce" if is_bernoulli else "mse"
        autoencoder = VAE(VAEConfig(**shape, reconstruction_loss=loss), **parts)
    else:
        autoencoder = AE(AEConfig(**shape), **parts)
    training = BaseTrainerConfig(
        output_dir=tempfile.mkdtemp(),
        num_epochs=_FOR_EVER,
        learning_rate=config.training.learning_rate,
        per_device_train_batch_size=config.training.batch_size,
        no_cuda=True,
    )

    def fit(on_step: Callable[[], None]) -> None:
        data = BaseDataset(images, torch.zeros(len(images)))
        trainer = BaseTrainer(autoencoder, data, None, training, [StepCallback(on_step)])
        trainer.prepare_training()
        for epoch in range(_FOR_EVER):
            trainer.train_step(epoch)

    return step_through(fit)
