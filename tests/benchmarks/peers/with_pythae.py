"""pythae's trainer on our layers, the images in memory."""

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

from tests.benchmarks.peers.stepping import stepwise
from trainers.datasets.mnist import load_split

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from trainers.config import RunConfig
    from trainers.models.base import Autoencoder

_FOR_EVER = 1_000_000


class Encoder(BaseEncoder):
    """Our encoder as pythae wants it."""

    def __init__(self, model: Autoencoder) -> None:
        super().__init__()
        self._model = model

    def forward(self, images: Tensor) -> ModelOutput:
        mean, log_variance = self._model.posterior(images)
        if log_variance is None:
            return ModelOutput(embedding=mean)
        return ModelOutput(embedding=mean, log_covariance=log_variance)


class Decoder(BaseDecoder):
    """Our decoder as pythae wants it."""

    def __init__(self, model: Autoencoder) -> None:
        super().__init__()
        self._model = model

    def forward(self, codes: Tensor) -> ModelOutput:
        return ModelOutput(reconstruction=self._model.decode(codes))


class Stepped(TrainingCallback):
    """Tells of each step."""

    def __init__(self, stepped: Callable[[], None]) -> None:
        self._stepped = stepped

    def on_train_step_end(self, *_: object, **__: object) -> None:
        self._stepped()


def fitted(config: RunConfig, model: Autoencoder) -> Callable[[int], None]:
    """Steps of `BaseTrainer.train`."""
    logging.disable(logging.WARNING)
    images = torch.tensor(load_split("train").images).view(-1, 784).float().div_(255)
    parts = {"encoder": Encoder(model), "decoder": Decoder(model)}
    shape = {"input_dim": (784,), "latent_dim": config.model.latent_dim}
    if config.model.variational:
        is_bernoulli = config.model.likelihood == "bernoulli"
        loss = "bce" if is_bernoulli else "mse"
        whole = VAE(VAEConfig(**shape, reconstruction_loss=loss), **parts)
    else:
        whole = AE(AEConfig(**shape), **parts)
    training = BaseTrainerConfig(
        output_dir=tempfile.mkdtemp(),
        num_epochs=_FOR_EVER,
        learning_rate=config.training.learning_rate,
        per_device_train_batch_size=config.training.batch_size,
        no_cuda=True,
    )

    def fit(stepped: Callable[[], None]) -> None:
        data = BaseDataset(images, torch.zeros(len(images)))
        trainer = BaseTrainer(whole, data, None, training, [Stepped(stepped)])
        trainer.prepare_training()
        for epoch in range(_FOR_EVER):
            trainer.train_step(epoch)

    return stepwise(fit)
