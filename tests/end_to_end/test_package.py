"""The packaged program: built by the documented command, unpacked elsewhere, used with nothing set.

Takes half an hour: `uv run pytest -m slow tests/end_to_end/test_package.py`. With
AEVIEWER_ARCHIVE=FILE an archive that was built before is taken. Pictures go to AEVIEWER_PICTURES.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from tests.end_to_end.screen import IS_LACKING, LACKING, screen, seen

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
MOST_BYTES = 700 << 20
PATIENCE = 120

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(sys.platform != "linux", reason="the workflow does it on other systems"),
]


@pytest.fixture(scope="module")
def archive() -> Path:
    """What the documented command makes."""
    given = os.environ.get("AEVIEWER_ARCHIVE")
    if given:
        return Path(given)
    subprocess.run([sys.executable, ROOT / ".ci" / "package", "--no-smoke-test"], check=True)
    (made,) = (ROOT / "dist").glob("aeviewer-*.tar.gz")
    return made


@pytest.fixture(scope="module")
def program(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, in a folder that it was not built in."""
    elsewhere = tmp_path_factory.mktemp("a folder elsewhere")
    with tarfile.open(archive) as packed:
        packed.extractall(elsewhere, filter="data")
    return elsewhere / "aeviewer" / "aeviewer"


def run(program: Path, home: Path, *words: str, **environment: str) -> str:
    """What the program says, with nothing set but where a person's files are."""
    done = subprocess.run(
        [program, *words],
        env={"HOME": str(home), "AEVIEWER_RUNS": str(home / "runs"), **environment},
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert "Traceback" not in done.stdout
    return done.stdout


@contextmanager
def opened(program: Path, home: Path, display: str, **environment: str) -> Iterator[str]:
    """The program's window, by its number; closed as a person's session ends."""
    runs = home / "runs"
    given = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "DISPLAY": display, **environment}
    with subprocess.Popen([program, "--runs", runs], env=given, stderr=subprocess.PIPE) as process:
        search = ["xdotool", "search", "--sync", "--onlyvisible", "--name", "^AE Viewer$"]
        found = subprocess.run(
            search,
            env={**os.environ, "DISPLAY": display},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
        yield found.stdout.split()[0]
        process.terminate()
        assert process.wait(PATIENCE) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_the_archive_fits_its_checksum_and_is_small(archive: Path, program: Path) -> None:
    digest, name = Path(f"{archive}.sha256").read_text(encoding="utf-8").split()
    assert name == archive.name
    assert digest == hashlib.sha256(archive.read_bytes()).hexdigest()
    files = [f for f in program.parent.rglob("*") if f.is_file() and not f.is_symlink()]
    assert sum(file.stat().st_size for file in files) <= MOST_BYTES


@pytest.mark.skipif(IS_LACKING, reason=LACKING)
def test_its_own_smoke_test_passes_with_an_empty_environment(program: Path, tmp_path: Path) -> None:
    with screen(tmp_path) as display:
        done = subprocess.run(
            ["env", "-i", f"DISPLAY={display}", program, "--smoke-test"],
            cwd="/",
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "packaged" in done.stdout and "50 steps of the VAE on MNIST" in done.stdout
    assert "in a process of its own" in done.stdout and "The smoke test passed." in done.stdout
    assert done.stderr == ""


@pytest.mark.skipif(IS_LACKING, reason=LACKING)
def test_its_window_looks_as_it_should(program: Path, tmp_path: Path) -> None:
    with screen(tmp_path) as display, opened(program, tmp_path, display):
        until = time.monotonic() + PATIENCE
        while not _shows_the_demo(picture := seen(tmp_path)) and time.monotonic() < until:
            time.sleep(0.5)
    folder = Path(os.environ.get("AEVIEWER_PICTURES", tmp_path))
    Image.fromarray(picture).save(folder / "packaged.png")
    assert _shows_the_demo(picture)


def _shows_the_demo(picture: np.ndarray) -> bool:
    """Codes in ten colours, and the accent of what is current."""
    colours = {tuple(colour) for colour in picture[::2, ::2].reshape(-1, 3).tolist()}
    return len(colours) > 1_000 and (0x35, 0xC9, 0x9A) in colours


@pytest.mark.skipif(IS_LACKING, reason=LACKING)
def test_what_it_opens_is_not_given_its_libraries(program: Path, tmp_path: Path) -> None:
    told, tools = tmp_path / "told", tmp_path / "tools"
    tools.mkdir()
    opener = tools / "xdg-open"
    opener.write_text(f'#!/bin/sh\necho "$1 [$LD_LIBRARY_PATH]" > "{told}"\n', encoding="utf-8")
    opener.chmod(0o755)
    path = f"{tools}:/usr/bin:/bin"
    with screen(tmp_path) as display, opened(program, tmp_path, display, PATH=path) as window:
        # File → Show runs folder, once the tour is skipped.
        words = ["windowactivate", "--sync", window, "key", "Escape", "alt+f"]
        words += ["sleep", "0.5", "key", "s"]
        seeing = {**os.environ, "DISPLAY": display}
        until = time.monotonic() + PATIENCE
        while not (told.is_file() and told.read_text()) and time.monotonic() < until:
            subprocess.run(["xdotool", *words], env=seeing, check=True)
            time.sleep(1)
    assert told.read_text(encoding="utf-8").strip() == f"file://{tmp_path}/runs []"


def test_it_trains_alone_and_side_by_side_and_measures(program: Path, tmp_path: Path) -> None:
    small = ("--steps", "20", "--hidden", "16", "--batch-size", "50")
    assert "Finished" in run(program, tmp_path, "train", "vae", "--name", "one", *small)
    sweep = ("sweep", "elu", "--latent-dim", "2,3", "--jobs", "2", *small)
    run(program, tmp_path, *sweep)
    listed = run(program, tmp_path, "runs")
    assert listed.count("finished") == 3
    assert "5 nearest neighbours" in run(program, tmp_path, "evaluate", "one")


def test_it_writes_the_report_of_the_reproduction(program: Path, tmp_path: Path) -> None:
    kept = ROOT / "docs" / "reproduction" / "results"
    report = tmp_path / "report"
    report.mkdir()
    (report / "results").symlink_to(kept)
    run(program, tmp_path, "reproduce", "--only-report", "--report", str(report))
    (page,) = report.glob("*.html")
    assert page.stat().st_size > 10_000
    assert [*report.rglob("*.svg")] and [*report.rglob("*.png")]


def test_what_it_leaves_out_it_says(program: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [program, "sweep", "elu", "--latent-dim", "2", "--cluster", "tcp://127.0.0.1:9"],
        env={"HOME": str(tmp_path), "AEVIEWER_RUNS": str(tmp_path / "runs")},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    told = " ".join(done.stderr.replace("│", "").split())
    assert "The packaged program leaves it out for its size" in told


def test_it_puts_itself_into_the_menu_and_out_again(program: Path, tmp_path: Path) -> None:
    script = program.parent / "add-to-menu"
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    subprocess.run([script], env=environment, check=True, capture_output=True)
    entry = tmp_path / ".local" / "share" / "applications" / "aeviewer.desktop"
    icon = tmp_path / ".local" / "share" / "icons" / "hicolor" / "scalable" / "apps"
    assert f'\nExec="{program}" %f\n' in entry.read_text(encoding="utf-8")
    assert (icon / "aeviewer.svg").is_file()
    subprocess.run([script, "--remove"], env=environment, check=True, capture_output=True)
    assert not entry.exists() and not (icon / "aeviewer.svg").exists()
