from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pkgutil import resolve_name
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from aeviewer.__main__ import main
from trainers import runs
from trainers.cli import COMMANDS
from trainers.presets import preset
from trainers.runs import RunState

if TYPE_CHECKING:
    from pathlib import Path

SMALL = ["--hidden", "16", "--latent-dim", "2", "--batch-size", "20"]


def _call(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, arguments)
    return result.exit_code, " ".join(result.output.replace("│", " ").split())


def test_every_command_is_where_it_is_looked_for() -> None:
    assert {name: resolve_name(place).name for name, place in COMMANDS.items()} == {
        name: name for name in COMMANDS
    }
    code, text = _call("--help")
    assert code == 0
    assert all(f" {name} " in text for name in (*COMMANDS, "open"))
    code, text = _call("trian")
    assert code == 2
    assert "No such command 'trian'" in text


def test_the_window_waits_for_no_command() -> None:
    code = (
        "import sys, aeviewer.__main__; "
        "sys.exit('rich.console' in sys.modules or 'trainers.cli.train_command' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_train_list_and_evaluate(tmp_path: Path) -> None:
    folder = ["--runs", str(tmp_path)]
    code, _ = _call("train", "vae", *SMALL, "--steps", "30", "--name", "mine", *folder)
    assert code == 0
    config = runs.open_run(tmp_path / "mine").config
    assert (config.model.hidden, config.model.latent_dim, config.steps) == ((16,), 2, 30)
    assert config.model.variational
    code, text = _call("runs", *folder)
    assert code == 0
    assert "mine finished 30 30" in text
    code, text = _call("evaluate", "mine", "--json", *folder, "--samples", "16", "--images", "99")
    measured = json.loads(text)
    assert (measured["likelihood"]["samples"], measured["likelihood"]["images"]) == (16, 99)
    kept = runs.open_run(tmp_path / "mine").checkpoint().evaluation()
    assert measured["reconstruction"]["test_loss"] == pytest.approx(kept.test_loss, rel=1e-5)
    assert measured["likelihood"]["protocol"] == "grey Bernoulli"
    assert measured["likelihood"]["log_likelihood"] > measured["likelihood"]["elbo"]
    assert 0.1 < measured["codes"]["codes"]["linear"] < measured["codes"]["pixels"]["linear"]
    assert measured["subspace"] is None
    assert [stored["code_bytes"] for stored in measured["compression"]] == [8, 4, 2]


def test_evaluate_prints_every_section_that_means_something(tmp_path: Path) -> None:
    small = ["--steps", "12", *SMALL, "--runs", str(tmp_path)]
    assert _call("train", "linear", "--name", "line", *small)[0] == 0
    code, text = _call("evaluate", str(tmp_path / "line"), "--step", "0")
    assert code == 0
    assert "line at step 0, 10,000 test images; ± is the standard error over the images" in text
    for section in (
        "Reconstruction squared error per image",
        "By class 0 1 2 3 4 5 6 7 8 9",
        "Codes: what they know of the digit",
        "5 nearest neighbours",
        "96.88%",
        "of 2 effective",
        "Linear decoder",
        "principal angles to PCA's plane, degrees",
        "Compression: a code against the 784 bytes of an image",
        "Corrupted input",
    ):
        assert section in text
    assert "Likelihood" not in text


def test_train_tells_of_a_certain_collapse(tmp_path: Path) -> None:
    options = ["--variational", "--beta", "7", *SMALL, "--latent-dim", "3", "--steps", "3"]
    code, text = _call("train", "linear", *options, "--runs", str(tmp_path))
    assert code == 0
    assert "β = 7 leaves 2 of 3 dimensions of the code active" in text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["train", "elu", "--latent-dim", "900"], "900 is not in the range 1<=x<=256"),
        (["train", "elu", "--hidden", "5,x"], "'5,x' is not a list of whole numbers"),
        (["train", "gan"], "'gan' is not one of"),
        (["train", "elu", "--activation", "cubic"], "'cubic' is not one of"),
        (["resume", "nothing"], "There is no run 'nothing' in"),
        (["evaluate", "nothing"], "There is no run 'nothing' in"),
    ],
)
def test_bad_input_gets_one_message(tmp_path: Path, arguments: list[str], told: str) -> None:
    code, text = _call(*arguments, "--runs", str(tmp_path))
    assert code != 0
    assert told in text
    assert "Traceback" not in text


def test_what_means_nothing_for_a_model_is_told(tmp_path: Path) -> None:
    options = ["--steps", "9", "--runs", str(tmp_path), "--latent-dim", "2"]
    code, text = _call("train", "pca", *options)
    assert code == 0
    assert "--steps means nothing for this model" in text


def test_a_damaged_run_does_not_hide_the_others(tmp_path: Path) -> None:
    broken = runs.create_run(preset("elu"), tmp_path, "broken")
    runs.create_run(preset("elu"), tmp_path, "whole")
    (broken.path / "config.json").write_text("{")
    code, text = _call("runs", "--runs", str(tmp_path))
    assert code == 0
    assert "damaged" in text
    assert "whole new" in text


def test_no_runs_says_what_to_do(tmp_path: Path) -> None:
    assert "aeviewer train elu" in _call("runs", "--runs", str(tmp_path))[1]


@pytest.mark.parametrize("command", ["train", "resume", "runs", "evaluate", "reproduce"])
def test_help_is_there(command: str) -> None:
    code, text = _call(command, "--help")
    assert code == 0
    assert "--runs" in text


def test_help_tells_bounds_and_defaults() -> None:
    text = _call("train", "--help")[1]
    assert "[1<=x<=256]" in text
    assert "Default: 100." in text
    assert "Default: the preset's." in text


def test_the_runs_folder_may_be_named_before_the_command(tmp_path: Path) -> None:
    options = ["--steps", "9", "--name", "a", *SMALL]
    assert _call("--runs", str(tmp_path), "train", "elu", *options)[0] == 0
    assert runs.open_run(tmp_path / "a").status().state == RunState.FINISHED
    assert "a finished" in _call("--runs", str(tmp_path), "runs")[1]


def test_brackets_in_paths_are_only_letters(tmp_path: Path) -> None:
    folder = tmp_path / "[red]b[ x]"
    broken = runs.create_run(preset("elu"), folder, "broken")
    (broken.path / "config.json").write_text('{"model": {"family": "[/b]"}}')
    options = ["--steps", "9", "--runs", str(folder), *SMALL]
    assert _call("train", "elu", *options)[0] == 0
    code, text = _call("runs", "--runs", str(folder))
    assert code == 0
    assert "damaged" in text


def test_a_start_that_fails_leaves_its_name_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainers.training.device.available_devices", lambda: ("cpu",))
    options = ["--name", "mine", "--runs", str(tmp_path)]
    code, text = _call("train", "elu", "--device", "cuda", *options)
    assert code == 1
    assert "There is no cuda device here" in text
    assert not (tmp_path / "mine").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to whole process groups")
def test_ctrl_c_saves_and_says_how_to_resume(tmp_path: Path) -> None:
    options = [*SMALL, "--steps", "200000", "--name", "long", "--runs", str(tmp_path)]
    command = [sys.executable, "-m", "aeviewer", "train", "elu", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        run = tmp_path / "long"
        while process.poll() is None and not (run / "metrics.csv").exists():
            pass
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 0
    assert f"aeviewer resume long --runs {tmp_path}" in told
    status = runs.open_run(run).status()
    assert status.state == RunState.STOPPED
    assert runs.open_run(run).checkpoint().step == status.step
