"""A trained model as a function of numpy arrays."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np
import torch

from trainers.checkpointing.weights import load_model

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

    from trainers.models.base import Autoencoder, Posterior
    from trainers.runs import Run

_ROUNDING = 1e-6
"""How far a float may leave 0..1 by rounding."""


class TrainedModel:
    """Encodes images and decodes codes.

    Parameters
    ----------
    model
        The autoencoder; it may still be training elsewhere in the same thread.
    step
        Training steps it has behind it.
    """

    def __init__(self, model: Autoencoder, step: int) -> None:
        self._model = model
        self.step = step

    @property
    def latent_dim(self) -> int:
        """The dimension D of a code."""
        return self._model.latent_dim

    @torch.inference_mode()
    def encode(self, images: ArrayLike, *, allow_any_range: bool = False) -> NDArray[np.float32]:
        """Encodes images to their mean codes.

        Parameters
        ----------
        images
            (n, side, side), with colours (n, side, side, 3), or (n, P). One image, (side, side) or
            (side, side, 3), is a batch of one. An additional axis of length 1 is ignored in a grey
            image. The values are uint8 of 0..255, which are divided by 255, booleans, or floats of
            0..1.
        allow_any_range
            Whether finite floats outside 0..1 are accepted, for example noisy images that a
            denoising model was trained on.

        Returns
        -------
        (n, D) float32; (0, D) for an empty batch.

        Raises
        ------
        ValueError
            When the images have another shape, another type or values outside their range.
        """
        return self.posterior(images, allow_any_range=allow_any_range)[0]

    @torch.inference_mode()
    def posterior(
        self, images: ArrayLike, *, allow_any_range: bool = False
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Returns means and log-variances of the posteriors of images.

        Parameters
        ----------
        images, allow_any_range
            As in `encode`.

        Returns
        -------
        (n, D) float32 each; no log-variances where a code is a single point.

        Raises
        ------
        ValueError
            As in `encode`.
        """
        mean, log_variance = self._posterior(images, allow_any_range=allow_any_range)
        return mean.cpu().numpy(), None if log_variance is None else log_variance.cpu().numpy()

    @torch.inference_mode()
    def kl(self, images: ArrayLike, *, allow_any_range: bool = False) -> NDArray[np.float64]:
        """Returns (n,), the KL of each image's posterior to N(0, I) in nats.

        It is NaN where a code is a single point.

        Parameters
        ----------
        images, allow_any_range
            As in `encode`.

        Raises
        ------
        ValueError
            As in `encode`.
        """
        posterior = self._posterior(images, allow_any_range=allow_any_range)
        if posterior.log_variance is None:
            return np.full(len(posterior.mean), np.nan)
        found: NDArray[np.float64] = posterior.kl().cpu().double().numpy()
        return found

    @torch.inference_mode()
    def decode(self, codes: ArrayLike) -> NDArray[np.float32]:
        """Decodes codes to images.

        Parameters
        ----------
        codes
            (n, D).

        Returns
        -------
        (n, side, side) or (n, side, side, 3) float32; a linear output may leave 0..1.

        Raises
        ------
        ValueError
            When the codes have another dimension, or are not finite numbers.
        """
        points = self._codes(codes)
        images = self._model.decode(self._tensor(points)).cpu().numpy()
        found: NDArray[np.float32] = images.reshape(-1, *self._model.image_shape)
        return found

    def magnification(self, codes: ArrayLike, basis: ArrayLike) -> NDArray[np.float32]:
        """Returns the decoder's magnification at codes; see `trainers.exploration.magnification`.

        Parameters
        ----------
        codes
            (n, D).
        basis
            (2, D), the directions of a plane.

        Returns
        -------
        (n,) pixels² a unit of the plane's area.
        """
        from trainers.exploration.magnification import magnification

        places, directions = (self._tensor(self._codes(x)) for x in (codes, basis))
        found: NDArray[np.float32] = magnification(self._model, places, directions).cpu().numpy()
        return found

    def pull_back(self, codes: ArrayLike, cotangents: ArrayLike) -> NDArray[np.float64]:
        """Returns Jᵀv for (n, D) codes and (n, side, side) v.

        J is the decoder's Jacobian at each code.
        """
        from trainers.exploration.magnification import pull_back

        places = self._tensor(self._codes(codes))
        images = self._tensor(np.asarray(cotangents, np.float32).reshape(len(places), -1))
        found: NDArray[np.float64] = pull_back(self._model, places, images).cpu().numpy()
        return found.astype(np.float64)

    def _posterior(self, images: ArrayLike, *, allow_any_range: bool) -> Posterior:
        levels = _grey_levels(np.asarray(images), allow_any_range=allow_any_range)
        return self._model.posterior(self._tensor(_flatten_images(levels, self._model.image_shape)))

    def _codes(self, codes: ArrayLike) -> NDArray[np.float32]:
        """Returns (n, D) float32; raises a `ValueError` when the codes are not like that."""
        values = np.asarray(codes)
        if values.ndim != 2 or values.shape[1] != self.latent_dim:
            raise ValueError(
                f"The codes have the shape {values.shape}. This model reads (n, {self.latent_dim})."
            )
        if values.dtype.kind not in "uif" or not np.isfinite(values).all():
            raise ValueError(
                f"Some codes are NaN, infinite or no real numbers ({values.dtype}). This model "
                "reads finite numbers."
            )
        return values.astype(np.float32)

    def _tensor(self, values: NDArray[np.float32]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self._model.device)


def _grey_levels(images: NDArray[np.generic], *, allow_any_range: bool) -> NDArray[np.float32]:
    """Returns images as float32 of 0..1.

    Integers other than uint8 are refused: nothing says whether their white is 1, 255 or 65,535.
    """
    if images.dtype == np.uint8:
        return images.astype(np.float32) / np.float32(255)
    if images.dtype.kind not in "bf":
        raise ValueError(
            f"The images are of the type {images.dtype}. This model reads uint8 of 0 to 255 or "
            "floats of 0 to 1: convert them, for example with images.astype(np.uint8) if white is "
            "255."
        )
    levels = images.astype(np.float32)
    if not np.isfinite(levels).all():
        count = int((~np.isfinite(levels)).sum())
        raise ValueError(
            f"{count:,} of the images' values are NaN or infinite. This model reads finite values "
            "of 0 to 1: replace them."
        )
    low, high = (levels.min(), levels.max()) if levels.size else (0, 1)
    if not allow_any_range and (low < -_ROUNDING or high > 1 + _ROUNDING):
        raise ValueError(
            f"The images' values go from {low:g} to {high:g}. This model reads floats of 0 to 1: "
            "scale them, or clip them. Noisy images are read with allow_any_range=True."
        )
    return levels


def _flatten_images(images: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Returns (n, P) images of (n, *shape), (n, P) or shape."""
    if images.shape == (0,):
        return images.reshape(0, prod(shape))
    if images.ndim == 2 and images.shape[1] == prod(shape):
        return images
    is_grey = len(shape) == 2
    single = (shape, (1, *shape), (*shape, 1)) if is_grey else (shape,)
    if images.shape in single:
        return images.reshape(1, -1)
    if images.ndim > 1 and images.shape[1:] in single:
        return images.reshape(len(images), prod(shape))
    batch = ", ".join(("n", *map(str, shape)))
    one = ", ".join(map(str, shape))
    raise ValueError(
        f"The images have the shape {images.shape}. This model reads ({batch}), (n, {prod(shape)}) "
        f"or one image of ({one}): transpose or resize them."
    )


def load(run: Run | Path | str, step: int | None = None) -> TrainedModel:
    """Loads the model of a run at the checkpoint of `step`, or at its newest one.

    Raises
    ------
    RunError
        When there is no such run or checkpoint, or it is damaged.
    """
    from pathlib import Path

    from trainers.runs import Run, open_run

    found = run if isinstance(run, Run) else open_run(Path(run))
    model, found_step = load_model(found, step)
    return TrainedModel(model, found_step)
