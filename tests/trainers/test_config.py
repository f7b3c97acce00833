from __future__ import annotations

import subprocess
import sys

import pytest

from trainers import config as configs
from trainers.config import RunConfig, default_checkpoints, fields
from trainers.errors import ConfigError
from trainers.presets import PRESETS, preset


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_json(name: str) -> None:
    config = preset(name)
    assert configs.from_json(config.model_dump_json()) == config
    assert config.preset == name


@pytest.mark.parametrize("name", sorted(PRESETS.keys() - {"hinton30", "burda50"}))
def test_presets_are_the_papers(name: str) -> None:
    config = preset(name)
    assert config.model.latent_dim == 5
    assert config.training.batch_size == 100
    assert config.training.learning_rate == 1e-3
    assert config.steps == (1 if name == "pca" else 50_000)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"latent_dim": 257}, ["latent_dim", "257", "256"]),
        ({"latent_dim": 0}, ["latent_dim", "0", "1"]),
        ({"learning_rate": -1.0}, ["learning_rate", "-1.0", "0"]),
        ({"learning_rate": float("nan")}, ["learning_rate", "nan", "finite"]),
        ({"activation": "cubic"}, ["activation", "cubic", "elu"]),
        ({"hidden": (0, 5)}, ["hidden", "0", "1"]),
        ({"hidden": ()}, ["hidden", "1"]),
        ({"family": "tree"}, ["tree", "mlp"]),
        ({"colour": 3}, ["colour"]),
        ({"schedule": "staircase"}, ["schedule", "staircase", "cosine"]),
        ({"binarisation": "static"}, ["binarisation", "static", "dynamic", "none"]),
    ],
)
def test_a_fault_names_the_field_the_value_and_the_bound(
    changes: dict[str, object], named: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        RunConfig().replace(**changes)
    for word in named:
        assert word in str(caught.value)


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(ConfigError, match=r"(?s)latent_dim.*batch_size"):
        RunConfig().replace(latent_dim=0, batch_size=0)


def test_an_unknown_preset_names_those_there_are() -> None:
    with pytest.raises(ConfigError, match="conv-vae"):
        preset("gan")


def test_default_checkpoints_are_about_25_and_hold_the_papers_landmarks() -> None:
    steps = default_checkpoints(50_000)
    assert 20 <= len(steps) <= 30
    assert {0, 10_000, 30_000, 50_000} <= set(steps)
    early = [s for s in steps if s < 5_000]
    assert len(early) > len([s for s in steps if 5_000 <= s < 10_000])


@pytest.mark.parametrize("steps", [1, 7, 999, 2_000, 33_333, 1_000_000])
def test_the_last_step_is_always_kept(steps: int) -> None:
    kept = RunConfig().replace(steps=steps).checkpoint_steps
    assert kept[-1] == steps
    assert list(kept) == sorted(set(kept))
    assert len(kept) <= 35


def test_what_does_not_apply_is_told() -> None:
    shown = {n: {f.name for f in fields() if f.term.applies(preset(n))} for n in PRESETS}
    assert "beta" in shown["vae"]
    assert "beta" not in shown["elu"]
    assert "channels" in shown["conv-vae"]
    assert "hidden" not in shown["conv-vae"]
    assert "corruption_amount" in shown["denoising"]
    assert "corruption_amount" not in shown["elu"]
    assert "steps" not in shown["pca"]
    assert "binarisation" in shown["vae"]
    assert "binarisation" not in shown["elu"]


def test_a_config_of_an_older_version_still_means_what_it_meant() -> None:
    values = preset("vae").model_dump()
    del values["training"]["schedule"], values["training"]["binarisation"]
    assert configs.validate_config(values) == preset("vae")


def test_only_a_bernoulli_likelihood_is_of_binary_pixels() -> None:
    assert preset("vae").replace(binarisation="dynamic").is_binarised
    assert not preset("elu").replace(binarisation="dynamic").is_binarised
    assert not preset("vae").is_binarised


def test_importing_trainers_loads_no_torch() -> None:
    code = "import sys, trainers, trainers.runs, trainers.cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
