"""Collapsed dimensions against the minimum of the loss."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from trainers.evaluation.collapse import forecast, measure_collapse
from trainers.presets import preset
from trainers.runs.metrics import Evaluation

_EIGENVALUES = np.array([5.12, 3.74, 3.25, 0.9, 0.1])


def _linear(beta: float, latent_dim: int = 5, **changes: object):  # type: ignore[no-untyped-def]
    return preset("linear").replace(variational=True, beta=beta, latent_dim=latent_dim, **changes)


def _loss(parameters: np.ndarray, variance: float, beta: float) -> float:
    """Squared error + β·KL of one direction of the data: z = e·x + s·ε is decoded to d·z."""
    encoder, decoder, log_spread = parameters
    spread = np.exp(2 * log_spread)
    error = variance * (1 - encoder * decoder) ** 2 + decoder**2 * spread
    kl = 0.5 * (encoder**2 * variance + spread - 2 * log_spread - 1)
    return float(error + beta * kl)


@pytest.mark.parametrize("variance", _EIGENVALUES)
@pytest.mark.parametrize("beta", [0.1, 1.0, 5.0, 7.0, 12.0])
def test_a_direction_stays_active_exactly_if_its_eigenvalue_exceeds_half_of_beta(
    variance: float, beta: float
) -> None:
    starts = [(0.5, 0.5, -1.0), (0.05, 2.0, 0.0), (1.0, 1.0, 0.0)]
    found = [
        optimize.minimize(_loss, s, (variance, beta), method="Nelder-Mead",
                          options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 9_000})
        for s in starts
    ]  # fmt: skip
    best = min(found, key=lambda result: result.fun)
    # A collapsed direction costs its variance and no KL.
    is_active = best.fun < variance - 1e-6
    assert is_active == (variance > beta / 2)
    known = forecast(_linear(beta), np.array([variance] * 5))
    assert known is not None
    assert (known.surviving == 5) == is_active


@pytest.mark.parametrize(
    ("beta", "surviving"), [(0.1, 5), (1.0, 4), (7.0, 2), (7.48, 1), (10.3, 0)]
)
def test_the_survivors_are_counted(beta: float, surviving: int) -> None:
    known = forecast(_linear(beta), _EIGENVALUES)
    assert known is not None
    assert (known.surviving, known.dead) == (surviving, 5 - surviving)
    assert known.is_certain


def test_the_eigenvalues_of_mnist_are_the_default() -> None:
    known = forecast(_linear(7.0, latent_dim=3))
    assert known is not None
    assert known.surviving == 2
    assert known.message == (
        "At the optimum of the loss, β = 7 leaves 2 of 3 dimensions of the code active: a "
        "dimension must explain a variance of more than β/2 = 3.5 to pay for its KL. For all of "
        "them choose β below 6.51."
    )
    assert forecast(_linear(6.5, latent_dim=3)).message == ""  # type: ignore[union-attr]


def test_the_forecast_is_a_hint_for_a_non_linear_decoder() -> None:
    known = forecast(_linear(7.0, activation="elu"), _EIGENVALUES)
    assert known is not None
    assert not known.is_certain
    assert "were the decoder linear" in known.message


@pytest.mark.parametrize(
    "config",
    [
        preset("linear"),
        preset("vae"),
        preset("pca"),
        preset("linear").replace(variational=True, beta=0.0),
    ],
)
def test_other_losses_give_no_forecast(config) -> None:  # type: ignore[no-untyped-def]
    assert forecast(config) is None


def test_the_collapsed_dimensions_of_a_trained_model() -> None:
    evaluation = Evaluation(
        step=1,
        images=1,
        squared_error=1,
        squared_error_per_pixel=1,
        reconstruction_at_mean=1,
        test_reconstruction=1,
        kl=1,
        test_kl=1,
        loss_at_mean=1,
        test_loss=1,
        code_variances=(0.9, 0.01, 0.0, 0.02, 1.1),
    )
    found = measure_collapse(evaluation, _linear(7.0))
    assert found.dead == (1, 2)
    assert (found.certain_dead, found.threshold) == (3, 3.5)
    hint = measure_collapse(evaluation, _linear(7.0, activation="relu"))
    assert (hint.certain_dead, hint.threshold) == (0, 3.5)
    assert measure_collapse(evaluation, preset("vae")).threshold is None


@pytest.mark.parametrize("name", ["elu", "pca", "denoising"])
def test_without_a_prior_nothing_has_collapsed(name: str) -> None:
    small = Evaluation(
        step=1,
        images=1,
        squared_error=1,
        squared_error_per_pixel=1,
        reconstruction_at_mean=1,
        kl=0,
        loss_at_mean=1,
        code_variances=(1e-6, 1e-3),
    )
    assert measure_collapse(small, preset(name)).dead == ()
