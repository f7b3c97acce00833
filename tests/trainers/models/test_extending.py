"""docs/extending.md: a family that is added as the page says works everywhere in the program."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import trainers

_PAGE = Path(__file__).parents[3] / "docs" / "extending.md"
_CASE = """
import json
import sys
from pathlib import Path

from click.testing import CliRunner
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication, QLabel

from aeviewer.__main__ import main
from aeviewer.panels.runs.runs_model import summary
from aeviewer.panels.training.experiment_panel import ExperimentPanel
from aeviewer.services.runs.session import Session
from aeviewer.settings import Settings
from aeviewer.widgets.inputs.form import Form
from trainers.presets import preset
from trainers.reproduction.result_index import METHODS, NAMES
from trainers.reproduction.plan import planned_runs
from trainers.runs import open_run

folder = Path("runs").absolute()
app = QApplication([])
settings = Settings(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat))
panel = ExperimentPanel(Session(folder, settings))
panel.select_preset("tied")
panel.set_latent_dim(2)
config = panel.config()
form = [label.text() for label in panel.findChildren(QLabel)]
lines = summary(preset("tied").replace(latent_dim=2))
is_torch_loaded = "torch" in sys.modules
runs = ["--runs", str(folder)]
train = "train tied --latent-dim 2 --steps 30 --hidden 20 --seed 1 --name mine".split()
trained = CliRunner().invoke(main, [*train, *runs])
errors = [c.evaluation().squared_error for c in open_run(folder / "mine").checkpoints()]
print(json.dumps({
    "exit code": trained.exit_code, "output": trained.output, "errors": errors,
    "fields": [config.model.family, panel.findChild(Form).field("hidden").editor.isHidden()],
    "form": form, "runs list": lines, "torch": is_torch_loaded,
    "method": [METHODS[-1], NAMES["tied"]],
    "plan": [e.name for e in planned_runs() if e.config.model.family == "tied"],
}))
"""
_DESCRIPTION = ["784 – 500 – 500 – 2 – 500 – 500 – 784, elu, tied", "645,786 weights"]

Report = dict[str, object]


def _run(place: Path, *files: str) -> Report:
    """Returns what the program reports in a copy with these files of the page."""
    page = _PAGE.read_text(encoding="utf-8")
    codes = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    pages = dict(zip(("tied.py", "descriptions/describe_tied.py"), codes, strict=True))
    shutil.copytree(Path(trainers.__file__).parent, place / "trainers")
    for name in files:
        assert f"trainers/models/{name}" in page
        (place / "trainers" / "models" / name).write_text(pages[name], encoding="utf-8")
    program = subprocess.run(
        [sys.executable, "-c", _CASE],
        cwd=place,
        capture_output=True,
        text=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        check=False,
    )
    assert program.returncode == 0, program.stderr
    report: Report = json.loads(program.stdout.splitlines()[-1])
    return report


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return _run(tmp_path_factory.mktemp("families"), "tied.py", "descriptions/describe_tied.py")


@pytest.fixture(scope="module")
def report_of_one_file(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return _run(tmp_path_factory.mktemp("families"), "tied.py")


def test_the_command_line_trains_the_family_and_its_error_falls(report: Report) -> None:
    assert report["exit code"] == 0, report["output"]
    errors = report["errors"]
    assert isinstance(errors, list)
    assert errors[-1] < 0.9 * errors[0]


def test_the_form_offers_the_family_with_its_fields(report: Report) -> None:
    assert report["fields"] == ["tied", False]


def test_form_and_runs_list_show_the_description_of_the_family(report: Report) -> None:
    assert "\n".join(_DESCRIPTION) in report["form"]  # type: ignore[operator]
    assert report["runs list"][1:3] == _DESCRIPTION  # type: ignore[index]


def test_a_family_without_a_description_is_shown_with_its_name(report_of_one_file: Report) -> None:
    assert "tied, 2 codes" in report_of_one_file["form"]  # type: ignore[operator]
    assert report_of_one_file["runs list"][1] == "tied, 2 codes"  # type: ignore[index]


def test_showing_a_description_does_not_load_torch(
    report: Report, report_of_one_file: Report
) -> None:
    assert not report["torch"]
    assert not report_of_one_file["torch"]


def test_the_report_includes_the_family(report: Report) -> None:
    assert report["method"] == ["tied", "Tied"]
    assert report["plan"] == ["tied-d5-seed1"]
