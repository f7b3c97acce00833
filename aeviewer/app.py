"""The composition root: makes the services and the window, and takes them down again."""

from __future__ import annotations

import logging
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QTimer
from PySide6.QtWidgets import QApplication

from aeviewer import theme
from aeviewer.main_window import MainWindow
from aeviewer.services.comparison import Comparison
from aeviewer.services.compute import ComputeThread
from aeviewer.services.explorer import Explorer
from aeviewer.services.exploring import Exploring
from aeviewer.services.mailbox import Mailbox
from aeviewer.services.processes import cores
from aeviewer.services.reproduction import Reproduction
from aeviewer.services.session import Session
from aeviewer.services.training import TrainingQueue
from aeviewer.settings import Settings
from aeviewer.signals import closing_on_signals
from trainers import runs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from trainers.runs import Run

    Hook = Callable[[type[BaseException], BaseException, TracebackType | None], None]

logger = logging.getLogger(__name__)
_LATEST_START = 2_000
"""Milliseconds after which the compute thread begins where no window appears, being minimised."""


class Program:
    """The program without its event loop: services and window, wired.

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
    """

    def __init__(self, folder: Path, settings: Settings, also: Sequence[Run] = ()) -> None:
        self.session = Session(folder, settings)
        mailbox = Mailbox()
        self.compute = ComputeThread(mailbox)
        self.queue = TrainingQueue(self.session, self.compute, mailbox)
        self.explorer = Explorer(self.session, self.compute)
        self.queue.activity_changed.connect(self.explorer.show_live)
        self.queue.set_side_by_side(min(settings.side_by_side, cores()))
        self.reproduction = Reproduction(self.session, self.queue)
        self.comparison = Comparison(self.session, self.compute)
        self.exploring = Exploring(self.session, self.compute)
        self.window = MainWindow(
            self.exploring, self.queue, self.reproduction, self.comparison, settings
        )
        self.session.refresh(also)
        self._start = QTimer(singleShot=True, interval=_LATEST_START)
        self._start.timeout.connect(self.begin)
        self.window.appeared.connect(self.begin)
        self._start.start()

    def begin(self) -> None:
        """Has the compute thread begin, which loads torch as soon as something asks for it."""
        if self._start.isActive():
            self._start.stop()
            self.compute.start()

    def close(self) -> None:
        """Stops and saves what is being trained, and ends the compute thread.

        The window may be gone by then: a failure to save is logged.
        """
        self._start.stop()
        self.session.message_posted.connect(logger.error)
        self.reproduction.close()
        self.exploring.close()
        self.queue.close()


def run(folder: Path) -> int:
    """Opens the program and returns its exit status when it is closed."""
    app = QApplication(sys.argv[:1])
    QCoreApplication.setApplicationName("AE Viewer")
    settings = Settings()
    theme.apply_theme(app, settings.theme)
    with ExitStack() as stack:
        demo = stack.enter_context(runs.demo())
        program = Program(folder, settings, [demo])
        stack.callback(program.close)
        sys.excepthook = _told_by(program.session)
        stack.enter_context(closing_on_signals(program.window))
        program.window.show()
        return app.exec()


def _told_by(session: Session) -> Hook:
    """A hook that tells the person of an error nobody caught, and lets the program go on."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        logger.critical("An error nobody caught", exc_info=(kind, error, trace))
        session.message_posted.emit(
            f"Something went wrong inside the program: {kind.__name__}: {error}. "
            "What is being trained goes on and is kept."
        )

    return hook
