"""Posterior collapse: which dimensions of a code carry no information. Loads no torch.

With squared error + β·KL the decoder is a Gaussian of variance σ² = β/2. With a linear decoder the
model is probabilistic PCA, and at its optimum a dimension stays active only if its eigenvalue
exceeds σ² (Tipping & Bishop 1999; Lucas et al. 2019, "Don't Blame the ELBO!"): the loss itself, not
the training, makes the others collapse. A non-linear decoder can do better, so there the same count
is only a hint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainers import datasets
from trainers.datasets.spectrum import load_spectrum
from trainers.errors import DataError
from trainers.evaluation.measurement import CollapseFigures
from trainers.runs.metrics import ACTIVE_VARIANCE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trainers.config import RunConfig
    from trainers.runs.metrics import Evaluation


@dataclass(frozen=True)
class Forecast:
    """What the loss predicts about the dimensions of a code before training.

    Attributes
    ----------
    beta, latent_dim
        The config's values.
    threshold
        β/2, the variance that a dimension must explain to make up for its KL.
    surviving
        How many of the leading principal components exceed the threshold, at most `latent_dim`.
    is_certain
        Whether the decoder is linear, and the count therefore a theorem.
    needed
        The eigenvalue of the last dimension: all stay active if β is below twice this value.
    """

    beta: float
    latent_dim: int
    threshold: float
    surviving: int
    is_certain: bool
    needed: float

    @property
    def dead(self) -> int:
        """How many dimensions do not make up for their KL."""
        return self.latent_dim - self.surviving

    @property
    def message(self) -> str:
        """A warning for the user before training; empty if no dimension collapses."""
        if not self.dead:
            return ""
        verb = "leaves" if self.is_certain else "would, were the decoder linear, leave"
        active = f"{self.surviving} of {self.latent_dim} dimensions"
        return (
            f"At the optimum of the loss, β = {self.beta:g} {verb} {active} of the code active: a "
            f"dimension must explain a variance of more than β/2 = {self.threshold:g} to pay for "
            f"its KL. For all of them choose β below {2 * self.needed:.3g}."
        )


def forecast(config: RunConfig, eigenvalues: NDArray[np.float64] | None = None) -> Forecast | None:
    """Predicts which dimensions collapse; returns None if the loss alone does not determine it.

    Parameters
    ----------
    config
        The run's settings. The result is None unless the model is variational, with squared error
        and β > 0.
    eigenvalues
        The eigenvalues of the training images' covariance, falling; if omitted, those of the
        config's data set.
    """
    model = config.model
    is_gaussian = model.variational and model.family != "pca" and model.likelihood != "bernoulli"
    if not is_gaussian or model.beta == 0:
        return None
    known = _eigenvalues(config) if eigenvalues is None else eigenvalues
    if known is None or len(known) < model.latent_dim:
        return None
    threshold = model.beta / 2
    return Forecast(
        beta=model.beta,
        latent_dim=model.latent_dim,
        threshold=threshold,
        surviving=int((known[: model.latent_dim] > threshold).sum()),
        is_certain=model.family == "mlp" and model.activation == "linear",
        needed=float(known[model.latent_dim - 1]),
    )


def _eigenvalues(config: RunConfig) -> NDArray[np.float64] | None:
    """Returns the eigenvalues of the config's data set; None if they are not known."""
    try:
        spectrum = load_spectrum(datasets.dataset_named(config.dataset))
    except DataError:
        return None
    return spectrum.eigenvalues if spectrum else None


def measure_collapse(evaluation: Evaluation, config: RunConfig) -> CollapseFigures:
    """Returns which dimensions of a trained model have collapsed onto the prior.

    A model without a prior has none, because the scale of its codes is arbitrary.
    """
    variances = (evaluation.code_variances or ()) if config.model.has_prior else ()
    dead = (index for index, variance in enumerate(variances) if variance <= ACTIVE_VARIANCE)
    known = forecast(config)
    return CollapseFigures(
        dead=tuple(dead),
        certain_dead=known.dead if known and known.is_certain else 0,
        threshold=known.threshold if known else None,
    )
