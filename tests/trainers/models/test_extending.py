"""The page that says how a family is added is true."""

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

_PAGE = Path(__file__).parents[2] / "docs" / "extending.md"
_CASE = """
import json
from pathlib import Path

from click.testing import CliRunner
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from aeviewer.__main__ import main
from aeviewer.panels.training.experiment_panel import ExperimentPanel
from aeviewer.services.runs.session import Session
from aeviewer.settings import Settings
from trainers.reproduction.result_index import METHODS, NAMES
from trainers.reproduction.plan import entries
from trainers.runs import opened

folder = Path("runs").absolute()
runs = ["--runs", str(folder)]
train = "train tied --latent-dim 2 --steps 30 --hidden 20 --seed 1 --name mine".split()
trained = CliRunner().invoke(main, [*train, *runs])
errors = [c.evaluation().squared_error for c in opened(folder / "mine").checkpoints()]
app = QApplication([])
settings = Settings(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat))
panel = ExperimentPanel(Session(folder, settings))
panel.select_preset("tied")
config = panel.config()
print(json.dumps({
    "train": trained.exit_code, "told": trained.output, "errors": errors,
    "form": [config.model.family, panel._form.field("hidden").editor.isHidden()],
    "method": [METHODS[-1], NAMES["tied"]],
    "plan": [e.name for e in entries() if e.config.model.family == "tied"],
}))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What a program says into which the page's code was put, and nothing else."""
    place = tmp_path_factory.mktemp("families")
    (code,) = re.findall(r"```python\n(.*?)```", _PAGE.read_text(encoding="utf-8"), re.DOTALL)
    shutil.copytree(Path(trainers.__file__).parent, place / "trainers")
    (place / "trainers" / "models" / "tied.py").write_text(code, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-c", _CASE],
        cwd=place,
        capture_output=True,
        text=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


def test_the_command_line_trains_it_and_its_error_falls(told: dict) -> None:
    assert told["train"] == 0, told["told"]
    assert told["errors"][-1] < 0.9 * told["errors"][0]


def test_the_form_offers_it_with_its_fields(told: dict) -> None:
    assert told["form"] == ["tied", False]


def test_the_report_has_it(told: dict) -> None:
    assert told["method"] == ["tied", "Tied"]
    assert told["plan"] == ["tied-d5-seed1"]
