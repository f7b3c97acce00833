"""Principal component analysis: the best linear autoencoder, in closed form.

A code is the projection of a centred image onto the D leading eigenvectors of the covariance
(Pearson 1901). No linear autoencoder with D codes has a smaller squared error (Baldi & Hornik
1989).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from trainers.models.base import ClosedForm, Posterior

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trainers.config import ModelConfig
    from trainers.config_types import Activation


class PCA(ClosedForm):
    """Projection onto the leading principal components.

    Parameters
    ----------
    pixels
        P, the numbers in an image.
    latent_dim
        D, the number of components, at most P.

    Attributes
    ----------
    mean : Tensor
        (P,), the mean image.
    components : Tensor
        (D, P), orthonormal rows by falling variance; the largest entry of each row is positive.
    variances : Tensor
        (D,), the variance of the data along each component.
    total_variance : Tensor
        The sum of the variances of all P numbers.
    """

    mean: Tensor
    components: Tensor
    variances: Tensor
    total_variance: Tensor

    def __init__(self, *, pixels: int, latent_dim: int) -> None:
        super().__init__(
            latent_dim=latent_dim, variational=False, likelihood="squared-error", beta=0.0
        )
        self.register_buffer("mean", torch.zeros(pixels))
        self.register_buffer("components", torch.zeros(latent_dim, pixels))
        self.components.diagonal().fill_(1.0)
        self.register_buffer("variances", torch.zeros(latent_dim))
        self.register_buffer("total_variance", torch.zeros(()))

    def posterior(self, images: Tensor) -> Posterior:
        """Projects (B, P) images onto the components: one point each, (B, D)."""
        return Posterior((images - self.mean) @ self.components.T, None)

    def output(self, codes: Tensor) -> Tensor:
        """Decodes (B, D) codes to (B, P) pixels."""
        return codes @ self.components + self.mean

    @torch.no_grad()
    def layers(self) -> tuple[nn.Sequential, nn.Sequential]:
        """Returns encoder and decoder as one linear layer each, the mean image in the biases."""
        latent_dim, pixels = self.components.shape
        encoder, decoder = nn.Linear(pixels, latent_dim), nn.Linear(latent_dim, pixels)
        encoder.weight.copy_(self.components)
        encoder.bias.copy_(-self.components @ self.mean)
        decoder.weight.copy_(self.components.T)
        decoder.bias.copy_(self.mean)
        return nn.Sequential(encoder), nn.Sequential(decoder)

    def initialise(self, generator: torch.Generator, activation: Activation) -> None:
        """Does nothing: PCA has no random weights."""

    @torch.no_grad()
    def fit(self, batches: Iterable[Tensor]) -> Iterator[None]:
        """Computes mean and components from (n, P) batches; yields after each of them.

        The moments are summed in double precision, on the CPU because not every device has it.
        """
        pixels = len(self.mean)
        count, total = 0, torch.zeros(pixels, dtype=torch.float64)
        products = torch.zeros(pixels, pixels, dtype=torch.float64)
        for batch in batches:
            images = batch.to("cpu", torch.float64)
            count += len(images)
            total += images.sum(0)
            products += images.T @ images
            yield
        mean = total / count
        variances, vectors = torch.linalg.eigh(products / count - torch.outer(mean, mean))
        components = vectors.T.flip(0)[: self.latent_dim]
        largest = components.gather(1, components.abs().argmax(1, keepdim=True))
        self.mean.copy_(mean)
        self.components.copy_(components * largest.sign())
        self.variances.copy_(variances.flip(0)[: self.latent_dim])
        self.total_variance.copy_(variances.sum())

    @property
    def training_error(self) -> float:
        """The variance that the components do not explain, per training image."""
        return float(self.total_variance - self.variances.sum())


def build(config: ModelConfig, pixels: int) -> PCA:
    """Returns a PCA with the settings of `config`."""
    return PCA(pixels=pixels, latent_dim=config.latent_dim)
