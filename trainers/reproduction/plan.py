"""Which runs answer the paper. Loads no torch."""

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
"""Why a run is there: the paper trained it, supposed it, or a later paper is measured against."""

LATENT_DIM = 5
"""The paper's codes."""

SWEEP = (2, 3, 5, 10, 20, 30, 50, 100)
"""Dimensions of the code, for the claim that good ones have 10 < N < 100."""

NOISE = (0.1, 0.3, 0.5, 0.8)
"""Standard deviations of the denoising autoencoder's noise; full ink is 1."""

SEEDS = (1, 2, 3)
"""Seeds where a claim compares two numbers; elsewhere the first."""

PUBLISHED_LIKELIHOOD = (5_000, 10_000)
"""Codes an image, and test images, of the figure by Burda et al. (2015)."""

QUICK_STEPS = 2_000
QUICK_NOTICE = f"quick: {QUICK_STEPS:,} steps, not the paper's 50,000"
"""The notice on every figure and table that is made from short runs."""


@dataclass(frozen=True)
class PlannedRun:
    """One run of the reproduction.

    Attributes
    ----------
    name
        What its run is called, in the runs folder and in the report.
    title
        The method, as a table names it: "ELU autoencoder".
    chapter
        Why it is there.
    config
        What is trained.
    samples, images
        Codes an image, and test images, that its log p is measured with.
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
        """Numbers in its code."""
        return self.config.model.latent_dim

    @property
    def steps(self) -> int:
        """Steps to its end."""
        return self.config.steps

    @property
    def work(self) -> float:
        """About how long it takes, in steps of the paper's autoencoder."""
        return cost(self.config)


def planned_runs(*, quick: bool = False) -> tuple[PlannedRun, ...]:
    """Every run of the reproduction, those that the paper's own figures need first.

    Parameters
    ----------
    quick
        2,000 steps each, one seed: to see that all of it works, not to believe its numbers.
    """
    found = (entry for entry in _all_runs() if not quick or entry.seed <= SEEDS[0])
    return tuple(_shorten(entry) if quick else entry for entry in found)


def _all_runs() -> Iterator[PlannedRun]:
    yield _planned_run("pca", "paper", LATENT_DIM)
    for name in ("elu", "linear", "relu", "sigmoid", "vae", "conv-vae"):
        yield _planned_run(name, "paper", LATENT_DIM)
    for name in added_families():
        yield _planned_run(name, "paper", LATENT_DIM)
    for latent_dim in SWEEP:
        if latent_dim != LATENT_DIM:
            yield _planned_run("pca", "sweep", latent_dim)
            yield _planned_run("elu", "sweep", latent_dim)
    for name in ("hinton30", "burda50"):
        yield PlannedRun(
            f"{name}-seed{SEEDS[0]}",
            PRESETS[name].title,
            "beyond",
            preset(name).replace(seed=SEEDS[0]),
            *PUBLISHED_LIKELIHOOD,
        )
    for amount in NOISE:
        yield _planned_run("denoising", "denoising", LATENT_DIM, amount=amount)
    for seed in SEEDS[1:]:
        for name in ("elu", "relu", "sigmoid", "linear"):
            yield _planned_run(name, "paper", LATENT_DIM, seed=seed)


def _planned_run(
    name: str,
    chapter: Chapter,
    latent_dim: int,
    *,
    seed: int = SEEDS[0],
    amount: float | None = None,
) -> PlannedRun:
    changes: dict[str, object] = {"latent_dim": latent_dim}
    called = f"{name}-d{latent_dim}"
    if amount is not None:
        changes["corruption_amount"] = amount
        called += f"-noise{amount:g}"
    if name != "pca":
        changes["seed"] = seed
        called += f"-seed{seed}"
    return PlannedRun(called, PRESETS[name].title, chapter, preset(name).replace(**changes))


def _shorten(entry: PlannedRun) -> PlannedRun:
    config = entry.config.replace(steps=min(entry.config.training.steps, QUICK_STEPS))
    return PlannedRun(f"{entry.name}-quick", entry.title, entry.chapter, config)
