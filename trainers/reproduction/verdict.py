"""The parts that all claims share: the form of a verdict, and the test whether methods differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from trainers.reproduction import thresholds as at
from trainers.reproduction.plan import QUICK_STEPS
from trainers.reproduction.result_index import knn_accuracy, linear_probe_accuracy

if TYPE_CHECKING:
    from trainers.reproduction.result_index import CollectedResults, FinishedRun, Spread

Verdict = Literal["holds", "does not hold", "open"]


@dataclass(frozen=True)
class Claim:
    """A claim and its verdict.

    Attributes
    ----------
    key
        The name of the claim in the CSV.
    statement
        The claim as a sentence.
    test
        The test that decides it, with its thresholds.
    verdict
        The result of the test.
    reasons
        The numbers behind the verdict, one sentence each.
    """

    key: str
    statement: str
    test: str
    verdict: Verdict
    reasons: tuple[str, ...]


def judge(
    collected: CollectedResults,
    key: str,
    statement: str,
    test: str,
    *,
    holds: bool,
    lacking: list[str],
    reasons: list[str],
) -> Claim:
    """Returns the claim with its verdict; "open" with missing runs or numbers, or quick runs."""
    sentences = list(reasons)
    if lacking:
        sentences.append(f"Not trained yet: {', '.join(lacking)}.")
    if collected.quick:
        sentences.append(f"Quick runs of {QUICK_STEPS:,} steps decide nothing.")
    is_open = bool(lacking) or collected.quick or not reasons
    verdict: Verdict = "open" if is_open else "holds" if holds else "does not hold"
    return Claim(key, statement, test, verdict, tuple(sentences))


def missing_names(collected: CollectedResults, *methods: tuple[str, int]) -> list[str]:
    """Returns the names of the planned runs of these methods and dimensions without a result."""
    return [e.name for e in collected.missing_runs if (e.config.preset, e.latent_dim) in methods]


def format_percent(share: float, places: int = 1) -> str:
    """Returns a share as text in percent."""
    return f"{100 * share:.{places}f} %"


def are_apart(first: Spread, second: Spread, least: float) -> bool:
    """Returns whether two methods differ by more than `least` and by more than their seeds do."""
    gap = abs(first.mean - second.mean)
    return gap > least and gap > at.SPREADS_APART * max(first.half_range, second.half_range)


def good_dimensions(collected: CollectedResults) -> tuple[int, ...]:
    """Returns the dimensions of the sweep whose ELU codes pass all three tests of a good code."""
    runs, pixels = collected.sweep("elu"), collected.pixels
    if not runs or pixels is None:
        return ()
    best = max(knn_accuracy(f) for f in runs)
    return tuple(
        f.entry.latent_dim
        for f in runs
        if knn_accuracy(f) >= best - at.SATURATED
        and linear_probe_accuracy(f) >= pixels.linear - at.READABLE
        and pca_ratio(collected, f) <= at.WORTHWHILE
    )


def pca_ratio(collected: CollectedResults, finished: FinishedRun) -> float:
    """Returns the error divided by that of PCA of the same dimension; infinite without PCA."""
    floor = collected.first_run("pca", finished.entry.latent_dim)
    return finished.squared_error / floor.squared_error if floor else float("inf")
