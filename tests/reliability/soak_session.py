"""The process of the soak test: it opens the window and uses it until the time is over."""

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
from tests.benchmarks.memory import resident_megabytes
from tests.reliability.acts import ACTS, Person
from tests.reliability.acts.hand import Hand
from tests.reliability.soak_statistics import growth, lateness, slope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.reliability.acts import Wait

WARM_UP_SECONDS = 600.0
"""The seconds after which memory must be constant."""
_LOOK, _TICK, _SAMPLE, _KEEP = 20, 16, 2_000, 60_000
_LATE = 150.0
"""Milliseconds of lateness that a user notices; the act is recorded with them."""
_INTERRUPTED = 10.0
_PATIENCE = float(os.environ.get("SOAK_PATIENCE", "90"))
_CLOSE_SHARE = 0.002
"""The share of acts after which the window is closed and opened again."""


@dataclass
class SoakRecord:
    """The record of a soak test.

    Attributes
    ----------
    found
        The problems.
    pictures
        The folder for pictures of the screen.
    acts, boxes
        The acts, and the texts of message boxes, each with its count.
    late
        The lateness of a 16 ms timer, in milliseconds.
    late_acts
        The lateness that a user notices, each with the act during which it occurred.
    memory
        The times in seconds, each with the resident memory in MB.
    counts
        The numbers of files, threads, widgets and modules at some times.
    untried
        The acts that have not been tried yet; the last one is next.
    """

    seed: int
    pictures: Path
    began: float = field(default_factory=time.monotonic)
    found: list[str] = field(default_factory=list)
    acts: Counter[str] = field(default_factory=Counter)
    boxes: Counter[str] = field(default_factory=Counter)
    late: array[float] = field(default_factory=lambda: array("f"))
    late_acts: list[tuple[int, str]] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    counts: list[dict[str, float]] = field(default_factory=list)
    opened: int = 0
    untried: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """The seconds since the beginning."""
        return time.monotonic() - self.began

    def sample(self) -> None:
        """Records the resident memory."""
        self.memory.append((round(self.seconds, 1), round(resident_megabytes(), 2)))

    def count(self) -> None:
        """Records the numbers of files, threads, widgets and modules."""
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
        """Returns the record as values of JSON."""
        samples = [sample for sample in self.memory if sample[0] >= WARM_UP_SECONDS]
        times, memory = [time for time, _ in samples], [memory for _, memory in samples]
        line, grown = slope(times, memory), growth(times, memory)
        return {
            "seed": self.seed,
            "minutes": round(self.seconds / 60, 1),
            "acts": sum(self.acts.values()),
            "acts by kind": dict(self.acts.most_common()),
            "times opened": self.opened,
            "found": [f"{n} times: {what}" for what, n in Counter(self.found).most_common()],
            "load of the machine": [round(load, 1) for load in os.getloadavg()],
            "late, ms": lateness(self.late) if self.late else {},
            "latest, ms": sorted(self.late_acts, reverse=True)[:40],
            "memory after ten minutes, MB an hour": None if line is None else asdict(line),
            "memory grew after ten minutes, %": None if grown is None else round(100 * grown, 2),
            "boxes": dict(self.boxes.most_common()),
            "counts": self.counts,
            "memory, MB": self.memory[:: max(1, len(self.memory) // 120)],
        }


class SoakSession(QObject):
    """The use of one window, from its opening to its closing.

    Parameters
    ----------
    person
        The simulated user.
    record
        The record of the soak test.
    until
        The time at which the soak test ends.
    """

    def __init__(self, person: Person, record: SoakRecord, until: float) -> None:
        super().__init__()
        self._person, self._record, self._until = person, record, until
        self._doing, self._name = self._wait_for_window(), "look"
        self._awaited: Wait = ("the event loop", lambda: True)
        self._since = self._ticked = time.monotonic()
        self._trail: deque[str] = deque(maxlen=6)
        self._timers = [
            self._timer(_LOOK, self._continue),
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
        """Stops the timers after the window was closed."""
        for timer in (*self._timers, self._ticking):
            timer.stop()
        self._record.boxes += self._person.boxes

    @Slot()
    def _tick(self) -> None:
        now = time.monotonic()
        late = max(0.0, 1000 * (now - self._ticked) - _TICK)
        self._record.late.append(late)
        if late > _LATE:
            self._record.late_acts.append((round(late), self._name))
        self._ticked = now

    @Slot()
    def _continue(self) -> None:
        """Continues the act if what it waits for has come."""
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
        except Exception:  # noqa: BLE001 - recorded; another act follows
            self._give_up(traceback.format_exc())
        self._since = time.monotonic()

    def _is_interrupted(self) -> bool:
        """Returns whether a modal message box must be closed first."""
        return isinstance(QApplication.activeModalWidget(), QMessageBox)

    def _rest(self) -> Wait:
        """Selects the next act; returns a short pause."""
        self._doing = self._next_act()
        return self._person.pause(0.05)

    def _give_up(self, why: str) -> None:
        """Records a problem with a picture of the screen, and ends the act."""
        trail, focus = ", ".join(self._trail), QApplication.focusWidget()
        where = f"{type(focus).__name__} {focus.accessibleName()!r}" if focus else "nothing"
        self._record.found.append(
            f"{self._name}: {why} (after {trail}; the focus is on {where}; {_describe_screen()})"
        )
        place = self._record.pictures / f"given-up-{len(self._record.found)}.png"
        QGuiApplication.primaryScreen().grabWindow(0).save(str(place))
        self._awaited = self._rest()

    def _wait_for_window(self) -> Iterator[Wait]:
        person = self._person
        yield "the window", lambda: person.window.isVisible() and person.window.isActiveWindow()

    def _next_act(self) -> Iterator[Wait]:
        if not self._ticking.isActive():  # The time to open the window is not measured here.
            self._ticked = time.monotonic()
            self._ticking.start()
        yield from self._person.close_dialogs()
        random = self._person.random
        self._trail.append(self._name)
        if time.monotonic() > self._until or random.random() < _CLOSE_SHARE:
            self._name = "leave"
            self._record.acts["close the window"] += 1
            self._person.hand.press("ctrl+q")
            yield "the window to close", lambda: False
        self._name = (
            self._record.untried.pop()
            if self._record.untried
            else random.choices([*ACTS], [weight for _, weight in ACTS.values()])[0]
        )
        self._record.acts[self._name] += 1
        yield from ACTS[self._name][0](self._person)


def _describe_screen() -> str:
    """Returns the state of windows, keyboard and mouse in Qt and in the X server."""
    above = QApplication.activePopupWidget() or QApplication.activeModalWidget()
    state = {
        "active window": type(QApplication.activeWindow()).__name__,
        "popup or dialog": type(above).__name__,
        "modifiers": QGuiApplication.queryKeyboardModifiers().name,
        "grabbed by": type(QWidget.mouseGrabber()).__name__,
        "windows": {
            f"{type(w).__name__} {w.windowTitle()}": int(w.winId())
            for w in QApplication.topLevelWidgets()
            if w.isVisible()
        },
    }
    for command in ("getwindowfocus", "getmouselocation"):
        done = subprocess.run(["xdotool", command], capture_output=True, text=True, check=False)
        state[command] = (done.stdout + done.stderr).strip()
    return str(state)


def run_soak(folder: Path, minutes: float, seed: int, report: Path) -> bool:
    """Uses the window for some minutes; returns whether no problem was found."""
    record = SoakRecord(seed, report.parent)
    settings = Settings(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat))
    settings.threads = 1
    with capture_problems() as record.found:
        application = app.create_application(settings)
        before = alive()
        hand, random = Hand(), Random(seed)
        record.untried = random.sample([*ACTS], len(ACTS))
        keeping = QTimer(interval=_KEEP)
        keeping.timeout.connect(lambda: _write_report(record, report))
        keeping.start()
        until = record.began + 60 * minutes
        while time.monotonic() < until:
            record.opened += 1
            with app.open_program(folder / "runs", settings) as program:
                program.window.resize(1500, 900)
                session = SoakSession(Person(program, hand, random, folder), record, until)
                app.run_event_loop()
                session.end()
            program.window.deleteLater()
            del program, session
            application.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            gc.collect()  # before the next window freezes the objects that are still alive
        keeping.stop()
        hand.close()
        del keeping
        record.found.extend(f"left behind: {name}" for name, _ in alive() - before)
        record.found.extend(f"a process is left: {command}" for command in _child_processes())
    record.sample()
    _write_report(record, report)
    return not record.found


def _write_report(record: SoakRecord, report: Path) -> None:
    report.write_text(json.dumps(record.report(), indent=1), encoding="utf-8")


def _child_processes() -> list[str]:
    """Returns the command lines of child processes, without multiprocessing's resource tracker."""
    tasks = Path("/proc/self/task").glob("*/children")
    children = [child for task in tasks for child in task.read_text().split()]
    commands = [Path(f"/proc/{c}/cmdline").read_text().replace("\0", " ") for c in children]
    return [command for command in commands if "resource_tracker" not in command]


def main() -> None:
    """Runs the soak test with arguments FOLDER MINUTES SEED REPORT; exits with 1 if it fails."""
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    place, minutes, seed, report = sys.argv[1:]
    sys.exit(0 if run_soak(Path(place), float(minutes), int(seed), Path(report)) else 1)
