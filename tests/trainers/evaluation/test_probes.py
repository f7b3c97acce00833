"""Probes and view quality of codes whose results are known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from trainers.datasets import Split, mnist
from trainers.datasets.mnist import load_split
from trainers.datasets.spectrum import load_mnist_spectrum
from trainers.datasets.tensors import load_images
from trainers.embeddings.trustworthiness import trust_by_point, trustworthiness_and_continuity
from trainers.evaluation import probes as measuring
from trainers.evaluation.probes import (
    encode_images,
    evaluate_codes,
    fit_pixel_probes,
    fit_probes,
    pixel_probes,
    two_dimensional_view,
)
from trainers.generators import finish
from trainers.models.pca import PCA

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trainers.evaluation.measurement import Probes

_CPU = torch.device("cpu")
_CENTRES = np.eye(10, 12) * 20


def _labels(seed: int, count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 10, count, np.uint8)


def _blobs(seed: int, labels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns (n, 12) points around one centre per digit; the centres are far apart."""
    scatter = np.random.default_rng(seed).normal(size=(len(labels), 12))
    return (_CENTRES[labels] + scatter).astype(np.float32)


def _with_dead(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Adds dimensions without information: zeros and a constant."""
    dead = np.tile(np.array([0.0, 3.3], np.float32), (len(features), 1))
    return np.concatenate([features, dead], 1)


def _found(train: NDArray[np.float32], test: NDArray[np.float32]) -> Probes:
    return finish(fit_probes(train, _labels(0, len(train)), test, _labels(1, len(test))))


def test_separate_classes_are_recognised() -> None:
    train, test = _blobs(2, _labels(0, 2_000)), _blobs(3, _labels(1, 1_500))
    found = _found(train, test)
    assert (found.linear, found.nearest_neighbours, found.neighbours) == (1.0, 1.0, 5)


def test_codes_without_information_give_the_accuracy_of_chance() -> None:
    random = np.random.default_rng(4)
    train, test = (random.normal(size=(count, 3)).astype(np.float32) for count in (2_000, 4_000))
    found = _found(train, test)
    # A guess among ten is right with a standard error of 0.005.
    assert found.linear == pytest.approx(0.1, abs=0.025)
    assert found.nearest_neighbours == pytest.approx(0.1, abs=0.025)


def test_rings_are_separable_by_neighbours_and_not_by_a_plane() -> None:
    def rings(seed: int, labels: NDArray[np.uint8]) -> NDArray[np.float32]:
        angles = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(labels))
        ring = np.stack([np.cos(angles), np.sin(angles)], 1) * (1 + labels[:, None])
        return ring.astype(np.float32)

    found = _found(rings(5, _labels(0, 4_000)), rings(6, _labels(1, 1_000)))
    assert found.nearest_neighbours > 0.99
    assert found.linear < 0.35


def test_the_scale_of_a_code_matters_to_neighbours_and_not_to_the_linear_probe() -> None:
    train, test = _blobs(2, _labels(0, 1_000)), _blobs(3, _labels(1, 1_000))
    noise = np.random.default_rng(7).normal(size=(2, 1_000, 1)).astype(np.float32) * 1e4
    found = _found(np.append(train, noise[0], 1), np.append(test, noise[1], 1))
    assert found.linear > 0.99
    assert found.nearest_neighbours < 0.6


def test_the_unit_of_a_dimension_is_nothing_to_the_plane() -> None:
    train, test = _blobs(2, _labels(0, 1_000)), _blobs(3, _labels(1, 1_000))
    units = (10.0 ** -np.linspace(5, 9, 12)).astype(np.float32)
    assert _found(train * units, test * units).linear == _found(train, test).linear == 1.0


def test_dead_dimensions_do_no_harm() -> None:
    # Overlapping, so that neither probe is perfect and harm would show.
    train, test = _blobs(2, _labels(0, 2_000)), _blobs(3, _labels(1, 1_500))
    random = np.random.default_rng(8)
    train, test = (p + random.normal(size=p.shape).astype(np.float32) * 9 for p in (train, test))
    alive, lame = _found(train, test), _found(_with_dead(train), _with_dead(test))
    assert 0.3 < alive.linear < 0.99
    assert lame.linear == pytest.approx(alive.linear, abs=0.002)
    assert lame.nearest_neighbours == pytest.approx(alive.nearest_neighbours, abs=0.002)


def test_a_code_that_collapsed_whole_guesses() -> None:
    dead = np.zeros((1_000, 4), np.float32)
    most = np.bincount(_labels(0, 1_000)).argmax()
    assert _found(dead, dead).linear == (_labels(1, 1_000) == most).mean()


def test_the_shipped_probes_agree_with_the_literature() -> None:
    found = pixel_probes()
    # Nearest neighbours: 3.12 % errors with k = 5. Logistic regression: 92 % to 92.6 %.
    assert found.nearest_neighbours == 0.9688
    assert 0.92 <= found.linear <= 0.927
    assert found.neighbours == measuring.NEIGHBOURS


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_the_shipped_probes_agree_with_the_images() -> None:
    found, shipped = fit_pixel_probes(), pixel_probes()
    # Sums in another order may move a digit or two across a border.
    assert found.linear == pytest.approx(shipped.linear, abs=5e-4)
    assert found.nearest_neighbours == pytest.approx(shipped.nearest_neighbours, abs=2e-4)
    assert found.neighbours == shipped.neighbours


def test_a_rotated_and_shifted_view_is_perfect() -> None:
    flat = np.random.default_rng(9).normal(size=(300, 2))
    frame = np.linalg.qr(np.random.default_rng(10).normal(size=(50, 2)))[0]
    space = (flat @ frame.T).astype(np.float32)
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    assert trustworthiness_and_continuity(space, 3 * flat @ turn + 7) == (1.0, 1.0)


def test_a_random_view_has_half_of_the_trustworthiness() -> None:
    random = np.random.default_rng(11)
    space = random.normal(size=(500, 5)).astype(np.float32)
    trust, continuity = trustworthiness_and_continuity(space, random.normal(size=(500, 2)))
    # Ranks of neighbours by chance are even over 1..n.
    assert trust == pytest.approx(0.5, abs=0.03)
    assert continuity == pytest.approx(0.5, abs=0.03)


def test_folding_breaks_trust_and_tearing_breaks_continuity() -> None:
    sheet = np.random.default_rng(12).uniform(size=(400, 2)).astype(np.float32)
    upper = (np.arange(400) % 2).astype(np.float32)
    folded_apart = np.column_stack([sheet, 10 * upper])
    # Two distant sheets are shown on top of each other: neighbours in the view are not neighbours.
    trust, continuity = trustworthiness_and_continuity(folded_apart, sheet.astype(np.float64))
    assert continuity > 0.98 and trust < 0.9
    # One sheet is shown as two: each point loses its neighbours of the other half.
    torn = sheet.astype(np.float64) + 10 * upper[:, None]
    trust, continuity = trustworthiness_and_continuity(sheet, torn)
    assert trust > 0.98 and continuity < 0.9


def test_the_view_is_what_the_latent_panel_shows() -> None:
    random = np.random.default_rng(13)
    one, two, five = (random.normal(size=(200, d)).astype(np.float32) for d in (1, 2, 5))
    name, view = two_dimensional_view(one)
    assert name == "line"
    np.testing.assert_array_equal(view, np.append(one, np.zeros((200, 1)), 1))
    name, view = two_dimensional_view(two)
    assert name == "codes"
    np.testing.assert_array_equal(view, two)
    five[:, 1] *= 9
    five[:, 3] *= 4
    name, view = two_dimensional_view(five)
    assert name == "principal plane of the codes"
    # The two directions of most variance are nearly the second and the fourth coordinate.
    for seen, truth in ((view[:, 0], five[:, 1]), (view[:, 1], five[:, 3])):
        assert abs(np.corrcoef(seen, truth)[0, 1]) > 0.99


def test_encoding_yields_between_chunks_and_returns_the_mean_codes() -> None:
    model, images = PCA(pixels=784, latent_dim=3), load_images("test", _CPU)[:2_500]
    model.components.copy_(torch.from_numpy(load_mnist_spectrum().components[:3]))
    work = encode_images(model, images)
    assert [*work] == [None] * 3
    found = finish(encode_images(model, images))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, (images @ model.components.T).numpy(), rtol=1e-5, atol=1e-5)


def test_the_figures_of_principal_components() -> None:
    known, train, test = load_mnist_spectrum(), load_split("train"), load_split("test")

    def projected(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        flat = images.reshape(len(images), -1).astype(np.float32) / 255
        return np.asarray((flat - known.mean) @ known.components[:10].T, np.float32)

    few = Split(train.images[:6_000], train.labels[:6_000])
    data = replace(mnist.load_mnist(), train=few)
    features = projected(few.images), projected(test.images)
    first, again = (finish(evaluate_codes(*features, data)) for _ in range(2))
    assert first == again
    assert first.pixels == pixel_probes()
    assert first.view == "principal plane of the codes"
    assert (first.view_images, first.view_neighbours) == (2_000, 10)
    assert 0.7 < first.codes.linear < 0.85
    assert 0.85 < first.codes.nearest_neighbours < 0.95
    # Two components show distant digits together more often than they separate near ones.
    assert 0.6 < first.trustworthiness < first.continuity < 1


@pytest.mark.parametrize("count", [12, 300])
def test_the_trust_of_the_points_has_the_librarys_mean(count: int) -> None:
    random = np.random.default_rng(5)
    space = random.normal(size=(count, 6))
    view = space[:, :2] + 0.5 * random.normal(size=(count, 2))
    expected = trustworthiness_and_continuity(space, view)
    points = trust_by_point(space, view), trust_by_point(view, space)
    assert [p.mean() for p in points] == pytest.approx(expected, abs=1e-9)
    assert points[0].std() > 0
