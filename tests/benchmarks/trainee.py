"""A training of the 2-D VAE that goes on for as long as it is told to, alone or in the window.

    python -m tests.benchmarks.trainee {alone,window} FOLDER

Reads lines "watch SECONDS" or "use SECONDS" (a point is dragged through the latent space) and
answers each with a line of JSON: how many steps were done in how many seconds, what processor time
the process and its first thread took meanwhile, and by how many milliseconds a timer of the GUI
thread came late. Between two of them nothing is trained. TRAINEE_WARM is how many steps come first.
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
    from collections.abc import Callable, Iterator, Sequence

    from aeviewer.app import Program

_INTERVAL = 16.0
_WARM_UP_STEPS = int(os.environ.get("TRAINEE_WARM", "1000"))
"""The first steps have many checkpoints."""
CONFIG = trainers.preset("vae").replace(latent_dim=2, steps=1_000_000)


def _read_orders() -> Iterator[tuple[str, float]]:
    """What is asked for."""
    for line in sys.stdin:
        kind, seconds = line.split()
        yield kind, float(seconds)


class Stopwatch:
    """Time and processor time since a moment."""

    def __init__(self) -> None:
        self._began = _clocks()
        self.stop()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._began[0]

    def stop(self) -> None:
        """Ends the time that is told."""
        self._elapsed = [now - then for now, then in zip(_clocks(), self._began, strict=True)]

    def answer(self, steps: int, late: Sequence[float] = ()) -> None:
        """Tells what was done in that time."""
        told = dict(zip(("seconds", "processor", "thread"), self._elapsed, strict=True))
        print(json.dumps({"steps": steps, "late": list(late), **told}), flush=True)


def _clocks() -> tuple[float, float, float]:
    return time.perf_counter(), time.process_time(), time.thread_time()


def train_alone(folder: Path) -> None:
    """As `aeviewer train` does it."""
    from trainers.training.trainer import Trainer

    trainer = Trainer(runs.create_run(CONFIG, folder))
    events = iter(trainer)
    while trainer.step < _WARM_UP_STEPS:
        next(events)
    Stopwatch().answer(trainer.step)
    for _, seconds in _read_orders():
        first, spent = trainer.step, Stopwatch()
        while spent.seconds < seconds:
            next(events)
        spent.stop()
        spent.answer(trainer.step - first)
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

    def warm_up(self) -> None:
        """Until the many checkpoints of the beginning are made."""
        self._wait(lambda: self.program.queue.progress.step >= _WARM_UP_STEPS)
        self.program.queue.pause()

    def train(self, kind: str, seconds: float) -> None:
        """Trains for so long and tells of it."""
        queue, spent = self.program.queue, Stopwatch()
        first = queue.progress.step
        queue.resume()
        self._late, self._last, self._drags = [], time.perf_counter(), kind == "use"
        self._timer.start()
        self._wait(lambda: spent.seconds >= seconds)
        self._timer.stop()
        queue.pause()
        spent.stop()
        # Losses are told a little later than their steps are done.
        self._pause(0.3)
        spent.answer(queue.progress.step - first, self._late)

    def _tick(self) -> None:
        now = time.perf_counter()
        self._late.append(max(0.0, 1000 * (now - self._last) - _INTERVAL))
        self._last = now
        if self._drags:
            angle = 2 * now
            code = np.array([2 * math.cos(angle), 2 * math.sin(angle)], np.float32)
            self.program.session.set_code(code)

    def _wait(self, done: Callable[[], bool]) -> None:
        from PySide6.QtCore import QCoreApplication, QEventLoop

        while not done():
            QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)

    def _pause(self, seconds: float) -> None:
        from PySide6.QtCore import QEventLoop, QTimer

        loop = QEventLoop()
        QTimer.singleShot(int(1000 * seconds), loop.quit)
        loop.exec()


def train_in_window(folder: Path) -> None:
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
    bench.warm_up()
    Stopwatch().answer(program.queue.progress.step)
    for kind, seconds in _read_orders():
        bench.train(kind, seconds)
    program.window.close()
    program.close()


if __name__ == "__main__":
    {"alone": train_alone, "window": train_in_window}[sys.argv[1]](Path(sys.argv[2]))
