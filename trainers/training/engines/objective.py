"""The loss of a batch and its gradient, written out: reconstruction, and the code between.

Shape legend: B images in a batch, P pixels of an image, D numbers in a code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from trainers.config import Likelihood


class SquaredError:
    """Σ (output − target)² over pixels, averaged over the batch.

    Parameters
    ----------
    output
        (B, P), of the shape and type that will come.
    """

    def __init__(self, output: Tensor) -> None:
        self._gradient = torch.empty_like(output)

    def __call__(self, output: Tensor, target: Tensor, loss: Tensor) -> Tensor:
        """Writes the loss, summed over the batch, into `loss`; (B, P), the mean's gradient."""
        difference = torch.sub(output, target, out=self._gradient).view(-1)
        torch.dot(difference, difference, out=loss)
        return self._gradient.mul_(2 / len(output))


class Bernoulli:
    """The cross-entropy of logits in nats, summed over pixels, averaged over the batch.

    With s = sigmoid(x) a pixel t costs max(x, 0) − t·x − log max(s, 1 − s): the logarithm's
    argument lies in ½..1, so that nothing over- or underflows, and s is wanted anyway, for the
    gradient is s − t.

    Parameters
    ----------
    output
        (B, P), of the shape and type that will come.
    """

    def __init__(self, output: Tensor) -> None:
        self._ink, self._cost = torch.empty_like(output), torch.empty_like(output)
        self._larger = torch.empty_like(output)

    def __call__(self, output: Tensor, target: Tensor, loss: Tensor) -> Tensor:
        """Writes the loss, summed over the batch, into `loss`; (B, P), the mean's gradient."""
        ink = torch.sigmoid(output, out=self._ink)
        larger = torch.sub(1, ink, out=self._larger)
        torch.maximum(larger, ink, out=larger).log_()
        cost = torch.clamp(output, min=0, out=self._cost).addcmul_(target, output, value=-1)
        torch.sum(cost.sub_(larger), (0, 1), out=loss)
        return ink.sub_(target).div_(len(output))


RECONSTRUCTIONS: dict[Likelihood, Callable[[Tensor], SquaredError | Bernoulli]] = {
    "squared-error": SquaredError,
    "bernoulli": Bernoulli,
}
"""The likelihoods whose gradient is written out."""


class PointCode:
    """The code of an encoder that gives a single point: nothing is drawn, nothing is paid."""

    def forward(self, parameters: Tensor, kl: Tensor, generator: torch.Generator) -> Tensor:
        """(B, D) → itself; `kl` stays 0."""
        return parameters

    def backward(self, gradient: Tensor) -> Tensor:
        """(B, D) → itself."""
        return gradient


class GaussianCode:
    """Codes drawn from N(mean, exp(log-variance)), and β times their KL to N(0, I).

    code = m + σ·ε; KL = ½ Σ (m² + σ² − log σ² − 1), averaged over the batch (Kingma &
    Welling 2014, eq. 10 and appendix B). Its gradient is β·m/B for the mean and, beside what comes
    through the code, β·(σ² − 1)/(2B) for the log-variance.

    Parameters
    ----------
    parameters
        (B, 2·D), of the shape and type that will come: means, then log-variances.
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
        """(B, 2·D) → (B, D) codes; writes the KL, summed over the batch, into `kl`."""
        mean, log_variance = self._mean, self._log_variance = parameters.chunk(2, 1)
        self._noise.normal_(generator=generator)
        torch.mul(log_variance, 0.5, out=self._deviation).exp_()
        torch.exp(log_variance, out=self._variance)
        cost = torch.mul(mean, mean, out=self._cost)
        cost.add_(self._variance).sub_(log_variance).sub_(1)
        torch.sum(cost, (0, 1), out=kl).mul_(0.5)
        return torch.addcmul(mean, self._deviation, self._noise, out=self._code)

    def backward(self, gradient: Tensor) -> Tensor:
        """(B, D) gradient of the codes → (B, 2·D), that of the encoder's output."""
        of_mean, of_log_variance = self._gradient.chunk(2, 1)
        torch.add(gradient, self._mean, alpha=self._weight, out=of_mean)
        torch.mul(gradient, self._noise, out=self._code).mul_(self._deviation).mul_(0.5)
        torch.add(self._code, self._variance.sub_(1), alpha=self._weight / 2, out=of_log_variance)
        return self._gradient
