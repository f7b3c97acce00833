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

    from trainers.models.base import Autoencoder
    from trainers.runs import Run


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
    def encode(self, images: NDArray[np.uint8] | NDArray[np.floating]) -> NDArray[np.float32]:
        """Encodes images to their mean codes.

        Parameters
        ----------
        images
            (n, side, side), with colours (n, side, side, 3), or (n, P); bytes are scaled to 0..1,
            floats are taken as they are.

        Returns
        -------
        (n, D) float32.

        Raises
        ------
        ValueError
            When the images have another size.
        """
        return self.posterior(images)[0]

    @torch.inference_mode()
    def posterior(
        self, images: NDArray[np.uint8] | NDArray[np.floating]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Returns means and log-variances of the posteriors of images.

        Parameters
        ----------
        images
            As in `encode`.

        Returns
        -------
        (n, D) float32 each; no log-variances where a code is a single point.

        Raises
        ------
        ValueError
            When the images have another size.
        """
        scale = np.float32(255 if np.asarray(images).dtype == np.uint8 else 1)
        flat = np.asarray(images, np.float32).reshape(len(images), -1) / scale
        shape = self._model.image_shape
        if flat.shape[1] != prod(shape):
            expected = " x ".join(str(n) for n in shape)
            raise ValueError(
                f"Images of {flat.shape[1]} pixels; this model reads {expected} = {prod(shape)}."
            )
        mean, log_variance = self._model.posterior(self._tensor(flat))
        return mean.cpu().numpy(), None if log_variance is None else log_variance.cpu().numpy()

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
            When the codes have another dimension.
        """
        points = np.asarray(codes, np.float32)
        if points.ndim != 2 or points.shape[1] != self.latent_dim:
            raise ValueError(
                f"Codes of shape {points.shape}; this model reads (n, {self.latent_dim})."
            )
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

        places, directions = (self._tensor(np.asarray(x, np.float32)) for x in (codes, basis))
        found: NDArray[np.float32] = magnification(self._model, places, directions).cpu().numpy()
        return found

    def pull_back(self, codes: ArrayLike, cotangents: ArrayLike) -> NDArray[np.float64]:
        """Returns Jᵀv for (n, D) codes and (n, side, side) v.

        J is the decoder's Jacobian at each code.
        """
        from trainers.exploration.magnification import pull_back

        places = self._tensor(np.asarray(codes, np.float32))
        images = self._tensor(np.asarray(cotangents, np.float32).reshape(len(places), -1))
        found: NDArray[np.float64] = pull_back(self._model, places, images).cpu().numpy()
        return found.astype(np.float64)

    def _tensor(self, values: NDArray[np.float32]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self._model.device)


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
