from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

    from aeviewer.settings import Settings
    from tests.end_to_end.person import Person


@pytest.fixture
def store(tmp_path: Path) -> Settings:
    from PySide6.QtCore import QSettings

    from aeviewer.settings import Settings

    return Settings(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))


@pytest.fixture
def person(qtbot: QtBot, qapp: QApplication, tmp_path: Path, store: Settings) -> Iterator[Person]:
    """A person who opens the program for the first time."""
    from aeviewer import theme
    from tests.end_to_end.person import close, opened
    from trainers import runs

    theme.apply_theme(qapp, "dark")
    with runs.demo_run() as demo:
        person = opened(tmp_path / "runs", store, qtbot, demo)
        yield person
        close(person)
