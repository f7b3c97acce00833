"""The claims of the paper, and a verdict on each of them from the results.

Every verdict follows from a named threshold, which the report states. A verdict is "open" when a
run that it needs is missing, and always for quick runs.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from trainers.reproduction import thresholds as at
from trainers.reproduction.plan import LATENT_DIM, NOISE, PUBLISHED_LIKELIHOOD, SWEEP
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
    are_apart,
    format_percent,
    good_dimensions,
    judge,
    missing_names,
    pca_ratio,
)

if TYPE_CHECKING:
    from collections.abc import Callable

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
        holds=bool(found)
        and max(angles.values()) <= at.LARGEST_ANGLE
        and max(figures.ratio for _, figures in found) <= at.FLOOR_MARGIN,
        lacking=missing_names(collected, ("linear", LATENT_DIM)),
        reasons=[
            f"Seed {seed}: largest angle {angles[seed]:.2f}°, error {figures.ratio:.4f} × PCA's."
            for seed, figures in found
        ],
    )


def _indistinguishable(collected: CollectedResults) -> Claim:
    errors = _non_linear_spreads(collected, lambda f: f.squared_error)
    accuracies = _non_linear_spreads(collected, knn_accuracy)
    reasons, any_apart = [], False
    for a, b in combinations(errors, 2):
        far = are_apart(errors[a], errors[b], at.ERROR_APART * min(errors[a].mean, errors[b].mean))
        far_codes = are_apart(accuracies[a], accuracies[b], at.ACCURACY_APART)
        any_apart |= far or far_codes
        reasons.append(
            f"{NAMES[a]} against {NAMES[b]}: "
            f"errors {_format_pair(errors[a], errors[b], '.2f')} per image "
            f"({'apart' if far else 'not apart'}), k-NN accuracies "
            f"{_format_pair(accuracies[a], accuracies[b], '.4f')} "
            f"({'apart' if far_codes else 'not apart'})."
        )
    return judge(
        collected,
        "indistinguishable",
        "The non-linear autoencoders are virtually indistinguishable.",
        "No two of sigmoid, ReLU and ELU are apart, in test error or in the k-NN accuracy of "
        "their codes. Two are apart where their means differ by more than "
        f"{at.SPREADS_APART:g} times the larger half range over seeds, and by more than "
        f"{format_percent(at.ERROR_APART, 0)} of the smaller error or {at.ACCURACY_APART * 100:g} "
        "percentage point of accuracy.",
        holds=bool(errors) and not any_apart,
        lacking=missing_names(collected, *((name, LATENT_DIM) for name in NON_LINEAR)),
        reasons=reasons,
    )


def _non_linear_spreads(
    collected: CollectedResults, value: Callable[[FinishedRun], float]
) -> dict[str, Spread]:
    found = {name: collected.spread_over_seeds(value, name) for name in NON_LINEAR}
    return {name: figure for name, figure in found.items() if figure is not None}


def _format_pair(first: Spread, second: Spread, form: str) -> str:
    return " and ".join(
        f"{figure.mean:{form}} ± {figure.half_range:{form}}" for figure in (first, second)
    )


def _good_dimensions(collected: CollectedResults) -> Claim:
    low, high = at.GOOD_DIMENSIONS
    good, found = good_dimensions(collected), collected.sweep("elu")
    reasons = [
        f"d = {f.entry.latent_dim}: k-NN {format_percent(knn_accuracy(f))}, linear probe "
        f"{format_percent(linear_probe_accuracy(f))}, error {pca_ratio(collected, f):.2f} × PCA's"
        f"{': good.' if f.entry.latent_dim in good else '.'}"
        for f in found
    ]
    if found:
        called = ", ".join(map(str, good)) or "none"
        reasons.insert(0, f"Good dimensions of the sweep: {called}.")
    return judge(
        collected,
        "good-dimensions",
        f"A good latent space has {low} < N < {high} dimensions.",
        f"Call a code good when its k-NN accuracy is within {at.SATURATED * 100:g} percentage "
        f"point of the sweep's best, a linear probe reads it as well as raw pixels, within "
        f"{at.READABLE * 100:g} point, and its error is at most {at.WORTHWHILE:g} times that of "
        "PCA with as many numbers. Some dimension of the sweep is good, and none outside "
        f"{low} < N < {high} is.",
        holds=bool(good) and all(low < d < high for d in good),
        lacking=_missing_in_sweep(collected),
        reasons=reasons,
    )


def _missing_in_sweep(collected: CollectedResults) -> list[str]:
    """Returns the names of the missing runs of the sweep, which uses the first seed only."""
    gone = {(p, d) for p in ("elu", "pca") for d in SWEEP if collected.first_run(p, d) is None}
    return missing_names(collected, *gone)


def _beats_pca(collected: CollectedResults) -> Claim:
    found = [f for f in collected.sweep("elu") if collected.first_run("pca", f.entry.latent_dim)]
    ratios = {f.entry.latent_dim: pca_ratio(collected, f) for f in found}
    ratios_text = ", ".join(f"{ratio:.3f} (d = {d})" for d, ratio in ratios.items())
    return judge(
        collected,
        "beats-pca",
        "A non-linear autoencoder beats PCA of the same dimension.",
        "The ELU autoencoder's test error is below PCA's at every dimension of the sweep.",
        holds=bool(ratios) and max(ratios.values()) < 1,
        lacking=_missing_in_sweep(collected),
        reasons=[f"Error over PCA's: {ratios_text}."] if ratios_text else [],
    )


def _classifier(collected: CollectedResults) -> Claim:
    accuracies, pixels = _non_linear_spreads(collected, knn_accuracy), collected.pixels
    probes = _non_linear_spreads(collected, linear_probe_accuracy)
    holds, reasons = False, []
    if pixels is not None and accuracies:
        worst = min(figure.mean for figure in accuracies.values())
        holds = worst >= at.CLASSIFIER_SHARE * pixels.nearest_neighbours
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
        f"{format_percent(at.CLASSIFIER_SHARE, 0)} of its accuracy on the 784 raw pixels.",
        holds=holds,
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
        holds=holds,
        lacking=_missing_plain(collected),
        reasons=reasons,
    )


def _prior(collected: CollectedResults) -> Claim:
    vae, plain = (
        collected.first_run("vae"),
        collected.spread_over_seeds(lambda f: f.squared_error, "elu"),
    )
    holds, reasons = False, []
    if vae is not None and plain is not None:
        price = vae.squared_error / plain.mean
        holds = price >= at.PRICE
        active = vae.result.measurement.reconstruction.active_units
        reasons = [
            f"VAE {vae.squared_error:.2f} per image, ELU {plain.mean:.2f} ± "
            f"{plain.half_range:.2f}: {price:.3f} times.",
            "The two differ in their loss too: Bernoulli nats against squared error.",
        ]
        if active is not None:
            reasons.insert(1, f"Active units of the VAE: {active} of {vae.entry.latent_dim}.")
    return judge(
        collected,
        "prior",
        "The VAE pays for its prior with its reconstructions.",
        f"The VAE's squared error on test images is at least {at.PRICE:g} times the ELU "
        "autoencoder's mean over seeds.",
        holds=holds,
        lacking=missing_names(collected, ("vae", LATENT_DIM), ("elu", LATENT_DIM)),
        reasons=reasons,
    )


def _denoising(collected: CollectedResults) -> Claim:
    plain = collected.first_run("elu")
    reasons, passed = [], []
    for amount in NOISE:
        run = collected.first_run("denoising", noise=amount)
        if run is None or plain is None:
            continue
        ours, theirs = denoising_at(run, amount), denoising_at(plain, amount)
        if ours is None or theirs is None:
            continue
        share = ours.squared_error / plain.squared_error
        passed.append(share <= at.ROBUST and ours.squared_error < theirs.squared_error)
        reasons.append(
            f"Noise {amount:g}: {ours.squared_error:.2f} per image ({share:.2f} × plain ELU on "
            f"clean digits); plain ELU {theirs.squared_error:.2f}; the noisy input itself "
            f"{ours.input_error:.2f}."
        )
    gone = missing_names(collected, ("denoising", LATENT_DIM))
    gone += _missing_plain(collected)
    return judge(
        collected,
        "denoising",
        "A denoising autoencoder is robust to noise.",
        "At every noise level, given digits with the noise it was trained on, its error against "
        f"the clean ones is at most {at.ROBUST:g} times what the plain ELU autoencoder leaves on "
        "clean digits, and below what the plain one leaves on the noisy ones.",
        holds=len(passed) == len(NOISE) and all(passed),
        lacking=gone,
        reasons=reasons,
    )


def _hinton(collected: CollectedResults) -> Claim:
    run = collected.single_run("hinton30")
    return judge(
        collected,
        "hinton30",
        f"A deep autoencoder with 30 codes leaves less than {at.HINTON:.2f} per image.",
        f"Squared error per test image below the {at.HINTON:.2f} of Hinton & Salakhutdinov (2006).",
        holds=run is not None and run.squared_error < at.HINTON,
        lacking=[e.name for e in collected.missing_runs if e.config.preset == "hinton30"],
        reasons=[f"Ours: {run.squared_error:.3f} per image."] if run else [],
    )


def _burda(collected: CollectedResults) -> Claim:
    run = collected.single_run("burda50")
    found = run.result.measurement.likelihood if run else None
    comparable = found is not None and found.protocol == "binarised Bernoulli"
    reasons = []
    if found is not None:
        reasons = [
            f"Ours: {-found.log_likelihood:.2f} nats, {found.protocol}, {found.samples:,} samples "
            f"an image over {found.images:,} test images; theirs 5,000 samples over 10,000.",
        ]
        if found.samples < PUBLISHED_LIKELIHOOD[0]:
            reasons.append("Fewer samples make the bound looser, and the figure larger.")
    return judge(
        collected,
        "burda50",
        f"A one-layer VAE of 50 units needs {at.BURDA:.2f} nats for a test digit.",
        f"−log p of binarised test images is at most {at.LIKELIHOOD_MARGIN:g} nat above the "
        f"{at.BURDA:.2f} of Burda et al. (2015).",
        holds=found is not None
        and comparable
        and -found.log_likelihood <= at.BURDA + at.LIKELIHOOD_MARGIN,
        lacking=[e.name for e in collected.missing_runs if e.config.preset == "burda50"],
        reasons=reasons,
    )
