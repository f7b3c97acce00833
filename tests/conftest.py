from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING

import pytest

from tests.alive import alive

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# Tests that run side by side share the cores, rather than each wanting all of them.
_SIDE_BY_SIDE = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // _SIDE_BY_SIDE)))

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

    from aeviewer.services.runs.session import Session
    from aeviewer.settings import Settings


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> QtBot:
    """A bot that waits for a state however slow the machine is; a test fails by its assertions."""
    from tests.patient_bot import PatientBot

    return PatientBot(request)


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees, or changes, the data sets that whoever runs it has imported."""
    monkeypatch.setenv("AEVIEWER_DATASETS", str(tmp_path / "datasets"))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a program that was never started before."""
    from PySide6.QtCore import QSettings

    from aeviewer.settings import Settings

    return Settings(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))


@pytest.fixture
def session(tmp_path: Path, settings: Settings) -> Session:
    """A session over a runs folder that is not there yet."""
    from aeviewer.services.runs.session import Session

    return Session(tmp_path / "runs", settings)


@pytest.fixture
def speak() -> Iterator[Callable[[str], None]]:
    """Has numbers written as a language has them, until the end of the test."""
    from PySide6.QtCore import QLocale

    from aeviewer.numbers import choose_language

    before = QLocale()
    yield choose_language
    QLocale.setDefault(before)


@pytest.fixture(scope="session")
def qapp(qapp: QApplication) -> QApplication:
    """The application as a person sees it: the system's fonts say nothing about our widths."""
    from aeviewer.theme import apply_theme

    apply_theme(qapp, "dark")
    # What was imported so far is no test's: `alive` need not look through it 2,000 times.
    gc.collect()
    gc.freeze()
    # As in the program: never while Qt holds a lock that a destructor wants.
    gc.disable()
    return qapp


def _collect() -> None:
    """Collects what the interpreter would have by itself."""
    due = [count > most for count, most in zip(gc.get_count(), gc.get_threshold(), strict=True)]
    if not gc.isenabled() and any(due):
        gc.collect(2 - due[::-1].index(True))


@pytest.fixture(autouse=True)
def leaves_nothing_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test of the window that leaves a thread, a timer or a window."""
    if "qapp" not in request.fixturenames:
        yield
        _collect()
        return
    request.getfixturevalue("qapp")
    before = alive()
    yield
    left = alive() - before
    if left:
        # What only a reference cycle holds is not left behind.
        gc.collect()
        left = alive() - before
    names = ", ".join(name for name, _ in sorted(left))
    assert not left, f"left behind: {names}"
