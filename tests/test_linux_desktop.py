"""The menu's entry and the type of a run's archive, put where a Linux desktop looks for them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from trainers.exporting.exporters import EXPORTERS

ROOT = Path(__file__).parents[1]
PARTS = ROOT / ".ci" / "linux"
TYPE = "application/vnd.aeviewer.run+zip"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is no such desktop")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The packaged program's folder, as build.spec lays it, by a name that wants quoting."""
    made = tmp_path / "a $folder & more"
    shutil.copytree(PARTS, made)
    shutil.copy(ROOT / "resources" / "icons" / "aeviewer.svg", made)
    return made


def script(folder: Path, home: Path, *words: str) -> None:
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [folder / "add-to-menu", *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def entry(place: Path) -> dict[str, str]:
    parser = ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(place, encoding="utf-8")
    return dict(parser["Desktop Entry"])


def test_it_is_put_in_and_taken_out_again(folder: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    script(folder, home)
    share = home / ".local" / "share"
    found = entry(share / "applications" / "aeviewer.desktop")
    quoted = str(folder / "aeviewer").replace("$", "\\\\$")
    assert found["Exec"] == f'"{quoted}" %f'
    assert found["MimeType"] == f"{TYPE};"
    assert (share / "icons" / "hicolor" / "scalable" / "apps" / "aeviewer.svg").is_file()
    if shutil.which("desktop-file-validate"):
        told = ["desktop-file-validate", share / "applications" / "aeviewer.desktop"]
        assert subprocess.run(told, capture_output=True, check=False).stdout == b""
    script(folder, home, "--remove")
    script(folder, home, "--remove")
    assert not [*share.rglob("aeviewer.*")]


def test_the_type_is_that_of_the_archives_that_are_written() -> None:
    space = "{http://www.freedesktop.org/standards/shared-mime-info}"
    (kind,) = ElementTree.parse(PARTS / "aeviewer.xml").getroot()
    (pattern,) = (glob.get("pattern") for glob in kind.iter(f"{space}glob"))
    assert kind.get("type") == TYPE
    assert pattern is not None
    assert EXPORTERS["zip"].files == (pattern.replace("*", "{run}"),)


@pytest.mark.skipif(
    not all(map(shutil.which, ("update-mime-database", "update-desktop-database", "gio"))),
    reason="a desktop's own tools are not here",
)
def test_a_desktop_opens_archives_with_it(folder: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (folder / "aeviewer").write_text("#!/bin/sh\n", encoding="utf-8")
    (folder / "aeviewer").chmod(0o755)
    script(folder, home)
    archive = tmp_path / "mine.aeviewer.zip"
    archive.write_bytes(b"PK\x05\x06" + bytes(18))
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}

    def asked(*words: str) -> str:
        told = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
        return told.stdout

    assert TYPE in asked("gio", "info", "-a", "standard::content-type", str(archive))
    assert "aeviewer.desktop" in asked("gio", "mime", TYPE)
