"""The metrics that every checkpoint keeps, and how each is written. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

ACTIVE_VARIANCE = 0.01
"""The least variance of the posterior mean of an active unit (Burda et al. 2015)."""


class Evaluation(BaseModel):
    """The metrics of a model on the whole test set.

    Each image is reconstructed from its mean code, except for the four figures that begin with
    `test_`: these are the training objective on the test images, with one fixed draw of noise per
    image (binary pixels, corruption of the input, and the code), as training draws it.

    Figures that came to the program later are None where an older one wrote the checkpoint. Version
    0.1 wrote `reconstruction_at_mean` and `loss_at_mean` as `reconstruction` and `loss`.

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
    squared_error_se
        The standard error of `squared_error` over the test images.
    reconstruction_at_mean
        The likelihood's own measure, per image: squared error, or Bernoulli nats.
    kl
        KL to the prior, nats per image; 0 where the model has no posterior.
    loss_at_mean
        reconstruction_at_mean + β·kl. For a variational model this is less than the objective: it
        is no bound on a likelihood. Where training binarises its images these three are of the
        test images binarised once; all other figures are of the grey images.
    test_reconstruction, test_kl, test_loss
        The parts of the training objective and their sum, test_reconstruction + β·test_kl. With
        β = 1 and a Bernoulli likelihood `test_loss` is the negative ELBO of the inputs.
    test_loss_se
        The standard error of `test_loss` over the test images.
    validation_images, validation_loss, validation_squared_error
        The number of the held-out training images, and their `test_loss` and `squared_error`; None
        where training holds out none. A choice between settings or checkpoints uses these, so that
        no figure of the test images was chosen to be low.
    cross_entropy
        Of the grey image against the decoded one, nats per image, whatever the likelihood; the
        decoded ink is kept half a grey level away from 0 and 1.
    explained_variance
        1 - squared error / variance of the test images; 1 is perfect. None if they are all equal.
    pca_ratio
        Squared error over that of a PCA with as many codes; below 1 no linear autoencoder gets.
    class_squared_error
        Squared error per image of each class, "0" to "9".
    active_units
        Dimensions of the code whose mean varies by more than 0.01 over the images; None where the
        codes have no prior, which gives them a scale.
    effective_dimensions
        How many directions the codes use, whatever their scale: (Σλ)²/Σλ² of the eigenvalues of
        their covariance.
    code_variances
        Variance of each dimension's mean over the images.
    kl_per_dimension
        Nats per image that each dimension costs; None where the model has no posterior.
    principal_angles
        Degrees between the decoder's span and PCA's, ascending; None where it is not linear.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="constants")

    step: Annotated[int, Field(ge=0)]
    images: Annotated[int, Field(ge=1)]
    squared_error: float
    squared_error_per_pixel: float
    squared_error_se: float | None = None
    reconstruction_at_mean: Annotated[
        float, Field(validation_alias=AliasChoices("reconstruction_at_mean", "reconstruction"))
    ]
    kl: float
    loss_at_mean: Annotated[float, Field(validation_alias=AliasChoices("loss_at_mean", "loss"))]
    test_reconstruction: float | None = None
    test_kl: float | None = None
    test_loss: float | None = None
    test_loss_se: float | None = None
    validation_images: int | None = None
    validation_loss: float | None = None
    validation_squared_error: float | None = None
    cross_entropy: float | None = None
    explained_variance: float | None = None
    pca_ratio: float | None = None
    class_squared_error: tuple[float, ...] | None = None
    active_units: int | None = None
    effective_dimensions: float | None = None
    code_variances: tuple[float, ...] | None = None
    kl_per_dimension: tuple[float, ...] | None = None
    principal_angles: tuple[float, ...] | None = None

    @model_validator(mode="before")
    @classmethod
    def _drop_active_units_without_a_prior(cls, values: object) -> object:
        """Drops the active units that version 0.1 counted for models without a prior, too."""
        if isinstance(values, dict) and values.get("kl_per_dimension") is None:
            return {**values, "active_units": None}
        return values

    @property
    def largest_angle(self) -> float | None:
        """The largest principal angle in degrees; 0 where the decoder spans the plane of PCA."""
        return self.principal_angles[-1] if self.principal_angles else None

    def objective(self, part: str) -> float | None:
        """Returns the test value of a part of the training loss: "loss", "reconstruction", "kl"."""
        value: float | None = getattr(self, f"test_{part}")
        return value

    def with_validation(self, found: Evaluation) -> Evaluation:
        """Returns a copy with the figures of the validation images."""
        return self.model_copy(
            update={
                "validation_images": found.images,
                "validation_loss": found.test_loss,
                "validation_squared_error": found.squared_error,
            }
        )

    def with_noiseless_objective(self) -> Evaluation:
        """Returns a copy for a training without any noise, whose objective is that at the mean."""
        return self.model_copy(
            update={
                "test_reconstruction": self.reconstruction_at_mean,
                "test_kl": self.kl,
                "test_loss": self.loss_at_mean,
            }
        )


@dataclass(frozen=True)
class Metric:
    """The name, unit and format of a metric of `Evaluation`.

    Attributes
    ----------
    key
        The attribute of `Evaluation` that holds it.
    label
        What it is called.
    unit
        What a value of one means; empty for a pure number.
    form
        How it is written, as `format` takes it.
    brief
        How it is written where no heading says what it is, as `str.format` takes it.
    more_is_better
        Whether a greater value is the better one; None where neither is.
    """

    key: str
    label: str
    unit: str
    form: str
    brief: str
    more_is_better: bool | None = False

    def value(self, evaluation: Evaluation) -> float | None:
        """Returns the value, or None where the checkpoint has none."""
        found: float | None = getattr(evaluation, self.key)
        return found

    def text(self, evaluation: Evaluation) -> str:
        """Returns the value as it is shown; empty where there is none."""
        value = self.value(evaluation)
        return "" if value is None else format(value, self.form)

    def text_with_unit(self, evaluation: Evaluation) -> str:
        """Returns the value with its unit; empty where there is none."""
        value = self.value(evaluation)
        return "" if value is None else self.brief.format(value)


METRICS: dict[str, Metric] = {
    metric.key: metric
    for metric in (
        Metric("squared_error_per_pixel", "Squared error", "per pixel", ".5f", "{:.4f}/px"),
        Metric("squared_error", "Squared error", "per image", ".2f", "{:.1f}/image"),
        Metric("pca_ratio", "Error over PCA's", "ratio", ".3f", "{:.2f}× PCA"),
        Metric("explained_variance", "Explained variance", "share", ".4f", "{:.1%} of var.", True),
        Metric("cross_entropy", "Cross-entropy", "nats per image", ".2f", "{:.1f} nats"),
        Metric("test_loss", "Test loss", "per image", ".2f", "loss {:.1f}"),
        Metric("validation_loss", "Validation loss", "per image", ".2f", "{:.1f} validation"),
        Metric(
            "validation_squared_error", "Validation error", "per image", ".2f", "{:.1f} validation"
        ),
        Metric("loss_at_mean", "Loss at the mean code", "per image", ".2f", "{:.1f} at mean"),
        Metric("kl", "KL to the prior", "nats per image", ".2f", "KL {:.1f} nats", None),
        Metric("active_units", "Active units", "dimensions", ".0f", "{:.0f} active", None),
        Metric(
            "effective_dimensions", "Effective dimensions", "dimensions", ".1f", "{:.1f} used", None
        ),
        Metric("largest_angle", "Largest angle to PCA", "degrees", ".2f", "{:.1f}° to PCA"),
    )
}
"""The metrics that are single numbers, by key, in the order in which they are offered."""
