"""The plan of the reproduction: the runs that test the paper's claims. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from trainers.models import added_families
from trainers.parallel.jobs import cost
from trainers.presets import PRESETS, preset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainers.config import RunConfig

Chapter = Literal["paper", "sweep", "denoising", "beyond"]
"""The reason for a run: the paper trained it or claims it, or a later paper published it."""

LATENT_DIM = 5
"""The dimension of the paper's codes."""

SWEEP = (2, 3, 5, 10, 20, 30, 50, 100)
"""The dimensions of the sweep, for the claim that good codes have 10 < N < 100."""

NOISE = (0.1, 0.3, 0.5, 0.8)
"""The standard deviations of the denoising autoencoders' noise; full ink is 1."""

SEEDS = (1, 2, 3)
"""The seeds of every run that a claim compares with another or with a published error.

Runs without random weights (PCA) and runs that no claim compares over seeds (the convolutional VAE,
added families) have the first seed only. So has `burda50`, which takes four times as long; its
figure carries the standard error over the test images.
"""

CONTROL = "bernoulli"
"""The autoencoder of the VAE without a prior: the same layers and likelihood, but no KL."""

PUBLISHED_LIKELIHOOD = (5_000, 10_000)
"""The samples per image and the test images of the published value (Burda et al. 2015)."""

QUICK_STEPS = 2_000
QUICK_NOTICE = f"quick: {QUICK_STEPS:,} steps, not the paper's 50,000"
"""The notice on every figure and table of a quick reproduction."""


@dataclass(frozen=True)
class PlannedRun:
    """One run of the reproduction.

    Attributes
    ----------
    name
        The name of the run in the runs folder and in the report.
    title
        The method as a table names it: "ELU autoencoder".
    chapter
        The reason for the run.
    config
        The config of the run.
    samples, images
        The samples per image and the test images from which log p is estimated.
    """

    name: str
    title: str
    chapter: Chapter
    config: RunConfig
    samples: int = 128
    images: int = 1_000

    @property
    def seed(self) -> int:
        """The seed of its weights, batches and noise."""
        return self.config.training.seed

    @property
    def latent_dim(self) -> int:
        """The dimension of its code."""
        return self.config.model.latent_dim

    @property
    def steps(self) -> int:
        """The number of training steps."""
        return self.config.steps

    @property
    def work(self) -> float:
        """The approximate cost, in steps of the paper's autoencoder."""
        return cost(self.config)


def planned_runs(*, quick: bool = False) -> tuple[PlannedRun, ...]:
    """Returns every run of the reproduction; the runs of the paper's own figures come first.

    Parameters
    ----------
    quick
        Whether to plan 2,000 steps and one seed per method. Such a reproduction shows that
        everything works; its numbers decide nothing.
    """
    chosen = (entry for entry in _all_runs() if not quick or entry.seed <= SEEDS[0])
    return tuple(_shorten(entry) if quick else entry for entry in chosen)


def _all_runs() -> Iterator[PlannedRun]:
    yield _planned_run("pca", "paper", LATENT_DIM)
    for name in ("elu", "linear", "relu", "sigmoid", "vae", CONTROL, "conv-vae"):
        yield _planned_run(name, "paper", LATENT_DIM)
    for name in added_families():
        yield _planned_run(name, "paper", LATENT_DIM)
    for latent_dim in SWEEP:
        if latent_dim != LATENT_DIM:
            yield _planned_run("pca", "sweep", latent_dim)
            yield _planned_run("elu", "sweep", latent_dim)
    for name in ("hinton30", "burda50"):
        yield _published_run(name, SEEDS[0])
    for amount in NOISE:
        yield _planned_run("denoising", "denoising", LATENT_DIM, amount=amount)
    for seed in SEEDS[1:]:
        for name in ("elu", "relu", "sigmoid", "linear", "vae", CONTROL):
            yield _planned_run(name, "paper", LATENT_DIM, seed=seed)
    for seed in SEEDS[1:]:
        for latent_dim in SWEEP:
            if latent_dim != LATENT_DIM:
                yield _planned_run("elu", "sweep", latent_dim, seed=seed)
        for amount in NOISE:
            yield _planned_run("denoising", "denoising", LATENT_DIM, amount=amount, seed=seed)
        yield _published_run("hinton30", seed)


def _published_run(name: str, seed: int) -> PlannedRun:
    config = preset(name).replace(seed=seed)
    title, run_name = PRESETS[name].title, f"{name}-seed{seed}"
    return PlannedRun(run_name, title, "beyond", config, *PUBLISHED_LIKELIHOOD)


def _planned_run(
    name: str,
    chapter: Chapter,
    latent_dim: int,
    *,
    seed: int = SEEDS[0],
    amount: float | None = None,
) -> PlannedRun:
    changes: dict[str, object] = {"latent_dim": latent_dim}
    run_name = f"{name}-d{latent_dim}"
    if amount is not None:
        changes["corruption_amount"] = amount
        run_name += f"-noise{amount:g}"
    if name != "pca":
        changes["seed"] = seed
        run_name += f"-seed{seed}"
    if name == CONTROL:
        config = preset("vae").replace(preset=CONTROL, variational=False, **changes)
        return PlannedRun(run_name, "Bernoulli autoencoder without a prior", chapter, config)
    return PlannedRun(run_name, PRESETS[name].title, chapter, preset(name).replace(**changes))


def _shorten(entry: PlannedRun) -> PlannedRun:
    config = entry.config.replace(steps=min(entry.config.training.steps, QUICK_STEPS))
    return PlannedRun(f"{entry.name}-quick", entry.title, entry.chapter, config)
