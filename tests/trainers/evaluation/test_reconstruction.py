"""The evaluation of every checkpoint against closed forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from trainers.datasets.mnist import load_split
from trainers.datasets.spectrum import load_mnist_spectrum
from trainers.datasets.tensors import load_images
from trainers.evaluation.reconstruction import effective_dimensions, evaluate
from trainers.generators import finish
from trainers.models.base import Autoencoder, Posterior
from trainers.models.pca import PCA
from trainers.presets import preset
from trainers.runs.metrics import METRICS, Evaluation

if TYPE_CHECKING:
    from trainers.config import RunConfig

_CPU = torch.device("cpu")
_LABELS = load_split("test").labels


def _pca(latent_dim: int) -> PCA:
    model, known = PCA(pixels=784, latent_dim=latent_dim), load_mnist_spectrum()
    model.mean.copy_(torch.from_numpy(known.mean))
    model.components.copy_(torch.from_numpy(known.components[:latent_dim]))
    return model


def _measured(model: Autoencoder, config: RunConfig | None = None) -> Evaluation:
    return finish(evaluate(model, load_images("test", _CPU), _LABELS, 7, config=config))[0]


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
    assert found.active_units is None


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
    assert found.reconstruction_at_mean == pytest.approx(expected, rel=1e-5)
    assert found.squared_error == pytest.approx(float((images - 0.25).square().sum(1).mean()))
    assert found.loss_at_mean == pytest.approx(found.reconstruction_at_mean + 2 * found.kl)


def test_kl_and_activity_of_each_dimension() -> None:
    found, ink = _measured(_Constant(0.5)), load_images("test", _CPU).double().sum(1)
    third = float((0.1 * ink).square().mean()) / 2
    assert found.kl_per_dimension == pytest.approx([0, 0.5, third], rel=1e-4)
    assert found.kl == pytest.approx(0.5 + third, rel=1e-4)
    assert found.code_variances == pytest.approx([0, 0, float((0.1 * ink).var())], rel=1e-3)
    assert found.active_units == 1


def test_only_the_loss_of_a_binarised_model_is_measured_on_binary_images() -> None:
    grey, binary = _measured(_Constant(0.25)), _measured(_Constant(0.25), preset("burda50"))
    assert binary.squared_error == grey.squared_error
    assert binary.cross_entropy == grey.cross_entropy
    assert binary.code_variances == grey.code_variances
    # The mean is the same, for the cross-entropy is linear in the pixels; the draw is not.
    assert binary.reconstruction_at_mean == pytest.approx(grey.reconstruction_at_mean, rel=1e-2)
    assert binary.reconstruction_at_mean != grey.reconstruction_at_mean
    assert binary == _measured(_Constant(0.25), preset("burda50"))


def test_every_metric_is_found_and_written() -> None:
    found = _measured(_pca(2))
    written = {key: metric.text(found) for key, metric in METRICS.items()}
    assert written["pca_ratio"] == "1.000"
    absent = {"active_units", "validation_loss", "validation_squared_error"}
    assert {key for key, text in written.items() if not text} == absent
    assert METRICS["active_units"].text(_measured(_Constant(0.5))) == "1"
    older = Evaluation.model_validate(
        found.model_dump(include={"step", "images", "squared_error", "squared_error_per_pixel",
                                  "reconstruction_at_mean", "kl", "loss_at_mean"})
    )  # fmt: skip
    assert METRICS["pca_ratio"].text(older) == ""
    assert METRICS["largest_angle"].value(older) is None


class _Noisy(Autoencoder):
    """Encodes each image as N(0, 1), and decodes a code to pixels of the squared code."""

    def __init__(self) -> None:
        super().__init__(latent_dim=1, variational=True, likelihood="squared-error", beta=3.0)
        self.register_buffer("weight", torch.zeros(1))
        self.seen: list[torch.Tensor] = []

    def posterior(self, images: torch.Tensor) -> Posterior:
        self.seen.append(images)
        return Posterior(torch.zeros(len(images), 1), torch.zeros(len(images), 1))

    def output(self, codes: torch.Tensor) -> torch.Tensor:
        return codes.square().expand(-1, 784)


def test_the_test_loss_is_the_sampled_objective_and_not_the_value_at_the_mean() -> None:
    found, images = _measured(_Noisy()), load_images("test", _CPU).double()
    # E(z² - x)² = 3 - 2x + x² for z ~ N(0, 1); at the mean it is x².
    at_mean = images.square().sum(1)
    expected = (3 - 2 * images + images.square()).sum(1)
    assert found.loss_at_mean == pytest.approx(float(at_mean.mean()), rel=1e-5)
    assert found.test_loss_se is not None
    assert found.test_loss == pytest.approx(float(expected.mean()), abs=4 * found.test_loss_se)
    assert abs(found.test_loss - found.loss_at_mean) > 10 * found.test_loss_se
    assert (found.test_kl, found.test_loss) == (0, found.test_reconstruction)


def test_standard_errors_are_those_of_the_means_over_images() -> None:
    found, images = _measured(_Constant(0.25)), load_images("test", _CPU).double()
    errors = (images - 0.25).square().sum(1).numpy()
    assert found.squared_error_se == pytest.approx(errors.std(ddof=1) / 100, rel=1e-4)
    ink = images.sum(1).numpy()
    losses = (-ink * np.log(0.25) - (784 - ink) * np.log(0.75)) + 2 * (0.5 + (0.1 * ink) ** 2 / 2)
    assert found.test_loss_se == pytest.approx(losses.std(ddof=1) / 100, rel=1e-4)


def test_every_evaluation_draws_the_same_noise() -> None:
    first, second = _measured(_Noisy()), _measured(_Noisy())
    assert first.test_loss == second.test_loss


@pytest.mark.parametrize(("corruption", "amount"), [("masking", 0.75), ("gaussian", 0.5)])
def test_the_test_loss_is_that_of_inputs_corrupted_as_in_training(
    corruption: str, amount: float
) -> None:
    model = _Noisy()
    config = preset("denoising").replace(corruption=corruption, corruption_amount=amount)
    found = _measured(model, config)
    clean = load_images("test", _CPU)
    inputs = torch.cat(model.seen[1::2])
    torch.testing.assert_close(torch.cat(model.seen[::2]), clean)
    if corruption == "masking":
        ink = clean > 0
        assert float((inputs[ink] == 0).float().mean()) == pytest.approx(amount, abs=0.01)
        torch.testing.assert_close(inputs[inputs > 0], clean[inputs > 0])
    else:
        assert float((inputs - clean).std()) == pytest.approx(amount, abs=0.01)
    # The target is clean, so the loss is that of a model that ignores its input.
    assert found.test_loss == pytest.approx(_measured(_Noisy()).test_loss, rel=0.05)


def test_a_training_without_noise_has_the_loss_at_the_mean_as_its_test_loss() -> None:
    found = _measured(_pca(3))
    assert found.test_loss == found.loss_at_mean == found.reconstruction_at_mean
    assert METRICS["test_loss"].value(found) == found.test_loss


def test_an_older_evaluation_keeps_its_value_under_the_right_name() -> None:
    stored = (
        '{"step": 3, "images": 10, "squared_error": 1, "squared_error_per_pixel": 1,'
        ' "reconstruction": 87.0, "kl": 0.48, "loss": 87.48}'
    )
    older = Evaluation.model_validate_json(stored)
    assert (older.loss_at_mean, older.reconstruction_at_mean) == (87.48, 87.0)
    assert METRICS["loss_at_mean"].value(older) == 87.48
    assert METRICS["test_loss"].value(older) is None
    assert older.objective("loss") is None
    assert Evaluation.model_validate_json(older.model_dump_json()) == older


def test_effective_dimensions_do_not_depend_on_scale_or_rotation() -> None:
    random = np.random.default_rng(0)
    codes = random.normal(size=(5_000, 3)) * [1.0, 1.0, 0.0]
    assert effective_dimensions(codes) == pytest.approx(2, abs=0.01)
    turned = np.linalg.qr(random.normal(size=(3, 3)))[0]
    assert effective_dimensions(1e-3 * codes @ turned) == pytest.approx(effective_dimensions(codes))
    assert effective_dimensions(codes[:, :1]) == pytest.approx(1)
    assert effective_dimensions(np.ones((10, 2))) == 0


def test_active_units_that_an_older_version_counted_without_a_prior_are_dropped() -> None:
    stored = (
        '{"step": 3, "images": 10, "squared_error": 1, "squared_error_per_pixel": 1,'
        ' "reconstruction": 1, "kl": 0, "loss": 1, "active_units": 5%s}'
    )
    assert Evaluation.model_validate_json(stored % "").active_units is None
    with_prior = Evaluation.model_validate_json(stored % ', "kl_per_dimension": [1, 2]')
    assert with_prior.active_units == 5


def test_equal_images_have_no_variance_to_explain() -> None:
    images, labels = torch.full((40, 784), 0.5), np.zeros(40, np.uint8)
    found = finish(evaluate(_Constant(0.25), images, labels, 0, watched=(0,)))[0]
    assert found.explained_variance is None
    assert found.squared_error == pytest.approx(784 * 0.0625)
