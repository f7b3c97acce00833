"""One long sitting before the window: what `soak` has done in a process that has a screen."""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from array import array
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSettings, Qt, QTimer, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

from aeviewer import app
from aeviewer.settings import Settings
from aeviewer.startup.problem_capture import capture_problems
from tests.alive import alive
from tests.benchmarks.memory import resident
from tests.reliability.acts import ACTS, Person
from tests.reliability.acts.hand import Hand
from tests.reliability.figures import growth, lateness, slope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.reliability.acts import Wait

WARM = 600.0
"""Seconds after which memory has to be level."""
_LOOK, _TICK, _SAMPLE, _KEEP = 20, 16, 2_000, 60_000
_LATE = 150.0
"""Milliseconds that a person notices; which act it was in is noted."""
_INTERRUPTED = 10.0
_PATIENCE = float(os.environ.get("SOAK_PATIENCE", "90"))
_CLOSES = 0.002
"""Share of the acts after which the window is closed and opened again."""


@dataclass
class Record:
    """What is known of the sitting so far.

    Attributes
    ----------
    found
        What went wrong.
    pictures
        Where pictures of the screen are kept.
    acts, read
        What was done, and what the program said in boxes, each with how often.
    late
        How many milliseconds later than due a timer of 16 ms was called.
    latest
        The ones that a person notices, each with what was being done.
    memory
        Moments, in seconds, and the resident memory at each, in MB.
    counts
        Files, threads, widgets and modules at some moments.
    untried
        What has not been done yet, last what is done next.
    """

    seed: int
    pictures: Path
    began: float = field(default_factory=time.monotonic)
    found: list[str] = field(default_factory=list)
    acts: Counter[str] = field(default_factory=Counter)
    read: Counter[str] = field(default_factory=Counter)
    late: array[float] = field(default_factory=lambda: array("f"))
    latest: list[tuple[int, str]] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    counts: list[dict[str, float]] = field(default_factory=list)
    opened: int = 0
    untried: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self.began

    def sample(self) -> None:
        """Takes down the memory."""
        self.memory.append((round(self.seconds, 1), round(resident(), 2)))

    def count(self) -> None:
        """Takes down what else could grow."""
        self.counts.append(
            {
                "seconds": round(self.seconds),
                "files": len(os.listdir("/proc/self/fd")),
                "threads": threading.active_count(),
                "widgets": len(QApplication.allWidgets()),
                "modules": len(sys.modules),
            }
        )

    def report(self) -> dict[str, object]:
        """All of it, as JSON takes it."""
        warm = [(at, held) for at, held in self.memory if at >= WARM]
        at, held = [at for at, _ in warm], [held for _, held in warm]
        line, grown = slope(at, held), growth(at, held)
        return {
            "seed": self.seed,
            "minutes": round(self.seconds / 60, 1),
            "acts": sum(self.acts.values()),
            "acts by kind": dict(self.acts.most_common()),
            "times opened": self.opened,
            "found": [f"{n} times: {what}" for what, n in Counter(self.found).most_common()],
            "load of the machine": [round(load, 1) for load in os.getloadavg()],
            "late, ms": lateness(self.late) if self.late else {},
            "latest, ms": sorted(self.latest, reverse=True)[:40],
            "memory after ten minutes, MB an hour": None if line is None else asdict(line),
            "memory grew after ten minutes, %": None if grown is None else round(100 * grown, 2),
            "boxes": dict(self.read.most_common()),
            "counts": self.counts,
            "memory, MB": self.memory[:: max(1, len(self.memory) // 120)],
        }


class Sitting(QObject):
    """From the opening of the window to its closing.

    Parameters
    ----------
    person
        Who sits there.
    record
        Where it is taken down.
    until
        The moment at which the window is closed for good.
    """

    def __init__(self, person: Person, record: Record, until: float) -> None:
        super().__init__()
        self._person, self._record, self._until = person, record, until
        self._doing, self._name = self._begun(), "look"
        self._awaited: Wait = ("the event loop", lambda: True)
        self._since = self._ticked = time.monotonic()
        self._trail: deque[str] = deque(maxlen=6)
        self._timers = [
            self._timer(_LOOK, self._go_on),
            self._timer(_SAMPLE, record.sample),
            self._timer(_KEEP, record.count),
        ]
        self._ticking = QTimer(self, interval=_TICK, timerType=Qt.TimerType.PreciseTimer)
        self._ticking.timeout.connect(self._tick)

    def _timer(self, interval: int, slot: object) -> QTimer:
        timer = QTimer(self, interval=interval, timerType=Qt.TimerType.PreciseTimer)
        timer.timeout.connect(slot)
        timer.start()
        return timer

    def end(self) -> None:
        """It is over: the window is gone."""
        for timer in (*self._timers, self._ticking):
            timer.stop()
        self._record.read += self._person.read

    @Slot()
    def _tick(self) -> None:
        now = time.monotonic()
        late = max(0.0, 1000 * (now - self._ticked) - _TICK)
        self._record.late.append(late)
        if late > _LATE:
            self._record.latest.append((round(late), self._name))
        self._ticked = now

    @Slot()
    def _go_on(self) -> None:
        """Does the next part of an act, if what the last one waits for has come."""
        what, has_come = self._awaited
        try:
            if has_come():
                self._awaited = next(self._doing, None) or self._rest()
            elif time.monotonic() - self._since > _INTERRUPTED and self._is_interrupted():
                self._awaited = self._rest()
            elif time.monotonic() - self._since > _PATIENCE:
                self._give_up(f"waited {_PATIENCE:.0f} s for {what}")
            else:
                return
        except Exception:  # noqa: BLE001 - told, and another act is tried
            self._give_up(traceback.format_exc())
        self._since = time.monotonic()

    def _is_interrupted(self) -> bool:
        """Whether the program has a box read and closed before anything else can be done."""
        return isinstance(QApplication.activeModalWidget(), QMessageBox)

    def _rest(self) -> Wait:
        """A moment between two acts."""
        self._doing = self._another()
        return self._person.pause(0.05)

    def _give_up(self, why: str) -> None:
        """Notes it, with what is on the screen, and does something else."""
        trail, focus = ", ".join(self._trail), QApplication.focusWidget()
        where = f"{type(focus).__name__} {focus.accessibleName()!r}" if focus else "nothing"
        told = f"{self._name}: {why} (after {trail}; the keyboard is with {where}; {_screen()})"
        self._record.found.append(told)
        place = self._record.pictures / f"given-up-{len(self._record.found)}.png"
        QGuiApplication.primaryScreen().grabWindow(0).save(str(place))
        self._awaited = self._rest()

    def _begun(self) -> Iterator[Wait]:
        person = self._person
        yield "the window", lambda: person.window.isVisible() and person.window.isActiveWindow()

    def _another(self) -> Iterator[Wait]:
        if not self._ticking.isActive():  # how long it takes to open is another question
            self._ticked = time.monotonic()
            self._ticking.start()
        yield from self._person.tidy_up()
        mind = self._person.mind
        self._trail.append(self._name)
        if time.monotonic() > self._until or mind.random() < _CLOSES:
            self._name = "leave"
            self._record.acts["close the window"] += 1
            self._person.hand.press("ctrl+q")
            yield "the window to close", lambda: False
        self._name = (
            self._record.untried.pop()
            if self._record.untried
            else mind.choices([*ACTS], [weight for _, weight in ACTS.values()])[0]
        )
        self._record.acts[self._name] += 1
        yield from ACTS[self._name][0](self._person)


def _screen() -> str:
    """What Qt and the X server know of windows, keyboard and mouse."""
    above = QApplication.activePopupWidget() or QApplication.activeModalWidget()
    told = {
        "in front": type(QApplication.activeWindow()).__name__,
        "over it": type(above).__name__,
        "held": QGuiApplication.queryKeyboardModifiers().name,
        "grabbed by": type(QWidget.mouseGrabber()).__name__,
        "windows": {
            f"{type(w).__name__} {w.windowTitle()}": int(w.winId())
            for w in QApplication.topLevelWidgets()
            if w.isVisible()
        },
    }
    for asked in ("getwindowfocus", "getmouselocation"):
        done = subprocess.run(["xdotool", asked], capture_output=True, text=True, check=False)
        told[asked] = (done.stdout + done.stderr).strip()
    return str(told)


def sit(folder: Path, minutes: float, seed: int, report: Path) -> bool:
    """Uses the window for that long; whether nothing was wrong."""
    record = Record(seed, report.parent)
    settings = Settings(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat))
    settings.threads = 1
    with capture_problems() as record.found:
        application = app.application(settings)
        before = alive()
        hand, mind = Hand(), Random(seed)
        record.untried = mind.sample([*ACTS], len(ACTS))
        keeping = QTimer(interval=_KEEP)
        keeping.timeout.connect(lambda: _keep(record, report))
        keeping.start()
        until = record.began + 60 * minutes
        while time.monotonic() < until:
            record.opened += 1
            with app.open_program(folder / "runs", settings) as program:
                program.window.resize(1500, 900)
                sitting = Sitting(Person(program, hand, mind, folder), record, until)
                app.spin()
                sitting.end()
            program.window.deleteLater()
            del program, sitting
            application.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            gc.collect()  # or the next window, loaded, has what is left of this one frozen
        keeping.stop()
        hand.close()
        del keeping
        record.found.extend(f"left behind: {name}" for name, _ in alive() - before)
        record.found.extend(f"a process is left: {told}" for told in _children())
    record.sample()
    _keep(record, report)
    return not record.found


def _keep(record: Record, report: Path) -> None:
    report.write_text(json.dumps(record.report(), indent=1), encoding="utf-8")


def _children() -> list[str]:
    """What this process began and has not ended, multiprocessing's own watcher aside."""
    tasks = Path("/proc/self/task").glob("*/children")
    found = [child for task in tasks for child in task.read_text().split()]
    told = [Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ") for child in found]
    return [words for words in told if "resource_tracker" not in words]


def main() -> None:
    """Sits as FOLDER MINUTES SEED REPORT say; the exit status is 1 where anything was wrong."""
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    place, minutes, seed, report = sys.argv[1:]
    sys.exit(0 if sit(Path(place), float(minutes), int(seed), Path(report)) else 1)
