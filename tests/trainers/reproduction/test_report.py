from __future__ import annotations

import csv
import html
import io
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from tests.trainers.reproduction.invented_results import PCA_ERRORS, error_of, keep, result_of
from trainers.errors import RunError
from trainers.presets import preset
from trainers.reproduction.digit_figures import COLUMNS, read_sheet
from trainers.reproduction.plan import QUICK_NOTICE as QUICK
from trainers.reproduction.plan import SWEEP, planned_runs
from trainers.reproduction.report import write_report
from trainers.reproduction.tables import differences

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from trainers.reproduction.plan import PlannedRun

FIGURES = ("figure-2", "figure-3", "figure-5", "curves", "sweep", "denoising")
TABLES = ("beyond", "claims", "compression", "curves", "denoising", "methods", "runs", "subspace")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of all planned runs, with the results in its folder `results`."""
    return write_invented_report(tmp_path_factory.mktemp("whole"), lambda _: True)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of the quick plan."""
    return write_invented_report(tmp_path_factory.mktemp("quick"), lambda _: True, quick=True)


def write_invented_report(
    home: Path, is_finished: Callable[[PlannedRun], bool], *, quick: bool = False
) -> Path:
    for entry in planned_runs(quick=quick):
        if is_finished(entry):
            keep(home / "results", entry)
    write_report(home / "results", home, quick=quick)
    return home


def text_of(home: Path) -> str:
    return (home / "report.html").read_text(encoding="utf-8")


def rows_of(home: Path, name: str) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO((home / f"{name}.csv").read_text(encoding="utf-8")))]


def pixels_of(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def test_a_report_has_a_page_figures_and_tables_in_one_folder(whole: Path) -> None:
    names = {path.name for path in whole.iterdir() if path.is_file()}
    expected = {f"{name}.{suffix}" for name in FIGURES for suffix in ("png", "svg")}
    expected |= {f"{name}.csv" for name in (*TABLES, "sweep")} | {"report.html"}
    assert names == expected


def test_the_page_needs_no_other_file(whole: Path) -> None:
    page = text_of(whole)
    assert page.lstrip().startswith("<!doctype html>")
    assert page.count('<svg role="img"') == len(FIGURES)
    assert not re.findall(r"<(?:script|link|img|iframe)\b|@import|url\((?!#)", page)
    linked = re.findall(r'href="([^"#]+)"', page)
    images = [link for link in linked if link.startswith("data:image/png;base64,")]
    assert len(images) > 10
    assert all((whole / link).is_file() for link in set(linked) - set(images))
    assert "prefers-color-scheme: dark" in page and "@media print" in page


def test_ids_of_the_page_are_unique_and_every_reference_exists(whole: Path) -> None:
    page = text_of(whole)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    referred = re.findall(r'(?:href="#|url\(#)([^")]+)', page)
    assert set(referred) <= set(ids)


def test_the_page_names_every_planned_run(whole: Path) -> None:
    page = text_of(whole)
    assert all(f">{entry.name}<" in page for entry in planned_runs())
    assert "not trained yet" not in page
    assert "Not there yet" not in page


def test_an_incomplete_report_names_the_missing_runs(tmp_path: Path) -> None:
    gone = {"relu-d5-seed1", "relu-d5-seed2", "relu-d5-seed3", "vae-d5-seed1", "conv-vae-d5-seed1"}
    home = write_invented_report(tmp_path, lambda e: e.chapter == "paper" and e.name not in gone)
    page = text_of(home)
    there = sum(e.chapter == "paper" and e.name not in gone for e in planned_runs())
    assert f"{there} of the {len(planned_runs())} that the plan has" in page
    assert all(f">{entry.name}<" in page for entry in planned_runs())
    assert "ReLU (not trained yet)" in page
    assert page.count("<td>not trained yet</td>") == len(planned_runs()) - there
    assert "Figure 5 of the paper: variational autoencoders: not there yet" in page
    assert not (home / "figure-5.png").exists()
    assert "not trained yet" in (home / "figure-3.svg").read_text(encoding="utf-8")


def test_a_report_without_results_has_open_claims_only(tmp_path: Path) -> None:
    home = tmp_path / "new" / "report"
    page = write_report(tmp_path / "results", home, quick=False).read_text(encoding="utf-8")
    assert "0 of the 64 that the plan has" in page
    assert "No run of the plan is trained yet." in page
    assert "<svg" not in page and not [*home.glob("*.png")]
    assert [row["verdict"] for row in rows_of(home, "claims")] == ["open"] * 10


def test_figures_without_results_are_removed(tmp_path: Path) -> None:
    (tmp_path / "sweep.png").write_bytes(b"old")
    (tmp_path / "notes.txt").write_bytes(b"a file of the user")
    write_report(tmp_path / "results", tmp_path, quick=False)
    assert not (tmp_path / "sweep.png").exists()
    assert (tmp_path / "notes.txt").exists()


def test_a_result_of_another_config_is_ignored(tmp_path: Path) -> None:
    entry = planned_runs()[0]
    other = result_of(entry).model_copy(update={"config": preset("pca").replace(latent_dim=7)})
    keep(tmp_path / "results", entry, other)
    write_report(tmp_path / "results", tmp_path, quick=False)
    states = {row["run"]: row["state"] for row in rows_of(tmp_path, "runs")}
    assert states[entry.name] == "not trained yet"


def test_the_error_names_a_damaged_result(tmp_path: Path) -> None:
    entry = planned_runs()[0]
    keep(tmp_path / "results", entry)
    (tmp_path / "results" / entry.name / "result.json").write_text("{", encoding="utf-8")
    with pytest.raises(RunError, match=entry.name):
        write_report(tmp_path / "results", tmp_path / "report", quick=False)


def test_the_same_results_give_the_same_bytes(whole: Path, tmp_path: Path) -> None:
    with mpl.rc_context({"font.size": 30, "svg.hashsalt": "another", "lines.linewidth": 9}):
        write_report(whole / "results", tmp_path, quick=False)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (whole / path.name).read_bytes(), path.name


def test_parameters_of_matplotlib_are_restored(tmp_path: Path) -> None:
    before = dict(mpl.rcParams)
    keep(tmp_path / "results", planned_runs()[0])
    write_report(tmp_path / "results", tmp_path, quick=False)
    assert dict(mpl.rcParams) == before


def test_every_quick_figure_and_caption_has_the_notice(quick: Path) -> None:
    page = html.unescape(text_of(quick))
    figures = re.findall(r"<figure .*?</figure>", page, re.DOTALL)
    notice = QUICK[1:]
    for figure in figures:
        assert notice in re.findall(r"<figcaption>.*?</figcaption>", figure, re.DOTALL)[0]
    pictures = [figure for figure in figures if "<svg" in figure]
    assert len(pictures) == len(FIGURES)
    assert all(QUICK in figure[: figure.index("<figcaption>")] for figure in pictures)
    for name in FIGURES:
        assert QUICK in html.unescape((quick / f"{name}.svg").read_text(encoding="utf-8"))
        red = pixels_of(quick / f"{name}.png")[:60, -800:]
        assert (red == (0xB3, 0x26, 0x1E)).all(-1).any(), name
    assert "aeviewer reproduce --quick" in page
    assert {row["verdict"] for row in rows_of(quick, "claims")} == {"open"}


def test_the_full_report_has_no_quick_notice(whole: Path) -> None:
    assert "quick" not in text_of(whole)
    for name in FIGURES:
        assert "quick" not in (whole / f"{name}.svg").read_text(encoding="utf-8")


def test_the_methods_table_has_means_and_half_ranges(whole: Path) -> None:
    rows = {row["method"]: row for row in rows_of(whole, "methods")}
    elu = rows["ELU"]
    errors = [error_of(e) for e in planned_runs() if e.name.startswith("elu-d5-")]
    assert elu["runs"] == "3"
    assert float(elu["squared_error_per_image"]) == pytest.approx(np.mean(errors))
    assert float(elu["squared_error_per_image_half_range"]) == pytest.approx(np.ptp(errors) / 2)
    assert float(elu["squared_error_per_pixel"]) == pytest.approx(np.mean(errors) / 784)
    assert float(elu["error_over_pca"]) == pytest.approx(np.mean(errors) / PCA_ERRORS[5])
    assert elu["elbo_nats"] == elu["protocol"] == ""
    vae = rows["VAE"]
    assert (vae["elbo_nats"], vae["minus_log_p_nats"]) == ("-91", "87.5")
    assert vae["protocol"] == "grey Bernoulli"
    assert vae["squared_error_per_image_half_range"] == "0.1"
    assert float(vae["training_minutes"]) == 10
    assert rows["Raw pixels (784)"]["knn_accuracy"] == "0.97"


def test_sweep_compression_and_noise_tables_have_the_results(whole: Path) -> None:
    sweep = rows_of(whole, "sweep")
    assert [int(row["latent_dim"]) for row in sweep] == [*SWEEP]
    for row in sweep:
        assert float(row["pca_squared_error_per_image"]) == PCA_ERRORS[int(row["latent_dim"])]
    assert [row["latent_dim"] for row in sweep if row["good"] == "yes"] == ["20", "30", "50"]
    stored = {(r["method"], r["latent_dim"]): r for r in rows_of(whole, "compression")}
    code = stored["ELU autoencoder", "20"]
    assert (code["float32_bytes"], code["float16_bytes"], code["8_bits_bytes"]) == (
        "80",
        "40",
        "20",
    )
    assert (code["8_bits_ratio"], code["8_bits_added_error"]) == ("39.2", "0.05")
    noise = {row["noise"]: row for row in rows_of(whole, "denoising")}
    assert float(noise["0.5"]["input_squared_error_per_image"]) == 196
    assert float(noise["0.5"]["trained_with_0.5_squared_error_per_image"]) == pytest.approx(23.0)


def test_curves_have_every_checkpoint(whole: Path) -> None:
    rows = [r for r in rows_of(whole, "curves") if (r["method"], r["seed"]) == ("elu", "2")]
    entry = next(e for e in planned_runs() if e.name == "elu-d5-seed2")
    history = result_of(entry).history
    assert [int(row["step"]) for row in rows] == [e.step for e in history]
    errors = [float(row["squared_error_per_pixel"]) for row in rows]
    assert errors == pytest.approx([e.squared_error_per_pixel for e in history])


def test_published_values_are_beside_ours(whole: Path) -> None:
    rows = {row["model"]: row for row in rows_of(whole, "beyond")}
    deep = rows["Deep autoencoder, 30 codes"]
    assert (deep["published"], deep["ours"]) == ("3", "2.49")
    vae = rows["One-layer VAE, 50 codes"]
    assert (vae["published"], vae["ours"]) == ("86.76", "87.5")
    assert vae["how"] == "binarised Bernoulli, 128 samples, 1,000 images"


def test_the_report_has_the_total_training_time(whole: Path) -> None:
    assert "10 h 40 min of training" in text_of(whole)


def test_a_figure_of_digits_has_the_exact_pixels_of_the_sheets(whole: Path) -> None:
    inputs, outputs = read_sheet(whole / "results" / "linear-d5-seed1" / "step-00010000.png")
    picture = pixels_of(whole / "figure-2.png")[..., 0]
    for images in (inputs, outputs):
        strip = images[:COLUMNS].swapaxes(0, 1).reshape(28, -1)
        assert contains(picture, strip.repeat(4, 0).repeat(4, 1))


def contains(picture: np.ndarray, part: np.ndarray) -> bool:
    """Returns whether `picture` contains `part`, up to one grey level of rounding."""
    height, width = part.shape
    for top in range(picture.shape[0] - height + 1):
        for left in range(290, 330):
            found = picture[top : top + height : 9, left : left + width : 9].astype(int)
            if found.shape == part[::9, ::9].shape and abs(found - part[::9, ::9]).max() <= 1:
                whole = picture[top : top + height, left : left + width].astype(int)
                return bool(abs(whole - part).max() <= 1)
    return False


def test_a_picture_of_another_size_is_not_read_as_a_sheet(tmp_path: Path) -> None:
    Image.new("L", (28, 28)).save(tmp_path / "step-00000001.png")
    with pytest.raises(RunError, match="not a sheet"):
        read_sheet(tmp_path / "step-00000001.png")


def test_the_runs_table_has_the_settings_that_differ() -> None:
    config = preset("vae").replace(latent_dim=10, seed=3, hidden=(200, 100))
    text = "latent dimension 10; hidden layers 200–100; variational; likelihood bernoulli; seed 3"
    assert differences(config) == text
    assert differences(preset("elu")) == "none"


def test_report_loads_no_torch() -> None:
    code = "import sys, trainers.reproduction.report; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
