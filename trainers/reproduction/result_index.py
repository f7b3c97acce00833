"""The results that are there, asked by method and dimension instead of by name. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainers.errors import RunError
from trainers.models import added_families
from trainers.presets import PRESETS
from trainers.reproduction import result_files
from trainers.reproduction.plan import (
    LATENT_DIM,
    QUICK_NOTICE,
    SEEDS,
    SWEEP,
    PlannedRun,
    planned_runs,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from trainers.evaluation.measurement import CodesFigures, Denoising, Probes, StoredCode
    from trainers.reproduction.result_files import Result

METHODS = ("pca", "linear", "sigmoid", "relu", "elu", "vae", "conv-vae", *added_families())
"""Presets that the paper compares at d = 5, and families that came to them."""

NON_LINEAR = ("sigmoid", "relu", "elu")
"""Presets that the paper calls virtually indistinguishable."""

NAMES = {
    "pca": "PCA",
    "linear": "Linear",
    "sigmoid": "Sigmoid",
    "relu": "ReLU",
    "elu": "ELU",
    "vae": "VAE",
    "conv-vae": "Conv. VAE",
    "denoising": "Denoising",
    "hinton30": "Deep autoencoder",
    "burda50": "Binarised VAE",
    **{name: PRESETS[name].title for name in added_families()},
}
"""Presets as a figure has room to call them."""


@dataclass(frozen=True)
class Spread:
    """Values of several seeds: their mean, and half of the range between the outermost."""

    mean: float
    half_range: float
    count: int


def spread(values: Iterable[float | None]) -> Spread | None:
    """Mean and half range of the values that are there; None where there is none."""
    found = [value for value in values if value is not None]
    if not found:
        return None
    return Spread(sum(found) / len(found), (max(found) - min(found)) / 2, len(found))


@dataclass(frozen=True)
class FinishedRun:
    """An entry of the plan whose result is there."""

    entry: PlannedRun
    result: Result

    @property
    def squared_error(self) -> float:
        """Squared error per test image at the end."""
        return self.result.measurement.reconstruction.squared_error


@dataclass(frozen=True)
class CollectedResults:
    """The plan, and what is there of it.

    Attributes
    ----------
    plan
        Every entry.
    found
        Those that are finished, in the plan's order.
    folder
        Where the results lie.
    quick
        Whether the plan is the short one.
    """

    plan: tuple[PlannedRun, ...]
    found: tuple[FinishedRun, ...]
    folder: Path
    quick: bool

    @property
    def notice(self) -> str:
        """The notice for figures and tables; empty where the runs have their full length."""
        return QUICK_NOTICE if self.quick else ""

    @property
    def missing(self) -> tuple[PlannedRun, ...]:
        """Entries without a result."""
        there = {f.entry.name for f in self.found}
        return tuple(entry for entry in self.plan if entry.name not in there)

    def runs(
        self, preset: str, latent_dim: int = LATENT_DIM, noise: float | None = None
    ) -> tuple[FinishedRun, ...]:
        """The finished runs of a method, a seed each; `noise` chooses among the denoising ones."""
        return tuple(
            f
            for f in self.found
            if f.entry.config.preset == preset
            and f.entry.latent_dim == latent_dim
            and (noise is None or f.entry.config.training.corruption_amount == noise)
        )

    def first_run(
        self, preset: str, latent_dim: int = LATENT_DIM, noise: float | None = None
    ) -> FinishedRun | None:
        """The method's run of the first seed; None where it is missing."""
        found = self.runs(preset, latent_dim, noise)
        return next((f for f in found if preset == "pca" or f.entry.seed == SEEDS[0]), None)

    def single_run(self, preset: str) -> FinishedRun | None:
        """The run of a method that the plan trains once."""
        return next((f for f in self.found if f.entry.config.preset == preset), None)

    def sweep(self, preset: str) -> tuple[FinishedRun, ...]:
        """The first seed's runs of a method, by ascending dimension."""
        found = (self.first_run(preset, latent_dim) for latent_dim in SWEEP)
        return tuple(f for f in found if f is not None)

    def is_complete(self, preset: str, latent_dim: int = LATENT_DIM) -> bool:
        """Whether every run that the plan has of a method is finished."""
        wanted = [e for e in self.plan if e.config.preset == preset and e.latent_dim == latent_dim]
        return bool(wanted) and len(self.runs(preset, latent_dim)) == len(wanted)

    def spread_over_seeds(
        self,
        value: Callable[[FinishedRun], float | None],
        preset: str,
        latent_dim: int = LATENT_DIM,
    ) -> Spread | None:
        """A figure of a method over its seeds."""
        return spread(value(f) for f in self.runs(preset, latent_dim))

    @property
    def pixels(self) -> Probes | None:
        """What the probes read off raw pixels: the same of every run."""
        return next((codes_of(f).pixels for f in self.found), None)


def codes_of(finished: FinishedRun) -> CodesFigures:
    """What the codes of a run know of the digits."""
    return finished.result.measurement.codes


def probes_of(finished: FinishedRun) -> Probes:
    """What the probes read off a run's codes."""
    found = codes_of(finished).codes
    if found is None:
        raise RunError(f"{finished.entry.name} was measured without labels; measure it again.")
    return found


def knn_accuracy(finished: FinishedRun) -> float:
    """Accuracy of the nearest neighbours among a run's codes."""
    return probes_of(finished).nearest_neighbours


def linear_probe_accuracy(finished: FinishedRun) -> float:
    """Accuracy of the linear probe on a run's codes."""
    return probes_of(finished).linear


def eight_bit_code(finished: FinishedRun) -> StoredCode | None:
    """A run's codes stored in 8 bits a number."""
    stored = finished.result.measurement.compression
    return next((code for code in stored if code.storage == "8 bits"), None)


def denoising_at(finished: FinishedRun, noise: float) -> Denoising | None:
    """What a run makes of digits with that noise."""
    measured = finished.result.measurement.denoising
    return next((d for d in measured if abs(d.noise - noise) < 1e-9), None)


def collect_results(
    folder: Path, *, quick: bool, plan: Sequence[PlannedRun] | None = None
) -> CollectedResults:
    """Reads every result of the plan that a folder of results holds.

    Raises
    ------
    RunError
        When a result is damaged.
    """
    wanted = tuple(planned_runs(quick=quick) if plan is None else plan)
    there = result_files.read_results(folder, wanted)
    found = tuple(FinishedRun(e, there[e.name]) for e in wanted if e.name in there)
    return CollectedResults(wanted, found, folder, quick)
