"""What every autoencoder is: an encoder to a posterior over codes, a decoder back, and a loss.

Shape legend: B images in a batch, P numbers of an image (784 of MNIST's), D numbers in a code.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainers.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainers.config import Activation, Likelihood

ACTIVATIONS: dict[Activation, Callable[[], nn.Module]] = {
    "linear": nn.Identity,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
}
"""What may stand after a hidden layer."""

_GAINS: dict[Activation, float] = {
    "sigmoid": 4.0,
    "tanh": 5 / 3,
    "relu": 2**0.5,
    "elu": 2**0.5,
    "gelu": 2**0.5,
    "silu": 2**0.5,
}


class Posterior(NamedTuple):
    """q(code | image): mean and log-variance, both (B, D); no log-variance is a single point."""

    mean: Tensor
    log_variance: Tensor | None

    def sample(self, generator: torch.Generator) -> Tensor:
        """(B, D), one code an image: mean + σ·ε (Kingma & Welling 2014, eq. 10)."""
        if self.log_variance is None:
            return self.mean
        noise = torch.empty_like(self.mean).normal_(generator=generator)
        return self.mean + (0.5 * self.log_variance).exp() * noise

    def kl(self) -> Tensor:
        """(B,), KL to N(0, I) in nats (Kingma & Welling 2014, appendix B); 0 for a point."""
        return self.kl_per_dimension().sum(1)

    def kl_per_dimension(self) -> Tensor:
        """(B, D), what each dimension adds to the KL."""
        if self.log_variance is None:
            return torch.zeros_like(self.mean)
        return 0.5 * (self.mean**2 + self.log_variance.exp() - self.log_variance - 1)


class StepLoss(NamedTuple):
    """The mean loss of a batch and its parts: scalars, per image, in the likelihood's unit."""

    total: Tensor
    reconstruction: Tensor
    kl: Tensor


class Autoencoder(nn.Module, ABC):
    """An encoder and a decoder with the likelihood that joins them.

    Parameters
    ----------
    latent_dim
        D, numbers in a code.
    variational
        The encoder gives mean and log-variance, and the loss pays β·KL.
    likelihood
        "squared-error": the decoder gives pixels, the loss is their squared error summed over the
        image. "bernoulli": it gives logits, the loss is the cross-entropy summed over the image.
    beta
        Weight of the KL.
    """

    image_shape: tuple[int, ...] = (28, 28)
    """Of an image that is not flattened: (side, side), or (side, side, 3)."""

    closed_form = False
    """Solved by `fit` in one pass over the data rather than by gradient steps."""

    def __init__(
        self, *, latent_dim: int, variational: bool, likelihood: Likelihood, beta: float
    ) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.variational = variational
        self.likelihood = likelihood
        self.beta = beta

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        weights: Tensor = next(iter(self.state_dict().values()))
        return weights.device

    @abstractmethod
    def posterior(self, images: Tensor) -> Posterior:
        """(B, P) images of 0..1 → their posterior over codes."""

    @abstractmethod
    def output(self, codes: Tensor) -> Tensor:
        """(B, D) codes → (B, P), pixels or logits, as the likelihood has it."""

    def encode(self, images: Tensor) -> Tensor:
        """(B, P) images → (B, D), the mean code of each."""
        return self.posterior(images).mean

    def decode(self, codes: Tensor) -> Tensor:
        """(B, D) codes → (B, P), the mean image of each; a linear output may leave 0..1."""
        output = self.output(codes)
        return output.sigmoid() if self.likelihood == "bernoulli" else output

    def reconstruction_loss(self, output: Tensor, target: Tensor) -> Tensor:
        """(B, P) output and target → (B,), squared error or Bernoulli nats, per image."""
        if self.likelihood == "bernoulli":
            loss = functional.binary_cross_entropy_with_logits(output, target, reduction="none")
        else:
            loss = (output - target) ** 2
        return loss.sum(1)

    def loss(self, images: Tensor, target: Tensor, generator: torch.Generator) -> StepLoss:
        """The loss of a batch: (B, P) inputs, maybe corrupted, and the (B, P) clean target."""
        posterior = self.posterior(images)
        output = self.output(posterior.sample(generator))
        reconstruction = self.reconstruction_loss(output, target).mean()
        kl = posterior.kl().mean()
        return StepLoss(reconstruction + self.beta * kl, reconstruction, kl)

    @torch.no_grad()
    def initialise(self, generator: torch.Generator, activation: Activation) -> None:
        """Glorot-uniform weights with the activation's gain on hidden layers, biases zero.

        Glorot & Bengio 2010; the sigmoid's gain of 4 undoes its slope of 1/4, without which two
        such layers learn the mean digit and stay there. What feeds the code or the output has
        gain 1: both are linear.
        """
        for part in self.modules():
            if isinstance(part, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                gain = 1.0 if part in self.linear_layers() else _GAINS.get(activation, 1.0)
                nn.init.xavier_uniform_(part.weight, gain, generator=generator)
                if part.bias is not None:
                    nn.init.zeros_(part.bias)

    def linear_layers(self) -> tuple[nn.Module, ...]:
        """The layers that no activation follows."""
        return ()

    @property
    def pixels(self) -> int:
        """P, numbers in an image."""
        return self.decode(torch.zeros(1, self.latent_dim, device=self.device)).shape[1]

    def layers(self) -> tuple[nn.Sequential, nn.Sequential]:
        """Encoder and decoder as stacks of torch's own layers, for programs that lack ours.

        The encoder gives (B, D), or (B, 2·D) where variational: means, then log-variances; the
        decoder gives the mean images.

        Raises
        ------
        ExportError
            When the family has none.
        """
        raise ExportError(
            f"A {type(self).__name__} is no stack of layers that torch alone could load. "
            "Carry it away as ONNX, or as the whole run."
        )


class Network(Autoencoder):
    """An autoencoder of two stacks of layers; a family builds them in its constructor.

    Attributes
    ----------
    encoder
        (B, P) → (B, D), or (B, 2·D) where variational: means, then log-variances.
    decoder
        (B, D) → (B, P).
    """

    encoder: nn.Sequential
    decoder: nn.Sequential

    @property
    def encoder_outputs(self) -> int:
        """Numbers that the encoder gives for an image: D, or 2·D where variational."""
        return 2 * self.latent_dim if self.variational else self.latent_dim

    def posterior(self, images: Tensor) -> Posterior:
        """(B, P) → posterior over (B, D)."""
        parameters: Tensor = self.encoder(images).to(images.dtype)  # autocast may have it shorter
        if not self.variational:
            return Posterior(parameters, None)
        mean, log_variance = parameters.split(self.latent_dim, dim=1)
        return Posterior(mean, log_variance)

    def output(self, codes: Tensor) -> Tensor:
        """(B, D) → (B, P)."""
        output: Tensor = self.decoder(codes).to(codes.dtype)
        return output

    def layers(self) -> tuple[nn.Sequential, nn.Sequential]:
        """The stacks themselves; the decoder's logits become pixels."""
        squash = [nn.Sigmoid()] if self.likelihood == "bernoulli" else []
        return self.encoder, nn.Sequential(*self.decoder, *squash)

    def linear_layers(self) -> tuple[nn.Module, ...]:
        """The last layer with weights of the encoder and of the decoder."""
        weighted = [
            [p for p in stack if [*p.parameters()]] for stack in (self.encoder, self.decoder)
        ]
        return tuple(layers[-1] for layers in weighted)
