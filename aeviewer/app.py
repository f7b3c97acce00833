"""The composition root: makes the services and the window, and closes them."""

from __future__ import annotations

import faulthandler
import gc
import logging
import os
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import platformdirs
from pyqtgraph.util.garbage_collector import GarbageCollector
from PySide6.QtCore import QCoreApplication, QEvent, QTimer, Signal
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication

from aeviewer import theme
from aeviewer.main_window import MainWindow
from aeviewer.numbers import choose_language
from aeviewer.services.comparison.comparison import Comparison
from aeviewer.services.compute.compute_thread import ComputeThread
from aeviewer.services.compute.curve_loader import CurveLoader
from aeviewer.services.compute.event_queue import EventQueue
from aeviewer.services.latent.step_loader import StepLoader
from aeviewer.services.latent_services import LatentServices
from aeviewer.services.runs.session import Session
from aeviewer.services.system.log import SessionLog, versions
from aeviewer.services.training.process_trainer import cores
from aeviewer.services.training.reproduction import ReproductionService
from aeviewer.services.training.training_queue import TrainingQueue
from aeviewer.settings import Settings
from aeviewer.startup.unix_signals import close_on_signals
from trainers import datasets, runs
from trainers.storage.drafts import clear_drafts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import TracebackType

    from trainers.runs import Run

    Hook = Callable[[type[BaseException], BaseException, TracebackType | None], None]

logger = logging.getLogger(__name__)
FREEZE_AFTER_MS = 60_000
"""Milliseconds after which all imports have been done."""
_LATEST_START_MS = 2_000
"""Milliseconds after which the compute thread starts even if no window appears."""


class Program:
    """The program without its event loop: services and window, connected.

    The compute thread begins when the window is on the screen: it loads torch, which would keep
    the interpreter from painting.

    Parameters
    ----------
    folder
        The runs folder.
    settings
        What is remembered between starts.
    also
        Runs from elsewhere, such as the demo.
    journal
        What the window's log shows; one that keeps nothing where left out.
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        also: Sequence[Run] = (),
        journal: SessionLog | None = None,
    ) -> None:
        self.session = Session(folder, settings)
        event_queue = EventQueue()
        self.compute = ComputeThread(event_queue)
        self.queue = TrainingQueue(self.session, self.compute, event_queue)
        self.step_loader = StepLoader(self.session, self.compute)
        self.curve_loader = CurveLoader(self.session, self.compute)
        self.queue.activity_changed.connect(self.step_loader.show_live)
        self.queue.set_side_by_side(min(settings.side_by_side, cores()))
        self.reproduction = ReproductionService(self.session, self.queue)
        self.comparison = Comparison(self.session, self.compute)
        self.latent_services = LatentServices(self.session, self.compute)
        self.window = MainWindow(
            self.latent_services,
            self.queue,
            self.reproduction,
            self.comparison,
            settings,
            journal or SessionLog(),
        )
        self.session.refresh(also)
        self._start = QTimer(singleShot=True, interval=_LATEST_START_MS)
        self._start.timeout.connect(self.begin)
        self.window.appeared.connect(self.begin)
        self._start.start()

    def begin(self) -> None:
        """Starts the compute thread, which loads torch when the first work needs it."""
        if self._start.isActive():
            self._start.stop()
            self.compute.start()

    def close(self) -> None:
        """Stops and saves the runs in training, and ends the compute thread.

        The window may be gone by then: a failure to save is logged.
        """
        self._start.stop()
        self.session.message_posted.connect(logger.error)
        self.reproduction.close()
        self.latent_services.close()
        self.queue.close()


class Application(QApplication):
    """Receives files from the system, as macOS sends them after a double click."""

    file_opened = Signal(str)

    def event(self, event: QEvent) -> bool:
        """Emits a signal for an opened file."""
        if isinstance(event, QFileOpenEvent):
            self.file_opened.emit(event.file())
            return True
        return super().event(event)


def create_application(settings: Settings) -> Application:
    """Makes the application, with its theme."""
    app = Application(sys.argv[:1])
    QCoreApplication.setApplicationName("AE Viewer")
    if settings.threads:
        # Read when torch is loaded; a value that is set already stays.
        os.environ.setdefault("OMP_NUM_THREADS", str(settings.threads))
    choose_language(settings.numbers)
    theme.apply_theme(app, settings.theme)
    app.setWindowIcon(theme.program_icon())
    return app


@contextmanager
def open_program(
    folder: Path, settings: Settings, journal: SessionLog | None = None
) -> Iterator[Program]:
    """Opens the window for the time of the `with`."""
    journal = journal or SessionLog()
    with ExitStack() as stack:
        demo = stack.enter_context(runs.demo_run())
        program = Program(folder, settings, [demo], journal)
        stack.callback(program.close)
        stack.callback(setattr, sys, "excepthook", sys.excepthook)
        sys.excepthook = _create_error_hook(program.window, journal)
        stack.enter_context(_collect_cycles_between_events())
        stack.enter_context(close_on_signals(program.window))
        program.window.show()
        yield program


@contextmanager
def _collect_cycles_between_events() -> Iterator[None]:
    """Collects reference cycles between two events of the GUI thread, and nowhere else.

    Collected wherever an object happens to be made, they take QObjects with them in a thread that
    these do not belong to, or while Qt holds the lock that their destructors want: it connects and
    disconnects signals under one, and the window then hangs for good.
    """
    was_enabled = gc.isenabled()
    collector = GarbageCollector()
    # Modules are no garbage: half a million objects need not be searched again and again.
    loaded = QTimer(singleShot=True, interval=FREEZE_AFTER_MS)
    loaded.timeout.connect(gc.freeze)
    loaded.start()
    try:
        yield
    finally:
        if loaded.isActive():
            loaded.stop()
        else:
            # The window and its services were frozen too, and are garbage from now on.
            gc.unfreeze()
        collector.timer.stop()
        if was_enabled:
            gc.enable()


def run_event_loop() -> int:
    """Runs the event loop until the last window is closed; returns the exit status."""
    return QApplication.exec()


def run(folder: Path, archives: Iterable[Path] = ()) -> int:
    """Opens the program and archives in it; returns its exit status when it is closed."""
    with ExitStack() as stack:
        journal = SessionLog(platformdirs.user_log_path("aeviewer", False))
        journal.begin()
        stack.callback(journal.end)
        # After the log has begun: it says which of the settings cannot be used.
        settings = Settings()
        app = create_application(settings)
        logger.info("Begins: %s", versions())
        _log_hard_crashes(journal, stack)
        wanted: Path | None = folder
        status = 0
        while wanted is not None:
            status, wanted = _open_folder(app, wanted, settings, journal, archives)
            archives = ()
        return status


def _open_folder(
    app: Application,
    folder: Path,
    settings: Settings,
    journal: SessionLog,
    archives: Iterable[Path],
) -> tuple[int, Path | None]:
    """Opens one runs folder; returns the exit status, and the folder to open next."""
    settings.remember_folder(str(folder.absolute()))
    Thread(target=_clear_left_drafts, args=(folder,), name="clears drafts", daemon=True).start()
    logger.info("Runs folder %s", folder)
    with open_program(folder, settings, journal) as program:
        program.session.message_posted.connect(logger.warning)
        program.window.help_menu.offer_tour()
        opening = program.window.carry_away.archive_opener
        handed = app.file_opened.connect(lambda file: opening.open(Path(file)))
        for archive in archives:
            opening.open(archive.absolute())
        status = run_event_loop()
        app.file_opened.disconnect(handed)
    wanted = program.window.next_folder
    program.window.deleteLater()
    return status, wanted


def _clear_left_drafts(folder: Path) -> None:
    """Removes what a killed program left in the runs folder, the store and the temporary folder."""
    for place in (folder, datasets.store.folder()):
        clear_drafts(place, is_ours=True)
    clear_drafts(Path(tempfile.gettempdir()))


def _create_error_hook(window: MainWindow, journal: SessionLog) -> Hook:
    """Returns a hook that shows an uncaught error and lets the program continue."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        report = journal.report(kind, error, trace)
        logger.critical("An uncaught error", exc_info=(kind, error, trace))
        window.help_menu.report_crash(f"{kind.__name__}: {error}", report)

    return hook


def _log_hard_crashes(journal: SessionLog, stack: ExitStack) -> None:
    """Writes the stack to a file when the process crashes, and logs the last crash.

    A crash below Python (a driver, a library) leaves no exception behind.
    """
    if journal.file is None:
        return
    place = journal.file.with_name("crash.txt")
    try:
        if place.is_file() and (last := place.read_text(encoding="utf-8", errors="replace")):
            logger.error("The program ended abruptly the last time:\n%s", last)
        file = stack.enter_context(place.open("w", encoding="utf-8"))
    except OSError as error:
        logger.warning("%s cannot be written: %s", place, error)
        return
    faulthandler.enable(file)
    stack.callback(faulthandler.disable)
