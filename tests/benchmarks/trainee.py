"""A process that trains the 2-D VAE on request, alone or in the window.

    python -m tests.benchmarks.trainee {alone,window} FOLDER

Reads lines "watch SECONDS" or "use SECONDS" (a point is dragged through the latent space) and
answers each with a line of JSON: the steps done, the seconds, the processor time of the process and
of its main thread, and the lateness of a timer of the GUI thread in milliseconds. The training is
paused between two lines. TRAINEE_WARM is the number of steps before the first line.
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
"""The number of first steps, which have many checkpoints and are not measured."""
CONFIG = trainers.preset("vae").replace(latent_dim=2, steps=1_000_000)


def _read_orders() -> Iterator[tuple[str, float]]:
    """Yields the requests of the standard input."""
    for line in sys.stdin:
        kind, seconds = line.split()
        yield kind, float(seconds)


class Stopwatch:
    """Wall time and processor time since its creation."""

    def __init__(self) -> None:
        self._began = _clocks()
        self.stop()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._began[0]

    def stop(self) -> None:
        """Ends the measured time."""
        self._elapsed = [now - then for now, then in zip(_clocks(), self._began, strict=True)]

    def answer(self, steps: int, late: Sequence[float] = ()) -> None:
        """Prints the steps and the measured time as JSON."""
        times = dict(zip(("seconds", "processor", "thread"), self._elapsed, strict=True))
        print(json.dumps({"steps": steps, "late": list(late), **times}), flush=True)


def _clocks() -> tuple[float, float, float]:
    return time.perf_counter(), time.process_time(), time.thread_time()


def train_alone(folder: Path) -> None:
    """Trains as `aeviewer train` does."""
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
    """The program with a training that is resumed for some seconds at a time."""

    def __init__(self, program: Program) -> None:
        from PySide6.QtCore import Qt, QTimer

        self.program = program
        self._timer = QTimer(interval=int(_INTERVAL), timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._late: list[float] = []
        self._last, self._drags = 0.0, False

    def warm_up(self) -> None:
        """Trains the first steps, which have many checkpoints."""
        self._wait(lambda: self.program.queue.progress.step >= _WARM_UP_STEPS)
        self.program.queue.pause()

    def train(self, kind: str, seconds: float) -> None:
        """Trains for some seconds and prints the answer."""
        queue, spent = self.program.queue, Stopwatch()
        first = queue.progress.step
        queue.resume()
        self._late, self._last, self._drags = [], time.perf_counter(), kind == "use"
        self._timer.start()
        self._wait(lambda: spent.seconds >= seconds)
        self._timer.stop()
        queue.pause()
        spent.stop()
        # Losses are reported a little later than their steps.
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
    """Trains in the window, with the panels as at the first start."""
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
