"""The parts that all claims share: the form of a verdict, and what makes a dimension good."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from trainers.reproduction import thresholds as at
from trainers.reproduction.intervals import (
    Verdict,
    all_hold,
    decide_at_least,
    decide_at_most,
    interval_of_mean,
)
from trainers.reproduction.plan import QUICK_STEPS, SWEEP
from trainers.reproduction.result_index import knn_accuracy, linear_probe_accuracy

if TYPE_CHECKING:
    from trainers.reproduction.result_index import CollectedResults, FinishedRun


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
    decision: Verdict | bool,
    lacking: list[str],
    reasons: list[str],
) -> Claim:
    """Returns the claim with its verdict; "open" with missing runs or numbers, or quick runs.

    `decision` is a bool if the test has no spread over seeds.
    """
    sentences = list(reasons)
    if lacking:
        sentences.append(f"Not trained yet: {', '.join(lacking)}.")
    if collected.quick:
        sentences.append(f"Quick runs of {QUICK_STEPS:,} steps decide nothing.")
    is_open = bool(lacking) or collected.quick or not reasons
    if isinstance(decision, bool):
        decision = "holds" if decision else "does not hold"
    verdict: Verdict = "open" if is_open else decision
    return Claim(key, statement, test, verdict, tuple(sentences))


def missing_names(collected: CollectedResults, *methods: tuple[str, int]) -> list[str]:
    """Returns the names of the planned runs of these methods and dimensions without a result."""
    return [e.name for e in collected.missing_runs if (e.config.preset, e.latent_dim) in methods]


def format_percent(share: float, places: int = 1) -> str:
    """Returns a share as text in percent."""
    return f"{100 * share:.{places}f} %"


def good_dimensions(collected: CollectedResults) -> dict[int, Verdict]:
    """Returns for each dimension of the sweep whether its ELU codes are good.

    A code is good when all three tests hold on the mean over seeds. Every test is decided by an
    interval, so a dimension can be open. Dimensions without runs are left out.
    """
    nearest = {d: collected.values_by_seed(knn_accuracy, "elu", d) for d in SWEEP}
    nearest = {d: values for d, values in nearest.items() if values}
    if not nearest or collected.pixels is None:
        return {}
    best = max(nearest.values(), key=lambda values: sum(values.values()) / len(values))
    return {d: _is_good(collected, d, values, best) for d, values in nearest.items()}


def _is_good(
    collected: CollectedResults, d: int, nearest: dict[int, float], best: dict[int, float]
) -> Verdict:
    behind = [best[seed] - value for seed, value in nearest.items() if seed in best]
    linear = collected.values_by_seed(linear_probe_accuracy, "elu", d)
    ratios = [ratio for f in collected.runs("elu", d) if isfinite(ratio := pca_ratio(collected, f))]
    pixels = collected.pixels.linear if collected.pixels else 0.0
    return all_hold(
        (
            decide_at_most(interval_of_mean(behind), at.SATURATED),
            decide_at_least(interval_of_mean([*linear.values()]), pixels - at.READABLE),
            decide_at_most(interval_of_mean(ratios), at.WORTHWHILE),
        )
    )


def pca_ratio(collected: CollectedResults, finished: FinishedRun) -> float:
    """Returns the error divided by that of PCA of the same dimension; infinite without PCA."""
    floor = collected.first_run("pca", finished.entry.latent_dim)
    return finished.squared_error / floor.squared_error if floor else float("inf")
