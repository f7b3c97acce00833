"""What is closed is gone: another runs folder is opened in the same process."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import gc, sys, weakref
from pathlib import Path
from PySide6.QtCore import QEvent, QSettings, QTimer
from aeviewer import app
from aeviewer.settings import Settings

folder = Path(sys.argv[1])
app.FREEZE_AFTER_MS = int(sys.argv[2])
settings = Settings(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat))
application = app.create_application(settings)
with app.open_program(folder, settings) as program:
    QTimer.singleShot(200, program.window.close)
    app.run_event_loop()
    print(gc.get_freeze_count() > 0)
kept = weakref.ref(program), weakref.ref(program.window), weakref.ref(program.session)
program.window.deleteLater()
del program
application.sendPostedEvents(None, QEvent.Type.DeferredDelete)
gc.collect()
print([each() is None for each in kept])
"""


@pytest.mark.parametrize(("loaded", "frozen"), [("60000", "False"), ("0", "True")])
def test_a_closed_window_is_let_go(tmp_path: Path, loaded: str, frozen: str) -> None:
    """Also where it was open for so long that what is loaded is no longer looked through."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path), loaded],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [frozen, "[True, True, True]"]
