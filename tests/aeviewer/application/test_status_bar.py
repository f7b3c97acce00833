from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QLabel

from aeviewer.app import Program
from aeviewer.services.training.training_queue import Activity, TrainingQueue
from trainers import runs
from trainers.presets import preset
from trainers.runs import RunState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from aeviewer.settings import Settings


@pytest.fixture
def program(tmp_path: Path, settings: Settings, qtbot: QtBot) -> Iterator[Program]:
    program = Program(tmp_path / "runs", settings)
    qtbot.addWidget(program.window)
    program.window.show()
    yield program
    program.close()


def test_the_status_bar_names_the_run_that_is_shown_beside_the_one_that_is_trained(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = program.session
    shown, trained = (
        session.add(runs.create_run(preset("elu"), session.folder, name), RunState.NEW)
        for name in ("shown", "trained")
    )
    bar = program.window.statusBar().findChild(QLabel)
    monkeypatch.setattr(TrainingQueue, "active", property(lambda _queue: (trained,)))
    monkeypatch.setattr(TrainingQueue, "activity", property(lambda _queue: Activity.RUNNING))
    session.set_current(shown)
    assert bar.text() == "shown is shown, trained is trained. Choose trained to watch it."
    session.set_current(trained)
    assert bar.text().startswith("Training trained. ")
