"""The state of the latent space: the plane, the places of the codes, pins and selection."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QUndoStack

from aeviewer.services.latent.undo_state import (
    NOTHING,
    Pin,
    PlaneChoice,
    StateChange,
    UndoState,
    parse_code,
)
from trainers.errors import DataError
from trainers.exploration.neighbours import nearest_codes
from trainers.exploration.planes import (
    Plane,
    are_equal,
    axes_plane,
    line,
    principal_plane,
    three_point_plane,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aeviewer.services.latent.alignment import AlignmentService
    from aeviewer.services.latent.displayed_codes import DisplayedCodes
    from aeviewer.services.runs.session import Session

_REST_SECONDS = 1.0


class LatentState(QObject):
    """Plane, pins and selection of the current run, with undo.

    Parameters
    ----------
    session
        Watched; its code is moved here.
    codes
        The codes that are shown.
    alignments
        Which way the codes of the step are turned to be shown.
    """

    run_changed = Signal()
    """Another run is current; its codes have not arrived yet."""
    plane_changed = Signal()
    """Another plane was chosen; the view is reset."""
    places_changed = Signal()
    """The codes and their places in the plane have changed."""
    embedding_changed = Signal()
    """Another embedding is shown, or none."""
    code_changed = Signal()
    """Another code is marked; not emitted where `places_changed` brings it."""
    pins_changed = Signal()
    selection_changed = Signal()

    def __init__(
        self,
        session: Session,
        codes: DisplayedCodes,
        alignments: AlignmentService,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.session, self.displayed_codes, self.alignments = session, codes, alignments
        self.undo_stack = QUndoStack(self)
        self._chosen = PlaneChoice()
        self._plane: Plane | None = None
        self._is_plane_current = False
        self._base: tuple[NDArray[np.float32], Plane] | None = None
        self._embedding: NDArray[np.floating] | None = None
        self._undo_states: dict[str, UndoState] = {}
        self._run = ""
        self._bursts, self._moved_at = 0, 0.0
        self._is_taking_codes = False
        session.run_renamed.connect(self._rename_run)
        session.current_changed.connect(self._take_run)
        session.code_changed.connect(self._follow_code)
        codes.changed.connect(self._take_codes)
        alignments.changed.connect(self._take_alignments)

    # -- plane -----------------------------------------------------------------------------------

    @property
    def chosen(self) -> PlaneChoice:
        """The plane that the user chose."""
        return self._chosen

    def choose(self, plane: PlaneChoice) -> None:
        """Chooses another plane."""
        self._chosen = plane
        self._base, self._is_plane_current = None, False
        self.plane_changed.emit()

    @property
    def codes(self) -> NDArray[np.float32] | None:
        """(n, d), the codes that are shown, those of the test images first."""
        return self.displayed_codes.codes

    @property
    def test_codes(self) -> NDArray[np.float32] | None:
        """(10000, d), the codes of the test images at the step that is shown."""
        return self.session.preview.codes if self.session.preview else None

    @property
    def plane(self) -> Plane | None:
        """The plane that is shown; None before there are codes, and in an embedding."""
        if self.is_embedding:
            return None
        if not self._is_plane_current:
            # The plane is fitted to the test images, so that it does not rotate with the training
            # images.
            preview = self.session.preview
            step = preview.step if preview and self.session.step is not None else None
            self._plane = None if preview is None else self.plane_of(preview.codes, step)
            self._is_plane_current = True
        return self._plane

    def plane_of(self, codes: NDArray[np.float32], step: int | None) -> Plane:
        """Returns the chosen plane for the codes of the test images at a checkpoint.

        Parameters
        ----------
        codes
            (10000, d).
        step
            The checkpoint; None for codes of no checkpoint. Where it is aligned, the plane is that
            of the last checkpoint's codes, seen through the alignment.
        """
        aligned = self.alignments.aligned
        motion = self.alignments.at(step)
        if aligned is None or motion is None or motion.onto.shape != codes.shape[1:]:
            return self._fit_once(codes)
        base = self._fit_once(aligned.codes)
        return base if step == aligned.last else motion.seen_through(base)

    def planes(self, steps: Iterable[int]) -> dict[int, Plane] | None:
        """Returns each checkpoint's plane; None where it is the principal plane of its codes."""
        codes, alignments = self.test_codes, self.alignments
        if codes is None:
            return None
        aligned = alignments.aligned
        if aligned is None and self._chosen.kind == "principal" and codes.shape[1] > 2:
            return None
        seen = codes if aligned is None else aligned.codes
        return {step: self.plane_of(seen, step) for step in steps}

    def _fit_once(self, codes: NDArray[np.float32]) -> Plane:
        """Returns the chosen plane without alignment; it is fitted once for the same codes."""
        if self._base is None or self._base[0] is not codes:
            self._base = codes, self._fit(codes, self._base[1] if self._base else None)
        return self._base[1]

    def _fit(self, codes: NDArray[np.float32], previous: Plane | None) -> Plane:
        latent_dim, chosen = codes.shape[1], self._chosen
        if latent_dim == 1:
            return line()
        if latent_dim > 2 and chosen.kind == "principal":
            return principal_plane(codes, previous if previous and previous.shares else None)
        if latent_dim > 2 and chosen.kind == "three-points":
            if chosen.corners.shape == (3, latent_dim):
                return three_point_plane(self._align_corners(chosen.corners))
        x, y = chosen.axes
        # Coordinates that were chosen for another run may not exist in this one.
        fits = x != y and max(x, y) < latent_dim
        return axes_plane(latent_dim, x, y) if fits else axes_plane(latent_dim, 0, 1)

    def _align_corners(self, corners: NDArray[np.float32]) -> NDArray[np.floating]:
        """Returns the corners in the code space that planes are fitted in."""
        motion = self.alignments.at(self._chosen.step)
        return corners if motion is None else motion.apply(corners)

    @Slot()
    def _take_alignments(self) -> None:
        """Takes in other alignments: the codes stay, their places in the plane may change."""
        before = self._plane if self._is_plane_current else None
        self._base, self._is_plane_current = None, False
        if self.codes is not None and not are_equal(before, self.plane):
            self.places_changed.emit()

    @property
    def is_embedding(self) -> bool:
        """Whether an embedding is requested; one-dimensional codes have none."""
        codes = self.test_codes
        return self._chosen.method is not None and codes is not None and codes.shape[1] > 1

    def set_embedding(self, layout: NDArray[np.floating] | None) -> None:
        """Sets the places of the test images' codes in an embedding, (10000, 2), or None."""
        if layout is not self._embedding:
            self._embedding = layout
            self.embedding_changed.emit()

    @property
    def places(self) -> NDArray[np.float64] | None:
        """(n, 2), the places of the codes; NaN where they have none; None without codes."""
        codes, plane = self.codes, self.plane
        if codes is None:
            return None
        if plane is not None:
            return plane.project(codes)
        places = np.full((len(codes), 2), np.nan)
        if self._embedding is not None:
            places[: len(self._embedding)] = self._embedding
        return places

    def place_of(self, code: NDArray[np.floating]) -> tuple[float, float] | None:
        """Returns the place of a code; in an embedding, the place of the nearest code.

        Parameters
        ----------
        code
            (d,).

        Returns
        -------
        x and y, which is NaN for codes of one number; None where there is no place.
        """
        plane, codes = self.plane, self.test_codes
        if codes is None or code.shape != codes.shape[1:]:
            return None
        if plane is not None:
            x, y = plane.project(code).tolist()
            return x, np.nan if len(code) == 1 else y
        if self._embedding is None:
            return None
        x, y = self._embedding[nearest_codes(codes, code, 1)[0][0]].tolist()
        return x, y

    @property
    def anchor(self) -> NDArray[np.floating] | None:
        """(d,), the code that fixes what the plane leaves open: the marked one, or the mean."""
        plane, code, codes = self.plane, self.session.code, self.test_codes
        if plane is None or codes is None:
            return None
        fits = code is not None and code.shape == plane.origin.shape
        return code if fits else codes.mean(axis=0)

    def lift(self, xy: NDArray[np.floating]) -> NDArray[np.float32] | None:
        """Lifts (..., 2) places of the plane to (..., d) codes.

        Off the plane they equal the anchor.
        """
        plane, anchor = self.plane, self.anchor
        if plane is None or anchor is None:
            return None
        return plane.lift(xy, anchor).astype(np.float32)

    @Slot(str, str)
    def _rename_run(self, old: str, new: str) -> None:
        if old in self._undo_states:
            self._undo_states[new] = self._undo_states.pop(old)

    @Slot()
    def _take_run(self) -> None:
        current = self.session.current
        self._run = current.key if current else ""
        self._base, self._is_plane_current = None, False
        self.set_embedding(None)
        self.undo_stack.clear()
        self.run_changed.emit()
        self.pins_changed.emit()

    @Slot()
    def _take_codes(self) -> None:
        codes = self.codes
        self._is_plane_current = False
        if codes is not None:
            self._is_taking_codes = True
            if self.session.code is None:
                self.session.set_code(codes.mean(axis=0))
            self._is_taking_codes = False
            self._move_pins(codes)
        self.places_changed.emit()

    @Slot()
    def _follow_code(self) -> None:
        if not self._is_taking_codes:
            self.code_changed.emit()

    # -- what can be undone ----------------------------------------------------------------------

    @property
    def undo_state(self) -> UndoState:
        """The code, the pins and the selection."""
        kept = self._undo_states.get(self._run, UndoState())
        return replace(kept, code=self.session.code, selection=self.selection)

    @property
    def pins(self) -> tuple[Pin, ...]:
        """The pins of the current run, in the order of their letters."""
        return self._undo_states.get(self._run, UndoState()).pins

    @property
    def selection(self) -> NDArray[np.intp]:
        """The numbers of the selected images, ascending; the same for all runs."""
        return self._undo_states.get("", UndoState()).selection

    def move(
        self, code: NDArray[np.floating], gesture: str = "", *, in_bursts: bool = False
    ) -> None:
        """Marks another code; moves of the same gesture are undone together.

        Parameters
        ----------
        code
            (d,).
        gesture
            What they belong to.
        in_bursts
            Whether a second's rest begins a new gesture, as with keys.
        """
        if in_bursts:
            now = time.monotonic()
            self._bursts += now - self._moved_at > _REST_SECONDS
            self._moved_at = now
            gesture = f"{gesture} {self._bursts}"
        moved = replace(self.undo_state, code=np.asarray(code, np.float32))
        self._change("Move the code", moved, gesture)

    def code_text(self) -> str:
        """Returns the marked code as numbers separated by commas; empty without one."""
        code = self.session.code
        return "" if code is None else ", ".join(f"{value:.6g}" for value in code.tolist())

    def take_text(self, text: str) -> None:
        """Marks the code that a text holds; a problem is posted as a message."""
        codes = self.codes
        if codes is None:
            return
        try:
            self.move(parse_code(text, codes.shape[1]))
        except DataError as error:
            self.session.message_posted.emit(str(error))

    def pin(self, pin: Pin) -> None:
        """Pins a code, and marks it."""
        held = self.undo_state
        if any(np.array_equal(pin.code, other.code) for other in held.pins):
            return
        self._change("Pin", replace(held, code=pin.code, pins=(*held.pins, pin)))

    def unpin(self, index: int) -> None:
        """Removes a pin."""
        pins = self.pins
        self._change("Unpin", replace(self.undo_state, pins=pins[:index] + pins[index + 1 :]))

    def unpin_all(self) -> None:
        """Removes all pins."""
        if self.pins:
            self._change("Unpin all", replace(self.undo_state, pins=()))

    def select(self, images: NDArray[np.integer]) -> None:
        """Selects images by their numbers; an empty array clears the selection."""
        chosen = np.unique(images).astype(np.intp)
        if not np.array_equal(chosen, self.selection):
            self._change(
                "Select" if len(chosen) else "Clear selection",
                replace(self.undo_state, selection=chosen),
            )

    def apply(self, text: str, held: UndoState) -> None:
        """Sets code, pins and selection as one undoable change; `text` names it in the menu."""
        self._change(text, held)

    def _change(self, text: str, after: UndoState, gesture: str = "") -> None:
        self.undo_stack.push(StateChange(self.restore, text, self.undo_state, after, gesture))

    def restore(self, held: UndoState) -> None:
        """Restores code, pins and selection without an entry on the undo stack."""
        before = self.undo_state
        self._undo_states[self._run] = replace(held, selection=NOTHING)
        self._undo_states[""] = UndoState(selection=held.selection)
        if held.code is not None and held.code is not before.code:
            self.session.set_code(held.code)
        if held.pins != before.pins:
            self.pins_changed.emit()
        if not np.array_equal(held.selection, before.selection):
            self.selection_changed.emit()

    def _move_pins(self, codes: NDArray[np.float32]) -> None:
        """Moves the pins of images to the new codes of their images."""
        pins = self.pins
        if any(pin.image is not None for pin in pins):
            kept, moved = self._undo_states[self._run], tuple(pin.follow(codes) for pin in pins)
            self._undo_states[self._run] = replace(kept, pins=moved)
            self.pins_changed.emit()
