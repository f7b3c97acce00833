"""Decoded images over the plane in view: coarse tiles first, then fine ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from aeviewer.services.compute.compute_client import ComputeClient
from aeviewer.services.latent.tile_grid import (
    Key,
    TileGrid,
    TileStore,
    centres,
    grid_over,
    towards_the_edge,
)

if TYPE_CHECKING:
    from collections.abc import Generator

    from aeviewer.services.compute.compute_thread import ComputeThread
    from aeviewer.services.compute.model_cache import ModelCache
    from aeviewer.services.latent.latent_state import LatentState
    from trainers.exploration.planes import Plane
    from trainers.runs import Run

_COARSER = 2
_CHUNK = 64
_SAME = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class DecodedTiles:
    """Decoded tiles: (n, h, w) or (n, h, w, 3) uint8, and (n,) typicality of the codes, 0..1."""

    keys: list[Key]
    images: NDArray[np.uint8]
    support: NDArray[np.float32]


class Mosaic(QObject):
    """Keeps the tiles of the view decoded while the mosaic is switched on.

    Parameters
    ----------
    latent_state
        Its plane and anchor say which code is where.
    compute
        Decodes.
    """

    changed = Signal()
    status_changed = Signal()
    """`is_computing` or `is_stale` is another one."""

    def __init__(
        self, latent_state: LatentState, compute: ComputeThread, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._latent = latent_state
        self._client = ComputeClient(
            compute, "mosaic", latent_state.session.message_posted.emit, self
        )
        self._store = TileStore()
        self._is_on = self.is_computing = False
        self._finished_round = 0
        self._grid: TileGrid | None = None
        self._view: tuple[tuple[float, float, float, float], float, float] | None = None
        self._off_plane = np.zeros(0)
        latent_state.run_changed.connect(self._start_anew)
        latent_state.code_changed.connect(self._take_anchor)
        latent_state.plane_changed.connect(self._start_anew)
        latent_state.places_changed.connect(self._decode_again)

    # -- what is shown ---------------------------------------------------------------------------

    @property
    def is_on(self) -> bool:
        """Whether the mosaic is switched on."""
        return self._is_on

    def switch(self, on: bool) -> None:
        """Switches the mosaic on or off."""
        if on != self._is_on:
            self._is_on = on
            self._start_anew()

    @property
    def grid(self) -> TileGrid | None:
        """The grid of tiles that covers the view."""
        return self._grid

    def picture(self) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Returns (rows, columns, ...) images and (rows, columns) support, where known."""
        if self._grid is None:
            return np.zeros((0, 0, 28, 28), np.uint8), np.zeros((0, 0), np.float32)
        return self._store.picture(self._grid)

    def missing(self, grid: TileGrid) -> list[Key]:
        """Returns the tiles of a grid that are not decoded, or were decoded by an earlier model."""
        return self._store.missing(grid.keys())

    def set_view(
        self, view: tuple[float, float, float, float], pixel: float, least_pixels: float
    ) -> None:
        """Sets the view, the length of a pixel, and the least side of a tile in pixels."""
        self._view = view, pixel, least_pixels
        grid = grid_over(view, pixel, least_pixels, 0)
        if self._grid is None or self._grid.level != grid.level or not self._grid.covers(*view):
            self._grid = grid_over(view, pixel, least_pixels)
            self._ask()
            if self._is_on:
                self.changed.emit()

    @property
    def is_stale(self) -> bool:
        """Whether tiles of an earlier step are shown that are not renewed as a model learns."""
        is_renewed = self._latent.session.is_live or self._finished_round == self._store.round
        return self._is_on and self.is_computing and not is_renewed

    # -- decoding --------------------------------------------------------------------------------

    @Slot()
    def _start_anew(self) -> None:
        """Drops all tiles: another plane is shown."""
        self._store.clear()
        self._decode_again()
        self.changed.emit()

    @Slot()
    def _decode_again(self) -> None:
        """Decodes the tiles again by another model; known tiles stay visible until then."""
        self._store.round += 1
        plane, anchor = self._latent.plane, self._latent.anchor
        if plane is not None and anchor is not None:
            self._off_plane = plane.lift(np.zeros(2), anchor)
        self._ask()

    @Slot()
    def _take_anchor(self) -> None:
        """Decodes again when the code has left the plane of the tiles."""
        plane, anchor = self._latent.plane, self._latent.anchor
        if plane is None or anchor is None or len(plane.origin) < 3:
            return
        off = plane.lift(np.zeros(2), anchor)
        if off.shape != self._off_plane.shape or not np.allclose(off, self._off_plane, atol=_SAME):
            self._decode_again()

    def _ask(self) -> None:
        session, grid = self._latent.session, self._grid
        plane, anchor = self._latent.plane, self._latent.anchor
        codes, current = self._latent.codes, session.current
        if not self._is_on or grid is None or plane is None or anchor is None or current is None:
            self._cancel()
            return
        if plane.is_line or codes is None:
            return
        wanted = [
            towards_the_edge(level, self._store.missing(level.keys()))
            for level in (grid.coarser(_COARSER), grid)
        ]
        if not wanted[1]:
            self._cancel()
            return
        work = partial(
            decode_tiles,
            run=session.run(current.key),
            step=session.step,
            codes=codes,
            plane=plane,
            anchor=anchor,
            wanted=wanted,
        )
        began = self._store.round
        self._client.submit(
            "tiles", work, partial(self._show_result, began), on_end=partial(self._end, began)
        )
        self._set_computing(True)

    def _cancel(self) -> None:
        self._client.cancel("tiles")
        self._set_computing(False)

    def _end(self, began: int) -> None:
        self._finished_round = began
        self._set_computing(False)

    def _set_computing(self, is_computing: bool) -> None:
        self.is_computing = is_computing
        self.status_changed.emit()

    def _show_result(self, began: int, tiles: DecodedTiles) -> None:
        if began == self._store.round:
            self._store.put(tiles.keys, tiles.images, tiles.support)
            self.changed.emit()


def decode_tiles(
    models: ModelCache,
    run: Run,
    step: int | None,
    codes: NDArray[np.float32],
    plane: Plane,
    anchor: NDArray[np.floating],
    wanted: list[list[Key]],
) -> Generator[DecodedTiles]:
    """Decodes the requested tiles, list after list, a chunk at a time."""
    model = models.at(run, step)
    support = models.support(codes)
    for keys in wanted:
        for start in range(0, len(keys), _CHUNK):
            chunk = keys[start : start + _CHUNK]
            lifted = plane.lift(centres(chunk), anchor)
            images = np.rint(model.decode(lifted).clip(0, 1) * 255).astype(np.uint8)
            yield DecodedTiles(chunk, images, support.of(lifted))
