from __future__ import annotations

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
from trainers.reproduction.verdict import Claim, are_apart, good_dimensions

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


@pytest.mark.parametrize(
    ("gap", "half_range", "least", "expected"),
    [(1.0, 0.4, 0.9, True), (1.0, 0.4, 1.0, False), (1.0, 0.5, 0.1, False), (-1.0, 0.1, 0.1, True)],
)
def test_methods_differ_only_beyond_both_bounds(
    gap: float, half_range: float, least: float, expected: bool
) -> None:
    assert are_apart(Spread(10.0, 0.1, 3), Spread(10.0 + gap, half_range, 3), least) is expected


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
        ("prior", "elu-d5-seed2"),
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
    for key in ("compress", "denoising"):
        claim = judge(tmp_path, key, without=gone)
        assert claim.verdict == "open"
        assert claim.reasons[-1] == "Not trained yet: elu-d5-seed1."


def test_a_claim_without_measured_values_is_open(tmp_path: Path) -> None:
    changed = {"elu-d5-seed1": result_of(PLAN["elu-d5-seed1"], compression=())}
    claim = judge(tmp_path, "compress", changed)
    assert (claim.verdict, claim.reasons) == ("open", ())


def test_a_run_that_a_claim_does_not_need_may_be_missing(tmp_path: Path) -> None:
    assert judge(tmp_path, "plane", without=["elu-d5-seed1", "vae-d5-seed1"]).verdict == "holds"
    assert judge(tmp_path, "compress", without=["elu-d5-seed2"]).verdict == "holds"
    assert judge(tmp_path, "beats-pca", without=["elu-d5-seed3"]).verdict == "holds"


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


@pytest.mark.parametrize(("factor", "verdict"), [(1.005, "holds"), (1.06, "does not hold")])
def test_non_linear_autoencoders_differ_above_two_percent_of_error(
    tmp_path: Path, factor: float, verdict: str
) -> None:
    names = [f"sigmoid-d5-seed{seed}" for seed in (1, 2, 3)]
    changed = {n: result_of(PLAN[n], factor * error_of(PLAN[n])) for n in names}
    assert judge(tmp_path, "indistinguishable", changed).verdict == verdict


def test_non_linear_autoencoders_may_differ_by_their_codes_alone(tmp_path: Path) -> None:
    changed = {name: with_accuracy(name, knn=0.955) for name in ELU}
    claim = judge(tmp_path, "indistinguishable", changed)
    assert claim.verdict == "does not hold"
    changed = {n: with_accuracy(n, knn=k) for n, k in zip(ELU, (0.945, 0.955, 0.965), strict=True)}
    assert judge(tmp_path, "indistinguishable", changed).verdict == "holds"


def test_good_dimensions_pass_all_three_tests(tmp_path: Path) -> None:
    assert good_dimensions(collected(tmp_path)) == (20, 30, 50)
    name = "elu-d20-seed1"
    for result in (
        with_accuracy(name, knn=0.961),
        with_accuracy(name, linear=0.909),
        result_of(PLAN[name], 0.51 * PCA_ERRORS[20]),
    ):
        assert good_dimensions(collected(tmp_path, {name: result})) == (30, 50)


def test_a_good_dimension_outside_the_bounds_refutes_them(tmp_path: Path) -> None:
    changed = {"elu-d10-seed1": with_accuracy("elu-d10-seed1", linear=0.92, knn=0.97)}
    claim = judge(tmp_path, "good-dimensions", changed)
    assert claim.verdict == "does not hold"
    assert claim.reasons[0] == "Good dimensions of the sweep: 10, 20, 30, 50."


@pytest.mark.parametrize(("share", "verdict"), [(0.999, "holds"), (1.0, "does not hold")])
def test_the_error_must_be_below_that_of_pca_at_every_dimension(
    tmp_path: Path, share: float, verdict: str
) -> None:
    name = "elu-d100-seed1"
    changed = {name: result_of(PLAN[name], share * PCA_ERRORS[100])}
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


@pytest.mark.parametrize(("price", "verdict"), [(1.051, "holds"), (1.049, "does not hold")])
def test_the_prior_costs_five_percent(tmp_path: Path, price: float, verdict: str) -> None:
    changed = {"vae-d5-seed1": result_of(PLAN["vae-d5-seed1"], price * 17.3)}
    assert judge(tmp_path, "prior", changed).verdict == verdict


def denoised(name: str, share: float) -> Result:
    """Returns a denoising result with `share` times plain ELU's error on clean digits."""
    error = share * error_of(PLAN["elu-d5-seed1"])
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
    name = f"denoising-d5-noise{noise:g}-seed1"
    changed[name] = denoised(name, share)
    assert judge(tmp_path, "denoising", changed).verdict == verdict


@pytest.mark.parametrize(("error", "verdict"), [(2.999, "holds"), (3.0, "does not hold")])
def test_the_deep_autoencoder_must_be_below_the_published_error(
    tmp_path: Path, error: float, verdict: str
) -> None:
    changed = {"hinton30-seed1": result_of(PLAN["hinton30-seed1"], error)}
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
