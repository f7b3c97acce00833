"""The configuration of a run: frozen, validated, read from JSON and written to JSON.

Every field has its bounds (pydantic's `Field`) and its label and unit (`Term`). The experiment form
and the command line are both built from them. This module loads no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from trainers.checkpoint_steps import default_checkpoints
from trainers.config_fields import Leaf, Term
from trainers.config_messages import faults
from trainers.config_types import (
    Activation,
    Binarisation,
    Channels,
    Corruption,
    Device,
    EngineName,
    Likelihood,
    Precision,
    Schedule,
    Width,
)
from trainers.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _has_family(*families: str) -> Callable[[RunConfig], bool]:
    return lambda config: config.model.family in families


def _has_hidden_layers(config: RunConfig) -> bool:
    """Returns whether `hidden` applies: to the family mlp and to every added family."""
    return config.model.family not in {"conv", "pca"}


def _is_trained_by_gradient(config: RunConfig) -> bool:
    return config.model.family != "pca"


def _is_corrupted(config: RunConfig) -> bool:
    return _is_trained_by_gradient(config) and config.training.corruption != "none"


def _is_bernoulli(config: RunConfig) -> bool:
    return _is_trained_by_gradient(config) and config.model.likelihood == "bernoulli"


def _is_variational(config: RunConfig) -> bool:
    return _is_trained_by_gradient(config) and config.model.variational


class Part(BaseModel):
    """A frozen group of fields; unknown names are an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ModelConfig(Part):
    """The network that maps an image to a code and a code to an image."""

    family: Annotated[
        str,
        Field(description="The architecture of encoder and decoder.", min_length=1),
        Term("Family"),
    ] = "mlp"
    latent_dim: Annotated[
        int,
        Field(
            ge=1,
            le=256,
            description="Numbers in a code; codes of 2 numbers can be plotted completely.",
        ),
        Term("Latent dimension"),
    ] = 5
    hidden: Annotated[
        tuple[Width, ...],
        Field(
            min_length=1,
            max_length=8,
            description="Nodes in each hidden layer of the encoder; the decoder mirrors them.",
        ),
        Term("Hidden layers", "nodes", _has_hidden_layers),
    ] = (500, 500)
    channels: Annotated[
        tuple[Channels, ...],
        Field(
            min_length=1,
            max_length=4,
            description="Channels after each strided convolution; each one halves the image size.",
        ),
        Term("Convolutions", "channels", _has_family("conv")),
    ] = (32, 64)
    dense: Annotated[
        int,
        Field(ge=1, le=4096, description="Nodes of the dense layer next to the code."),
        Term("Dense layer", "nodes", _has_family("conv")),
    ] = 256
    activation: Annotated[
        Activation,
        Field(description="Applied after each hidden layer; code and output are linear."),
        Term("Activation", "", _is_trained_by_gradient),
    ] = "elu"
    variational: Annotated[
        bool,
        Field(
            description="The encoder returns a distribution; its KL divergence from the prior is "
            "in the loss."
        ),
        Term("Variational", "", _is_trained_by_gradient),
    ] = False
    likelihood: Annotated[
        Likelihood,
        Field(description="Squared error per image, or Bernoulli on logits in nats per image."),
        Term("Likelihood", "", _is_trained_by_gradient),
    ] = "squared-error"
    beta: Annotated[
        float,
        Field(ge=0, le=1000, description="Weight of the KL term; 1 is the ELBO."),
        Term("β", "× KL", _is_variational, logarithmic=True),
    ] = 1.0

    @property
    def has_prior(self) -> bool:
        """Whether the codes have a prior, N(0, I); PCA ignores `variational`."""
        return self.variational and self.family != "pca"


class TrainingConfig(Part):
    """The training of the network."""

    steps: Annotated[
        int,
        Field(ge=1, le=10_000_000, description="Updates of the weights."),
        Term("Steps", "steps", _is_trained_by_gradient, logarithmic=True),
    ] = 50_000
    batch_size: Annotated[
        int,
        Field(ge=1, le=10_000, description="Images in one step; the loss is their mean."),
        Term("Batch size", "images", _is_trained_by_gradient, logarithmic=True),
    ] = 100
    learning_rate: Annotated[
        float,
        Field(gt=0, le=10, description="Adam's step size."),
        Term("Learning rate", "", _is_trained_by_gradient, logarithmic=True),
    ] = 1e-3
    schedule: Annotated[
        Schedule,
        Field(description="How the learning rate falls to 0 by the last step; constant keeps it."),
        Term("Schedule", "", _is_trained_by_gradient, advanced=True),
    ] = "constant"
    binarisation: Annotated[
        Binarisation,
        Field(
            description="dynamic draws each pixel as 0 or 1 with its grey level as probability, at "
            "every step."
        ),
        Term("Binarisation", "", _is_bernoulli, advanced=True),
    ] = "none"
    corruption: Annotated[
        Corruption,
        Field(description="Corruption of the input image; the target is the clean image."),
        Term("Corruption", "", _is_trained_by_gradient),
    ] = "none"
    corruption_amount: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="Standard deviation of the noise (full ink is 1), or share of masked "
            "pixels.",
        ),
        Term("Amount", "of ink", _is_corrupted),
    ] = 0.3
    seed: Annotated[
        int,
        Field(
            ge=0, le=2**31 - 1, description="The random seed of initial weights, batches and noise."
        ),
        Term("Seed", "", _is_trained_by_gradient),
    ] = 0
    device: Annotated[
        Device,
        Field(description="auto chooses the fastest device of this machine."),
        Term("Device", "", advanced=True),
    ] = "auto"
    engine: Annotated[
        EngineName,
        Field(
            description="Code that computes the steps: auto chooses the fastest, autograd is the "
            "reference."
        ),
        Term("Engine", "", _is_trained_by_gradient, advanced=True),
    ] = "auto"
    validation: Annotated[
        bool,
        Field(
            description="Holds out the last twelfth of the training images (5,000 of MNIST) and "
            "measures them at every checkpoint, to choose settings or a checkpoint without the "
            "test images."
        ),
        Term("Validation", "", advanced=True),
    ] = False
    checkpoints: Annotated[
        tuple[Annotated[int, Field(ge=0)], ...] | None,
        Field(
            description="Steps at which a checkpoint is saved. Default: about 25 steps, denser "
            "early, with 10,000, 30,000, 50,000 and the last."
        ),
        Term("Checkpoints", "steps", _is_trained_by_gradient, advanced=True),
    ] = None
    precision: Annotated[
        Precision,
        Field(description="The precision of weights and codes in checkpoints."),
        Term("Stored as", "", advanced=True),
    ] = "float32"


class RunConfig(Part):
    """The configuration of a run: preset, data set, model and training."""

    preset: Annotated[
        str, Field(description="The preset that this config is based on.", min_length=1)
    ] = "custom"
    dataset: Annotated[
        str,
        Field(
            description="The images: mnist, or the name of an imported data set.",
            min_length=1,
            max_length=40,
        ),
        Term("Images"),
    ] = "mnist"
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()

    @model_validator(mode="after")
    def _family_is_known(self) -> Self:
        from trainers.models import families

        if self.model.family not in families():
            known = ", ".join(families())
            raise ValueError(f"model family {self.model.family!r} is unknown; choose from {known}")
        return self

    @property
    def steps(self) -> int:
        """The number of steps; PCA is solved in one."""
        return self.training.steps if _is_trained_by_gradient(self) else 1

    @property
    def is_binarised(self) -> bool:
        """Whether training draws binary pixels; this needs a Bernoulli likelihood."""
        return _is_bernoulli(self) and self.training.binarisation != "none"

    @property
    def draws_noise(self) -> bool:
        """Whether the objective of an image is random, by its code or its corrupted input."""
        return self.model.has_prior or _is_corrupted(self)

    @property
    def checkpoint_steps(self) -> tuple[int, ...]:
        """The steps at which a checkpoint is saved, ascending; the last step is one of them."""
        if not _is_trained_by_gradient(self):
            return (1,)
        chosen = self.training.checkpoints
        steps = default_checkpoints(self.steps) if chosen is None else chosen
        return tuple(sorted({*(s for s in steps if s <= self.steps), self.steps}))

    def replace(self, **changes: object) -> RunConfig:
        """Returns a validated copy with changed fields, by the names of `fields()`.

        Raises
        ------
        ConfigError
            When a name is unknown or a value is out of bounds.
        """
        values = self.model_dump()
        owners = {leaf.name: leaf.part for leaf in fields()}
        for name, value in changes.items():
            if name not in owners and name != "preset":
                raise ConfigError(
                    f"There is no setting {name!r}. The settings are: {', '.join(owners)}."
                )
            part = owners.get(name, "")
            (values[part] if part else values)[name] = value
        return validate_config(values)


def fields() -> Iterator[Leaf]:
    """Yields every field that has a `Term`, in reading order: data, model, training."""
    parts: tuple[tuple[str, type[Part]], ...] = (
        ("", RunConfig),
        ("model", ModelConfig),
        ("training", TrainingConfig),
    )
    for part, group in parts:
        for name, info in group.model_fields.items():
            for term in info.metadata:
                if isinstance(term, Term):
                    yield Leaf(part, name, info, term)


def validate_config(values: object) -> RunConfig:
    """Returns a config made from plain values; one message names every problem.

    Raises
    ------
    ConfigError
        When a value is wrong. The message names each field, its value and its bound.
    """
    try:
        return RunConfig.model_validate(values)
    except ValidationError as error:
        raise ConfigError("; ".join(f"{name}: {text}" for name, text in faults(error))) from error


def from_json(text: str | bytes) -> RunConfig:
    """Reads a config that `RunConfig.model_dump_json` wrote.

    Raises
    ------
    ConfigError
        When the text is not JSON or a value is out of bounds.
    """
    try:
        return RunConfig.model_validate_json(text)
    except ValidationError as error:
        raise ConfigError("; ".join(f"{name}: {text}" for name, text in faults(error))) from error
