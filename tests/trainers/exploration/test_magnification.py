from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from trainers.exploration.magnification import magnification, pull_back
from trainers.models import build
from trainers.presets import preset

if TYPE_CHECKING:
    from trainers.models.base import Autoencoder

BASIS = torch.linalg.qr(torch.randn(4, 2, generator=torch.Generator().manual_seed(3)))[0].T


def model(name: str, latent_dim: int = 4, **changes: object) -> Autoencoder:
    config = preset(name).replace(latent_dim=latent_dim, **changes)
    made = build(config.model, 784)
    made.initialise(torch.Generator().manual_seed(0), config.model.activation)
    return made.double()


def codes(latent_dim: int = 4) -> torch.Tensor:
    return torch.randn(7, latent_dim, generator=torch.Generator().manual_seed(1)).double()


def test_of_a_linear_decoder_it_is_the_same_everywhere() -> None:
    linear = model("linear", hidden=(8,))
    with torch.no_grad():
        weight = (
            linear.decode(torch.eye(4).double()) - linear.decode(torch.zeros(1, 4).double())
        ).T
    along = weight @ BASIS.double().T
    area = torch.linalg.det(along.T @ along).sqrt()
    found = magnification(linear, codes(), BASIS.double())
    torch.testing.assert_close(found, area.expand(7))


@pytest.mark.parametrize("name", ["elu", "sigmoid", "vae", "conv-vae"])
def test_it_is_what_finite_differences_give(name: str) -> None:
    made = model(name) if name == "conv-vae" else model(name, hidden=(32,))
    places, basis, step = codes(), BASIS.double(), 1e-5
    with torch.no_grad():
        along = [
            (made.decode(places + step * b) - made.decode(places - step * b)) / (2 * step)
            for b in basis
        ]
    matrix = torch.stack(along, dim=2)
    area = torch.linalg.det(matrix.transpose(1, 2) @ matrix).sqrt()
    torch.testing.assert_close(magnification(made, places, basis), area, rtol=1e-4, atol=1e-7)


def test_on_a_line_it_is_the_speed() -> None:
    made = model("elu", latent_dim=1, hidden=(32,))
    places, basis, step = codes(1), torch.tensor([[1.0], [0.0]]).double(), 1e-5
    with torch.no_grad():
        speed = (made.decode(places + step) - made.decode(places - step)).norm(dim=1) / (2 * step)
    torch.testing.assert_close(magnification(made, places, basis), speed, rtol=1e-4, atol=1e-7)


def test_pull_back_is_the_transpose_of_the_derivative() -> None:
    made, places, step = model("elu", hidden=(32,)), codes(), 1e-5
    v = torch.randn(7, 784, generator=torch.Generator().manual_seed(2)).double()
    found = pull_back(made, places, v)
    with torch.no_grad():
        for axis in range(4):
            move = step * torch.eye(4).double()[axis]
            slope = (made.decode(places + move) - made.decode(places - move)) / (2 * step)
            wanted = (slope * v).sum(1)
            np.testing.assert_allclose(found[:, axis], wanted, rtol=1e-4, atol=1e-7)
