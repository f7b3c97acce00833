"""How late the GUI thread is while a model trains in the window.

    uv run python -m tests.benchmarks.liveness [SECONDS]

A precise 16 ms timer notes how much later than due it is called, while the 2-D VAE trains and a
point is dragged through the latent space in the second half. Prints percentiles in ms.
"""

from __future__ import annotations

import math
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PySide6.QtCore import QSettings, Qt, QTimer
from PySide6.QtWidgets import QApplication

from aeviewer import theme
from aeviewer.app import Program
from aeviewer.settings import Settings
from trainers.presets import preset

_INTERVAL = 16.0


class Lateness:
    """Notes how much later than due a timer is called."""

    def __init__(self, timer: QTimer) -> None:
        self.milliseconds: list[float] = []
        self._last = time.perf_counter()
        timer.timeout.connect(self.note)

    def note(self) -> None:
        now = time.perf_counter()
        self.milliseconds.append(max(0.0, 1000 * (now - self._last) - _INTERVAL))
        self._last = now

    def told(self, name: str) -> str:
        late = np.array(self.milliseconds)
        figures = np.percentile(late, [50, 90, 99])
        return (
            f"{name:<24} median {figures[0]:6.2f}  90 % {figures[1]:6.2f}  99 % {figures[2]:6.2f}"
            f"  worst {late.max():6.2f} ms  ({len(late):,} ticks)"
        )


def main(seconds: float) -> None:
    """Opens the window, trains, drags, prints."""
    app = QApplication(sys.argv[:1])
    theme.apply_theme(app, "dark")
    with tempfile.TemporaryDirectory() as place:
        settings = Settings(QSettings(f"{place}/settings.ini", QSettings.Format.IniFormat))
        program = Program(Path(place) / "runs", settings)
        program.window.resize(1600, 1000)
        program.window.show()
        program.queue.train(preset("vae").replace(latent_dim=2, steps=1_000_000))
        while not program.queue.figures.step:
            app.processEvents()
        print(f"screen: {app.platformName()}, {program.queue.figures.device}")
        _measured(app, program, seconds / 2, "training", drag=False)
        _measured(app, program, seconds / 2, "training and dragging", drag=True)
        print(f"{program.queue.figures.rate:.0f} steps/s at the end")
        program.window.close()
        program.close()


def _measured(
    app: QApplication, program: Program, seconds: float, name: str, *, drag: bool
) -> None:
    timer = QTimer(interval=int(_INTERVAL), timerType=Qt.TimerType.PreciseTimer)
    lateness = Lateness(timer)
    if drag:
        timer.timeout.connect(lambda: program.session.set_code(_orbit()))
    QTimer.singleShot(int(1000 * seconds), app.quit)
    timer.start()
    app.exec()
    timer.stop()
    print(lateness.told(name))


def _orbit() -> np.ndarray:
    angle = 2 * time.perf_counter()
    return np.array([2 * math.cos(angle), 2 * math.sin(angle)], np.float32)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0)
