"""Which dimensions of a code say nothing, and when that is certain before training. Loads no torch.

With squared error + β·KL the model is a Gaussian one of variance σ² = β/2. A linear decoder is
then probabilistic PCA, and at its optimum a dimension stays alive only if the eigenvalue it would
stand for exceeds σ² (Tipping & Bishop 1999; Lucas et al. 2019, "Don't Blame the ELBO!"): the loss
itself, not the training, makes the others die. A decoder with hidden non-linearities can do more
than that, and so the same count is a hint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainers import datasets
from trainers.datasets.spectrum import spectrum_of
from trainers.errors import DataError
from trainers.evaluation.measurement import CollapseFigures
from trainers.runs.metrics import ACTIVE_VARIANCE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trainers.config import RunConfig
    from trainers.runs.metrics import Evaluation


@dataclass(frozen=True)
class Forecast:
    """What the loss says of a code's dimensions before anything is trained.

    Attributes
    ----------
    beta, latent_dim
        Of the config.
    threshold
        β/2, the variance that a dimension must explain to pay for itself.
    surviving
        How many of the leading principal components exceed it, at most `latent_dim`.
    is_certain
        Whether the decoder is linear, and the count therefore a theorem.
    needed
        The eigenvalue of the last dimension: β must stay below twice it for all to live.
    """

    beta: float
    latent_dim: int
    threshold: float
    surviving: int
    is_certain: bool
    needed: float

    @property
    def dead(self) -> int:
        """How many dimensions do not pay for themselves."""
        return self.latent_dim - self.surviving

    @property
    def message(self) -> str:
        """One sentence for the person who is about to train; empty where none is needed."""
        if not self.dead:
            return ""
        verb = "will" if self.is_certain else "would, were the decoder linear,"
        living = f"{self.surviving} of {self.latent_dim} dimensions"
        return (
            f"β = {self.beta:g} {verb} leave {living} of the code alive: a dimension must explain "
            f"a variance of more than β/2 = {self.threshold:g} to pay for its KL. For all of them "
            f"choose β below {2 * self.needed:.3g}."
        )


def forecast(config: RunConfig, eigenvalues: NDArray[np.float64] | None = None) -> Forecast | None:
    """What is known before training; None where the loss alone says nothing.

    Parameters
    ----------
    config
        Variational, with squared error and β > 0; otherwise nothing is known.
    eigenvalues
        Of the training images' covariance, falling; those of its data set where left out.
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
    """Those of the config's data set, as far as they are known."""
    try:
        spectrum = spectrum_of(datasets.dataset_named(config.dataset))
    except DataError:
        return None
    return spectrum.eigenvalues if spectrum else None


def measure_collapse(evaluation: Evaluation, config: RunConfig) -> CollapseFigures:
    """Which dimensions of a trained model have died, and how many had to."""
    variances = evaluation.code_variances or ()
    dead = (index for index, variance in enumerate(variances) if variance <= ACTIVE_VARIANCE)
    known = forecast(config)
    return CollapseFigures(
        dead=tuple(dead),
        certain_dead=known.dead if known and known.is_certain else 0,
        threshold=known.threshold if known else None,
    )
