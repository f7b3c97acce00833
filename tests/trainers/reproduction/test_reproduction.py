"""The plan, and the runner that trains and measures it without repeating finished runs."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from trainers import runs
from trainers.errors import RunError
from trainers.parallel import SweepProgress, process_workers
from trainers.presets import PRESETS, preset
from trainers.reproduction import result_files
from trainers.reproduction.plan import NOISE, SEEDS, SWEEP, PlannedRun, planned_runs
from trainers.reproduction.runner import reproduce
from trainers.runs import RunState

if TYPE_CHECKING:
    from pathlib import Path


def _tiny(name: str, steps: int = 60, **changes: object) -> PlannedRun:
    config = preset("elu").replace(hidden=(8,), latent_dim=2, steps=steps, **changes)
    return PlannedRun(name, "Tiny", "paper", config)


# -- the plan --------------------------------------------------------------------------------------


def test_every_planned_run_has_its_own_name_and_the_paper_has_most() -> None:
    plan = planned_runs()
    assert len({entry.name for entry in plan}) == len(plan)
    paper = [entry for entry in plan if entry.chapter == "paper"]
    assert {entry.config.preset for entry in paper} >= {
        "linear", "sigmoid", "relu", "elu", "vae", "conv-vae", "pca"
    }  # fmt: skip
    assert {entry.latent_dim for entry in paper} == {5}
    assert {entry.steps for entry in paper} == {1, 50_000}
    assert {entry.config.training.batch_size for entry in paper} == {100}


def test_methods_that_a_claim_compares_have_three_seeds() -> None:
    seeds = Counter(e.config.preset for e in planned_runs() if e.chapter == "paper")
    compared = ("linear", "sigmoid", "relu", "elu", "vae", "bernoulli")
    assert {name: seeds[name] for name in compared} == dict.fromkeys(compared, len(SEEDS))
    plan = planned_runs()
    groups = Counter(
        (e.config.preset, e.latent_dim, e.config.training.corruption_amount)
        for e in plan
        if e.config.preset in {"elu", "denoising", "hinton30"}
    )
    assert set(groups.values()) == {len(SEEDS)}


def test_the_sweep_has_elu_and_pca_at_every_dimension() -> None:
    for name in ("elu", "pca"):
        dimensions = {e.latent_dim for e in planned_runs() if e.config.preset == name}
        assert dimensions == set(SWEEP)
    noise = {
        e.config.training.corruption_amount for e in planned_runs() if e.chapter == "denoising"
    }
    assert noise == set(NOISE)


def test_the_quick_plan_is_short_and_has_other_names() -> None:
    quick, whole = planned_runs(quick=True), planned_runs()
    assert {entry.steps for entry in quick} == {1, 2_000}
    assert not {entry.name for entry in quick} & {entry.name for entry in whole}
    assert {e.config.preset for e in quick} == {e.config.preset for e in whole}


def test_work_is_measured_in_steps_of_the_papers_autoencoder() -> None:
    work = {entry.config.preset: entry.work for entry in planned_runs() if entry.latent_dim == 5}
    assert work["elu"] == 50_000
    assert work["conv-vae"] > 4 * work["elu"]
    assert work["pca"] < 0.1 * work["elu"]


@pytest.mark.parametrize(
    ("steps", "shown"),
    [(50_000, (10_000, 30_000, 50_000)), (2_000, (500, 1_000, 2_000)), (1, (1,))],
)
def test_the_steps_that_the_report_shows(steps: int, shown: tuple[int, ...]) -> None:
    assert result_files.landmark_steps(steps) == shown


@pytest.mark.parametrize("name", PRESETS)
def test_every_step_that_the_report_shows_is_a_checkpoint(name: str) -> None:
    for config in (preset(name), preset(name).replace(steps=2_000)):
        assert set(result_files.landmark_steps(config.steps)) <= set(config.checkpoint_steps)


# -- the runner ------------------------------------------------------------------------------------


@pytest.mark.timeout(600)
def test_an_interrupted_reproduction_repeats_no_finished_run(tmp_path: Path) -> None:
    plan = (_tiny("short"), _tiny("long", steps=1_000_000, seed=1))
    folder, results = tmp_path / "runs", tmp_path / "results"
    with closing(reproduce(plan, folder, results, process_workers(2))) as work:
        for progress in work:
            if "short" in progress.finished and progress.active.get("long", 0) > 0:
                break
    status = runs.open_run(folder / "long").status()
    assert status.state == RunState.STOPPED
    assert 0 < status.step < 1_000_000
    assert result_files.read_result(results, plan[1]) is None
    first = (results / "short" / "result.json").stat().st_mtime_ns
    again = (plan[0], _tiny("other", seed=2))
    ended = list(reproduce(again, folder, results, process_workers(1)))[-1]
    assert ended.finished == {"short", "other"}
    assert not ended.remaining
    assert (results / "short" / "result.json").stat().st_mtime_ns == first
    result = result_files.read_result(results, plan[0])
    assert result is not None
    assert result.measurement.step == 60
    assert result.measurement.codes.pixels.nearest_neighbours == 0.9688
    assert [e.step for e in result.history] == [0, 10, 20, 50, 60]
    pictures = {path.name for path in (results / "short").glob("*.png")}
    assert pictures == {"step-00000020.png", "step-00000050.png", "step-00000060.png"}


def test_an_empty_plan_starts_no_process(tmp_path: Path) -> None:
    assert list(reproduce((), tmp_path / "runs", tmp_path, process_workers(1)))[-1].remaining == ()


def test_the_error_names_a_run_of_another_config(tmp_path: Path) -> None:
    runs.create_run(_tiny("mine").config.replace(seed=9), tmp_path, "mine")
    with pytest.raises(RunError, match=r"'mine'.*other settings.*Rename or remove"):
        next(iter(reproduce((_tiny("mine"),), tmp_path, tmp_path / "results", process_workers(1))))


def test_progress_counts_the_work_done() -> None:
    plan = (_tiny("a", steps=100), _tiny("b", steps=300))
    progress = SweepProgress(plan, finished={"a"}, active={"b": 150})
    done, whole = progress.work
    assert done / whole == pytest.approx((100 + 150) / 400)
    assert [entry.name for entry in progress.remaining] == ["b"]


def test_the_error_names_a_damaged_result(tmp_path: Path) -> None:
    entry = _tiny("a")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "result.json").write_text("{")
    with pytest.raises(RunError, match=r"result\.json"):
        result_files.read_result(tmp_path, entry)
