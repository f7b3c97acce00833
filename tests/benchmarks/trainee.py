"""A training of the 2-D VAE that goes on for as long as it is told to, alone or in the window.

    python -m tests.benchmarks.trainee {alone,window} FOLDER

Reads lines "watch SECONDS" or "use SECONDS" (a point is dragged through the latent space) and
answers each with a line of JSON: how many steps were done in how many seconds, and by how many
milliseconds a timer of the GUI thread came late. Between two of them nothing is trained.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import trainers
from trainers import runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeviewer.app import Program

_INTERVAL = 16.0
_WARM = int(os.environ.get("TRAINEE_WARM", "1000"))
"""The first steps have many checkpoints."""
CONFIG = trainers.preset("vae").replace(latent_dim=2, steps=1_000_000)


def _orders() -> Iterator[tuple[str, float]]:
    """What is asked for."""
    for line in sys.stdin:
        kind, seconds = line.split()
        yield kind, float(seconds)


def _answer(steps: int, seconds: float, late: list[float] = []) -> None:  # noqa: B006
    print(json.dumps({"steps": steps, "seconds": seconds, "late": late}), flush=True)


def alone(folder: Path) -> None:
    """As `aeviewer train` does it."""
    from trainers.training.trainer import Trainer

    trainer = Trainer(runs.create(CONFIG, folder))
    events = iter(trainer)
    while trainer.step < _WARM:
        next(events)
    _answer(trainer.step, 0.0)
    for _, seconds in _orders():
        first, began = trainer.step, time.perf_counter()
        while time.perf_counter() - began < seconds:
            next(events)
        _answer(trainer.step - first, time.perf_counter() - began)
    events.close()  # type: ignore[attr-defined]


class Window:
    """The program, trained in for a while at a time."""

    def __init__(self, program: Program) -> None:
        from PySide6.QtCore import Qt, QTimer

        self.program = program
        self._timer = QTimer(interval=int(_INTERVAL), timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._late: list[float] = []
        self._last, self._drags = 0.0, False

    def warm(self) -> None:
        """Until the many checkpoints of the beginning are made."""
        self._wait(lambda: self.program.queue.figures.step >= _WARM)
        self.program.queue.pause()

    def train(self, kind: str, seconds: float) -> tuple[int, float, list[float]]:
        """Steps done, seconds taken, and how late the timer came, in ms."""
        queue = self.program.queue
        first, began = queue.figures.step, time.perf_counter()
        queue.resume()
        self._late, self._last, self._drags = [], began, kind == "use"
        self._timer.start()
        self._wait(lambda: time.perf_counter() - began >= seconds)
        self._timer.stop()
        steps, taken = queue.figures.step - first, time.perf_counter() - began
        queue.pause()
        self._pause(0.3)
        return steps, taken, self._late

    def _tick(self) -> None:
        now = time.perf_counter()
        self._late.append(max(0.0, 1000 * (now - self._last) - _INTERVAL))
        self._last = now
        if self._drags:
            angle = 2 * now
            code = np.array([2 * math.cos(angle), 2 * math.sin(angle)], np.float32)
            self.program.session.set_code(code)

    def _wait(self, done) -> None:  # type: ignore[no-untyped-def]
        from PySide6.QtCore import QCoreApplication, QEventLoop

        while not done():
            QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)

    def _pause(self, seconds: float) -> None:
        from PySide6.QtCore import QEventLoop, QTimer

        loop = QEventLoop()
        QTimer.singleShot(int(1000 * seconds), loop.quit)
        loop.exec()


def window(folder: Path) -> None:
    """As a person sees it, with every panel where it is at the first start."""
    from PySide6.QtCore import QSettings
    from PySide6.QtWidgets import QApplication

    from aeviewer import theme
    from aeviewer.app import Program
    from aeviewer.settings import Settings

    app = QApplication(sys.argv[:1])
    theme.apply_theme(app, "dark")
    settings = Settings(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat))
    program = Program(folder, settings)
    program.window.resize(1600, 1000)
    program.window.show()
    program.queue.train(CONFIG)
    bench = Window(program)
    bench.warm()
    _answer(program.queue.figures.step, 0.0)
    for kind, seconds in _orders():
        _answer(*bench.train(kind, seconds))
    program.window.close()
    program.close()


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    {"alone": alone, "window": window}[sys.argv[1]](Path(sys.argv[2]))
