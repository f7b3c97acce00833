"""The claims of the paper, and a verdict on each of them from the results.

Every verdict follows from a named threshold, which the report states. A verdict is "open" when a
run that it needs is missing, when the spread over seeds does not decide, and always for quick runs.
"""

from __future__ import annotations

from itertools import combinations
from statistics import fmean
from typing import TYPE_CHECKING

from trainers.reproduction import thresholds as at
from trainers.reproduction.intervals import (
    EQUIVALENCE_CONFIDENCE,
    Interval,
    all_hold,
    decide_at_least,
    decide_at_most,
    decide_equivalent,
    interval_of_difference,
    interval_of_mean,
)
from trainers.reproduction.plan import CONTROL, LATENT_DIM, NOISE, PUBLISHED_LIKELIHOOD, SWEEP
from trainers.reproduction.result_index import (
    NAMES,
    NON_LINEAR,
    Spread,
    denoising_at,
    eight_bit_code,
    knn_accuracy,
    linear_probe_accuracy,
)
from trainers.reproduction.verdict import (
    Claim,
    format_percent,
    good_dimensions,
    judge,
    missing_names,
    pca_ratio,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainers.reproduction.intervals import Verdict
    from trainers.reproduction.result_index import CollectedResults, FinishedRun


def judge_claims(collected: CollectedResults) -> tuple[Claim, ...]:
    """Returns every claim of the paper, then two claims about results of later papers."""
    judges = (
        _plane,
        _indistinguishable,
        _good_dimensions,
        _beats_pca,
        _classifier,
        _compress,
        _prior,
        _denoising,
        _hinton,
        _burda,
    )
    return tuple(judge(collected) for judge in judges)


def _plane(collected: CollectedResults) -> Claim:
    found = [
        (f.entry.seed, s)
        for f in collected.runs("linear")
        if (s := f.result.measurement.subspace) is not None
    ]
    angles = {seed: max(figures.principal_angles) for seed, figures in found}
    return judge(
        collected,
        "plane",
        "A linear autoencoder learns PCA's plane.",
        f"For every seed, the largest principal angle between the decoder's span and PCA's plane "
        f"is at most {at.LARGEST_ANGLE:g}°, and the test error at most {at.FLOOR_MARGIN:g} times "
        "PCA's.",
        decision=bool(found)
        and max(angles.values()) <= at.LARGEST_ANGLE
        and max(figures.ratio for _, figures in found) <= at.FLOOR_MARGIN,
        lacking=missing_names(collected, ("linear", LATENT_DIM)),
        reasons=[
            f"Seed {seed}: largest angle {angles[seed]:.2f}°, error {figures.ratio:.4f} × PCA's."
            for seed, figures in found
        ],
    )


def _indistinguishable(collected: CollectedResults) -> Claim:
    errors = _values(collected, lambda f: f.squared_error)
    accuracies = _values(collected, knn_accuracy)
    reasons: list[str] = []
    parts: list[Verdict] = []
    for a, b in combinations(errors, 2):
        margin = at.ERROR_APART * min(fmean(errors[a]), fmean(errors[b]))
        gap = interval_of_difference(errors[a], errors[b])
        code_gap = interval_of_difference(accuracies[a], accuracies[b])
        pair = decide_equivalent(gap, margin), decide_equivalent(code_gap, at.ACCURACY_APART)
        parts += pair
        if gap is not None and code_gap is not None:
            reasons.append(
                f"{NAMES[a]} against {NAMES[b]}: errors differ by {gap.text('+.2f')} per image, "
                f"margin {margin:.2f} ({_EQUIVALENCE[pair[0]]}); k-NN accuracies by "
                f"{code_gap.text('+.4f')}, margin {at.ACCURACY_APART:g} ({_EQUIVALENCE[pair[1]]})."
            )
    if reasons:
        reasons.append(
            "The paper means the pictures: figure 3 of this report shows the digits that it "
            "compares. This test is about errors and codes."
        )
    return judge(
        collected,
        "indistinguishable",
        "The non-linear autoencoders are virtually indistinguishable.",
        "Every two of sigmoid, ReLU and ELU are equivalent, in test error and in the k-NN accuracy "
        f"of their codes: the {EQUIVALENCE_CONFIDENCE:.0%} interval of the difference of the means "
        f"over seeds (Welch) lies within a margin of {format_percent(at.ERROR_APART, 0)} of the "
        f"smaller error, or {at.ACCURACY_APART * 100:g} percentage point of accuracy. They differ "
        "if an interval lies wholly beyond its margin.",
        decision=all_hold(parts),
        lacking=missing_names(collected, *((name, LATENT_DIM) for name in NON_LINEAR)),
        reasons=reasons,
    )


_EQUIVALENCE = {"holds": "equivalent", "does not hold": "apart", "open": "not decided"}


def _values(
    collected: CollectedResults, value: Callable[[FinishedRun], float]
) -> dict[str, list[float]]:
    """Returns a value of each seed, by non-linear method; methods without runs are left out."""
    found = {name: [*collected.values_by_seed(value, name).values()] for name in NON_LINEAR}
    return {name: values for name, values in found.items() if values}


def _non_linear_spreads(
    collected: CollectedResults, value: Callable[[FinishedRun], float]
) -> dict[str, Spread]:
    found = {name: collected.spread_over_seeds(value, name) for name in NON_LINEAR}
    return {name: figure for name, figure in found.items() if figure is not None}


def _good_dimensions(collected: CollectedResults) -> Claim:
    low, high = at.GOOD_DIMENSIONS
    good, found = good_dimensions(collected), collected.sweep("elu")
    reasons = [
        f"d = {f.entry.latent_dim}, seed 1: k-NN {format_percent(knn_accuracy(f))}, linear probe "
        f"{format_percent(linear_probe_accuracy(f))}, error {pca_ratio(collected, f):.2f} × PCA's"
        f"{_GOOD[good.get(f.entry.latent_dim, 'open')]}"
        for f in found
    ]
    if found:
        for verdict, name in (("open", "Undecided"), ("holds", "Good")):
            called = ", ".join(str(d) for d, of_d in good.items() if of_d == verdict) or "none"
            reasons.insert(0, f"{name} dimensions of the sweep: {called}.")
    return judge(
        collected,
        "good-dimensions",
        f"A good latent space has {low} < N < {high} dimensions.",
        f"Call a code good when its k-NN accuracy is within {at.SATURATED * 100:g} percentage "
        f"point of the sweep's best, a linear probe reads it as well as raw pixels, within "
        f"{at.READABLE * 100:g} point, and its error is at most {at.WORTHWHILE:g} times that of "
        "PCA with as many numbers, each by the 95 % interval over seeds. Some dimension between "
        f"{low} and {high} is good, and none below {low} or above {high} is. A good dimension of "
        f"exactly {low} or {high} leaves the claim open: a round bound does not decide about it.",
        decision=_bounds_hold(good),
        lacking=_missing_in_sweep(collected),
        reasons=reasons,
    )


_GOOD = {"holds": ": good.", "does not hold": ".", "open": ": open."}


def _bounds_hold(good: dict[int, Verdict]) -> Verdict:
    """Returns the verdict on the bounds of the good dimensions."""
    low, high = at.GOOD_DIMENSIONS
    inside = {verdict for d, verdict in good.items() if low < d < high}
    outside = {verdict for d, verdict in good.items() if d < low or d > high}
    on_bound = {verdict for d, verdict in good.items() if d in (low, high)}
    if "holds" in outside or not inside & {"holds", "open"}:
        return "does not hold"
    is_open = "open" in outside or "holds" not in inside or on_bound & {"holds", "open"}
    return "open" if is_open else "holds"


def _missing_in_sweep(collected: CollectedResults) -> list[str]:
    """Returns the names of the missing runs of the sweep, of all seeds."""
    return missing_names(collected, *((p, d) for p in ("elu", "pca") for d in SWEEP))


def _beats_pca(collected: CollectedResults) -> Claim:
    dimensions = [d for d in SWEEP if collected.first_run("pca", d) and collected.runs("elu", d)]
    ratios = {d: [pca_ratio(collected, f) for f in collected.runs("elu", d)] for d in dimensions}
    ratios_text = ", ".join(f"{fmean(values):.3f} (d = {d})" for d, values in ratios.items())
    return judge(
        collected,
        "beats-pca",
        "A non-linear autoencoder beats PCA of the same dimension.",
        "The ELU autoencoder's test error is below PCA's at every dimension of the sweep, by the "
        "95 % interval over seeds.",
        decision=all_hold(decide_at_most(interval_of_mean(v), 1) for v in ratios.values()),
        lacking=_missing_in_sweep(collected),
        reasons=[f"Error over PCA's, mean over seeds: {ratios_text}."] if ratios_text else [],
    )


def _classifier(collected: CollectedResults) -> Claim:
    accuracies, pixels = _non_linear_spreads(collected, knn_accuracy), collected.pixels
    probes = _non_linear_spreads(collected, linear_probe_accuracy)
    decision: Verdict = "open"
    reasons: list[str] = []
    if pixels is not None and accuracies:
        bound = at.CLASSIFIER_SHARE * pixels.nearest_neighbours
        values = _values(collected, knn_accuracy).values()
        decision = all_hold(decide_at_least(interval_of_mean(v), bound) for v in values)
        reasons = [
            f"{NAMES[name]}: k-NN {format_percent(figure.mean)}, linear probe "
            f"{format_percent(probes[name].mean)}."
            for name, figure in accuracies.items()
        ]
        reasons.append(
            f"Raw pixels: k-NN {format_percent(pixels.nearest_neighbours)}, linear probe "
            f"{format_percent(pixels.linear)}."
        )
    return judge(
        collected,
        "classifier",
        "Codes serve as the input of a classifier.",
        f"With {LATENT_DIM} numbers, k-NN on the codes of each of sigmoid, ReLU and ELU reaches "
        f"{format_percent(at.CLASSIFIER_SHARE, 0)} of its accuracy on the 784 raw pixels, by the "
        "95 % interval over seeds.",
        decision=decision,
        lacking=missing_names(collected, *((name, LATENT_DIM) for name in NON_LINEAR)),
        reasons=reasons,
    )


def _missing_plain(collected: CollectedResults) -> list[str]:
    """Returns the name of the plain ELU run of the first seed if it has no result."""
    gone = missing_names(collected, ("elu", LATENT_DIM))
    return gone[:1] if collected.first_run("elu") is None else []


def _compress(collected: CollectedResults) -> Claim:
    run = collected.first_run("elu")
    code = eight_bit_code(run) if run else None
    holds, reasons = False, []
    if run is not None and code is not None:
        added = code.added_error / run.squared_error
        holds = code.ratio >= at.COMPRESSION and added <= at.ADDED_SHARE
        reasons = [
            f"ELU, d = {LATENT_DIM}, 8 bits: {code.code_bytes} bytes for 784, {code.ratio:.0f} to "
            f"1; storing adds {format_percent(added)} to an error of {run.squared_error:.2f} per "
            "image.",
            "The compression is lossy: that error itself is its price.",
        ]
    return judge(
        collected,
        "compress",
        "Codes compress.",
        f"The ELU autoencoder's code of {LATENT_DIM} numbers, stored in 8 bits each, is at least "
        f"{at.COMPRESSION:g} times smaller than the image and adds at most "
        f"{format_percent(at.ADDED_SHARE, 0)} to the squared error.",
        decision=holds,
        lacking=_missing_plain(collected),
        reasons=reasons,
    )


def _prior(collected: CollectedResults) -> Claim:
    vae, control = (
        collected.values_by_seed(lambda f: f.squared_error, name) for name in ("vae", CONTROL)
    )
    price = interval_of_mean([vae[seed] / control[seed] for seed in vae if seed in control])
    reasons = []
    if price is not None:
        reasons = [
            f"VAE {fmean(vae.values()):.2f} per image, the same autoencoder without a prior "
            f"{fmean(control.values()):.2f}: {price.text('.3f')} times, seed by seed.",
            "Both have the Bernoulli likelihood and the same layers; only the prior differs.",
        ]
    return judge(
        collected,
        "prior",
        "The VAE pays for its prior with its reconstructions.",
        f"The VAE's squared error on test images is at least {at.PRICE:g} times that of the same "
        "Bernoulli autoencoder without a prior, by the 95 % interval over seeds.",
        decision=decide_at_least(price, at.PRICE),
        lacking=missing_names(collected, ("vae", LATENT_DIM), (CONTROL, LATENT_DIM)),
        reasons=reasons,
    )


def _denoising(collected: CollectedResults) -> Claim:
    plain = {f.entry.seed: f for f in collected.runs("elu")}
    reasons: list[str] = []
    parts: list[Verdict] = []
    for amount in NOISE:
        pairs = [
            (ours.squared_error, theirs.squared_error, plain[f.entry.seed].squared_error)
            for f in collected.runs("denoising", noise=amount)
            if f.entry.seed in plain
            and (ours := denoising_at(f, amount)) is not None
            and (theirs := denoising_at(plain[f.entry.seed], amount)) is not None
        ]
        share = interval_of_mean([ours / clean for ours, _, clean in pairs])
        gap = interval_of_mean([ours - theirs for ours, theirs, _ in pairs])
        parts += decide_at_most(share, at.ROBUST), decide_at_most(gap, 0)
        if share is not None:
            means = [fmean(values) for values in zip(*pairs, strict=True)]
            reasons.append(
                f"Noise {amount:g}: {means[0]:.2f} per image ({share.text('.2f')} × plain ELU on "
                f"clean digits); plain ELU {means[1]:.2f}."
            )
    gone = missing_names(collected, ("denoising", LATENT_DIM), ("elu", LATENT_DIM))
    return judge(
        collected,
        "denoising",
        "A denoising autoencoder is robust to noise.",
        "At every noise level, given digits with the noise it was trained on, its error against "
        f"the clean ones is at most {at.ROBUST:g} times what the plain ELU autoencoder of the same "
        "seed leaves on clean digits, and below what the plain one leaves on the noisy ones, by "
        "the 95 % interval over seeds.",
        decision=all_hold(parts),
        lacking=gone,
        reasons=reasons,
    )


def _hinton(collected: CollectedResults) -> Claim:
    runs = [f for f in collected.finished if f.entry.config.preset == "hinton30"]
    errors = [f.result.measurement.reconstruction.squared_error_se for f in runs]
    over_images = max((error for error in errors if error is not None), default=0.0)
    found = interval_of_mean([f.squared_error for f in runs], over_images)
    reasons = [f"Ours, seed {f.entry.seed}: {f.squared_error:.3f} per image." for f in runs]
    if found is not None:
        reasons.append(
            f"Mean and interval: {found.text('.3f')}, with the standard error over the test "
            f"images, {over_images:.3f}."
        )
    return judge(
        collected,
        "hinton30",
        f"A deep autoencoder with 30 codes leaves less than {at.HINTON:.2f} per image.",
        f"Squared error per test image below the {at.HINTON:.2f} of Hinton & Salakhutdinov (2006), "
        "by the 95 % interval over seeds and test images.",
        decision=decide_at_most(found, at.HINTON),
        lacking=[e.name for e in collected.missing_runs if e.config.preset == "hinton30"],
        reasons=reasons,
    )


def _burda(collected: CollectedResults) -> Claim:
    run = collected.single_run("burda50")
    found = run.result.measurement.likelihood if run else None
    bound = at.BURDA + at.LIKELIHOOD_MARGIN
    decision: Verdict | bool = False
    reasons = []
    if found is not None:
        nats, reach = -found.log_likelihood, 1.96 * (found.log_likelihood_se or 0.0)
        if found.protocol == "binarised Bernoulli":
            decision = decide_at_most(Interval(nats, nats - reach, nats + reach), bound)
        error = f" ± {found.log_likelihood_se:.2f}" if found.log_likelihood_se else ""
        reasons = [
            f"Ours: {nats:.2f}{error} nats, {found.protocol}, {found.samples:,} samples "
            f"an image over {found.images:,} test images; theirs 5,000 samples over 10,000.",
            "One seed: the interval is that over test images.",
        ]
        if found.samples < PUBLISHED_LIKELIHOOD[0]:
            reasons.append("Fewer samples make the bound looser, and the figure larger.")
    return judge(
        collected,
        "burda50",
        f"A one-layer VAE of 50 units needs {at.BURDA:.2f} nats for a test digit.",
        f"−log p of binarised test images is at most {at.LIKELIHOOD_MARGIN:g} nat above the "
        f"{at.BURDA:.2f} of Burda et al. (2015), by the 95 % interval over test images.",
        decision=decision,
        lacking=[e.name for e in collected.missing_runs if e.config.preset == "burda50"],
        reasons=reasons,
    )
