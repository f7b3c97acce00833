"""The experiments of the paper, and two that are compared with later papers. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass

from trainers.config import ModelConfig, RunConfig, TrainingConfig
from trainers.errors import ConfigError
from trainers.models import added_families


@dataclass(frozen=True)
class Preset:
    """A named starting point: its title, what it shows, and its config."""

    title: str
    summary: str
    config: RunConfig


def _preset(
    name: str,
    title: str,
    summary: str,
    model: ModelConfig,
    training: TrainingConfig | None = None,
) -> tuple[str, Preset]:
    config = RunConfig(preset=name, model=model, training=training or TrainingConfig())
    return name, Preset(title, summary, config)


PRESETS: dict[str, Preset] = dict(
    [
        _preset(
            "pca",
            "PCA",
            "The best linear code, computed in closed form.",
            ModelConfig(family="pca", activation="linear"),
        ),
        _preset(
            "linear",
            "Linear autoencoder",
            "Learns the subspace that PCA computes.",
            ModelConfig(activation="linear"),
        ),
        _preset(
            "sigmoid",
            "Sigmoid autoencoder",
            "The classical non-linearity, slow to start.",
            ModelConfig(activation="sigmoid"),
        ),
        _preset(
            "relu",
            "ReLU autoencoder",
            "Piecewise linear: a folded manifold.",
            ModelConfig(activation="relu"),
        ),
        _preset(
            "elu",
            "ELU autoencoder",
            "Smooth and quick to learn.",
            ModelConfig(activation="elu"),
        ),
        _preset(
            "vae",
            "Variational autoencoder",
            "Codes follow a normal prior, so most points decode well.",
            ModelConfig(variational=True, likelihood="bernoulli"),
        ),
        _preset(
            "conv-vae",
            "Convolutional VAE",
            "The variational autoencoder with strided convolutions.",
            ModelConfig(family="conv", variational=True, likelihood="bernoulli"),
        ),
        _preset(
            "denoising",
            "Denoising autoencoder",
            "Reconstructs clean images from corrupted ones.",
            ModelConfig(),
            TrainingConfig(corruption="gaussian"),
        ),
        _preset(
            "hinton30",
            "Deep autoencoder, 30 codes",
            "Compared with the error of 3.00 in Hinton & Salakhutdinov (2006).",
            ModelConfig(
                latent_dim=30,
                hidden=(1000, 500, 250),
                activation="gelu",
                likelihood="bernoulli",
            ),
            TrainingConfig(
                steps=25_000,
                schedule="cosine",
                corruption="gaussian",
                corruption_amount=0.1,
            ),
        ),
        _preset(
            "burda50",
            "Binarised VAE, 50 codes",
            "The one-layer VAE of Burda et al. (2015): 86.8 nats.",
            ModelConfig(
                latent_dim=50,
                hidden=(200, 200),
                activation="tanh",
                variational=True,
                likelihood="bernoulli",
            ),
            TrainingConfig(steps=200_000, schedule="cosine", binarisation="dynamic"),
        ),
        *(
            _preset(
                family,
                family.replace("_", " ").capitalize(),
                f"The family {family!r} with the paper's settings.",
                ModelConfig(family=family),
            )
            for family in added_families()
        ),
    ]
)
"""All presets by name, in the order in which they are offered."""


def preset(name: str) -> RunConfig:
    """Returns the config of a preset.

    Raises
    ------
    ConfigError
        When there is none of that name.
    """
    try:
        return PRESETS[name].config
    except KeyError:
        known = ", ".join(PRESETS)
        raise ConfigError(f"There is no preset {name!r}; choose from {known}.") from None
