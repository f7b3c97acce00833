"""The figures that every checkpoint keeps. Loads no torch."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Evaluation(BaseModel):
    """What a model does on the whole test set, each image reconstructed from its mean code.

    Attributes
    ----------
    step
        Training steps done.
    images
        Test images measured.
    squared_error
        Squared error per image (summed over pixels, averaged over images).
    squared_error_per_pixel
        The same, averaged over pixels too.
    reconstruction
        The likelihood's own measure, per image: squared error, or Bernoulli nats.
    kl
        KL to the prior, nats per image; 0 where the model has no posterior.
    loss
        reconstruction + β·kl, what training minimises.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="constants")

    step: Annotated[int, Field(ge=0)]
    images: Annotated[int, Field(ge=1)]
    squared_error: float
    squared_error_per_pixel: float
    reconstruction: float
    kl: float
    loss: float
