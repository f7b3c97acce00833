"""Reproduces the paper from the window: the queue trains, a child process measures.

Measuring takes scikit-learn a minute a run and would hold up the compute thread; the command
`aeviewer reproduce` does it, and writes the report, once everything is trained.
"""

from __future__ import annotations

import sys
from enum import Enum
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QProcess, Signal, Slot

from trainers.errors import AEViewerError
from trainers.optional_packages import is_packaged
from trainers.parallel import refuse_other_config
from trainers.plurals import count_of
from trainers.reproduction import result_files
from trainers.reproduction.plan import planned_runs
from trainers.runs.status import RunState

if TYPE_CHECKING:
    from pathlib import Path

    from aeviewer.services.runs.session import Session
    from aeviewer.services.training.training_queue import TrainingQueue
    from trainers.reproduction.plan import PlannedRun

_MOST_OUTPUT = 600


class Stage(Enum):
    """What the reproduction is doing."""

    IDLE = "idle"
    TRAINING = "training"
    WRITING = "writing"


class ReproductionService(QObject):
    """Trains the runs that the report needs, and writes the report.

    Parameters
    ----------
    session
        Its runs folder is used; it receives messages of failures.
    queue
        Trains what is not finished, behind what waits there already.
    """

    changed = Signal()
    report_written = Signal(str)
    """The path of the report."""

    def __init__(
        self, session: Session, queue: TrainingQueue, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session, self._queue = session, queue
        self._stage = Stage.IDLE
        self._quick = False
        self._process: QProcess | None = None
        session.runs_changed.connect(self._follow_runs)

    @property
    def stage(self) -> Stage:
        """What the reproduction is doing."""
        return self._stage

    def report(self, *, quick: bool) -> Path:
        """The path of the report."""
        return self._result_folder(quick=quick) / "report.html"

    def plan(self, *, quick: bool) -> tuple[PlannedRun, ...]:
        """Every run that the report needs."""
        return planned_runs(quick=quick)

    def finished_count(self, *, quick: bool) -> int:
        """The number of finished runs."""
        return len(self.plan(quick=quick)) - len(self._missing_runs(quick=quick))

    # -- requests --------------------------------------------------------------------------------

    def start(self, *, quick: bool) -> None:
        """Queues the runs that are not finished; the report follows when all are."""
        if self._stage is not Stage.IDLE:
            return
        missing = self._missing_runs(quick=quick)
        try:
            for entry in missing:
                refuse_other_config(entry, self._session.folder)
        except AEViewerError as error:
            self._session.message_posted.emit(str(error))
            return
        self._quick = quick
        self._set_stage(Stage.TRAINING)
        for entry in missing:
            key = self._key(entry)
            if not self._session.has(key):
                self._queue.train(entry.config, entry.name)
            elif not self._session.item(key).state.is_active:
                self._queue.continue_run(key)
        self._follow_runs()

    def stop(self) -> None:
        """Removes the waiting runs from the queue and stops the active one."""
        stage, process = self._stage, self._process
        self._set_stage(Stage.IDLE)
        if stage is Stage.TRAINING:
            for entry in self._missing_runs(quick=self._quick):
                self._queue.remove(self._key(entry))
        elif process is not None:
            process.terminate()

    def close(self) -> None:
        """Ends the process that writes the report; it continues where it was the next time."""
        self._stage = Stage.IDLE
        if self._process is not None:
            self._process.finished.disconnect(self._end_command)
            self._process.terminate()
            self._process.waitForFinished()

    # -- following -------------------------------------------------------------------------------

    @Slot()
    def _follow_runs(self) -> None:
        """When no planned run is active or queued, either all are trained or one has failed."""
        if self._stage is not Stage.TRAINING:
            return
        missing = self._missing_runs(quick=self._quick)
        states = {self._state(entry) for entry in missing}
        if not missing:
            self._set_stage(Stage.WRITING)
            self._write()
        elif not any(state.is_active for state in states):
            self._set_stage(Stage.IDLE)
            runs = count_of(len(missing), "run")
            self._session.message_posted.emit(
                f"The reproduction has stopped with {runs} to go. Choose “Reproduce the paper…” "
                "to continue."
            )
        else:
            self.changed.emit()

    def _write(self) -> None:
        """Starts the command that measures the runs and writes the report."""
        arguments = [] if is_packaged() else ["-m", "aeviewer"]
        arguments += ["reproduce", "--runs", str(self._session.folder), "--jobs", "1"]
        process = self._process = QProcess(self)
        process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        process.finished.connect(self._end_command)
        process.errorOccurred.connect(self._report_start_failure)
        process.start(sys.executable, [*arguments, *(["--quick"] if self._quick else [])])

    @Slot()
    def _end_command(self) -> None:
        """Handles the end of the command."""
        process, self._process = self._process, None
        was_wanted = self._stage is Stage.WRITING
        self._set_stage(Stage.IDLE)
        if process is None or not was_wanted:
            return
        process.deleteLater()
        page = self.report(quick=self._quick)
        if process.exitCode() == 0 and page.is_file():
            self.report_written.emit(str(page))
            return
        output = bytes(process.readAll().data()).decode(errors="replace").strip()
        self._session.message_posted.emit(
            "The report could not be written: "
            f"{output[-_MOST_OUTPUT:] or 'the command ended early'}"
        )

    @Slot(QProcess.ProcessError)
    def _report_start_failure(self, error: QProcess.ProcessError) -> None:
        """Reports a command that did not start; any other failure ends the command."""
        if error is QProcess.ProcessError.FailedToStart:
            self._end_command()

    def _set_stage(self, stage: Stage) -> None:
        if stage is not self._stage:
            self._stage = stage
            self.changed.emit()

    # -- reading ---------------------------------------------------------------------------------

    def _result_folder(self, *, quick: bool) -> Path:
        return self._session.folder / result_files.folder_name(quick=quick)

    def _key(self, entry: PlannedRun) -> str:
        return str(self._session.folder / entry.name)

    def _state(self, entry: PlannedRun) -> RunState:
        key = self._key(entry)
        return self._session.item(key).state if self._session.has(key) else RunState.NEW

    def _missing_runs(self, *, quick: bool) -> tuple[PlannedRun, ...]:
        """Returns the planned runs that are neither trained nor measured."""
        kept = self._result_folder(quick=quick) / "results"
        return tuple(
            entry
            for entry in self.plan(quick=quick)
            if self._state(entry) is not RunState.FINISHED
            and not result_files.has_result(kept, entry)
        )
