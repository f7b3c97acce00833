"""Ways through a latent space, where their length is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from trainers.exploration import paths
from trainers.inference import TrainedModel
from trainers.models import build
from trainers.presets import preset

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

RNG = np.random.default_rng(0)
PLANE = RNG.normal(size=(2, 784))
FRAME = np.linalg.qr(RNG.normal(size=(784, 3)))[0].T


def linear(codes: NDArray[np.floating]) -> NDArray[np.float32]:
    return (codes @ PLANE).reshape(-1, 28, 28).astype(np.float32)


def sphere(codes: NDArray[np.floating]) -> NDArray[np.float32]:
    """Codes as latitude and longitude on a unit sphere among the images."""
    latitude, longitude = codes.T
    place = np.stack(
        [
            np.cos(latitude) * np.cos(longitude),
            np.cos(latitude) * np.sin(longitude),
            np.sin(latitude),
        ],
        axis=1,
    )
    return (place @ FRAME).reshape(-1, 28, 28).astype(np.float32)


def sphere_back(codes: NDArray[np.floating], v: NDArray[np.floating]) -> NDArray[np.float64]:
    """Jᵀv of `sphere`, by central differences."""
    found = np.empty(codes.shape)
    for axis in range(2):
        step = np.zeros(2)
        step[axis] = 1e-3
        slope = (sphere(codes + step).astype(np.float64) - sphere(codes - step)) / 2e-3
        found[:, axis] = (slope * v).sum(axis=(1, 2))
    return found


def finished(work: Generator[float, None, paths.Path]) -> tuple[list[float], paths.Path]:
    shares = []
    while True:
        try:
            shares.append(next(work))
        except StopIteration as end:
            return shares, end.value


A, B = np.array([-0.8, 0.1]), np.array([0.7, 1.9])


def test_lengths_of_a_straight_line_through_a_linear_decoder() -> None:
    way = paths.straight(linear, A, B)
    assert way.latent_length == pytest.approx(np.linalg.norm(B - A))
    assert way.decoded_length == pytest.approx(np.linalg.norm((B - A) @ PLANE), rel=1e-5)


def test_spherical_turns_evenly_and_changes_the_norm_evenly() -> None:
    way = paths.spherical(linear, np.array([2.0, 0.0]), np.array([0.0, 1.0]), points=5)
    norms = np.linalg.norm(way.codes, axis=1)
    np.testing.assert_allclose(norms, [2, 1.75, 1.5, 1.25, 1])
    angles = np.arctan2(way.codes[:, 1], way.codes[:, 0])
    np.testing.assert_allclose(angles, np.linspace(0, np.pi / 2, 5), atol=1e-12)


@pytest.mark.parametrize("end", [(0.0, 0.0), (3.0, 0.0), (-1.0, 0.0)])
def test_spherical_is_straight_where_there_is_no_one_arc(end: tuple[float, float]) -> None:
    start, last = np.array([1.0, 0.0]), np.array(end)
    way = paths.spherical(linear, start, last)
    np.testing.assert_allclose(way.codes, paths.straight(linear, start, last).codes)


def test_a_geodesic_of_a_linear_decoder_is_straight() -> None:
    _, way = finished(paths.geodesic(linear, RNG.normal(size=(2_000, 2)), A, B))
    assert way.decoded_length == pytest.approx(np.linalg.norm((B - A) @ PLANE), rel=1e-4)
    across = (way.codes - A) @ np.array([[-(B - A)[1]], [(B - A)[0]]])
    np.testing.assert_allclose(across, 0, atol=1e-6)


def test_a_geodesic_of_a_sphere_is_its_great_circle() -> None:
    start, end = np.array([0.9, -1.2]), np.array([0.9, 1.2])
    codes = RNG.uniform((-1.4, -2), (1.4, 2), (3_000, 2))
    shares, way = finished(paths.geodesic(sphere, codes, start, end, pull_back=sphere_back))
    first, last = (sphere(x[None]).ravel().astype(np.float64) for x in (start, end))
    great_circle = np.arccos(first @ last)
    line = paths.straight(sphere, start, end)
    assert line.decoded_length > 1.08 * great_circle
    assert way.decoded_length == pytest.approx(great_circle, rel=2e-3)
    # Its middle lies nearer to the pole than the straight line does.
    assert way.codes[:, 0].max() > 1.2
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_without_a_gradient_it_is_the_shorter_of_graph_and_line() -> None:
    start, end = np.array([1.2, -1.5]), np.array([1.2, 1.5])
    codes = RNG.uniform((-1.4, -2), (1.5, 2), (3_000, 2))
    _, way = finished(paths.geodesic(sphere, codes, start, end))
    assert way.decoded_length < paths.straight(sphere, start, end).decoded_length
    assert way.codes[:, 0].max() > 1.25


@pytest.mark.parametrize("latent_dim", [2, 5])
def test_a_geodesic_is_never_longer_than_the_straight_line(latent_dim: int) -> None:
    config = preset("elu").replace(latent_dim=latent_dim, hidden=(64,))
    torch.manual_seed(0)
    autoencoder = build(config.model, 784)
    autoencoder.initialise(torch.Generator().manual_seed(1), "elu")
    model = TrainedModel(autoencoder, 0)
    codes = RNG.normal(size=(2_000, latent_dim)).astype(np.float32) * 3
    for start, end in ((0, 1), (2, 3), (4, 5)):
        line = paths.straight(model.decode, codes[start], codes[end])
        work = paths.geodesic(
            model.decode, codes, codes[start], codes[end], pull_back=model.pull_back
        )
        _, way = finished(work)
        assert way.decoded_length <= line.decoded_length * (1 + 1e-6)
        np.testing.assert_allclose(way.codes[[0, -1]], codes[[start, end]], atol=1e-6)


@pytest.mark.parametrize("by", ["image", "code"])
def test_resampled_frames_are_equally_far_apart(by: str) -> None:
    line = paths.straight(sphere, np.array([1.3, -1.0]), np.array([-0.2, 1.5]))
    film = paths.resample(line, sphere, 33, by)  # type: ignore[arg-type]
    points = film.images.reshape(33, -1) if by == "image" else film.codes
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    np.testing.assert_allclose(steps, steps.mean(), rtol=2e-2)
    np.testing.assert_allclose(film.codes[[0, -1]], line.codes[[0, -1]])
