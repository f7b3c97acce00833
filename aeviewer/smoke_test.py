"""`aeviewer --smoke-test`: uses the program once, as a user would, and reports the result.

Meant for the packaged program, where what was left out by mistake is missed only when it is used.
Runs, settings and layouts lie in a temporary folder, so that nothing of the person's is touched.
"""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click
import numpy as np
import PySide6
from PySide6.QtCore import QObject, QPoint, QSettings, Qt, QTimer, Slot
from PySide6.QtTest import QTest

import trainers
from aeviewer import app
from aeviewer.services.latent.embedding_job import EmbeddingJob
from aeviewer.settings import Settings
from aeviewer.startup.problem_capture import capture_problems
from trainers import runs
from trainers.embeddings.embedding import TSNE
from trainers.errors import AEViewerError
from trainers.optional_packages import is_packaged
from trainers.presets import preset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Part = tuple[str, Callable[[], object]]

STEPS = 50
_CONFIG = preset("vae").replace(latent_dim=2, steps=STEPS, checkpoints=(0, STEPS))
_ASIDE = QPoint(40, 30)
_EMBEDDED_CODES = 300
_POLL_MILLISECONDS = 20
_PATIENCE_SECONDS = 180.0
"""For each wait: a slow disk reads PyTorch for half a minute."""
_EQUAL = 1e-4


class SmokeTestError(AEViewerError):
    """The program did not do what it should."""


def run() -> int:
    """Uses the program once and prints what it did; returns 0 for success, or else 1."""
    click.echo(_versions())
    with TemporaryDirectory(prefix="aeviewer-smoke-test-") as folder, capture_problems() as found:
        # Qt warns where no session manager is set, which says nothing about the program.
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        try:
            _use_program(Path(folder))
        except AEViewerError as error:
            found.append(str(error))
    for problem in found:
        click.echo(f"FAILED: {problem}", err=True)
    click.echo("The smoke test failed." if found else "The smoke test passed.", err=bool(found))
    return 1 if found else 0


def _versions() -> str:
    made = "packaged" if is_packaged() else "from source"
    return (
        f"AE Viewer {version('aeviewer')}, {made}: Python {platform.python_version()}, "
        f"PyTorch {version('torch')}, PySide6 {PySide6.__version__}, {platform.platform()}"
    )


def _use_program(folder: Path) -> None:
    """Uses the window, and then what it left in the runs folder."""
    settings = Settings(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat))
    _application = app.create_application(settings)
    with app.open_program(folder / "runs", settings) as program:
        visit = _ScriptedUser(program, folder)
        app.run_event_loop()
    if visit.problem:
        raise SmokeTestError(visit.problem)
    _read_back(Path(visit.key), visit.code, visit.image)


def _read_back(path: Path, code: NDArray[np.float32], image: NDArray[np.float32]) -> None:
    """Checks the run folder, and decodes the code as the window did."""
    run = runs.open_run(path)
    losses, steps = run.metrics(), [checkpoint.step for checkpoint in run.checkpoints()]
    _expect(run.config == _CONFIG, f"The run's config is not what was asked for: {run.config}")
    _expect(len(losses.step) == STEPS, f"{len(losses.step)} of {STEPS} losses were kept.")
    _expect(steps[-1:] == [STEPS], f"There is no checkpoint at {STEPS}, only at {steps}.")
    again = trainers.load(path).decode(code[None])[0]
    apart = float(np.abs(again - image).max())
    _expect(apart <= _EQUAL, f"Read again, the code's image is another, by {apart:.2g}.")
    click.echo(f"Read it again: {STEPS} losses, checkpoints at {steps}, the same image.")


def _expect(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise SmokeTestError(otherwise)


class _ScriptedUser(QObject):
    """Does one part after another, each when the last one is done, and closes the window.

    Parameters
    ----------
    program
        Its window is used.
    folder
        Where the layout is kept.

    Attributes
    ----------
    problem
        The message that a user would have seen, or what did not appear; empty if all went well.
    key, code, image
        The run that was trained; what was pressed on, (2,), and what it decodes to, (28, 28).
    """

    def __init__(self, program: app.Program, folder: Path) -> None:
        super().__init__()
        self._window, self._session = program.window, program.session
        self._queue, self._folder = program.queue, folder
        self.problem, self.key = "", ""
        self.code = self.image = np.empty(0, np.float32)
        self._parts = self._all_parts()
        self._awaited: Part = ("the event loop", lambda: True)
        self._since = time.monotonic()
        program.session.message_posted.connect(self._give_up)
        self._timer = QTimer(self, interval=_POLL_MILLISECONDS)
        self._timer.timeout.connect(self._advance)
        self._timer.start()

    @Slot(str)
    def _give_up(self, problem: str) -> None:
        self.problem = self.problem or problem
        self._end()

    def _end(self) -> None:
        self._timer.stop()
        self._window.close()

    @Slot()
    def _advance(self) -> None:
        """Starts the next part when the result of the last one has arrived."""
        what, has_come = self._awaited
        try:
            if has_come():
                self._awaited, self._since = next(self._parts), time.monotonic()
            elif time.monotonic() - self._since > _PATIENCE_SECONDS:
                self._give_up(f"Waited {_PATIENCE_SECONDS:.0f} s for {what}.")
        except StopIteration:
            self._end()
        except SmokeTestError as error:
            self._give_up(str(error))

    # -- the parts: each yields what it waits for, in words and as a question ---------------------

    def _all_parts(self) -> Iterator[Part]:
        yield from self._open()
        job = self._start_embedding()
        try:
            yield from self._train()
            yield from self._decode()
            yield "the layout", lambda: job.result is not None or job.problem
            _expect(job.result is not None, f"There is no layout: {job.problem}.")
        finally:
            job.stop()
        click.echo(f"Laid {_EMBEDDED_CODES} codes out by t-SNE, in a process of its own.")

    def _open(self) -> Iterator[Part]:
        window, session = self._window, self._session
        yield "the window", lambda: window.windowHandle() and window.windowHandle().isExposed()
        yield "the demo's codes", lambda: session.preview is not None and session.image is not None
        name = session.current.name if session.current else ""
        click.echo(f"Opened the window, {window.width()} × {window.height()}, showing {name}.")

    def _start_embedding(self) -> EmbeddingJob:
        """Requests an embedding of the demo's codes, which a child process computes."""
        preview = self._session.preview
        codes = preview.codes[:_EMBEDDED_CODES] if preview else np.empty((0, 2), np.float32)
        return EmbeddingJob(codes, TSNE(), "smoke-test", (self._folder / "layout",), self)

    def _train(self) -> Iterator[Part]:
        session, queue = self._session, self._queue
        self._window.experiment.set_config(_CONFIG)
        self._window.bar.train_action.trigger()
        yield "the training to begin", lambda: queue.active
        self.key = queue.active[0]
        yield "the training", lambda: not queue.active
        item = session.item(self.key)
        _expect(
            item.state is runs.RunState.FINISHED, f"The training has {item.state}. {item.problem}"
        )
        _expect(item.evaluation is not None, "Its last checkpoint was not measured.")
        yield "the codes it found", lambda: session.preview and session.preview.step == STEPS
        click.echo(f"Trained {item.name}: {item.step} steps of the VAE on MNIST.")

    def _decode(self) -> Iterator[Part]:
        session, plot = self._session, self._window.latent.plot
        yield "the image of its first code", lambda: session.image is not None
        before = session.image
        place = plot.rect().center() + _ASIDE
        QTest.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=place)
        yield "the image of the code", lambda: session.image is not before
        _expect(session.code is not None and session.image is not None, "Nothing was decoded.")
        if session.code is not None and session.image is not None:
            self.code, self.image = session.code, session.image
        x, y = self.code
        click.echo(f"Decoded a click in the latent space: code ({x:.2f}, {y:.2f}).")
