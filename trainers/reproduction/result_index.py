"""The existing results, looked up by method and dimension instead of by name. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainers.errors import RunError
from trainers.models import added_families
from trainers.presets import PRESETS
from trainers.reproduction import result_files
from trainers.reproduction.plan import (
    CONTROL,
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
"""The presets that the paper compares at d = 5, and the families added to them."""

NON_LINEAR = ("sigmoid", "relu", "elu")
"""The presets that the paper calls virtually indistinguishable."""

NAMES = {
    "pca": "PCA",
    "linear": "Linear",
    "sigmoid": "Sigmoid",
    "relu": "ReLU",
    "elu": "ELU",
    "vae": "VAE",
    CONTROL: "Bernoulli, no prior",
    "conv-vae": "Conv. VAE",
    "denoising": "Denoising",
    "hinton30": "Deep autoencoder",
    "burda50": "Binarised VAE",
    **{name: PRESETS[name].title for name in added_families()},
}
"""Short names of the presets for figures."""


@dataclass(frozen=True)
class Spread:
    """Values of several seeds: their mean, and half of their range (maximum minus minimum)."""

    mean: float
    half_range: float
    count: int


def spread(values: Iterable[float | None]) -> Spread | None:
    """Returns mean and half range of the values that are not None; None without any."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Spread(sum(known) / len(known), (max(known) - min(known)) / 2, len(known))


@dataclass(frozen=True)
class FinishedRun:
    """A planned run with its result."""

    entry: PlannedRun
    result: Result

    @property
    def squared_error(self) -> float:
        """The squared error per test image at the end of training."""
        return self.result.measurement.reconstruction.squared_error


@dataclass(frozen=True)
class CollectedResults:
    """The plan and its existing results.

    Attributes
    ----------
    plan
        All planned runs.
    finished
        The runs that have a result, in the order of the plan.
    folder
        The folder of results.
    quick
        Whether the plan is the quick one.
    """

    plan: tuple[PlannedRun, ...]
    finished: tuple[FinishedRun, ...]
    folder: Path
    quick: bool

    @property
    def notice(self) -> str:
        """The notice for figures and tables; empty for runs of full length."""
        return QUICK_NOTICE if self.quick else ""

    @property
    def missing_runs(self) -> tuple[PlannedRun, ...]:
        """The planned runs without a result."""
        there = {f.entry.name for f in self.finished}
        return tuple(entry for entry in self.plan if entry.name not in there)

    def runs(
        self, preset: str, latent_dim: int = LATENT_DIM, noise: float | None = None
    ) -> tuple[FinishedRun, ...]:
        """Returns the finished runs of a method, one per seed.

        `noise` selects the denoising runs that were trained with it.
        """
        return tuple(
            f
            for f in self.finished
            if f.entry.config.preset == preset
            and f.entry.latent_dim == latent_dim
            and (noise is None or f.entry.config.training.corruption_amount == noise)
        )

    def first_run(
        self, preset: str, latent_dim: int = LATENT_DIM, noise: float | None = None
    ) -> FinishedRun | None:
        """Returns the method's run of the first seed, or None if it is missing."""
        found = self.runs(preset, latent_dim, noise)
        return next((f for f in found if preset == "pca" or f.entry.seed == SEEDS[0]), None)

    def single_run(self, preset: str) -> FinishedRun | None:
        """Returns the run of a method that the plan trains once, or None if it is missing."""
        return next((f for f in self.finished if f.entry.config.preset == preset), None)

    def sweep(self, preset: str) -> tuple[FinishedRun, ...]:
        """Returns a method's runs of the first seed by ascending dimension."""
        found = (self.first_run(preset, latent_dim) for latent_dim in SWEEP)
        return tuple(f for f in found if f is not None)

    def is_complete(self, preset: str, latent_dim: int = LATENT_DIM) -> bool:
        """Returns whether all planned runs of a method are finished."""
        planned = [e for e in self.plan if e.config.preset == preset and e.latent_dim == latent_dim]
        return bool(planned) and len(self.runs(preset, latent_dim)) == len(planned)

    def spread_over_seeds(
        self,
        value: Callable[[FinishedRun], float | None],
        preset: str,
        latent_dim: int = LATENT_DIM,
    ) -> Spread | None:
        """Returns the spread of a value over the seeds of a method."""
        return spread(value(f) for f in self.runs(preset, latent_dim))

    def values_by_seed(
        self,
        value: Callable[[FinishedRun], float | None],
        preset: str,
        latent_dim: int = LATENT_DIM,
        noise: float | None = None,
    ) -> dict[int, float]:
        """Returns a value of each finished run of a method, by seed; missing values are absent."""
        found = ((f.entry.seed, value(f)) for f in self.runs(preset, latent_dim, noise))
        return {seed: number for seed, number in found if number is not None}

    @property
    def pixels(self) -> Probes | None:
        """The accuracies of the probes on raw pixels, which are the same for all runs."""
        return next((codes_of(f).pixels for f in self.finished), None)


def codes_of(finished: FinishedRun) -> CodesFigures:
    """Returns the measured values of a run's codes."""
    return finished.result.measurement.codes


def probes_of(finished: FinishedRun) -> Probes:
    """Returns the accuracies of the probes on a run's codes.

    Raises
    ------
    RunError
        When the run was measured without labels.
    """
    probes = codes_of(finished).codes
    if probes is None:
        raise RunError(
            f"The run {finished.entry.name!r} was measured without labels. Measure it again."
        )
    return probes


def knn_accuracy(finished: FinishedRun) -> float:
    """Returns the accuracy of k nearest neighbours on a run's codes."""
    return probes_of(finished).nearest_neighbours


def linear_probe_accuracy(finished: FinishedRun) -> float:
    """Returns the accuracy of the linear probe on a run's codes."""
    return probes_of(finished).linear


def eight_bit_code(finished: FinishedRun) -> StoredCode | None:
    """Returns the measurement of a run's codes stored with 8 bits per number."""
    stored = finished.result.measurement.compression
    return next((code for code in stored if code.storage == "8 bits"), None)


def denoising_at(finished: FinishedRun, noise: float) -> Denoising | None:
    """Returns the measurement of a run on digits with this Gaussian noise."""
    measured = finished.result.measurement.denoising
    gaussian = (d for d in measured if d.corruption == "gaussian")
    return next((d for d in gaussian if abs(d.noise - noise) < 1e-9), None)


def collect_results(
    folder: Path, *, quick: bool, plan: Sequence[PlannedRun] | None = None
) -> CollectedResults:
    """Reads the existing results of the plan from a folder of results.

    Raises
    ------
    RunError
        When a result is damaged.
    """
    planned = tuple(planned_runs(quick=quick) if plan is None else plan)
    results = result_files.read_results(folder, planned)
    finished = tuple(FinishedRun(e, results[e.name]) for e in planned if e.name in results)
    return CollectedResults(planned, finished, folder, quick)
