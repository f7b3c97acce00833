"""Sweeps: combinations of settings, and the command that trains them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from trainers.cli.sweep_command import sweep
from trainers.parallel.sweep import combinations
from trainers.presets import preset

if TYPE_CHECKING:
    from pathlib import Path

    from trainers.parallel import Workers


def test_every_combination_has_its_settings_in_its_name() -> None:
    values = {"latent_dim": (2, 5), "activation": ("elu", "relu"), "seed": (1, 2, 3)}
    points = combinations(preset("elu"), values, "elu")
    assert len(points) == len({point.name for point in points}) == 12
    assert points[0].name == "elu-d2-activation=elu-seed1"
    assert points[-1].name == "elu-d5-activation=relu-seed3"
    last = points[-1].config
    assert (last.model.latent_dim, last.model.activation, last.training.seed) == (5, "relu", 3)


def test_lists_switches_and_fractions_are_valid_in_a_name() -> None:
    values = {"hidden": ((500, 500), (256,)), "learning_rate": (1e-3, 0.01)}
    names = [point.name for point in combinations(preset("elu"), values, "mine")]
    assert names[0] == "mine-d5-hidden=500+500-learning-rate=0.001"
    switched = combinations(preset("elu"), {"variational": (False, True)}, "elu")
    assert [p.name for p in switched] == ["elu-d5-variational=no", "elu-d5-variational=yes"]


def test_combinations_that_train_the_same_run_appear_once() -> None:
    values = {"corruption": ("none", "gaussian"), "corruption_amount": (0.1, 0.3)}
    assert len(combinations(preset("elu"), values, "elu")) == 3
    assert len(combinations(preset("pca"), {"seed": (1, 2)}, "pca")) == 1


# -- TensorBoard -----------------------------------------------------------------------------------


@pytest.fixture
def words(threads: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr("trainers.cli.parallel_options.process_workers", lambda _jobs: threads)
    small = ["--steps", "20", "--hidden", "8", "--batch-size", "10", "--runs", str(tmp_path)]
    return ["elu", "--latent-dim", "2,3", "--tensorboard", *small]


def test_a_sweep_writes_tensorboard_events_of_every_run(words: list[str], tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    done = CliRunner().invoke(sweep, words)
    assert done.exit_code == 0, done.output
    for name in ("elu-d2", "elu-d3"):
        events = EventAccumulator(str(tmp_path / name / "tensorboard"))
        events.Reload()
        assert [loss.step for loss in events.Scalars("train/loss")] == [*range(1, 21)]


def test_a_missing_package_is_reported_before_a_run_is_created(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainers.optional_packages.find_spec", lambda _name: None)
    done = CliRunner().invoke(sweep, words)
    assert done.exit_code == 1
    assert "needs the package tensorboard" in " ".join(done.output.split())
    assert not [*tmp_path.iterdir()]
