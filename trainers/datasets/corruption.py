"""The corruption of input images, for which a denoising autoencoder is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from trainers.config_types import Corruption


def corrupt(
    images: Tensor, kind: Corruption, amount: float, generator: torch.Generator, out: Tensor
) -> Tensor:
    """Returns corrupted images (Vincent et al. 2008); the images themselves do not change.

    Parameters
    ----------
    images
        (B, P) of 0..1, the clean images.
    kind
        "gaussian" adds noise, which is not clipped; "masking" sets pixels to 0; "none" returns the
        images.
    amount
        The standard deviation of the noise, where 1 is the step from black to white, or the
        share of the pixels that are masked.
    generator
        Draws the noise, on the device of the images.
    out
        (B, P), receives the result.
    """
    if kind == "gaussian":
        return out.normal_(0, amount, generator=generator).add_(images)
    if kind == "masking":
        return out.uniform_(generator=generator).ge_(amount).mul_(images)
    return images
