"""The base classes of all autoencoders: encoder, posterior over codes, decoder and loss.

Shape legend: B images in a batch, P numbers in an image (784 for MNIST), D numbers in a code.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainers.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from trainers.config_types import Activation, Likelihood

ACTIVATIONS: dict[Activation, Callable[[], nn.Module]] = {
    "linear": nn.Identity,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
}
"""The activations that may follow a hidden layer."""

_GAINS: dict[Activation, float] = {
    "sigmoid": 4.0,
    "tanh": 5 / 3,
    "relu": 2**0.5,
    "elu": 2**0.5,
    "gelu": 2**0.5,
    "silu": 2**0.5,
}


class Posterior(NamedTuple):
    """q(code | image): mean and log-variance, both (B, D); without log-variance a single point."""

    mean: Tensor
    log_variance: Tensor | None

    def sample(self, generator: torch.Generator) -> Tensor:
        """Returns (B, D), one code per image: mean + σ·ε (Kingma & Welling 2014, eq. 10)."""
        if self.log_variance is None:
            return self.mean
        noise = torch.empty_like(self.mean, device=generator.device).normal_(generator=generator)
        return self.mean + (0.5 * self.log_variance).exp() * noise.to(self.mean.device)

    def kl(self) -> Tensor:
        """Returns (B,), the KL to N(0, I) in nats (Kingma & Welling 2014, appendix B).

        It is 0 for a posterior that is a single point.
        """
        return self.kl_per_dimension().sum(1)

    def kl_per_dimension(self) -> Tensor:
        """Returns (B, D), the KL of each dimension in nats; 0 for a single point."""
        if self.log_variance is None:
            return torch.zeros_like(self.mean)
        return 0.5 * (self.mean**2 + self.log_variance.exp() - self.log_variance - 1)


class StepLoss(NamedTuple):
    """The mean loss of a batch and its parts: scalars per image, in the unit of the likelihood."""

    total: Tensor
    reconstruction: Tensor
    kl: Tensor


class Autoencoder(nn.Module, ABC):
    """An encoder and a decoder with a likelihood for the decoded images.

    Parameters
    ----------
    latent_dim
        D, the numbers in a code.
    variational
        Whether the encoder returns mean and log-variance, and the loss includes β·KL.
    likelihood
        "squared-error": the decoder returns pixels, and the loss is their squared error summed
        over the image. "bernoulli": the decoder returns logits, and the loss is the cross-entropy
        summed over the image.
    beta
        β, the weight of the KL.
    """

    image_shape: tuple[int, ...] = (28, 28)
    """The shape of an image that is not flattened: (side, side) or (side, side, 3)."""

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
        """The device that holds the weights."""
        weights: Tensor = next(iter(self.state_dict().values()))
        return weights.device

    @abstractmethod
    def posterior(self, images: Tensor) -> Posterior:
        """Encodes (B, P) images of 0..1 as a posterior over codes."""

    @abstractmethod
    def output(self, codes: Tensor) -> Tensor:
        """Decodes (B, D) codes to (B, P): pixels, or logits for the Bernoulli likelihood."""

    def encode(self, images: Tensor) -> Tensor:
        """Encodes (B, P) images as their mean codes, (B, D)."""
        return self.posterior(images).mean

    def decode(self, codes: Tensor) -> Tensor:
        """Decodes (B, D) codes to their mean images, (B, P); a linear output may leave 0..1."""
        output = self.output(codes)
        return output.sigmoid() if self.likelihood == "bernoulli" else output

    def reconstruction_loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Returns (B,), squared error or Bernoulli nats per image, of (B, P) output and target."""
        if self.likelihood == "bernoulli":
            loss = functional.binary_cross_entropy_with_logits(output, target, reduction="none")
        else:
            loss = (output - target) ** 2
        return loss.sum(1)

    def loss(self, images: Tensor, target: Tensor, generator: torch.Generator) -> StepLoss:
        """Returns the loss of a batch.

        Parameters
        ----------
        images
            (B, P), the input, which may be corrupted.
        target
            (B, P), the clean images.
        generator
            Draws the codes from the posterior.
        """
        posterior = self.posterior(images)
        output = self.output(posterior.sample(generator))
        reconstruction = self.reconstruction_loss(output, target).mean()
        kl = posterior.kl().mean()
        return StepLoss(reconstruction + self.beta * kl, reconstruction, kl)

    @torch.no_grad()
    def initialise(self, generator: torch.Generator, activation: Activation) -> None:
        """Sets zero biases and Glorot-uniform weights, with the activation's gain if hidden.

        Glorot & Bengio 2010. The sigmoid's gain of 4 compensates its slope of 1/4; without it two
        sigmoid layers learn only the mean digit. The layers before the code and before the output
        have gain 1, because no activation follows them.
        """
        for part in self.modules():
            if isinstance(part, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                gain = 1.0 if part in self.linear_layers() else _GAINS.get(activation, 1.0)
                nn.init.xavier_uniform_(part.weight, gain, generator=generator)
                if part.bias is not None:
                    nn.init.zeros_(part.bias)

    def linear_layers(self) -> tuple[nn.Module, ...]:
        """Returns the layers that no activation follows."""
        return ()

    @property
    def pixels(self) -> int:
        """P, the numbers in an image."""
        return self.decode(torch.zeros(1, self.latent_dim, device=self.device)).shape[1]

    def layers(self) -> tuple[nn.Sequential, nn.Sequential]:
        """Returns encoder and decoder as stacks of torch's own layers, for use without AE Viewer.

        The encoder returns (B, D), or (B, 2·D) for a variational model: means, then log-variances.
        The decoder returns the mean images.

        Raises
        ------
        ExportError
            When the model is not made of such stacks.
        """
        raise ExportError(
            f"A {type(self).__name__} is not a stack of layers that torch alone can load. "
            "Export it as ONNX, or export the whole run."
        )


class ClosedForm(Autoencoder):
    """An autoencoder whose weights are computed in one pass over the data, without gradients."""

    @abstractmethod
    def fit(self, batches: Iterable[Tensor]) -> Iterator[None]:
        """Computes the weights from (n, P) batches; yields after each of them."""

    @property
    @abstractmethod
    def training_error(self) -> float:
        """The mean squared error per training image after `fit`."""


class Network(Autoencoder):
    """An autoencoder of two stacks of layers, which the family creates in its constructor.

    Attributes
    ----------
    encoder
        (B, P) → (B, D), or (B, 2·D) for a variational model: means, then log-variances.
    decoder
        (B, D) → (B, P).
    """

    encoder: nn.Sequential
    decoder: nn.Sequential

    @property
    def encoder_outputs(self) -> int:
        """The numbers that the encoder returns per image: D, or 2·D for a variational model."""
        return 2 * self.latent_dim if self.variational else self.latent_dim

    def posterior(self, images: Tensor) -> Posterior:
        """Encodes (B, P) images as a posterior over (B, D) codes."""
        parameters: Tensor = self.encoder(images).to(images.dtype)  # autocast returns bfloat16
        if not self.variational:
            return Posterior(parameters, None)
        mean, log_variance = parameters.split(self.latent_dim, dim=1)
        return Posterior(mean, log_variance)

    def output(self, codes: Tensor) -> Tensor:
        """Decodes (B, D) codes to (B, P): pixels, or logits for the Bernoulli likelihood."""
        output: Tensor = self.decoder(codes).to(codes.dtype)
        return output

    def layers(self) -> tuple[nn.Sequential, nn.Sequential]:
        """Returns the two stacks; a sigmoid turns the decoder's logits into pixels."""
        sigmoid = [nn.Sigmoid()] if self.likelihood == "bernoulli" else []
        return self.encoder, nn.Sequential(*self.decoder, *sigmoid)

    def linear_layers(self) -> tuple[nn.Module, ...]:
        """Returns the last layer with weights of the encoder, and that of the decoder."""
        weighted = [
            [p for p in stack if [*p.parameters()]] for stack in (self.encoder, self.decoder)
        ]
        return tuple(layers[-1] for layers in weighted)
