"""What every claim is judged with: the verdict's form, and when two methods differ."""

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
        Its name in the CSV.
    statement
        What is claimed.
    test
        What decides it, thresholds included.
    verdict
        What the numbers give.
    reasons
        The numbers, a sentence each.
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
    """The claim, open where runs or their figures are lacking, or the runs were the short ones."""
    told = list(reasons)
    if lacking:
        told.append(f"Not trained yet: {', '.join(lacking)}.")
    if collected.quick:
        told.append(f"Quick runs of {QUICK_STEPS:,} steps decide nothing.")
    is_open = bool(lacking) or collected.quick or not reasons
    verdict: Verdict = "open" if is_open else "holds" if holds else "does not hold"
    return Claim(key, statement, test, verdict, tuple(told))


def missing_names(collected: CollectedResults, *wanted: tuple[str, int]) -> list[str]:
    """Names of the entries of these methods and dimensions that have no result."""
    return [e.name for e in collected.missing if (e.config.preset, e.latent_dim) in wanted]


def format_percent(share: float, places: int = 1) -> str:
    """A share as a percentage."""
    return f"{100 * share:.{places}f} %"


def are_apart(first: Spread, second: Spread, least: float) -> bool:
    """Whether two methods differ: by more than `least`, and by more than their seeds do."""
    gap = abs(first.mean - second.mean)
    return gap > least and gap > at.SPREADS_APART * max(first.half_range, second.half_range)


def good_dimensions(collected: CollectedResults) -> tuple[int, ...]:
    """Dimensions of the sweep whose ELU codes pass all three tests of a good one."""
    found, pixels = collected.sweep("elu"), collected.pixels
    if not found or pixels is None:
        return ()
    best = max(knn_accuracy(f) for f in found)
    return tuple(
        f.entry.latent_dim
        for f in found
        if knn_accuracy(f) >= best - at.SATURATED
        and linear_probe_accuracy(f) >= pixels.linear - at.READABLE
        and pca_ratio(collected, f) <= at.WORTHWHILE
    )


def pca_ratio(collected: CollectedResults, finished: FinishedRun) -> float:
    """Error over that of PCA with as many codes; infinite where there is no PCA to compare."""
    floor = collected.first_run("pca", finished.entry.latent_dim)
    return finished.squared_error / floor.squared_error if floor else float("inf")
