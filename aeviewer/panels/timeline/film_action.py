"""Saves the playback of the timeline as a film, GIF or MP4."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QRectF, Qt, QTimer, Slot
from PySide6.QtGui import QAction, QKeySequence

from aeviewer.panels.timeline.film_stage import FilmStage, Look
from aeviewer.services.compute.compute_client import ComputeClient
from aeviewer.services.timeline.film import (
    ENDINGS,
    FilmTiming,
    FilmWriter,
    Frames,
    TileFrame,
    decode_film_tiles,
    timing,
)
from aeviewer.services.timeline.trajectory import Trajectory, compute_trajectory
from aeviewer.widgets.inputs.message_boxes import make_progress_dialog
from aeviewer.widgets.inputs.save_dialog import ask_place
from trainers.errors import AEViewerError
from trainers.figures import film

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QWidget

    from aeviewer.panels.latent.latent_panel import LatentPanel
    from aeviewer.services.latent_services import LatentServices
    from trainers.runs import Run

_READING, _DECODING, _DRAWING, _WRITING = (
    "Reading the codes…",
    "Decoding the images behind them…",
    "Drawing the frames…",
    "Writing the file…",
)


class FilmAction(QAction):
    """Asks for a file name and makes the film while the window stays usable.

    Parameters
    ----------
    latent_services, latent
        Supply the checkpoints, and the plane, colours and layers in which they are shown.
    parent
        The window.
    """

    def __init__(
        self, latent_services: LatentServices, latent: LatentPanel, parent: QWidget
    ) -> None:
        super().__init__("Save &film…", parent)
        self.setShortcut(QKeySequence("Ctrl+Shift+F"))
        self.setToolTip("The codes of all checkpoints, gliding, as an animated GIF or an MP4.")
        self._services, self._latent, self._window = latent_services, latent, parent
        self.maker: FilmMaker | None = None
        session = latent_services.session
        for changed in (session.current_changed, session.checkpoints_changed):
            changed.connect(self._enable)
        latent_services.latent_state.plane_changed.connect(self._enable)
        self.triggered.connect(self._ask)
        self._enable()

    @Slot()
    def _enable(self) -> None:
        is_layout = self._services.latent_state.is_embedding
        several = len(self._services.session.checkpoints) > 1
        # Nothing can be drawn between two embeddings, so a film needs a plane.
        self.setEnabled(self.maker is None and several and not is_layout)

    @Slot()
    def _ask(self) -> None:
        current = self._services.session.current
        if current is not None:
            ask_place(self._window, f"{current.name}.gif", self.make, "mp4")

    def make(self, place: Path) -> None:
        """Makes the film; a problem with the file name is posted as a message."""
        try:
            if place.suffix.lower() not in ENDINGS:
                raise AEViewerError(
                    f"{place.name} does not say which film it is: let it end in .gif or .mp4."
                )
            if place.suffix.lower() == ".mp4":
                film.encoder_path()
        except AEViewerError as error:
            self._services.session.message_posted.emit(str(error))
            return
        self.maker = FilmMaker(self._services, self._latent, place, self._window)
        self.maker.destroyed.connect(self._forget)
        self._enable()
        self.maker.start()

    @Slot()
    def _forget(self) -> None:
        self.maker = None
        self._enable()

    def cancel(self) -> None:
        """Cancels the film that is being made."""
        if self.maker is not None:
            self.maker.cancel()


class FilmMaker(QObject):
    """Makes one film, step by step, and then deletes itself.

    Parameters
    ----------
    latent_services, latent
        Supply the checkpoints and the look of the plot, both as they are when the film starts.
    place
        The path of the file.
    parent
        The window.
    """

    def __init__(
        self, latent_services: LatentServices, latent: LatentPanel, place: Path, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._services, self._latent, self._place = latent_services, latent, place
        self._session = latent_services.session
        self._client = ComputeClient(latent_services.compute, "film", self._fail, self)
        self._run: Run | None = None
        self._track: Trajectory | None = None
        self._stage: FilmStage | None = None
        self._timing: FilmTiming | None = None
        self._tiles: dict[int, TileFrame] = {}
        self._writer: FilmWriter | None = None
        self._is_ended = False
        self._drawing = QTimer(self, interval=0)
        self._drawing.timeout.connect(self._draw)
        self._frames = Frames(FilmStage.SIZE)
        self.progress = make_progress_dialog(parent, "Save film", _READING)
        self.progress.setMinimumDuration(0)
        self.progress.setAutoReset(False)
        self.progress.setAutoClose(False)
        self.progress.setWindowModality(Qt.WindowModality.NonModal)
        self.progress.canceled.connect(self.cancel)

    def start(self) -> None:
        """Starts when the alignment of the codes is known."""
        self.progress.show()
        self._services.alignments.changed.connect(self._read)
        self._services.alignments.follow()
        self._read()

    @Slot()
    def cancel(self) -> None:
        """Cancels the film; nothing is kept."""
        self._frames.cancelled.set()
        self._client.cancel("trajectory")
        self._client.cancel("tiles")
        self._end()

    def _end(self) -> None:
        if self._is_ended:
            return
        self._is_ended = True
        self._drawing.stop()
        if self._writer is not None:
            self._writer.wait()
        if self._stage is not None:
            self._stage.close()
        self.progress.canceled.disconnect(self.cancel)
        self.progress.close()
        self.progress.deleteLater()
        self.deleteLater()

    def _fail(self, problem: str) -> None:
        self._session.message_posted.emit(problem)
        self._end()

    # -- what it is made of ----------------------------------------------------------------------

    @Slot()
    def _read(self) -> None:
        alignments, current = self._services.alignments, self._session.current
        if self._run is not None or alignments.is_working:
            return
        if current is None or self._services.latent_state.test_codes is None:
            self._fail("There are no codes to film: choose a run that has checkpoints.")
            return
        self._run, steps = self._session.run(current.key), self._session.checkpoints
        latent_state = self._services.latent_state
        work = partial(
            compute_trajectory,
            run=self._run,
            steps=steps,
            planes=latent_state.planes(steps),
            previous=latent_state.plane,
        )
        self._timing = timing(len(steps), self._place.suffix.lower())
        try:
            self._stage = FilmStage(self._look(current.name))
        except AEViewerError as error:
            self._fail(str(error))
            return
        self._client.submit("trajectory", work, self._take_track)

    def _look(self, name: str) -> Look:
        """Returns what the window shows at this moment."""
        latent_state, latent = self._services.latent_state, self._latent
        aligned = self._services.alignments.aligned
        return Look(
            name,
            None if aligned is None else aligned.last,
            latent.plane_bar.layers.chosen,
            np.array(latent.legend.visible),
            latent_state.pins,
            None if latent.plot.follows else QRectF(latent.plot.view()),
            latent_state.session.data(),
        )

    def _take_track(self, trajectory: Trajectory) -> None:
        if self._stage is not None and self._run is not None:
            self._track = trajectory
            self._stage.set_trajectory(self._track)
            grid = self._stage.tile_grid()
            if grid is None:
                self._begin_drawing()
                return
            self._count(_DECODING, len(self._track.steps))
            work = partial(
                decode_film_tiles,
                run=self._run,
                track=self._track,
                grid=grid,
                anchor=self._session.code,
            )
            self._client.submit("tiles", work, self._take_tiles)

    def _take_tiles(self, tiles: TileFrame) -> None:
        self._tiles[tiles.number] = tiles
        self.progress.setValue(len(self._tiles))
        if self._track is not None and len(self._tiles) == len(self._track.steps):
            self._begin_drawing()

    # -- the frames ------------------------------------------------------------------------------

    def _begin_drawing(self) -> None:
        if self._timing is not None:
            self._count(_DRAWING, len(self._timing.moments))
            self._drawing.start()

    def _count(self, words: str, parts: int) -> None:
        self.progress.setLabelText(words)
        self.progress.setRange(0, parts)
        self.progress.setValue(0)

    @Slot()
    def _draw(self) -> None:
        """Draws one frame; the window handles events between two frames."""
        if self._timing is None or self._track is None or self._stage is None:
            return
        done = len(self._frames)
        if done < len(self._timing.moments):
            number, time = self._timing.moments[done]
            between = self._track.at(number, time)
            nearer = number + (between.share >= 0.5)
            self._frames.append(self._stage.draw_frame(between, self._tiles.get(nearer)))
            self.progress.setValue(done + 1)
            return
        self._drawing.stop()
        self._count(_WRITING, 0)
        self._writer = FilmWriter(self._place, self._frames, self._timing, self)
        self._writer.ended.connect(self._finish_writing)
        self._writer.start()

    @Slot(str)
    def _finish_writing(self, problem: str) -> None:
        if problem:
            self._fail(problem)
        else:
            self._end()
