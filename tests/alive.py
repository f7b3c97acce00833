"""What still lives in this process that a window should have taken with it."""

from __future__ import annotations

import gc
import threading


def alive() -> set[tuple[str, int]]:
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
