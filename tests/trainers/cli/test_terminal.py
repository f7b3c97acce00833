"""What the commands print cannot command the terminal, whatever the names of files are."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from aeviewer.__main__ import main
from tests.trainers.datasets.sample_images import folder
from trainers import runs
from trainers.presets import preset

ROOT = Path(__file__).parents[3]
BAD = "\x1b]0;title\x07\nFAKE \u202e"
posix = pytest.mark.skipif(os.name == "nt", reason="such names cannot be given on Windows")


def call(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def lines(text: str) -> list[str]:
    assert not set(text) & set("\x1b\x07\u202e")
    return text.splitlines()


@posix
def test_a_run_s_name_and_its_unknown_keys_are_text(tmp_path: Path) -> None:
    run = runs.create_run(preset("elu"), tmp_path, "mine")
    run.path.rename(tmp_path / f"[red]{BAD}")
    damaged = runs.create_run(preset("elu"), tmp_path, "damaged")
    (damaged.path / "config.json").write_text('{"\\u001b]0;x\\n": 1}')
    code, text = call("runs", "--runs", str(tmp_path))
    assert code == 0
    assert not [line for line in lines(text) if line.lstrip().startswith("FAKE")]
    assert "[red]�]0;title� FAKE �" in text
    assert "damaged:" in text


@posix
def test_import_s_list_is_text(tmp_path: Path) -> None:
    place = folder(tmp_path / "images", ("cat",), 120)
    (place / "cat" / f"{BAD}.png").write_bytes(b"no image")
    (place / "cat" / "\udcff.png").write_bytes(b"no image")
    code, text = call("import", str(place), "--name", "mine", "--size", "16")
    assert code == 1
    assert not [line for line in lines(text) if line.startswith("FAKE")]
    code, text = call("import", str(tmp_path / BAD), "--name", "other")
    assert code == 1
    assert not [line for line in lines(text) if line.startswith("FAKE")]


@posix
def test_a_list_of_data_sets_takes_no_markup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AEVIEWER_DATASETS", str(tmp_path))
    for name in ("[red]x", "[b]:bug:", BAD):
        (tmp_path / f"{name}.safetensors").write_bytes(b"damaged")
    code, text = call("datasets", "--check")
    assert code == 0
    assert "[red]x" in text and "[b]:bug:" in text
    assert not [line for line in lines(text) if line.startswith("FAKE")]


def test_every_command_prints_through_the_terminal() -> None:
    """rich's console is opened in one place, and what click prints was cleaned."""
    for place in [*(ROOT / "trainers" / "cli").glob("*.py"), ROOT / "aeviewer" / "__main__.py"]:
        text = place.read_text(encoding="utf-8")
        if place.name not in {"clean_console.py"}:
            assert " Console(" not in text, place
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "click.echo":
                assert ast.unparse(node.args[0]).startswith(("clean_line(", "clean_text(")), place
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "click.ClickException":
                assert ast.unparse(node.args[0]).startswith("clean_line("), place


def run_program(arguments: list[str], **options: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "aeviewer", *arguments]
    return subprocess.run(command, check=False, stderr=subprocess.PIPE, timeout=120, **options)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_the_help_and_the_lists_are_printed_in_small_encodings(
    tmp_path: Path, encoding: str
) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "100"}
    np.save(tmp_path / "β ×.npy", np.zeros((3, 8, 8), np.uint8))
    for arguments, status in (
        (["train", "--help"], 0),
        (["import", str(tmp_path / "β ×.npy"), "--name", "mine"], 1),
    ):
        done = run_program(arguments, stdout=subprocess.PIPE, env=environment)
        assert done.returncode == status, done.stderr
        assert b"Traceback" not in done.stderr
    assert b"beta" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_device_is_one_line(tmp_path: Path) -> None:
    runs.create_run(preset("elu"), tmp_path, "mine")
    with open("/dev/full", "wb") as full:
        for arguments in (["runs", "--runs", str(tmp_path)], ["--help"], ["datasets"]):
            done = run_program(arguments, stdout=full)
            assert done.returncode == 1
            assert done.stderr.decode().splitlines() == [
                "Error: The system reports: No space left on device. Free some space, or choose "
                "another place for the output."
            ]


@posix
def test_no_path_ends_in_a_traceback(tmp_path: Path) -> None:
    loop, run = tmp_path / "loop", runs.create_run(preset("elu"), tmp_path / "runs", "mine")
    loop.symlink_to("loop")
    where = ["--runs", str(run.path.parent)]
    for odd in (str(loop), str(tmp_path / ("x" * 300)), str(tmp_path / "\udcff"), f"{loop}/x.npy"):
        for arguments in (
            ["runs", "--runs", odd],
            ["resume", odd, *where],
            ["evaluate", odd, *where],
            ["export", odd, "csv", *where],
            ["export", "mine", "csv", "--to", odd, *where],
            ["import", odd, "--name", "mine"],
            ["open", odd, "--no-window", *where],
            ["train", "elu", "--name", odd, *where],
            ["train", "elu", "--dataset", odd, *where],
            ["datasets", "--remove", odd],
        ):
            code, text = call(*arguments)
            assert code != 0 or arguments[0] == "runs"
            assert text.strip()
            lines(text)


@posix
@pytest.mark.parametrize(
    "name", ["checkpoints", "metrics.csv", "status.json", "resume.safetensors", "config.json"]
)
def test_a_link_to_itself_in_a_run_is_no_traceback(tmp_path: Path, name: str) -> None:
    small = {"hidden": (4,), "latent_dim": 2, "steps": 3, "batch_size": 10}
    run = runs.create_run(preset("elu").replace(**small), tmp_path, "mine")
    (run.path / name).unlink(missing_ok=True)
    (run.path / name).symlink_to(name)
    for arguments in (
        ["runs"],
        ["resume", "mine"],
        ["export", "mine", "metrics"],
        ["evaluate", "mine"],
    ):
        _, text = call(*arguments, "--runs", str(tmp_path))
        assert text.strip()
