"""The Help menu: keys, manual, tour, log and About."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from aeviewer.panels.application import shortcuts_table
from aeviewer.panels.application.text_windows import (
    AboutWindow,
    CrashWindow,
    LogWindow,
    ManualWindow,
)
from aeviewer.widgets.displays.tour import Stop, Tour
from aeviewer.widgets.inputs.message_boxes import show_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aeviewer.services.system.log import SessionLog
    from aeviewer.settings import Settings


class HelpMenu(QMenu):
    """Opens everything that explains the program.

    Parameters
    ----------
    journal
        What the log shows.
    settings
        Remembers that the tour was seen.
    stops
        Of the tour.
    window
        Owns what is opened.
    """

    def __init__(
        self, journal: SessionLog, settings: Settings, stops: Sequence[Stop], window: QWidget
    ) -> None:
        super().__init__("&Help", window)
        self._journal, self._settings, self._stops = journal, settings, stops
        self._window = window
        self.tour: Tour | None = None
        self._crash: CrashWindow | None = None
        self.addAction("&Manual", QKeySequence("F1"), self.open_manual)
        self.addAction("Mouse and &keys", QKeySequence("Shift+F1"), self._open_keys)
        self.addAction("&Tour of the window", self.begin_tour)
        self.addSeparator()
        self.addAction("&Log", self._open_log)
        self.addAction("&About AE Viewer", self._open_about)

    def offer_tour(self) -> None:
        """Starts the tour if it was never seen."""
        if not self._settings.tour_seen:
            QTimer.singleShot(0, self, self.begin_tour)

    @Slot()
    def begin_tour(self) -> None:
        """Starts the tour from its first stop."""
        if self.tour is None:
            self.tour = Tour(self._stops, self._window)
            self.tour.ended.connect(self._end_tour)
            self.tour.begin()

    @Slot()
    def open_manual(self) -> None:
        """Opens the manual beside the window."""
        ManualWindow(self._window).show()

    def report_crash(self, title: str, report: str) -> None:
        """Shows one window for all uncaught errors."""
        if self._crash is None:
            self._crash = CrashWindow(report, title, self._window)
            self._crash.destroyed.connect(self._forget_crash)
            self._crash.show()
        else:
            self._crash.add(report)

    @Slot()
    def _end_tour(self) -> None:
        self._settings.tour_seen = True
        self.tour = None

    @Slot()
    def _forget_crash(self) -> None:
        self._crash = None

    @Slot()
    def _open_keys(self) -> None:
        show_text(self._window, "Mouse and keys", shortcuts_table.shortcuts_page())

    @Slot()
    def _open_log(self) -> None:
        LogWindow(self._journal, self._window).show()

    @Slot()
    def _open_about(self) -> None:
        AboutWindow(self._window).show()


def tour_stops(parts: Mapping[str, QWidget]) -> tuple[Stop, ...]:
    """Returns the tour of the window's docks and toolbar."""
    return (
        Stop(
            lambda: parts["latent"],
            "The latent space",
            "Every point is the code of one test image. Click anywhere or drag to decode that "
            "place. The images behind the points are decoded in the same way.",
        ),
        Stop(
            lambda: parts["decoder"],
            "The decoder",
            "The decoded image, and a slider for every number of its code. The other tabs show "
            "a point, a selection, the path between two codes, or let you draw a digit.",
        ),
        Stop(
            lambda: parts["timeline"],
            "Time",
            "Drag to any checkpoint of the training, or press play to watch the latent space "
            "form. All panels follow.",
        ),
        Stop(
            lambda: parts["bar"],
            "Train your own",
            "Choose an experiment and press Train. You can explore the model while it trains. "
            "If you pause, stop or close the program, nothing is lost.",
        ),
        Stop(
            lambda: parts["runs"],
            "Runs",
            "All runs, with the metric that you choose. Press Ctrl+Shift+C to compare runs side "
            "by side. Help (F1) has the manual and this tour.",
        ),
    )
