"""Text from outside commands neither a terminal nor a spreadsheet nor a picture."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ElementTree
from typing import TYPE_CHECKING

import numpy as np
import pytest

import trainers
from tests.trainers.datasets.sample_images import shapes
from trainers.datasets import sources
from trainers.datasets.importing.importer import ImportRequest, default_conversion, import_images
from trainers.exploration import selection
from trainers.exporting.export import export_run
from trainers.exporting.exporters import choose_exporters
from trainers.figures.image_sheet import write_sheet
from trainers.generators import finish
from trainers.plain_text import ERRORS, clean_line, clean_text, table_cell
from trainers.presets import preset

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = ("\x1b[2J", "\x1b]8;;http://x\x07", "\x9b31m", "\x00", "\u202e", "\u2066", "\udcff")


@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_terminal_obeys_is_replaced(command: str) -> None:
    for clean in (clean_text, clean_line):
        found = clean(f"a{command}b")
        assert len(found) == len(command) + 2
        assert found[0] == "a" and found[-1] == "b"
        assert found[1] == "�"
        assert found.isprintable()


def test_a_line_has_no_line_ends_and_a_text_keeps_its_own() -> None:
    ends = "a\nb\rc\u2028d\x85e"
    assert clean_line(ends) == "a b c d e"
    assert clean_text(ends) == "a\nb�c�d�e"
    assert clean_line("β × 日本 ﻿é") == "β × 日本 ﻿é"


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", " =1", "\t=1", "＝1"])
def test_a_cell_that_a_spreadsheet_would_run_is_text(text: str) -> None:
    assert table_cell(text).startswith("'")
    assert table_cell(text)[1:] == text.replace("\t", " ")


@pytest.mark.parametrize("text", ["-1.5", "+3", "1e-05", "plain", "a=b", ""])
def test_numbers_and_plain_cells_stay(text: str) -> None:
    assert table_cell(text) == text


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8"])
def test_every_text_can_be_printed_in_every_encoding(encoding: str) -> None:
    content = io.BytesIO()
    with io.TextIOWrapper(content, encoding, ERRORS) as file:
        file.write("β × … – é ╭ 日 \udcff")
        file.flush()
        printed = content.getvalue().decode(encoding)
    assert printed.replace("�", "?").endswith("?")
    if encoding == "ascii":
        assert printed == "beta x ... - e ? ? ?"


# -- files -----------------------------------------------------------------------------------------

NAMES = ("_other", "$1-$5", r"$\frac$", "=1+1", "a\nb\x1b", "<&>")


@pytest.fixture
def named(tmp_path: Path) -> trainers.runs.Run:
    """A run on a data set whose classes have such names."""
    np.savez(tmp_path / "x.npz", images=shapes(300), labels=np.arange(300) % len(NAMES))
    source = finish(sources.detect_source(tmp_path / "x.npz"))
    request = ImportRequest("names", conversion=default_conversion(source), classes=NAMES)
    finish(import_images(source, request)).keep()
    source.close()
    small = {"hidden": (8,), "latent_dim": 2, "steps": 5, "batch_size": 20}
    trainer = trainers.train(preset("elu").replace(dataset="names", **small), tmp_path / "runs")
    list(trainer)
    return trainer.run


def test_pictures_and_tables_have_every_class_by_its_name(
    named: trainers.runs.Run, tmp_path: Path
) -> None:
    finish(export_run(named, choose_exporters(("pictures", "projector")), tmp_path / "out"))
    drawn = [
        "".join(element.itertext())
        for element in ElementTree.parse(tmp_path / "out" / "codes.svg").iter()
        if element.tag.endswith("text")
    ]
    for name in ("_other", "$1-$5", r"$\frac$", "=1+1", "a b�", "<&>"):
        assert name in drawn
    ElementTree.parse(tmp_path / "out" / "reconstructions.svg")
    labels = (tmp_path / "out" / "projector" / "labels.tsv").read_text("utf-8").splitlines()
    assert {line.split("\t")[0] for line in labels[1:]} >= {"'=1+1", "_other"}
    assert not [line for line in labels if line.startswith("=")]


def test_a_sheet_with_such_words_is_read_by_every_viewer(tmp_path: Path) -> None:
    images = np.zeros((1, 1, 8, 8), np.uint8)
    for ending in ("svg", "png"):
        write_sheet(tmp_path / f"s.{ending}", images, title="a\x1b\udcff", words=["\x00"])
    ElementTree.parse(tmp_path / "s.svg")


def test_a_selection_s_table_runs_nothing(tmp_path: Path) -> None:
    selection.write_csv(
        tmp_path / "s.csv", ["=x", "test 3"], ["@SUM(A1)", "\udcff"], np.array([[-1.5], [2.0]])
    )
    with (tmp_path / "s.csv").open(encoding="utf-8", newline="") as file:
        rows = [*csv.reader(file)]
    assert rows == [["image", "class", "z1"], ["'=x", "'@SUM(A1)", "-1.5"], ["test 3", "�", "2"]]
