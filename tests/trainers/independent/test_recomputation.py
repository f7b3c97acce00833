"""Every figure of `evaluate`, recomputed from weights and images without the program's code.

One small run of every preset. A figure without noise must agree to rounding. A figure with noise is
drawn again many times: it must lie within five standard deviations of the mean of the draws.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

import trainers
from tests.trainers.datasets.sample_images import kept, shapes
from tests.trainers.independent import plain_figures as plain
from tests.trainers.independent.plain_networks import PlainModel
from trainers.evaluation.measure_all import measure_checkpoint
from trainers.generators import finish
from trainers.presets import PRESETS, preset

if TYPE_CHECKING:
    from trainers.config import RunConfig
    from trainers.evaluation.measurement import Measurement
    from trainers.runs.metrics import Evaluation

    Array = np.ndarray

_SMALL = {"latent_dim": 3, "hidden": (24, 12), "channels": (4, 8), "dense": 16}
_STEPS, _SIDE, _IMAGES, _SAMPLES, _LIKELIHOOD_IMAGES, _DRAWS = 150, 8, 500, 20, 60, 40
_CASES = [*PRESETS, "denoising+masking", "vae+gaussian"]
_CHANGES: dict[str, dict[str, object]] = {
    "denoising+masking": {"corruption": "masking"},
    "vae+gaussian": {"likelihood": "squared-error", "beta": 0.5},
}


class Scene(NamedTuple):
    """A measured run, and its model and images in NumPy."""

    config: RunConfig
    measured: Measurement
    model: PlainModel
    train: Array
    test: Array
    labels: Array
    test_labels: Array

    @property
    def evaluation(self) -> Evaluation:
        return self.measured.reconstruction

    @property
    def codes(self) -> Array:
        return self.model.posterior(self.test)[0]

    @property
    def decoded(self) -> Array:
        return self.model.decode(self.codes)


@pytest.fixture(scope="module", params=_CASES)
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    place = tmp_path_factory.mktemp("independent")
    name = request.param
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AEVIEWER_DATASETS", str(place / "datasets"))
        images = shapes(_IMAGES, _SIDE, seed=3)
        mass = images.astype(float)
        columns = (mass * np.arange(_SIDE)).sum((1, 2)) / mass.sum((1, 2))
        labels = np.digitize(columns, np.quantile(columns, [1 / 3, 2 / 3]))
        np.savez(place / "spots.npz", images=images, labels=labels)
        kept(place / "spots.npz", "spots")
        config = preset(name.split("+")[0]).replace(
            dataset="spots", steps=_STEPS, batch_size=20, **_SMALL, **_CHANGES.get(name, {})
        )
        trainer = trainers.train(config, place / "runs")
        for _ in trainer:
            pass
        run = trainer.run
        measured = finish(measure_checkpoint(run, samples=_SAMPLES, images=_LIKELIHOOD_IMAGES))
        data = run.data()
        train, test = (
            np.array(part.images).reshape(len(part), -1) / 255.0 for part in (data.train, data.test)
        )
        return Scene(
            config,
            measured,
            PlainModel.read(run.checkpoint().model, config.model),
            train,
            test,
            np.array(data.train.labels).astype(int),
            np.array(data.test.labels).astype(int),
        )


def _is_near_the_draws(value: float, draws: list[float]) -> bool:
    return abs(value - np.mean(draws)) <= 5 * np.std(draws, ddof=1) * np.sqrt(1 + 1 / len(draws))


def test_errors_of_the_mean_reconstruction(scene: Scene) -> None:
    found, errors = scene.evaluation, np.square(scene.decoded - scene.test).sum(1)
    assert found.images == len(scene.test)
    assert found.squared_error == pytest.approx(errors.mean(), rel=1e-4)
    assert found.squared_error_se == pytest.approx(plain.standard_error(errors), rel=1e-4)
    assert found.squared_error_per_pixel == pytest.approx(errors.mean() / _SIDE**2, rel=1e-4)
    expected = plain.cross_entropy(scene.decoded, scene.test).mean()
    assert found.cross_entropy == pytest.approx(expected, rel=1e-4)
    spread = np.square(scene.test - scene.test.mean(0)).sum(1).mean()
    assert found.explained_variance == pytest.approx(1 - errors.mean() / spread, abs=1e-4)
    assert found.class_squared_error == pytest.approx(
        [errors[scene.test_labels == label].mean() for label in range(3)], rel=1e-4
    )
    floor = plain.pca_errors(scene.train, scene.test, 3)
    assert found.pca_ratio == pytest.approx(errors.mean() / floor, rel=1e-3)


def test_terms_at_the_mean_code(scene: Scene) -> None:
    found, model = scene.evaluation, scene.model
    if not scene.config.is_binarised:
        at_mean = model.reconstruction(scene.codes, scene.test).mean()
        assert found.reconstruction_at_mean == pytest.approx(at_mean, rel=1e-4)
        kl = model.kl(scene.test).mean(0)
        assert found.kl == pytest.approx(kl.sum(), rel=1e-4, abs=1e-6)
        if found.kl_per_dimension is not None:
            assert found.kl_per_dimension == pytest.approx(kl, rel=1e-3, abs=1e-5)
    beta = scene.config.model.beta if scene.config.model.has_prior else 0
    assert found.loss_at_mean == pytest.approx(found.reconstruction_at_mean + beta * found.kl)


def test_the_test_loss_is_the_objective_with_the_noise_of_the_training(scene: Scene) -> None:
    found, random, config = scene.evaluation, np.random.default_rng(1), scene.config
    beta = config.model.beta if config.model.has_prior else 0
    draws = []
    for _ in range(_DRAWS):
        reconstruction, kl = (
            plain.draw_objective(
                scene.model, config.training, scene.test, random, binarised=config.is_binarised
            )
            if config.model.family != "pca"
            else (scene.model.reconstruction(scene.codes, scene.test), np.zeros(len(scene.test)))
        )
        draws.append(reconstruction + beta * kl)
    means = [float(draw.mean()) for draw in draws]
    errors = [plain.standard_error(draw) for draw in draws]
    assert found.test_loss is not None
    assert found.test_loss_se is not None
    if config.draws_noise or config.is_binarised:
        assert _is_near_the_draws(found.test_loss, means)
        assert _is_near_the_draws(found.test_loss_se, errors)
    else:
        assert found.test_loss == pytest.approx(means[0], rel=1e-4)
        assert found.test_loss_se == pytest.approx(errors[0], rel=1e-4)


def test_codes_and_their_dimensions(scene: Scene) -> None:
    found, codes = scene.evaluation, scene.codes
    variances = codes.var(0)
    assert found.code_variances == pytest.approx(variances, rel=1e-3, abs=1e-7)
    assert found.effective_dimensions == pytest.approx(plain.effective_dimensions(codes), rel=1e-3)
    active = int((variances > 0.01).sum()) if scene.config.model.has_prior else None
    assert found.active_units == active
    dead = tuple(np.flatnonzero(variances <= 0.01)) if scene.config.model.has_prior else ()
    assert scene.measured.collapse.dead == dead


def test_the_plane_of_a_linear_decoder(scene: Scene) -> None:
    model, found = scene.config.model, scene.measured.subspace
    is_linear = model.family == "pca" or model.activation == "linear"
    assert (found is not None) == is_linear
    if found is None:
        return
    origin, steps = scene.model.output(np.zeros((1, 3))), np.eye(3)
    span = (scene.model.output(steps) - origin).T
    expected = plain.principal_angles(span, plain.pca_basis(scene.train, 3))
    assert found.principal_angles == pytest.approx(expected, abs=0.05)
    assert found.floor == pytest.approx(plain.pca_errors(scene.train, scene.test, 3), rel=1e-4)


def test_the_likelihood(scene: Scene) -> None:
    found = scene.measured.likelihood
    assert (found is not None) == scene.config.model.has_prior
    if found is None:
        return
    random, images = np.random.default_rng(2), scene.test[:_LIKELIHOOD_IMAGES]
    assert (found.images, found.samples) == (min(_LIKELIHOOD_IMAGES, len(images)), _SAMPLES)
    draws = [
        plain.draw_likelihood(
            scene.model, images, _SAMPLES, random, binarised=scene.config.is_binarised
        )
        for _ in range(_DRAWS)
    ]
    elbos, bounds = ([draw[at] for draw in draws] for at in (0, 1))
    if found.protocol != "grey Gaussian":
        assert _is_near_the_draws(found.elbo, elbos)
        assert _is_near_the_draws(found.log_likelihood, bounds)
    assert found.elbo == pytest.approx(found.reconstruction - found.kl)
    assert found.log_likelihood >= found.elbo


def test_the_likelihood_of_a_gaussian_decoder_is_a_density(scene: Scene) -> None:
    found = scene.measured.likelihood
    if found is None or found.protocol != "grey Gaussian":
        return
    # log N(x; x̂, σ²) with σ² = β/2, so that σ² · 2 · (−ELBO) is the loss and a constant.
    random, images = np.random.default_rng(2), scene.test[:_LIKELIHOOD_IMAGES]
    variance, kl = scene.config.model.beta / 2, scene.model.kl(images).sum(1).mean()
    mean, log_variance = scene.model.posterior(images)
    draws = []
    for _ in range(_DRAWS * _SAMPLES):
        codes = mean + np.exp(0.5 * log_variance) * random.normal(size=mean.shape)
        squared = np.square(scene.model.output(codes) - images).sum(1)
        density = -squared / (2 * variance) - 0.5 * _SIDE**2 * np.log(2 * np.pi * variance)
        draws.append(float(density.mean() - kl))
    blocks = np.array(draws).reshape(_DRAWS, _SAMPLES).mean(1)
    assert _is_near_the_draws(found.elbo, list(blocks))


def test_classifiers_on_the_codes(scene: Scene) -> None:
    found = scene.measured.codes.codes
    assert found is not None
    train, test = scene.model.posterior(scene.train)[0], scene.codes
    one = 1 / len(test)
    nearest = plain.nearest_neighbours(
        train, scene.labels, test, scene.test_labels, found.neighbours
    )
    assert found.nearest_neighbours == pytest.approx(nearest, abs=1.01 * one)
    linear = plain.logistic_regression(train, scene.labels, test, scene.test_labels)
    assert found.linear == pytest.approx(linear, abs=1.01 * one)


def test_the_two_dimensional_view(scene: Scene) -> None:
    found, codes = scene.measured.codes, scene.codes
    assert found.view == "principal plane of the codes"
    assert found.view_images == len(codes)
    centred = codes - codes.mean(0)
    view = centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T
    near = found.view_neighbours
    trust = plain.trustworthiness(scene.test, view, near)
    continuity = plain.trustworthiness(view, scene.test, near)
    assert found.trustworthiness == pytest.approx(trust.mean(), abs=1e-3)
    assert found.continuity == pytest.approx(continuity.mean(), abs=1e-3)
    assert found.trustworthiness_se == pytest.approx(plain.standard_error(trust), rel=0.05)
    assert found.continuity_se == pytest.approx(plain.standard_error(continuity), rel=0.05)


def test_stored_codes(scene: Scene) -> None:
    codes, train = scene.codes, scene.model.posterior(scene.train)[0]
    ways = {
        "float32": (4, codes),
        "float16": (2, codes.astype(np.float16).astype(float)),
        "8 bits": (1, plain.quantise(codes, train)),
    }
    assert [stored.storage for stored in scene.measured.compression] == list(ways)
    exact = np.square(scene.decoded - scene.test).sum(1).mean()
    for stored in scene.measured.compression:
        size, values = ways[stored.storage]
        assert stored.code_bytes == 3 * size
        assert stored.ratio == pytest.approx(_SIDE**2 / (3 * size))
        error = np.square(scene.model.decode(values) - scene.test).sum(1).mean()
        assert stored.squared_error == pytest.approx(error, rel=1e-3)
        assert stored.added_error == pytest.approx(error - exact, abs=2e-3 * exact)


def test_corrupted_inputs(scene: Scene) -> None:
    random, test = np.random.default_rng(4), scene.test
    is_masked = scene.config.training.corruption == "masking"
    for level in scene.measured.denoising:
        assert level.corruption == ("masking" if is_masked else "gaussian")
        inputs, outputs = [], []
        for _ in range(_DRAWS):
            if is_masked:
                noisy = test * (random.random(test.shape) >= level.noise)
            else:
                noisy = test + level.noise * random.normal(size=test.shape)
            output = scene.model.decode(scene.model.posterior(noisy)[0])
            inputs.append(float(np.square(noisy - test).sum(1).mean()))
            outputs.append(float(np.square(output - test).sum(1).mean()))
        if level.noise == 0:
            assert level.input_error == 0
            assert level.squared_error == pytest.approx(outputs[0], rel=1e-4)
        else:
            assert _is_near_the_draws(level.input_error, inputs)
            assert _is_near_the_draws(level.squared_error, outputs)
