"""The parts of a film of the checkpoints: moments, decoded images, frames and the file."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QThread, Signal

from aeviewer.services.latent.alignment import codes_at
from aeviewer.services.latent.mosaic import DecodedTiles, decode_tiles
from aeviewer.services.latent.tile_grid import TileStore
from aeviewer.services.timeline.trajectory import seconds_per_step
from trainers.errors import AEViewerError
from trainers.figures import film

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from aeviewer.services.compute.model_cache import ModelCache
    from aeviewer.services.latent.tile_grid import TileGrid
    from aeviewer.services.timeline.trajectory import Trajectory
    from trainers.runs import Run

logger = logging.getLogger(__name__)
ENDINGS = (".gif", ".mp4")
_GIF_MILLISECONDS, _GIF_LAST_MILLISECONDS = 80, 1_600
_GIF_FRAMES, _FEWEST, _MOST = 96, 3, 8
"""The most frames of a GIF, and between two checkpoints: a GIF is not compressed over time."""
_MP4_FPS, _MP4_LAST_FRAMES = 30, 48


@dataclass(frozen=True, slots=True)
class FilmTiming:
    """The moments that a film shows, and how long it shows each.

    Attributes
    ----------
    moments
        (the number of a checkpoint, a share of the time from it to the next, 0..1) each.
    milliseconds
        Of each moment, for a GIF.
    order
        The moments by their numbers as an MP4 shows them, 30 a second: the last one is held.
    """

    moments: tuple[tuple[int, float], ...]
    milliseconds: tuple[int, ...]
    order: tuple[int, ...]


def timing(checkpoints: int, ending: str) -> FilmTiming:
    """Returns the moments of a film of two or more checkpoints for a kind of file."""
    ways = checkpoints - 1
    if ending == ".gif":
        frames = min(_MOST, max(_FEWEST, round(_GIF_FRAMES / ways)))
    else:
        frames = round(seconds_per_step(checkpoints) * _MP4_FPS)
    moments = [(number, at / frames) for number in range(ways) for at in range(frames)]
    moments.append((ways - 1, 1.0))
    count = len(moments)
    times = [_GIF_MILLISECONDS] * (count - 1) + [_GIF_LAST_MILLISECONDS]
    order = [*range(count), *[count - 1] * (_MP4_LAST_FRAMES - 1)]
    return FilmTiming(tuple(moments), tuple(times), tuple(order))


class FilmCancelled(Exception):
    """The film was cancelled."""


class Frames(Sequence[NDArray[np.uint8]]):
    """The frames of a film, each compressed in memory and unpacked when it is read.

    Parameters
    ----------
    size
        (height, width) of each.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._packed: list[bytes] = []
        self.order: Sequence[int] | None = None
        self.cancelled = Event()

    def append(self, frame: NDArray[np.uint8]) -> None:
        """Adds a (height, width, 3) frame."""
        self._packed.append(zlib.compress(frame.tobytes(), 1))

    def __len__(self) -> int:
        return len(self._packed if self.order is None else self.order)

    @overload
    def __getitem__(self, number: int) -> NDArray[np.uint8]: ...

    @overload
    def __getitem__(self, number: slice) -> Sequence[NDArray[np.uint8]]: ...

    def __getitem__(self, number: int | slice) -> NDArray[np.uint8] | Sequence[NDArray[np.uint8]]:
        """Returns a frame; raises `FilmCancelled` after a cancellation."""
        if isinstance(number, slice):
            return [self[at] for at in range(*number.indices(len(self)))]
        if self.cancelled.is_set():
            raise FilmCancelled
        place = range(len(self))[number]
        packed = self._packed[place if self.order is None else self.order[place]]
        return np.frombuffer(zlib.decompress(packed), np.uint8).reshape(*self._size, 3)


class FilmWriter(QThread):
    """Writes frames to a file in a thread of its own.

    Parameters
    ----------
    place
        Where to; its ending says what kind of file it is.
    frames, timing
        What it shows.
    """

    ended = Signal(str)
    """The message of a failure; empty without one."""

    def __init__(
        self, place: Path, frames: Frames, timing: FilmTiming, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("film")
        self._place, self._frames, self._timing = place, frames, timing

    def run(self) -> None:
        """Writes the file."""
        problem = ""
        try:
            if self._place.suffix.lower() == ".gif":
                film.write_gif(self._place, self._frames, self._timing.milliseconds)
            else:
                self._frames.order = self._timing.order
                film.write_mp4(self._place, self._frames, _MP4_FPS)
        except FilmCancelled:
            return
        except AEViewerError as error:
            problem = str(error)
        except Exception as error:
            logger.exception("A film could not be written")
            problem = f"{type(error).__name__}: {error}"
        self.ended.emit(problem)


@dataclass(frozen=True, slots=True, eq=False)
class TileFrame:
    """The decoded images over the plane at a checkpoint.

    Attributes
    ----------
    number
        Of the checkpoint on its track.
    images, support
        (rows, columns, ...) images and (rows, columns) shares of 0..1.
    rectangle
        Left, bottom, width and height of all.
    """

    number: int
    images: NDArray[np.uint8]
    support: NDArray[np.float32]
    rectangle: tuple[float, float, float, float]


def decode_film_tiles(
    models: ModelCache,
    run: Run,
    track: Trajectory,
    grid: TileGrid,
    anchor: NDArray[np.float32] | None,
) -> Generator[TileFrame | None]:
    """Decodes the tiles of a grid by the model of each step of a trajectory, a part at a time."""
    keys = grid.keys()
    for number, (step, plane) in enumerate(zip(track.steps, track.planes, strict=True)):
        codes, store = codes_at(models, run, step), TileStore(len(keys))
        fits = anchor is not None and anchor.shape == codes.shape[1:]
        at = anchor if fits and anchor is not None else codes.mean(axis=0)
        for tiles in decode_tiles(models, run, step, codes, plane, at, [keys]):
            if isinstance(tiles, DecodedTiles):
                store.put(tiles.keys, tiles.images, tiles.support)
            yield None
        yield TileFrame(number, *store.picture(grid), grid.rectangle)
