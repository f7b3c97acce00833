from __future__ import annotations

import gc
import os
import threading
from typing import TYPE_CHECKING

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PySide6.QtWidgets import QApplication

    from aeviewer.services.session import Session
    from aeviewer.settings import Settings


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
    from aeviewer.services.session import Session

    return Session(tmp_path / "runs", settings)


@pytest.fixture(scope="session")
def qapp(qapp: QApplication) -> QApplication:
    """The application as a person sees it: the system's fonts say nothing about our widths."""
    from aeviewer.theme import apply_theme

    apply_theme(qapp, "dark")
    # What was imported so far is no test's: `_alive` need not look through it 2,000 times.
    gc.collect()
    gc.freeze()
    return qapp


@pytest.fixture(autouse=True)
def leaves_nothing_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test of the window that leaves a thread, a timer or a window."""
    if "qapp" not in request.fixturenames:
        yield
        return
    request.getfixturevalue("qapp")
    before = _alive()
    yield
    left = _alive() - before
    if left:
        # What only a reference cycle holds is not left behind.
        gc.collect()
        left = _alive() - before
    names = ", ".join(name for name, _ in sorted(left))
    assert not left, f"left behind: {names}"


def _alive() -> set[tuple[str, int]]:
    """Threads, running QThreads, active timers and windows, as (what it is, identity)."""
    from PySide6.QtCore import QCoreApplication, QEvent, QThread, QTimer
    from PySide6.QtWidgets import QApplication
    from shiboken6 import getCppPointer, isValid

    # Deleting later means: when an event loop runs, and none does between tests.
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    # Python gives a QThread a dummy of its own when code in it asks for the current thread.
    threads = (t for t in threading.enumerate() if not isinstance(t, threading._DummyThread))
    alive = {(f"thread {t.name}", id(t)) for t in threads}
    windows = (w for w in QApplication.topLevelWidgets() if w.parent() is None)
    alive |= {(f"window {_named(w)}", getCppPointer(w)[0]) for w in windows if not _is_tooltip(w)}
    # Half a million objects are looked through for every test: by type, which is one lookup each.
    threads_of_qt, timers = _kinds(QThread), _kinds(QTimer)
    kinds = threads_of_qt | timers
    for found in [found for found in gc.get_objects() if type(found) in kinds]:
        if type(found) in threads_of_qt and isValid(found) and found.isRunning():
            alive.add((f"running {_named(found)}", id(found)))
        elif type(found) in timers and isValid(found) and found.isActive():
            alive.add((f"active {_named(found)} of {_named(found.parent())}", id(found)))
    return alive


def _kinds(base: type) -> set[type]:
    """A class and all that derive from it."""
    return {base}.union(*(_kinds(kind) for kind in base.__subclasses__()))


def _is_tooltip(widget: object) -> bool:
    """Qt keeps the last tooltip for the next."""
    from PySide6.QtCore import Qt
    from PySide6.QtWidgets import QWidget

    return isinstance(widget, QWidget) and widget.windowType() == Qt.WindowType.ToolTip


def _named(found: object) -> str:
    from PySide6.QtCore import QObject

    name = found.objectName() if isinstance(found, QObject) else ""
    return f"{type(found).__name__} {name}".strip()
