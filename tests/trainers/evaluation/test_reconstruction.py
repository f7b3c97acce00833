"""The evaluation of every checkpoint against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trainers.datasets.mnist import load_split
from trainers.datasets.spectrum import load_mnist_spectrum
from trainers.datasets.tensors import load_images
from trainers.evaluation.reconstruction import evaluate
from trainers.generators import finish
from trainers.models.base import Autoencoder, Posterior
from trainers.models.pca import PCA
from trainers.runs.metrics import METRICS, Evaluation

_CPU = torch.device("cpu")
_LABELS = load_split("test").labels


def _pca(latent_dim: int) -> PCA:
    model, known = PCA(pixels=784, latent_dim=latent_dim), load_mnist_spectrum()
    model.mean.copy_(torch.from_numpy(known.mean))
    model.components.copy_(torch.from_numpy(known.components[:latent_dim]))
    return model


def _measured(model: Autoencoder, **options: bool) -> Evaluation:
    return finish(evaluate(model, load_images("test", _CPU), _LABELS, 7, **options))[0]


class _Constant(Autoencoder):
    """Returns the same grey for every image; its posterior is known."""

    def __init__(self, grey: float, *, likelihood: str = "bernoulli") -> None:
        super().__init__(latent_dim=3, variational=True, likelihood=likelihood, beta=2.0)  # type: ignore[arg-type]
        self.register_buffer("logit", torch.tensor(grey).logit())

    def posterior(self, images: torch.Tensor) -> Posterior:
        mean = torch.tensor([0.0, 1.0, 0.0]).repeat(len(images), 1)
        mean[:, 2] = images.sum(1) * 0.1
        return Posterior(mean, torch.zeros_like(mean))

    def output(self, codes: torch.Tensor) -> torch.Tensor:
        return self.logit.repeat(len(codes), 784)  # type: ignore[operator]


def test_pca_has_the_error_of_the_floor() -> None:
    found, left = _measured(_pca(5)), load_mnist_spectrum().test_errors[5]
    assert found.squared_error == pytest.approx(left, rel=1e-5)
    assert found.squared_error_per_pixel == pytest.approx(left / 784, rel=1e-5)
    assert found.pca_ratio == pytest.approx(1, abs=1e-5)
    # R² uses the mean of the test images, which is nearly that of the training images.
    assert found.explained_variance == pytest.approx(
        1 - left / load_mnist_spectrum().test_errors[0], abs=1e-3
    )
    assert found.principal_angles == pytest.approx([0] * 5, abs=0.1)
    assert found.kl_per_dimension is None
    assert found.active_units == 5


def test_class_errors_average_to_the_whole() -> None:
    found = _measured(_pca(5))
    assert found.class_squared_error is not None
    counts = np.bincount(_LABELS)
    whole = np.dot(counts, found.class_squared_error) / counts.sum()
    assert whole == pytest.approx(found.squared_error)
    assert int(np.argmin(found.class_squared_error)) == 1


def test_a_constant_grey_has_the_cross_entropy_of_its_closed_form() -> None:
    found, images = _measured(_Constant(0.25)), load_images("test", _CPU).double()
    ink = float(images.sum(1).mean())
    expected = -ink * np.log(0.25) - (784 - ink) * np.log(0.75)
    assert found.cross_entropy == pytest.approx(expected, rel=1e-5)
    assert found.reconstruction == pytest.approx(expected, rel=1e-5)
    assert found.squared_error == pytest.approx(float((images - 0.25).square().sum(1).mean()))
    assert found.loss == pytest.approx(found.reconstruction + 2 * found.kl)


def test_kl_and_activity_of_each_dimension() -> None:
    found, ink = _measured(_Constant(0.5)), load_images("test", _CPU).double().sum(1)
    third = float((0.1 * ink).square().mean()) / 2
    assert found.kl_per_dimension == pytest.approx([0, 0.5, third], rel=1e-4)
    assert found.kl == pytest.approx(0.5 + third, rel=1e-4)
    assert found.code_variances == pytest.approx([0, 0, float((0.1 * ink).var())], rel=1e-3)
    assert found.active_units == 1


def test_only_the_loss_of_a_binarised_model_is_measured_on_binary_images() -> None:
    grey, binary = _measured(_Constant(0.25)), _measured(_Constant(0.25), binarised=True)
    assert binary.squared_error == grey.squared_error
    assert binary.cross_entropy == grey.cross_entropy
    assert binary.code_variances == grey.code_variances
    # The mean is the same, for the cross-entropy is linear in the pixels; the draw is not.
    assert binary.reconstruction == pytest.approx(grey.reconstruction, rel=1e-2)
    assert binary.reconstruction != grey.reconstruction
    assert binary == _measured(_Constant(0.25), binarised=True)


def test_every_metric_is_found_and_written() -> None:
    found = _measured(_pca(2))
    written = {key: metric.text(found) for key, metric in METRICS.items()}
    assert written["pca_ratio"] == "1.000"
    assert written["active_units"] == "2"
    assert all(written.values())
    older = Evaluation.model_validate(
        found.model_dump(include={"step", "images", "squared_error", "squared_error_per_pixel",
                                  "reconstruction", "kl", "loss"})
    )  # fmt: skip
    assert METRICS["pca_ratio"].text(older) == ""
    assert METRICS["largest_angle"].value(older) is None
