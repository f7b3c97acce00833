"""Every figure of `evaluate` in plain NumPy and SciPy. No torch, no scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.spatial.distance import cdist
from scipy.special import log_softmax, logsumexp, softmax

if TYPE_CHECKING:
    from tests.trainers.independent.plain_networks import PlainModel
    from trainers.config import TrainingConfig

    Array = np.ndarray


def standard_error(values: Array) -> float:
    return float(np.sqrt(np.square(values - values.mean()).sum() / (len(values) - 1) / len(values)))


def cross_entropy(decoded: Array, images: Array) -> Array:
    levels = np.clip(decoded, 0.5 / 255, 1 - 0.5 / 255)
    return -(images * np.log(levels) + (1 - images) * np.log(1 - levels)).sum(1)


def pca_errors(train: Array, test: Array, codes: int) -> float:
    """The squared error per test image of a PCA, by a singular value decomposition."""
    mean = train.mean(0)
    basis = np.linalg.svd(train - mean, full_matrices=False)[2][:codes]
    centred = test - mean
    return float(np.square(centred - centred @ basis.T @ basis).sum(1).mean())


def pca_basis(train: Array, codes: int) -> Array:
    return np.linalg.svd(train - train.mean(0), full_matrices=False)[2][:codes].T


def principal_angles(first: Array, second: Array) -> Array:
    """Degrees, ascending, by the cosines between two orthonormal bases."""
    q, r = (np.linalg.qr(basis)[0] for basis in (first, second))
    return np.degrees(np.arccos(np.linalg.svd(q.T @ r)[1].clip(-1, 1)))


def effective_dimensions(codes: Array) -> float:
    covariance = np.atleast_2d(np.cov(codes.T))
    return float(np.trace(covariance) ** 2 / np.square(covariance).sum())


def trustworthiness(space: Array, view: Array, neighbours: int) -> Array:
    """The contribution of each point (Venna & Kaski 2001), point by point."""
    count = len(space)
    apart, seen = cdist(space, space), cdist(view, view)
    found = []
    for point in range(count):
        order = [j for j in np.argsort(apart[point], kind="stable") if j != point]
        rank = {j: at for at, j in enumerate(order, 1)}
        near = [j for j in np.argsort(seen[point], kind="stable") if j != point][:neighbours]
        found.append(sum(max(0, rank[j] - neighbours) for j in near))
    scale = 2 / (neighbours * (2 * count - 3 * neighbours - 1))
    return 1 - scale * np.array(found)


def nearest_neighbours(
    train: Array, labels: Array, test: Array, test_labels: Array, neighbours: int
) -> float:
    near = np.argsort(cdist(test, train), axis=1, kind="stable")[:, :neighbours]
    votes = np.array([np.bincount(labels[row], minlength=labels.max() + 1) for row in near])
    return float((votes.argmax(1) == test_labels).mean())


def logistic_regression(train: Array, labels: Array, test: Array, test_labels: Array) -> float:
    """Accuracy of a multinomial regression with a penalty of ½‖w‖², on standardised features."""
    mean, spread = train.mean(0), train.std(0)
    inputs, others = ((part - mean) / spread for part in (train, test))
    classes, features = int(labels.max()) + 1, train.shape[1]
    truth = np.eye(classes)[labels]

    def objective(parameters: Array) -> tuple[float, Array]:
        weights, bias = parameters[classes:].reshape(classes, features), parameters[:classes]
        logits = inputs @ weights.T + bias
        value = -(truth * log_softmax(logits, 1)).sum() + 0.5 * np.square(weights).sum()
        error = softmax(logits, 1) - truth
        return value, np.concatenate([error.sum(0), (error.T @ inputs + weights).ravel()])

    start = np.zeros(classes * (features + 1))
    best = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": 5_000})
    weights, bias = best.x[classes:].reshape(classes, features), best.x[:classes]
    return float(((others @ weights.T + bias).argmax(1) == test_labels).mean())


def quantise(codes: Array, train_codes: Array) -> Array:
    low, high = train_codes.min(0), train_codes.max(0)
    levels = np.rint((codes - low) / (high - low) * 255).clip(0, 255)
    return low + levels / 255 * (high - low)


def draw_objective(
    model: PlainModel,
    training: TrainingConfig,
    images: Array,
    random: np.random.Generator,
    *,
    binarised: bool,
) -> tuple[Array, Array]:
    """Reconstruction term and KL of each image, with noise as in training."""
    target = (random.random(images.shape) < images).astype(float) if binarised else images
    inputs = target
    if training.corruption == "gaussian":
        inputs = target + training.corruption_amount * random.normal(size=target.shape)
    elif training.corruption == "masking":
        inputs = target * (random.random(target.shape) >= training.corruption_amount)
    mean, log_variance = model.posterior(inputs)
    codes = mean
    if log_variance is not None:
        codes = mean + np.exp(0.5 * log_variance) * random.normal(size=mean.shape)
    return model.reconstruction(codes, target), model.kl(inputs).sum(1)


def draw_likelihood(
    model: PlainModel, images: Array, samples: int, random: np.random.Generator, *, binarised: bool
) -> tuple[float, float]:
    """ELBO and importance-weighted bound, by the densities of the normal distribution."""
    target = (random.random(images.shape) < images).astype(float) if binarised else images
    mean, log_variance = model.posterior(target)
    assert log_variance is not None
    weights, terms = [], []
    for _ in range(samples):
        noise = random.normal(size=mean.shape)
        codes = mean + np.exp(0.5 * log_variance) * noise
        log_p = -model.reconstruction(codes, target)
        log_prior = -0.5 * (np.square(codes) + np.log(2 * np.pi)).sum(1)
        log_q = -0.5 * (np.square(noise) + log_variance + np.log(2 * np.pi)).sum(1)
        weights.append(log_p + log_prior - log_q)
        terms.append(log_p)
    bound = logsumexp(weights, axis=0) - np.log(samples)
    elbo = np.mean(terms, axis=0) - model.kl(target).sum(1)
    return float(elbo.mean()), float(bound.mean())
