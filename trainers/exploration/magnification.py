"""The magnification of a decoder: its derivatives along a plane of codes, forward and reverse.

Shape legend: N codes, D numbers in a code, P pixels. J is the (P, D) Jacobian of the decoded image.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import TYPE_CHECKING

import torch
from torch.autograd import forward_ad

if TYPE_CHECKING:
    from torch import Tensor

    from trainers.models.base import Autoencoder


def magnification(model: Autoencoder, codes: Tensor, basis: Tensor) -> Tensor:
    """Returns (N,), √det(B·Jᵀ·J·Bᵀ): the area of images per area of a plane of codes.

    By forward-mode derivatives along the plane's two directions: a decoder acts on every code
    alone, so one pass a direction serves all of them (Arvanitidis et al. 2018, eq. 3).

    Parameters
    ----------
    codes
        (N, D), where the model is.
    basis
        (2, D), the directions B. Where the second is zero, the speed along the first is given.

    Returns
    -------
    Pixels² (full ink being 1) a unit of the plane's area.
    """
    along = [_along(model, codes, direction) for direction in basis if direction.any()]
    if len(along) == 1:
        speeds: Tensor = along[0].norm(dim=1)
        return speeds
    x, y = along
    # The determinant of the 2 x 2 matrix of inner products; rounding may make it negative.
    products = x.square().sum(1) * y.square().sum(1) - (x * y).sum(1).square()
    return products.clamp_min(0).sqrt()


@cache
def _load_forward_mode() -> None:
    """PyTorch warns once about what it loads at the first derivative of this kind."""
    with warnings.catch_warnings(), forward_ad.dual_level():
        warnings.simplefilter("ignore", FutureWarning)
        forward_ad.make_dual(torch.zeros(1), torch.ones(1))


def _along(model: Autoencoder, codes: Tensor, direction: Tensor) -> Tensor:
    """Returns (N, P), the change of each code's image in a (D,) direction."""
    _load_forward_mode()
    with torch.no_grad(), forward_ad.dual_level():
        moved = forward_ad.make_dual(codes, direction.expand_as(codes).contiguous())
        tangent: Tensor | None = forward_ad.unpack_dual(model.decode(moved)).tangent
    if tangent is None:
        return torch.zeros_like(model.decode(codes))  # The image does not depend on its code.
    return tangent


def pull_back(model: Autoencoder, codes: Tensor, cotangents: Tensor) -> Tensor:
    """Returns (N, D), Jᵀv for each of (N, D) codes and (N, P) v, by reverse mode."""
    with torch.enable_grad():
        leaf = codes.detach().clone().requires_grad_()
        found: Tensor = torch.autograd.grad(model.decode(leaf), leaf, cotangents)[0]
        return found
