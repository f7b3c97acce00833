from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

import pytest

from tests.trainers.reproduction.invented_results import PCA_ERRORS, collected, error_of, result_of
from trainers.evaluation.measurement import (
    CodesFigures,
    Denoising,
    LikelihoodFigures,
    StoredCode,
    SubspaceFigures,
)
from trainers.reproduction import thresholds as at
from trainers.reproduction.claims import judge_claims
from trainers.reproduction.plan import NOISE, planned_runs
from trainers.reproduction.result_index import Spread, spread
from trainers.reproduction.verdict import Claim, good_dimensions

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from trainers.reproduction.result_files import Result

PLAN = {entry.name: entry for entry in planned_runs()}
ELU = [f"elu-d5-seed{seed}" for seed in (1, 2, 3)]


def judge(
    folder: Path,
    key: str,
    changed: dict[str, Result] | None = None,
    without: Iterable[str] = (),
    *,
    quick: bool = False,
) -> Claim:
    claims = judge_claims(collected(folder, changed, without, quick=quick))
    return next(claim for claim in claims if claim.key == key)


def with_accuracy(name: str, *, linear: float | None = None, knn: float | None = None) -> Result:
    """Returns the result of a planned run with other accuracies on its codes."""
    whole = result_of(PLAN[name])
    codes = whole.measurement.codes
    changed = codes.codes.model_copy(
        update={
            "linear": codes.codes.linear if linear is None else linear,
            "nearest_neighbours": codes.codes.nearest_neighbours if knn is None else knn,
        }
    )
    figures: CodesFigures = codes.model_copy(update={"codes": changed})
    return result_of(PLAN[name], codes=figures)


def test_spread_is_mean_and_half_of_the_range() -> None:
    assert spread([1.0, None, 2.0, 6.0]) == Spread(3.0, 2.5, 3)
    assert spread([None]) is None


def test_every_claim_holds_for_results_that_support_it(tmp_path: Path) -> None:
    claims = judge_claims(collected(tmp_path, {n: denoised(n, 1.0) for n in PLAN if "noise" in n}))
    assert {claim.key: claim.verdict for claim in claims} == {
        "plane": "holds",
        "indistinguishable": "holds",
        "good-dimensions": "holds",
        "beats-pca": "holds",
        "classifier": "holds",
        "compress": "holds",
        "prior": "holds",
        "denoising": "holds",
        "hinton30": "holds",
        "burda50": "holds",
    }


def test_quick_runs_decide_nothing(tmp_path: Path) -> None:
    claims = judge_claims(collected(tmp_path, quick=True))
    assert {claim.verdict for claim in claims} == {"open"}
    assert all("Quick runs of 2,000 steps decide nothing." in claim.reasons for claim in claims)


def test_without_runs_every_claim_is_open_and_names_the_missing_ones(tmp_path: Path) -> None:
    claims = judge_claims(collected(tmp_path, without=PLAN))
    assert {claim.verdict for claim in claims} == {"open"}
    assert all(any("Not trained yet: " in reason for reason in c.reasons) for c in claims)


@pytest.mark.parametrize(
    ("key", "gone"),
    [
        ("plane", "linear-d5-seed3"),
        ("indistinguishable", "sigmoid-d5-seed2"),
        ("good-dimensions", "elu-d50-seed1"),
        ("good-dimensions", "pca-d2"),
        ("beats-pca", "pca-d100"),
        ("beats-pca", "elu-d5-seed1"),
        ("classifier", "relu-d5-seed3"),
        ("compress", "elu-d5-seed1"),
        ("prior", "vae-d5-seed1"),
        ("prior", "bernoulli-d5-seed2"),
        ("good-dimensions", "elu-d20-seed3"),
        ("hinton30", "hinton30-seed3"),
        ("denoising", "denoising-d5-noise0.8-seed2"),
        ("denoising", "denoising-d5-noise0.8-seed1"),
        ("denoising", "elu-d5-seed1"),
        ("hinton30", "hinton30-seed1"),
        ("burda50", "burda50-seed1"),
    ],
)
def test_a_claim_is_open_if_a_run_that_it_needs_is_missing(
    tmp_path: Path, key: str, gone: str
) -> None:
    claim = judge(tmp_path, key, without=[gone])
    assert claim.verdict == "open"
    assert f"Not trained yet: {gone}." in claim.reasons


def test_an_open_claim_names_only_the_runs_that_it_needs(tmp_path: Path) -> None:
    gone = ["elu-d5-seed1", "elu-d5-seed2", "elu-d50-seed1"]
    needed = {"compress": "elu-d5-seed1", "denoising": "elu-d5-seed1, elu-d5-seed2"}
    for key, names in needed.items():
        claim = judge(tmp_path, key, without=gone)
        assert claim.verdict == "open"
        assert claim.reasons[-1] == f"Not trained yet: {names}."


def test_a_claim_without_measured_values_is_open(tmp_path: Path) -> None:
    changed = {"elu-d5-seed1": result_of(PLAN["elu-d5-seed1"], compression=())}
    claim = judge(tmp_path, "compress", changed)
    assert (claim.verdict, claim.reasons) == ("open", ())


def test_a_run_that_a_claim_does_not_need_may_be_missing(tmp_path: Path) -> None:
    assert judge(tmp_path, "plane", without=["elu-d5-seed1", "vae-d5-seed1"]).verdict == "holds"
    assert judge(tmp_path, "compress", without=["elu-d5-seed2"]).verdict == "holds"
    assert judge(tmp_path, "prior", without=["elu-d5-seed3"]).verdict == "holds"


@pytest.mark.parametrize(
    ("angle", "ratio", "verdict"),
    [
        (at.LARGEST_ANGLE, at.FLOOR_MARGIN, "holds"),
        (at.LARGEST_ANGLE + 0.01, 1.0, "does not hold"),
        (0.0, at.FLOOR_MARGIN + 0.001, "does not hold"),
    ],
)
def test_one_seed_off_the_plane_refutes_the_claim(
    tmp_path: Path, angle: float, ratio: float, verdict: str
) -> None:
    floor = PCA_ERRORS[5]
    figures = SubspaceFigures(
        principal_angles=(0.0, 0.0, 0.0, 0.0, angle),
        squared_error=ratio * floor,
        floor=floor,
        ratio=ratio,
    )
    name = "linear-d5-seed2"
    claim = judge(tmp_path, "plane", {name: result_of(PLAN[name], subspace=figures)})
    assert claim.verdict == verdict
    assert f"Seed 2: largest angle {angle:.2f}°, error {ratio:.4f} × PCA's." in claim.reasons


def with_errors(stem: str, *errors: float) -> dict[str, Result]:
    """Returns results of the three seeds of a run with these errors."""
    names = [f"{stem}-seed{seed}" for seed in (1, 2, 3)]
    return {name: result_of(PLAN[name], e) for name, e in zip(names, errors, strict=True)}


@pytest.mark.parametrize(
    ("errors", "verdict"),
    [
        ((17.35, 17.40, 17.45), "holds"),
        ((18.4, 18.5, 18.6), "does not hold"),
        ((17.5, 17.6, 17.7), "open"),  # the interval contains the margin
        ((15.4, 17.4, 19.4), "open"),  # the means are equal, but three seeds do not show it
    ],
)
def test_indistinguishable_is_a_test_of_equivalence(
    tmp_path: Path, errors: tuple[float, ...], verdict: str
) -> None:
    claim = judge(tmp_path, "indistinguishable", with_errors("sigmoid-d5", *errors))
    assert claim.verdict == verdict
    assert any("The paper means the pictures" in reason for reason in claim.reasons)


def test_non_linear_autoencoders_may_differ_by_their_codes_alone(tmp_path: Path) -> None:
    changed = {name: with_accuracy(name, knn=0.955) for name in ELU}
    claim = judge(tmp_path, "indistinguishable", changed)
    assert claim.verdict == "does not hold"
    changed = {n: with_accuracy(n, knn=k) for n, k in zip(ELU, (0.925, 0.940, 0.965), strict=True)}
    assert judge(tmp_path, "indistinguishable", changed).verdict == "open"


def sweep(d: int, *, linear: Iterable[float] = (), knn: Iterable[float] = ()) -> dict[str, Result]:
    """Returns results of the three seeds at a dimension with these accuracies."""
    names = [f"elu-d{d}-seed{seed}" for seed in (1, 2, 3)]
    probes = zip_longest(names, linear, knn)
    return {name: with_accuracy(name, linear=one, knn=two) for name, one, two in probes}


def good(tmp_path: Path, changed: dict[str, Result] | None = None) -> list[int]:
    found = good_dimensions(collected(tmp_path, changed))
    return [d for d, verdict in found.items() if verdict == "holds"]


def test_good_dimensions_pass_all_three_tests(tmp_path: Path) -> None:
    assert good(tmp_path) == [20, 30, 50]
    for changed in (
        sweep(20, knn=[0.961] * 3),
        sweep(20, linear=[0.909] * 3),
        with_errors("elu-d20", *[0.51 * PCA_ERRORS[20]] * 3),
    ):
        assert good(tmp_path, changed) == [30, 50]


def test_a_dimension_is_open_where_its_spread_does_not_decide(tmp_path: Path) -> None:
    # The bound is 0.91; one seed alone would have called d = 20 good, and another one not.
    changed = sweep(20, linear=[0.9116, 0.9090, 0.9120])
    assert good_dimensions(collected(tmp_path, changed))[20] == "open"
    claim = judge(tmp_path, "good-dimensions", changed)
    assert claim.verdict == "holds"
    assert "Undecided dimensions of the sweep: 20." in claim.reasons


def test_a_good_dimension_outside_the_bounds_refutes_them(tmp_path: Path) -> None:
    changed = sweep(5, linear=[0.92] * 3, knn=[0.97] * 3)
    changed |= with_errors("elu-d5", *[0.4 * PCA_ERRORS[5]] * 3)
    changed = {
        name: result_of(
            PLAN[name],
            0.4 * PCA_ERRORS[5],
            codes=with_accuracy(name, linear=0.92, knn=0.97).measurement.codes,
        )
        for name in ELU
    }
    claim = judge(tmp_path, "good-dimensions", changed)
    assert claim.verdict == "does not hold"
    assert claim.reasons[0] == "Good dimensions of the sweep: 5, 20, 30, 50."


def test_a_good_dimension_on_a_round_bound_decides_nothing(tmp_path: Path) -> None:
    changed = sweep(10, linear=[0.92] * 3, knn=[0.97] * 3)
    claim = judge(tmp_path, "good-dimensions", changed)
    assert claim.verdict == "open"
    assert claim.reasons[0] == "Good dimensions of the sweep: 10, 20, 30, 50."


def test_without_a_good_dimension_inside_the_bounds_they_do_not_hold(tmp_path: Path) -> None:
    changed: dict[str, Result] = {}
    for d in (20, 30, 50):
        changed |= sweep(d, linear=[0.7] * 3)
    assert judge(tmp_path, "good-dimensions", changed).verdict == "does not hold"


@pytest.mark.parametrize(
    ("shares", "verdict"),
    [
        ((0.9, 0.91, 0.92), "holds"),
        ((1.1, 1.11, 1.12), "does not hold"),
        ((0.96, 0.99, 1.02), "open"),
    ],
)
def test_the_error_must_be_below_that_of_pca_at_every_dimension(
    tmp_path: Path, shares: tuple[float, ...], verdict: str
) -> None:
    changed = with_errors("elu-d100", *(share * PCA_ERRORS[100] for share in shares))
    assert judge(tmp_path, "beats-pca", changed).verdict == verdict


@pytest.mark.parametrize(("accuracy", "verdict"), [(0.9220, "holds"), (0.9210, "does not hold")])
def test_codes_must_reach_95_percent_of_the_accuracy_on_pixels(
    tmp_path: Path, accuracy: float, verdict: str
) -> None:
    changed = {name: with_accuracy(name, knn=accuracy) for name in ELU}
    assert judge(tmp_path, "classifier", changed).verdict == verdict


@pytest.mark.parametrize(
    ("size", "added", "verdict"),
    [(78, 0.17, "holds"), (79, 0.17, "does not hold"), (5, 0.18, "does not hold")],
)
def test_codes_compress_to_a_tenth_at_a_hundredth_of_the_error(
    tmp_path: Path, size: int, added: float, verdict: str
) -> None:
    entry = PLAN["elu-d5-seed1"]
    code = StoredCode(
        storage="8 bits",
        code_bytes=size,
        ratio=784 / size,
        squared_error=error_of(entry) + added,
        added_error=added,
    )
    changed = {entry.name: result_of(entry, compression=(code,))}
    assert judge(tmp_path, "compress", changed).verdict == verdict


@pytest.mark.parametrize(
    ("prices", "verdict"),
    [
        ((1.07, 1.08, 1.09), "holds"),
        ((1.01, 1.02, 1.03), "does not hold"),
        ((1.02, 1.05, 1.10), "open"),
    ],
)
def test_the_prior_is_compared_with_the_same_likelihood_without_one(
    tmp_path: Path, prices: tuple[float, ...], verdict: str
) -> None:
    control = [error_of(PLAN[f"bernoulli-d5-seed{seed}"]) for seed in (1, 2, 3)]
    errors = (price * error for price, error in zip(prices, control, strict=True))
    claim = judge(tmp_path, "prior", with_errors("vae-d5", *errors))
    assert claim.verdict == verdict
    # The squared error of another likelihood decides nothing.
    changed = with_errors("elu-d5", 99.0, 99.0, 99.0)
    assert judge(tmp_path, "prior", changed).verdict == "holds"


def test_the_control_differs_from_the_vae_by_the_prior_alone() -> None:
    for seed in (1, 2, 3):
        vae, control = (PLAN[f"{name}-d5-seed{seed}"].config for name in ("vae", "bernoulli"))
        assert control == vae.replace(preset="bernoulli", variational=False)


def denoised(name: str, share: float) -> Result:
    """Returns a denoising result with `share` times plain ELU's error on clean digits."""
    error = share * error_of(PLAN[f"elu-d5-{name.rpartition('-')[2]}"])
    values = tuple(Denoising(noise=n, input_error=784 * n * n, squared_error=error) for n in NOISE)
    return result_of(PLAN[name], denoising=values)


@pytest.mark.parametrize(
    ("noise", "share", "verdict"),
    [
        (0.8, at.ROBUST - 0.01, "holds"),
        (0.8, at.ROBUST + 0.01, "does not hold"),
        (0.1, 1.39, "holds"),
        (0.1, 1.41, "does not hold"),
    ],
)
def test_denoising_is_compared_with_clean_digits_and_with_the_plain_model(
    tmp_path: Path, noise: float, share: float, verdict: str
) -> None:
    changed = {name: denoised(name, 1.0) for name in PLAN if "noise" in name}
    for name in (f"denoising-d5-noise{noise:g}-seed{seed}" for seed in (1, 2, 3)):
        changed[name] = denoised(name, share)
    assert judge(tmp_path, "denoising", changed).verdict == verdict


@pytest.mark.parametrize(
    ("errors", "se", "verdict"),
    [
        ((2.97, 2.974, 2.978), 0.001, "holds"),
        ((2.97, 2.974, 2.978), 0.025, "open"),  # one standard error below the published value
        ((2.90, 2.974, 3.05), 0.001, "open"),
        ((3.10, 3.11, 3.12), 0.01, "does not hold"),
    ],
)
def test_the_deep_autoencoder_must_be_below_the_published_error(
    tmp_path: Path, errors: tuple[float, ...], se: float, verdict: str
) -> None:
    changed = {}
    for name, result in with_errors("hinton30", *errors).items():
        last = result.measurement.reconstruction.model_copy(update={"squared_error_se": se})
        changed[name] = result_of(PLAN[name], reconstruction=last)
    assert judge(tmp_path, "hinton30", changed).verdict == verdict


@pytest.mark.parametrize(
    ("nats", "protocol", "verdict"),
    [
        (at.BURDA + at.LIKELIHOOD_MARGIN - 0.01, "binarised Bernoulli", "holds"),
        (at.BURDA + at.LIKELIHOOD_MARGIN + 0.01, "binarised Bernoulli", "does not hold"),
        (80.0, "grey Bernoulli", "does not hold"),
    ],
)
def test_a_likelihood_counts_only_by_the_published_protocol(
    tmp_path: Path, nats: float, protocol: str, verdict: str
) -> None:
    entry = PLAN["burda50-seed1"]
    figures = LikelihoodFigures.model_validate(
        {
            "protocol": protocol,
            "elbo": -90.0,
            "reconstruction": -65.0,
            "kl": 25.0,
            "log_likelihood": -nats,
            "samples": 128,
            "images": 1_000,
        }
    )
    changed = {entry.name: result_of(entry, likelihood=figures)}
    assert judge(tmp_path, "burda50", changed).verdict == verdict
