"""The config of a run: frozen, validated, JSON in and out. This module loads no torch.

Every field carries its bounds (pydantic's `Field`) and how it is spoken of (`Term`: label, unit,
when it applies). The experiment form and the command line are both made from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from trainers.config_messages import faults
from trainers.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic.fields import FieldInfo

Activation = Literal["linear", "sigmoid", "tanh", "relu", "elu", "gelu", "silu"]
Likelihood = Literal["squared-error", "bernoulli"]
Corruption = Literal["none", "gaussian", "masking"]
Schedule = Literal["constant", "linear", "cosine"]
Binarisation = Literal["none", "dynamic"]
Device = Literal["auto", "cpu", "cuda", "mps"]
EngineName = Literal["auto", "autograd", "autograd-bf16", "layerwise", "layerwise-bf16"]
Precision = Literal["float32", "float16"]
Width = Annotated[int, Field(ge=1, le=4096)]
Channels = Annotated[int, Field(ge=1, le=512)]

LANDMARKS = (10_000, 30_000, 50_000)
"""The steps at which the paper shows its reconstructions."""


def _always(_config: RunConfig) -> bool:
    return True


def _is(*families: str) -> Callable[[RunConfig], bool]:
    return lambda config: config.model.family in families


def _dense(config: RunConfig) -> bool:
    """Hidden layers apply to the paper's dense family, and to added families."""
    return config.model.family not in {"conv", "pca"}


def _trained_by_gradient(config: RunConfig) -> bool:
    return config.model.family != "pca"


def _is_corrupted(config: RunConfig) -> bool:
    return _trained_by_gradient(config) and config.training.corruption != "none"


def _bernoulli(config: RunConfig) -> bool:
    return _trained_by_gradient(config) and config.model.likelihood == "bernoulli"


def _variational(config: RunConfig) -> bool:
    return _trained_by_gradient(config) and config.model.variational


@dataclass(frozen=True)
class Term:
    """The name, unit and meaning of a field.

    Attributes
    ----------
    label
        The name beside the field, in the field's standard terms.
    unit
        What a value of one means; empty for a pure number or a choice.
    applies
        Whether the field means anything for a given config; where not, it is not shown.
    advanced
        Rarely changed: the form folds it away.
    logarithmic
        Values are chosen by factors rather than by differences.
    """

    label: str
    unit: str = ""
    applies: Callable[[RunConfig], bool] = _always
    advanced: bool = False
    logarithmic: bool = False


class Part(BaseModel):
    """A frozen group of fields that refuses unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ModelConfig(Part):
    """The network, which maps an image to a code and back."""

    family: Annotated[
        str,
        Field(description="How encoder and decoder are built.", min_length=1),
        Term("Family"),
    ] = "mlp"
    latent_dim: Annotated[
        int,
        Field(ge=1, le=256, description="Numbers in a code; 2 can be seen whole."),
        Term("Latent dimension"),
    ] = 5
    hidden: Annotated[
        tuple[Width, ...],
        Field(
            min_length=1,
            max_length=8,
            description="Nodes in each hidden layer of the encoder; the decoder mirrors them.",
        ),
        Term("Hidden layers", "nodes", _dense),
    ] = (500, 500)
    channels: Annotated[
        tuple[Channels, ...],
        Field(
            min_length=1,
            max_length=4,
            description="Channels after each strided convolution; every one halves the image.",
        ),
        Term("Convolutions", "channels", _is("conv")),
    ] = (32, 64)
    dense: Annotated[
        int,
        Field(ge=1, le=4096, description="Nodes of the dense layer beside the code."),
        Term("Dense layer", "nodes", _is("conv")),
    ] = 256
    activation: Annotated[
        Activation,
        Field(description="Applied after each hidden layer; code and output stay linear."),
        Term("Activation", "", _trained_by_gradient),
    ] = "elu"
    variational: Annotated[
        bool,
        Field(description="The encoder gives a distribution, and its KL to the prior is paid."),
        Term("Variational", "", _trained_by_gradient),
    ] = False
    likelihood: Annotated[
        Likelihood,
        Field(description="Squared error per image, or Bernoulli with logits in nats per image."),
        Term("Likelihood", "", _trained_by_gradient),
    ] = "squared-error"
    beta: Annotated[
        float,
        Field(ge=0, le=1000, description="Weight of the KL term; 1 is the ELBO."),
        Term("β", "× KL", _variational, logarithmic=True),
    ] = 1.0

    @property
    def has_prior(self) -> bool:
        """Whether the codes have a prior, N(0, I); PCA ignores `variational`."""
        return self.variational and self.family != "pca"


class TrainingConfig(Part):
    """How the network is trained."""

    steps: Annotated[
        int,
        Field(ge=1, le=10_000_000, description="Updates of the weights."),
        Term("Steps", "steps", _trained_by_gradient, logarithmic=True),
    ] = 50_000
    batch_size: Annotated[
        int,
        Field(ge=1, le=10_000, description="Images averaged over in one step."),
        Term("Batch size", "images", _trained_by_gradient, logarithmic=True),
    ] = 100
    learning_rate: Annotated[
        float,
        Field(gt=0, le=10, description="Adam's step size."),
        Term("Learning rate", "", _trained_by_gradient, logarithmic=True),
    ] = 1e-3
    schedule: Annotated[
        Schedule,
        Field(description="How the learning rate falls to 0 by the last step, if it does."),
        Term("Schedule", "", _trained_by_gradient, advanced=True),
    ] = "constant"
    binarisation: Annotated[
        Binarisation,
        Field(description="dynamic draws each pixel from its grey level, anew at every step."),
        Term("Binarisation", "", _bernoulli, advanced=True),
    ] = "none"
    corruption: Annotated[
        Corruption,
        Field(description="What is done to the input; the target stays clean."),
        Term("Corruption", "", _trained_by_gradient),
    ] = "none"
    corruption_amount: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="Standard deviation of the noise (full ink is 1), or share masked.",
        ),
        Term("Amount", "of ink", _is_corrupted),
    ] = 0.3
    seed: Annotated[
        int,
        Field(ge=0, le=2**31 - 1, description="Decides weights, batches and noise."),
        Term("Seed", "", _trained_by_gradient),
    ] = 0
    device: Annotated[
        Device,
        Field(description="auto takes the fastest one present."),
        Term("Device", "", advanced=True),
    ] = "auto"
    engine: Annotated[
        EngineName,
        Field(description="How steps are done: auto takes the fastest, autograd is the reference."),
        Term("Engine", "", _trained_by_gradient, advanced=True),
    ] = "auto"
    checkpoints: Annotated[
        tuple[Annotated[int, Field(ge=0)], ...] | None,
        Field(
            description="Steps to keep; left out, about 25, denser early, with 10,000, 30,000, "
            "50,000 and the last."
        ),
        Term("Checkpoints", "steps", _trained_by_gradient, advanced=True),
    ] = None
    precision: Annotated[
        Precision,
        Field(description="Of the weights and codes that checkpoints keep."),
        Term("Stored as", "", advanced=True),
    ] = "float32"


class RunConfig(Part):
    """A whole run: the preset it came from, the data set, the model and the training."""

    preset: Annotated[
        str, Field(description="The preset this config started from.", min_length=1)
    ] = "custom"
    dataset: Annotated[
        str,
        Field(
            description="The images: mnist, or the name of a data set that was imported.",
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
        """The number of steps; PCA is solved in one step."""
        return self.training.steps if _trained_by_gradient(self) else 1

    @property
    def is_binarised(self) -> bool:
        """Whether training samples binary pixels, which needs a Bernoulli likelihood."""
        return _bernoulli(self) and self.training.binarisation != "none"

    @property
    def checkpoint_steps(self) -> tuple[int, ...]:
        """The steps at which a checkpoint is kept, ascending.

        The last step is always among them.
        """
        if not _trained_by_gradient(self):
            return (1,)
        chosen = self.training.checkpoints
        steps = default_checkpoints(self.steps) if chosen is None else chosen
        return tuple(sorted({*(s for s in steps if s <= self.steps), self.steps}))

    def replace(self, **changes: object) -> RunConfig:
        """Returns a validated copy with other values of fields, named as `fields()` names them.

        Raises
        ------
        ConfigError
            When a name is unknown or a value is out of bounds.
        """
        values = self.model_dump()
        owners = {leaf.name: leaf.part for leaf in fields()}
        for name, value in changes.items():
            if name not in owners and name != "preset":
                raise ConfigError(f"There is no setting {name!r}.")
            part = owners.get(name, "")
            (values[part] if part else values)[name] = value
        return validate_config(values)


@dataclass(frozen=True)
class Leaf:
    """One field of a config, found at `config.<part>.<name>`."""

    part: str
    name: str
    info: FieldInfo
    term: Term

    def value(self, config: RunConfig) -> Any:
        """Returns the value of this field in `config`."""
        return getattr(getattr(config, self.part) if self.part else config, self.name)

    @property
    def default(self) -> Any:
        """The value where none is given."""
        return self.info.default

    def bound(self, name: Literal["ge", "gt", "le", "lt"]) -> float | None:
        """Returns a bound of the field, if it has one."""
        found = (getattr(rule, name, None) for rule in self.info.metadata)
        return next((bound for bound in found if bound is not None), None)

    @property
    def choices(self) -> tuple[str, ...]:
        """The values to choose from; empty where every value within the bounds is valid."""
        if self.name == "family":
            from trainers.models import families

            return families()
        if self.name == "dataset":
            from trainers.datasets import dataset_names

            return dataset_names()
        return tuple(c for c in get_args(self.info.annotation) if isinstance(c, str))


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


def default_checkpoints(steps: int) -> tuple[int, ...]:
    """Returns about 25 steps: 0, then 1-2-5 by decades to 1,000, then evenly to the end."""
    early = (0, 10, 20, 50, 100, 200, 500, 1_000)
    stride = max(1_000, _round_up(steps / 20))
    late = range(stride, steps + 1, stride)
    return tuple(sorted(s for s in {*early, *late, *LANDMARKS, steps} if s <= steps))


def spaced_checkpoints(steps: int, spacing: int) -> tuple[int, ...]:
    """Returns evenly spaced steps from 0, and the last step."""
    return tuple(sorted({*range(0, steps + 1, spacing), steps}))


def _round_up(value: float) -> int:
    """Returns the next 1, 2, 2.5 or 5 times a power of ten, so that steps are round numbers."""
    power = 1
    while power * 10 < value:
        power *= 10
    return int(next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= value))


def validate_config(values: object) -> RunConfig:
    """Makes a config from plain values; one message names every problem.

    Raises
    ------
    ConfigError
        Naming each field, the value given and its bound.
    """
    try:
        return RunConfig.model_validate(values)
    except ValidationError as error:
        raise ConfigError("; ".join(f"{name}: {text}" for name, text in faults(error))) from error


def from_json(text: str | bytes) -> RunConfig:
    """Parses the JSON that `RunConfig.model_dump_json` wrote.

    Raises
    ------
    ConfigError
        When the text is no JSON or a value is out of bounds.
    """
    try:
        return RunConfig.model_validate_json(text)
    except ValidationError as error:
        raise ConfigError("; ".join(f"{name}: {text}" for name, text in faults(error))) from error
