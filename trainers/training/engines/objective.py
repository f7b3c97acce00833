"""The loss of a batch with hand-written gradients: the reconstruction and the KL of the codes.

Shape legend: B images in a batch, P pixels of an image, D numbers in a code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from trainers.config_types import Likelihood


class SquaredError:
    """Σ (output − target)² over pixels, averaged over the batch.

    Parameters
    ----------
    output
        (B, P), a tensor of the shape and type of all later outputs.
    """

    def __init__(self, output: Tensor) -> None:
        self._gradient = torch.empty_like(output)

    def __call__(self, output: Tensor, target: Tensor, loss: Tensor) -> Tensor:
        """Writes the summed loss of the batch into `loss`; returns the mean's gradient, (B, P)."""
        difference = torch.sub(output, target, out=self._gradient).view(-1)
        torch.dot(difference, difference, out=loss)
        return self._gradient.mul_(2 / len(output))


class Bernoulli:
    """The cross-entropy of logits in nats, summed over pixels, averaged over the batch.

    With s = sigmoid(x), the loss of a pixel t is max(x, 0) − t·x − log max(s, 1 − s). The
    logarithm's argument lies in ½..1, so nothing over- or underflows. The gradient is s − t, so s
    is computed only once.

    Parameters
    ----------
    output
        (B, P), a tensor of the shape and type of all later outputs.
    """

    def __init__(self, output: Tensor) -> None:
        self._pixels, self._cost = torch.empty_like(output), torch.empty_like(output)
        self._larger = torch.empty_like(output)

    def __call__(self, output: Tensor, target: Tensor, loss: Tensor) -> Tensor:
        """Writes the summed loss of the batch into `loss`; returns the mean's gradient, (B, P)."""
        pixels = torch.sigmoid(output, out=self._pixels)
        larger = torch.sub(1, pixels, out=self._larger)
        torch.maximum(larger, pixels, out=larger).log_()
        cost = torch.clamp(output, min=0, out=self._cost).addcmul_(target, output, value=-1)
        torch.sum(cost.sub_(larger), (0, 1), out=loss)
        return pixels.sub_(target).div_(len(output))


RECONSTRUCTIONS: dict[Likelihood, Callable[[Tensor], SquaredError | Bernoulli]] = {
    "squared-error": SquaredError,
    "bernoulli": Bernoulli,
}
"""The likelihoods with a hand-written gradient."""


class PointCode:
    """The code of an encoder that returns a single point: no sampling and no KL."""

    def forward(self, parameters: Tensor, kl: Tensor, generator: torch.Generator) -> Tensor:
        """Returns the (B, D) parameters as the codes; `kl` stays 0."""
        return parameters

    def backward(self, gradient: Tensor) -> Tensor:
        """Returns the (B, D) gradient unchanged."""
        return gradient


class GaussianCode:
    """Codes drawn from N(mean, exp(log-variance)), and β times their KL to N(0, I).

    code = m + σ·ε; KL = ½ Σ (m² + σ² − log σ² − 1), averaged over the batch (Kingma &
    Welling 2014, eq. 10 and appendix B). The gradient of the KL is β·m/B for the mean and
    β·(σ² − 1)/(2B) for the log-variance; the gradient through the code is added to it.

    Parameters
    ----------
    parameters
        (B, 2·D), a tensor of the shape and type of all later ones: means, then log-variances.
    beta
        β.
    """

    def __init__(self, parameters: Tensor, beta: float) -> None:
        self._weight = beta / len(parameters)
        self._gradient = torch.empty_like(parameters)
        halves = parameters.chunk(2, 1)
        self._noise, self._deviation, self._variance, self._code, self._cost = (
            torch.empty_like(halves[0], memory_format=torch.contiguous_format) for _ in range(5)
        )
        self._mean, self._log_variance = halves

    def forward(self, parameters: Tensor, kl: Tensor, generator: torch.Generator) -> Tensor:
        """Samples (B, D) codes from (B, 2·D); writes the KL, summed over the batch, into `kl`."""
        mean, log_variance = self._mean, self._log_variance = parameters.chunk(2, 1)
        self._noise.normal_(generator=generator)
        torch.mul(log_variance, 0.5, out=self._deviation).exp_()
        torch.exp(log_variance, out=self._variance)
        cost = torch.mul(mean, mean, out=self._cost)
        cost.add_(self._variance).sub_(log_variance).sub_(1)
        torch.sum(cost, (0, 1), out=kl).mul_(0.5)
        return torch.addcmul(mean, self._deviation, self._noise, out=self._code)

    def backward(self, gradient: Tensor) -> Tensor:
        """Computes the (B, 2·D) gradient of the encoder's output from the (B, D) of the codes."""
        mean_gradient, log_variance_gradient = self._gradient.chunk(2, 1)
        torch.add(gradient, self._mean, alpha=self._weight, out=mean_gradient)
        torch.mul(gradient, self._noise, out=self._code).mul_(self._deviation).mul_(0.5)
        torch.add(
            self._code, self._variance.sub_(1), alpha=self._weight / 2, out=log_variance_gradient
        )
        return self._gradient
